package bench

import (
	"fmt"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Group is connections that do the same: clients that look routes up, brokers that register,
// connections that do nothing at all. The groups of a Plan run side by side on one thread.
type Group struct {
	Name  string
	World *World // what it asks about
	Conns int

	// Depth is how many requests a connection has in flight, 0 for none: in a closed loop
	// always, in an open one at most.
	Depth int
	// Rate is requests per second over all connections, due at even distances whatever is
	// answered: an open loop. 0 is a closed loop: a reply makes the next request.
	Rate float64
	// Burst is how many requests of an open loop are due together on one connection.
	Burst int
	// Every puts the requests of an open loop together that are due in so long, over all
	// connections: they are due at its end. 0: each is due by itself.
	Every time.Duration
	// Pause is how long after the start of the plan the group begins to ask.
	Pause time.Duration

	Mix       Mix
	Version   int32 // of the requests: default 5.5.0
	Serialize codec.SerializeType
	// Registrations gives the nth registration of a connection, for 103 in Mix. It runs on
	// the load's thread and must only pick what was encoded before.
	Registrations func(conn, nth int) *Registration
	// Variants is how many variants of the world may be seen in route bodies (default 1);
	// Incomplete: brokers may be missing in them, since they are registering meanwhile.
	Variants   int
	Incomplete bool
	// Unchecked: bodies are not looked at, codes are. Echo: nor are bodies of a server that
	// answers everything alike, with SUCCESS, a topic nobody has no less.
	Unchecked, Echo bool

	// RequestsMax ends a connection after so many replies, 0 never. Then Stay keeps it open
	// and silent, Reconnect opens it anew. The group is done when all its connections have
	// reached RequestsMax and are not opened anew.
	RequestsMax int
	Stay        bool
	Reconnect   bool
	// Together, with Stay, is how many connections begin at once; each of the others begins
	// when one is done. 0: all.
	Together int
	// Late: connections are opened when the plan starts, all at once, instead of before.
	Late bool
	// ReadBytesPerSecond > 0 makes slow readers of the connections. ReceiveBufferBytes > 0
	// sets their receive buffer.
	ReadBytesPerSecond int
	ReceiveBufferBytes int
}

// connsMax bounds the connections of a group.
const connsMax = 1_000_000

func (g *Group) withDefaults() (Group, error) {
	d := *g
	if d.Version == 0 {
		d.Version = codec.Version5_5_0
	}
	d.Burst, d.Variants = max(d.Burst, 1), max(d.Variants, 1)
	fail := func(format string, args ...any) (Group, error) {
		return d, fmt.Errorf("group %s: "+format, append([]any{d.Name}, args...)...)
	}
	if err := d.Mix.Validate(); err != nil {
		return fail("%w", err)
	}
	switch {
	case d.World == nil:
		return fail("it has no world to ask about")
	case d.Conns < 1 || d.Conns > connsMax:
		return fail("%d connections; it needs between 1 and %d", d.Conns, connsMax)
	case d.Depth < 0 || d.Depth > depthMax:
		return fail("depth %d; it is between 0 and %d", d.Depth, depthMax)
	case d.Rate < 0 || d.Rate > rateMax:
		return fail("rate %v; it is between 0 and %.0f requests a second", d.Rate, float64(rateMax))
	case d.Every < 0:
		return fail("requests due every %v", d.Every)
	case d.Rate > 0 && d.Depth < d.Burst:
		return fail("depth %d is less than the burst of %d requests", d.Depth, d.Burst)
	case d.Mix.Register > 0 && d.Registrations == nil:
		return fail("there are registrations in its mix, but none were prepared")
	}
	return d, d.World.Validate()
}

// depthMax is the most requests in flight on one connection; rateMax the most in a second.
const (
	depthMax = 1 << 16
	rateMax  = 10_000_000
)
