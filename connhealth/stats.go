package connhealth

// Stats count what the detector did since it began.
type Stats struct {
	Suspects     uint64
	Recovered    uint64
	Held         uint64
	Parked       [len(ruleNames)]uint64 // by Rule
	Restored     [len(ruleNames)]uint64 // by Rule
	Removed      uint64                 // clean closes
	Contradicted uint64                 // verdicts that proof of life contradicted soon after
	ConnsClosed  uint64
	Dials        uint64
	Freezes      uint64
	FreezeMillis [len(freezeNames)]int64 // by Freeze
	ParkedMillis int64                   // of brokers that came back
	StallMillis  int64
}

// Stats returns a copy of the counters.
func (d *Detector) Stats() Stats { return d.stats }

// ConnView is what is known of a connection, for operators.
type ConnView struct {
	Conn    ConnID
	Peer    string
	Brokers []BrokerKey
	Class   Class
	Suspect bool
	Parked  bool // all its brokers are hidden
	Why     *Explanation

	OpenedMillis  int64
	Last          Sample
	SampledMillis int64 // of Last; -1: there is none yet
}

// Conn describes a connection.
func (d *Detector) Conn(now int64, id ConnID) (ConnView, bool) {
	c := d.conns[id]
	if c == nil {
		return ConnView{}, false
	}
	v := ConnView{Conn: id, Peer: c.host.addr.String(), Suspect: c.suspect, Class: d.classify(now, c), Parked: d.parkedConn(c),
		OpenedMillis: c.openedMillis, Last: c.last, SampledMillis: -1}
	if c.sampled {
		v.SampledMillis = c.sampledMillis
	}
	var b *broker
	for i, x := range c.brokers {
		if i == 0 {
			b = x
		}
		v.Brokers = append(v.Brokers, x.Key())
		if v.Class == ClassHealthy && x.basis == basisNamed && now-x.namedMillis > 2*x.periodMillis {
			v.Class = ClassAppSilent
		}
	}
	if !v.Suspect && (v.Class == ClassIdleSilent || v.Class == ClassPeerSilent) {
		v.Class = ClassHealthy // a packet or two: nothing to speak of
	}
	if v.Class == ClassHealthy && c.host.loss.rate(now, &d.p) > d.p.LossMin*2 {
		v.Class = ClassLossy
	}
	v.Why = d.explain(now, c, b, v.Class, RuleNone)
	return v, true
}

// BrokerView is what is known of a broker, for operators.
type BrokerView struct {
	Broker      Broker
	State       string // live, held, parked
	Basis       string // registered, new_connection, dial_back, expiry
	SinceMillis int64
	Conn        ConnID
	Class       Class
	Rule        Rule
	Strikes     int
}

var stateNames = [...]string{"live", "held", "parked"}

// Brokers describes all brokers, in the order they were first seen.
func (d *Detector) Brokers(now int64) []BrokerView {
	list := make([]BrokerView, 0, len(d.list))
	for _, b := range d.list {
		v := BrokerView{Broker: b.Broker, State: stateNames[b.state], Basis: basisNames[b.basis], SinceMillis: b.sinceMillis,
			Class: b.class, Rule: b.rule, Strikes: b.strikesAt(now)}
		if b.conn != nil {
			v.Conn = b.conn.id
		}
		list = append(list, v)
	}
	return list
}

// Freeze returns the present freeze.
func (d *Detector) Freeze() Freeze { return d.freeze.level }
