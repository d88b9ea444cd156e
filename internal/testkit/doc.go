// Package testkit speaks to a name server over real sockets, as a client or as a pretend
// broker: what the tests of every package, the benchmarks and `nsctl demo` share.
//
// client.go is one connection with requests and replies; broker.go registers topics of
// its choice and stays. Both use only codec, so they work against the Java name server too.
package testkit
