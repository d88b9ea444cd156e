package connhealth

// While all is well the detector needs to be called a few times a second only, and the owner
// can sleep: what a thousand healthy brokers cost is mostly the owner's waking up. So no
// deadline may be left that would be slept over, but for those that may be met late: the
// first dial-backs to a broker, and what is forgotten after minutes.

// urgency is how soon the detector needs to be called again.
type urgency uint8

const (
	calm     urgency = iota // all is well
	deciding                // something is being decided
	urgent                  // a broker is held
)

// WaitMillis is how long the owner may wait before it calls Tick and AppendDue again. Ask after
// every call: what is told may begin something.
func (d *Detector) WaitMillis() int64 {
	switch {
	case d.overdue || d.urgency == urgent:
		return d.p.UrgentTickMillis
	case d.urgency == deciding:
		return d.p.TickMillis
	}
	return d.p.CalmTickMillis
}

// Calm reports whether all is well: no answer is overdue and nothing is being decided.
func (d *Detector) Calm() bool { return d.urgency == calm && !d.overdue }

// raise is for what begins between two Ticks; the next one finds out whether it lasts.
func (d *Detector) raise(u urgency) { d.urgency = max(d.urgency, u) }

// pending is what a Tick left undone.
func (d *Detector) pending(now int64) urgency {
	u := calm
	if d.suspects > 0 || d.freeze.level != FreezeNone || d.settling(now) || len(d.nudges) > 0 {
		u = deciding
	}
	for _, b := range d.list {
		u = max(u, b.urgency())
	}
	return u
}

// urgency of a broker that is shown and is on the connection that named it is none.
func (b *broker) urgency() urgency {
	switch {
	case b.state == stateHeld:
		return urgent
	case b.state != stateLive || b.basis != basisNamed || b.conn == nil:
		return deciding
	}
	return calm
}
