// Package connwatch keeps watch over the connections of a server: it brings what the server,
// the kernel's TCP_INFO and the BPF programs tell to the detector (package connhealth), and
// does what that decides: holds, parks and restores brokers, closes dead connections, dials
// back. The rules are the detector's, the evidence is package bpf's; here is no opinion.
//
// One goroutine owns the detector (watch.go). Event loops and lanes put what they have to
// tell into its box (box.go) and never wait.
package connwatch
