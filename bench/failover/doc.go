// Package failover measures what clients notice when a name server or a broker fails: how many
// lookups and sends fail, how long the longest caller waits, and how soon the unhealthy one is
// left.
//
// A world is three name servers, Pharos and Java mixed, three Java brokers and a client, each in
// a network namespace of its own around a router. The client is a process that looks routes up
// and sends at fixed rates (package openloop). Faults are signals, rules in the router, or a
// stand-in between client and name server that answers late or garbage.
//
// It needs root, the commands ip and nft, a JDK 17 and Maven.
package failover
