package bench

import (
	"fmt"
	"math"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Filled says how one world came into the server.
type Filled struct {
	World         string  `json:"world"`
	Seconds       float64 `json:"seconds"` // from the first byte to the last answer
	Brokers       int     `json:"brokers"`
	Registrations int     `json:"topic_registrations"` // topics times brokers
	Frames        int     `json:"frames"`
	Bytes         uint64  `json:"bytes"`
	// Answer is the time from when a frame was due to its answer.
	Answer Latency `json:"answer"`
}

// keepAlive is how often a silent broker asks something: servers close what is silent for
// two minutes, and forget the broker.
const keepAlive = 20 * time.Second

// fillTogether is how many brokers fill a server at a time: all at once is a scenario of its
// own, which a server may answer with SYSTEM_BUSY.
const fillTogether = 8

// fillTimeout is the default of Plan.FillTimeout.
const fillTimeout = 15 * time.Minute

// FillGroup is brokers that register all of w once and stay.
func (w *World) FillGroup(version int32, st codec.SerializeType) Group {
	parts := w.parts()
	registrations := make([][]*Registration, w.Brokers)
	for _, part := range parts {
		body := w.Body(part[0], part[1], 0, 1, version)
		for b := range w.Brokers {
			registrations[b] = append(registrations[b], w.Registration(b, body, st))
		}
	}
	return Group{
		Name: "brokers of " + w.name(), World: w, Conns: w.Brokers, Depth: 1, Mix: Mix{Register: 1},
		Version: version, Serialize: st, RequestsMax: len(parts), Stay: true, Incomplete: true,
		Registrations: func(conn, nth int) *Registration { return registrations[conn][nth%len(parts)] },
	}
}

// fillGroups makes brokers of worlds. They speak as the load does.
func fillGroups(worlds []*World, load []Group) ([]Group, error) {
	version, st := codec.Version5_5_0, codec.SerializeJSON
	if len(load) > 0 {
		st = load[0].Serialize
	}
	var groups []Group
	for _, w := range worlds {
		if err := w.Validate(); err != nil {
			return nil, err
		}
		g := w.FillGroup(version, st)
		g.Together = fillTogether
		groups = append(groups, g)
	}
	return groups, nil
}

// fillAll registers the worlds, one after the other.
func (r *runner) fillAll() error {
	for _, g := range r.fill {
		if err := r.fillOne(g); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

func (r *runner) fillOne(g *group) error {
	if err := r.open("connecting brokers", []*group{g}); err != nil {
		return err
	}
	r.phase = fmt.Sprintf("registering %d topics on %d brokers", g.World.Topics, g.World.Brokers)
	r.start([]*group{g})
	timeout := r.FillTimeout
	if timeout == 0 {
		timeout = fillTimeout
	}
	err := r.engine.run(r.engine.now()+int64(timeout), func() bool { return g.done == len(g.conns) })
	if err != nil {
		return err
	}
	if g.done < len(g.conns) || len(g.errors) > 0 {
		return fmt.Errorf("%s: %d of %d registered within %v; errors: %v", g.Name, g.done, len(g.conns), timeout, g.errors)
	}
	r.result.Fill = append(r.result.Fill, Filled{
		World: g.World.name(), Seconds: float64(g.lastReply-g.firstSent) / 1e9, Brokers: g.World.Brokers,
		Registrations: g.World.Brokers * g.World.Topics, Frames: int(g.replies), Bytes: g.bytesOut,
		Answer: summarize(g.latency),
	})
	g.counters.reset()
	for i := range r.Renew {
		if r.Renew[i].World == g.World {
			g.renew(&r.Renew[i], r.engine.now())
			return nil
		}
	}
	g.keepAlive(r.engine.now())
	return nil
}

// Renewal is what brokers of a world register once they have.
type Renewal struct {
	World *World
	Rate  float64 // registrations per second, of all brokers in turn
	// Registrations gives the nth registration of a broker since it registered first; nil:
	// always the first one, unchanged.
	Registrations func(broker, nth int) *Registration
}

// renew turns brokers that have registered into ones that go on doing so.
func (g *group) renew(r *Renewal, now int64) {
	g.RequestsMax, g.Stay, g.done = 0, false, 0
	g.interval = 1e9 / r.Rate
	g.dueAt = float64(now) + g.interval
	g.nextDue = int64(g.dueAt)
	if r.Registrations != nil {
		g.Registrations = r.Registrations
		for i := range g.conns {
			g.conns[i].nth = 0
		}
	}
}

// keepAlive turns brokers that have registered into ones that ask something now and then: for a
// topic that nobody has, since a route of 1,000 brokers would cost more than what is measured.
func (g *group) keepAlive(now int64) {
	g.RequestsMax, g.Stay, g.done = 0, false, 0
	g.Mix = Mix{}
	g.ops = append(g.ops[:0], op(opUnknown)<<opTopicBits)
	g.opAt = 0
	g.interval = float64(keepAlive) / float64(len(g.conns))
	g.dueAt = float64(now) + g.interval
	g.nextDue = int64(math.Round(g.dueAt))
}
