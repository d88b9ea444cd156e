// Package client is RocketMQ's route discovery for Go programs, and a producer on top of it:
// which name server is asked, which brokers have a topic, which of them gets the next message.
// It works with Pharos and with the Java name server and broker, and it is made for the day on
// which one of them hangs.
//
// # Name servers
//
// A [Resolver] asks the name servers of a list. One is in use, the others stand by, connected
// and probed now and then. A server that stops answering is left after one time-out without an
// answer to anybody (3 s), or within a second with hedging, which is the default; one whose
// connection ends is left at once, and a lookup that was under way goes to the next one. A
// server that was left comes back only after it has answered probes again.
//
// # Routes
//
// [Routes] keeps what a Resolver found: each topic's route is refreshed every 30 s and after a
// failed send, and goes on serving, its age visible, while no name server answers.
//
// # Brokers
//
// A [Selector] chooses the queue, and with it the broker, of the next message: round robin as
// in Java, the fewest outstanding requests, or around brokers that were slow or failed. A
// [Producer] sends it there. A broker that does not answer is left out of the choice and probed
// until it does; one that asks for less is left alone for a moment; a message that failed is
// sent to another one.
//
// # Errors
//
// Every error wraps one of the package's sentinels, or what ended the caller's context, or
// codec.ErrFrameTooLarge of a request, or is a broker's refusal, a [*BrokerError]. Those of a
// Resolver's lookups are an [*Error], which says which servers were asked and what each of them
// did, those of a Producer's sends a [*SendError] with every attempt.
//
// # What it is not
//
// It is no full client: no consumers, no transactions, no message tracing. The official Go
// client, github.com/apache/rocketmq-client-go/v2, has them.
package client
