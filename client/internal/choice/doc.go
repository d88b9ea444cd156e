// Package choice decides which name server of a list is asked: a state machine without a
// clock, a socket or a goroutine. Evidence and the time go in (Asked, Answered, TimedOut,
// Dialed, Closed, Tick), what is to be done comes out (Actions). Time is a duration since any
// moment, and never goes back.
//
// # What a server is to the machine
//
// A server is down (there is no connection), being dialled, proving (connected, not yet
// trusted) or ready. One of the ready ones is in use: everybody asks it as long as it is well,
// as Java's clients do. The others stand by, connected and probed now and then, so that a
// switch costs nothing.
//
// # When the server in use is left
//
//   - its connection ends;
//   - requests timed out and nothing at all was heard meanwhile: the connection hangs
//     (FailureThreshold). One that answered others is not hung; it gets more patience
//     (SoftThreshold), as have busy answers and answers that make no sense;
//   - it says that it is going away, or not ready;
//   - with Silence: it owes an answer and was not heard for that long, though another one
//     answers. Both are asked by a probe of their own halfway, so that this costs two requests
//     and not a copy of each;
//   - it is slow, several times in a row, and another one is not.
//
// The last two, and answers of the kind "busy", need somebody to switch to; without one a bad
// server is better than none.
//
// Time that a server did not have because our own process stood still is not held against it:
// whenever it would be left for its silence, whoever reads gets a moment first, so that what
// came meanwhile is heard (package pause).
//
// # How it comes back
//
// A server that was left rests: from RestMin, doubling with every failure in a row up to
// RestMax, more if it had been back for less than FlapWindow. Then it is dialled and has to
// answer ProofCount probes before it is ready. While nobody is in use the first answer of
// anybody is proof enough, and nobody rests longer than RestAlone.
package choice
