// Package bench measures name servers over real sockets: Pharos, the Java one, any other
// that speaks the protocol.
//
//   - world.go and registration.go are the facts a server is filled with, as brokers
//     register them; fill.go brings them in and keeps their connections.
//   - engine.go and its sisters are the load: one thread that polls its sockets itself, so
//     that it costs less for each request than the server it asks. Everything that happens
//     at a server at the same time (lookups, brokers, idle connections, floods) is a Group
//     of one Plan on that thread, and no part of the load can delay another unseen.
//   - scenario.go is the table of what is compared, compare.go starts servers in turn and
//     gives them the same work, report.go and plot.go say what came out.
//
// Answers are compared by package client. The load does not use it: it is the measuring
// instrument, one thread with encoded requests and no goroutine between a socket and the clock.
//
// Latency counts from when a request was due, not from when there was room to send it.
// What is answered is checked: every reply's code and correlation id, and a sample of the
// bodies, parsed whole, against what was registered.
package bench
