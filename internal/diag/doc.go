// Package diag holds the words in which a name server tells operators about its connections:
// rows, evidence and counters, as the HTTP port sends them and nsctl reads them. It is data
// only; internal/connwatch fills it in, internal/admin sends it.
//
// Field names are those of the JSON and part of the interface: they are added to, not
// changed. Ages and durations are in milliseconds, -1 where there never was such a moment.
package diag
