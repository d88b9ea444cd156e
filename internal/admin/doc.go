// Package admin is the HTTP port for those who run the server: /metrics for Prometheus,
// /healthz (the process lives), /readyz (it can be sent clients), and, for processes of the
// same machine, what is known about connections: /conns, /conns/{id}, /conns/dump, /brokers,
// /evidence (diagnosis.go). It only looks; nothing about the server can be changed here.
//
// docs/metrics.md describes every metric; a test compares the two.
package admin
