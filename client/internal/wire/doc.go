// Package wire is one connection to a RocketMQ remoting server, a name server or a broker:
// requests of any number of goroutines go out on it, and each reply finds its caller by the
// opaque, in whatever order they come (Java: NettyRemotingClient, one channel of it).
//
// A Conn has two goroutines, a reader and a writer, that end with it. It says what happens to
// it and judges nothing: whether a peer that does not answer is to be left is for those who
// use it.
//
// Everything a peer can make a Conn hold is bounded: a frame by codec.Limits, growing as its
// bytes arrive and not as they are announced; the calls that wait; the bytes that wait to be
// written. Nobody waits longer than its context allows, whatever the peer does.
package wire
