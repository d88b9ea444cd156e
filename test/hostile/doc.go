// Package hostile holds no code but its test: a name server process under attack, and
// innocent clients and brokers beside the attackers who must not notice. The attackers run
// in a process of their own, so that the innocents' latencies are the server's.
package hostile
