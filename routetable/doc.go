// Package routetable holds every rule of Java's RouteInfoManager: which broker serves
// which topic, at which addresses, with which permissions. It is pure: no clock, socket,
// logger, goroutine or metric. Time comes in as an argument; what must be done to the
// outside world comes out as effects, which the caller performs after publication.
//
// Readers take the current Snapshot with one atomic load and never wait. One writer at a
// time builds the next Snapshot through a Txn that copies only what it touches. The only
// thing reachable from a Snapshot that ever changes is a registration's liveness leaf.
package routetable
