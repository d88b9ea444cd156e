// Package faults measures how soon a name server stops naming brokers that died, and how long
// it does not name brokers that live, in network namespaces of Linux.
//
// One run is a server, a router and brokers, each in a namespace of its own. The brokers are
// processes with the timers of real 5.x ones; faults are rules in the router, or signals. An
// observer in a healthy namespace asks for a route twenty times a second. Detection is the time
// from the fault until the route lacks the broker; missing is the time a living broker is not in
// the route.
//
// It needs root and the commands ip and nft.
package faults
