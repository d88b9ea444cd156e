// Package differential compares Pharos with the Java 5.5.0 name server, reply by reply.
//
// A history is a seeded random sequence of steps: requests in every form real and broken
// peers send, pipelined or one at a time, over several connections that also close. The
// runner plays one history against two servers side by side and compares what comes back:
// codes, remarks, header fields and bodies, the latter without regard to the order of maps
// and sets but with regard to the JSON dialect. What may differ is a numbered list
// (exceptions.go), each entry naming the item of the behaviour reference it rests on.
//
// The package speaks the protocol with code of its own (wire.go, lenient.go) on purpose:
// a mistake shared by encoder and decoder of package codec would cancel itself out here.
//
// The test needs a JDK and Maven, and runs only when PHAROS_INTEROP is set:
//
//	PHAROS_INTEROP=1 go test ./test/interop/differential -run TestDifferential
//
// See config.go for the variables that choose seeds, steps and the pair of servers.
package differential
