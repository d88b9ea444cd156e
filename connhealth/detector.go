package connhealth

import "net/netip"

// Detector judges the connections of one server. It is not safe for concurrent use.
type Detector struct {
	p           Params
	lastOfTopic func(BrokerKey) bool

	conns   map[ConnID]*conn
	hosts   map[netip.Addr]*host
	brokers map[BrokerKey]*broker
	list    []*broker // all of brokers, in a stable order

	schedule schedule
	witness  witness
	loss     loss
	freeze   freeze
	closes   recentCloses
	dials    dialBudget
	dialID   uint64
	nudges   []nudged
	suspects int     // connections that are suspect
	overdue  bool    // an answer may be, somewhere
	urgency  urgency // as of the last Tick, and of what was told since
	stats    Stats

	tickMillis       int64 // last Tick; never: none yet
	stallMillis      int64 // length of the last pause of ours
	stallUntilMillis int64 // and when it ended
	settleMillis     int64 // no verdicts after it until then,
	settleTicks      int   // nor before so many calls of Tick

	out []Action
}

// New returns a detector that knows nobody. lastOfTopic tells whether hiding a broker would
// leave a topic that clients use without any visible broker; nil means never. It is called
// at most once a second for a broker that is about to be hidden on evidence of the path.
func New(p Params, lastOfTopic func(BrokerKey) bool) *Detector {
	return &Detector{
		p:                p,
		lastOfTopic:      lastOfTopic,
		conns:            make(map[ConnID]*conn),
		hosts:            make(map[netip.Addr]*host),
		brokers:          make(map[BrokerKey]*broker),
		tickMillis:       never,
		stallUntilMillis: never,
		freeze:           freeze{calmMillis: never, countedMillis: never},
	}
}

// begin starts the actions of one call. Whatever comes first after a pause of ours must not
// be judged without it.
func (d *Detector) begin(now int64) {
	clear(d.out)
	d.out = d.out[:0]
	if d.tickMillis != never && now-d.tickMillis > d.p.StallMillis {
		d.stalled(now, now-d.tickMillis)
		d.tickMillis = now
	}
}

func (d *Detector) emit(a Action) {
	if c := d.conns[a.Conn]; c != nil {
		a.Peer = c.peer()
	}
	d.out = append(d.out, a)
}

// emitBroker adds an action about a broker.
func (d *Detector) emitBroker(kind ActionKind, c *conn, b *broker, x *Explanation) {
	a := Action{Kind: kind, Broker: b.Broker, Why: x}
	if c != nil {
		a.Conn = c.id
	}
	d.emit(a)
}

// Tick lets time pass: call it when WaitMillis says. It ends holds, looks for new
// connections of lost brokers, dials back, and notices freezes and pauses of our own.
func (d *Detector) Tick(now int64) []Action {
	d.begin(now)
	elapsed := int64(0)
	if d.tickMillis != never {
		elapsed = now - d.tickMillis
	}
	d.tickMillis = now
	d.settleTicks = max(0, d.settleTicks-1)
	d.tickNudges(now)
	d.tickFreeze(now, elapsed)
	for i := 0; i < len(d.list); {
		b := d.list[i]
		d.tickBroker(now, elapsed, b)
		if i < len(d.list) && d.list[i] == b {
			i++
		}
	}
	d.urgency = d.pending(now)
	return d.out
}
