package failover

import (
	"fmt"
	"time"
)

// Case is a fault and what is wanted of our client in it.
type Case struct {
	Name, Help string
	// Victim is what fails.
	Victim Victim
	// Standin: clients reach name servers through their stand-ins.
	Standin bool
	// LeftSeconds is within what the name server has to be left, LeftHedged the same with
	// hedging; 0: it is only reported.
	LeftSeconds, LeftHedged float64

	strike, heal func(w *world, i int) error
}

// Victim is what a case is done to.
type Victim string

// The victims.
const (
	Nobody  Victim = "nobody"
	Server  Victim = "name server" // the one that the client uses, if it tells
	Broker  Victim = "broker"
	Choices Victim = "choices" // no fault: how evenly brokers are chosen
)

// What is wanted of our client, in every fault.
const (
	lookupsTarget = 0.999
	cachedTarget  = 1
	sendsTarget   = 0.9999
	hungSeconds   = 3.5 // at the default time-out of 3 s
	hedgedSeconds = 1
	killedSeconds = 0.1
)

// allCases are the cases in the order of reports.
func allCases() []Case {
	nothing := func(*world, int) error { return nil }
	return []Case{
		{Name: "none", Help: "no fault: what the machine does by itself", Victim: Nobody, strike: nothing, heal: nothing},
		{Name: "server-killed", Help: "kill -9 of the name server in use", Victim: Server, LeftSeconds: killedSeconds, LeftHedged: killedSeconds,
			strike: func(w *world, i int) error { w.servers[i].Kill(); return nil },
			heal:   func(w *world, i int) error { w.settled = false; return w.servers[i].start() }},
		{Name: "server-frozen", Help: "SIGSTOP: its kernel acknowledges, nobody answers", Victim: Server, LeftSeconds: hungSeconds, LeftHedged: hedgedSeconds,
			strike: func(w *world, i int) error { return w.servers[i].Freeze() },
			heal:   func(w *world, i int) error { return w.servers[i].Thaw() }},
		{Name: "server-path", Help: "the path between client and name server drops everything", Victim: Server, LeftSeconds: hungSeconds, LeftHedged: hedgedSeconds,
			strike: func(w *world, i int) error { return w.drop(w.answersOf(i), w.requestsTo(i)) }, heal: (*world).healPaths},
		{Name: "server-oneway", Help: "answers are lost, requests arrive", Victim: Server, LeftSeconds: hungSeconds, LeftHedged: hedgedSeconds,
			strike: func(w *world, i int) error { return w.drop(w.answersOf(i)) }, heal: (*world).healPaths},
		{Name: "server-slow", Help: "answers take 2 s, less than the time-out", Victim: Server, Standin: true,
			strike: mooded(late), heal: mooded(well)},
		{Name: "server-garbage", Help: "answers are garbage, five kinds in turn", Victim: Server, Standin: true,
			strike: mooded(garbage), heal: mooded(well)},
		{Name: "broker-killed", Help: "kill -9 of a broker", Victim: Broker,
			strike: func(w *world, i int) error { w.brokers[i].Kill(); return nil },
			heal:   func(w *world, i int) error { w.settled = false; return w.startBroker(w.brokers[i]) }},
		{Name: "broker-frozen", Help: "SIGSTOP of a broker", Victim: Broker,
			strike: func(w *world, i int) error { return w.brokers[i].Freeze() },
			heal:   func(w *world, i int) error { return w.brokers[i].Thaw() }},
		{Name: "broker-path", Help: "a broker's link drops everything, name servers lose it too", Victim: Broker,
			strike: func(w *world, i int) error {
				return w.drop("ip saddr "+w.brokers[i].ip, "ip daddr "+w.brokers[i].ip)
			}, heal: (*world).healPaths},
		{Name: evenRoundRobin, Help: "sends on each broker, round robin", Victim: Choices},
		{Name: evenLeast, Help: "sends on a broker that is 50 ms farther away for a while, fewest in flight", Victim: Choices},
	}
}

// mooded changes the mood of a name server's stand-in.
func mooded(m mood) func(w *world, i int) error {
	return func(w *world, i int) error { w.servers[i].standin.set(m); return nil }
}

func (w *world) clientIP() string { return w.star.PeerIP(len(w.star.Peers) - 1).String() }

// answersOf and requestsTo are rules for the packets between the client and a name server. It
// stays within reach of brokers: what they do is not measured, and takes long to heal.
func (w *world) answersOf(i int) string {
	return fmt.Sprintf("ip saddr %s ip daddr %s", w.servers[i].ip, w.clientIP())
}

func (w *world) requestsTo(i int) string {
	return fmt.Sprintf("ip saddr %s ip daddr %s", w.clientIP(), w.servers[i].ip)
}

// drop loses what matches, all of it at once.
func (w *world) drop(matches ...string) error {
	script := ""
	for _, m := range matches {
		script += "add rule inet faults forward " + m + " drop\n"
	}
	return w.star.Router.Nft(script)
}

func (w *world) healPaths(int) error { return w.star.Heal() }

// victims is how many there are to choose from.
func (c *Case) victims(w *world) int {
	if c.Victim == Broker {
		return len(w.brokers)
	}
	return len(w.servers)
}

// leftWithin is within what a client has to leave the name server; 0: it is only reported.
func (c *Case) leftWithin(k *kind) time.Duration {
	seconds := c.LeftSeconds
	if k.hedged {
		seconds = c.LeftHedged
	}
	return time.Duration(seconds * 1e9)
}

// wanted says whether a case is measured with a client. Hedging is about name servers.
func (c *Case) wanted(k *kind) bool {
	switch {
	case c.Name == evenLeast:
		return k.hedged
	case c.Victim == Broker || c.Victim == Choices:
		return k.hedged || !k.ours
	}
	return true
}
