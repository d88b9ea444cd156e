// Package server is the name server as a process on a socket: event loops that read
// frames and answer them, lanes that do the heavy work, one handler for each request
// code, and what happens when a connection closes.
//
// A handler (files NNN_name.go, numbered by request code) is a function of a Request. It
// runs on the event loop that owns the connection, must not block, and either replies at
// once (Begin and End, or Reply) or hands the request to a lane (Offload), where it may
// parse, publish and wait for a disk, and replies through a Pending.
//
// Bytes: what a Request shows is borrowed for the call. What a Pending shows is its own.
//
// Only engine_gnet.go and gnet_log.go know gnet. Everything else sees a connection as the
// interface wire (loop side) or Conn (handler side), so that another kind of listener can
// serve the same handlers.
package server
