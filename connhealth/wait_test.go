package connhealth

import "testing"

// TestHealthyIsLeftAlone: while all is well the owner may sleep, and everybody is looked at as
// often as is promised all the same: half of the brokers, which ask something every 5 s and get
// answers, and the others, which say nothing.
func TestHealthyIsLeftAlone(t *testing.T) {
	const brokers, seconds = 100, 20
	d, now, s := healthyBrokers(brokers)
	d.p.DialBack = false
	looks, samples := 0, map[ConnID]int{}
	var due []ConnID
	for end := now + seconds*1000; now < end; now += d.WaitMillis() {
		looks++
		s.SegsIn++
		for id := range ConnID(brokers / 2) {
			if looks%20 == int(id)%20 {
				d.RequestArrived(now, id+1, RequestOther)
				d.RequestAnswered(now, id+1)
			}
		}
		d.Tick(now)
		due = d.AppendDue(due[:0], now)
		for i, id := range due {
			samples[id]++
			d.Sample(now+int64(i*6/brokers), id, s) // the last some milliseconds later
		}
	}
	if most := int(seconds * 1000 / d.p.CalmTickMillis); looks > most+1 {
		t.Errorf("%d looks in %d s, want %d at most", looks, seconds, most+1)
	}
	idle := int(seconds * 1000 / d.p.IdleSampleMillis)
	asked := idle + seconds/5 // a second look soon after each answer
	for id := range ConnID(brokers) {
		want := idle
		if id < brokers/2 {
			want = asked
		}
		if n := samples[id+1]; n < want-2 || n > want+2 {
			t.Errorf("broker %d was sampled %d times in %d s, want %d", id, n, seconds, want)
		}
	}
}

// TestTroubleIsNotSleptOver: what needs a Tick soon shortens the wait in the moment it begins.
func TestTroubleIsNotSleptOver(t *testing.T) {
	for _, x := range []struct {
		name  string
		begin func(d *Detector, now int64)
		want  func(p *Params) int64
	}{
		{"nothing", func(*Detector, int64) {}, func(p *Params) int64 { return p.CalmTickMillis }},
		{"an answer is overdue", func(d *Detector, now int64) {
			d.Event(now+300, &Event{Kind: EventRetransmit, Conn: 1, RTOMillis: 200, AtMillis: now + 299})
		}, func(p *Params) int64 { return p.UrgentTickMillis }},
		{"probes are", func(d *Detector, now int64) {
			d.Sample(now+2000, 1, &Sample{State: 1, SndWndBytes: 65535, SegsIn: d.conns[1].last.SegsIn, Probes: 2, LastAckRecvMillis: 2500, LastDataRecvMillis: 2500})
		}, func(p *Params) int64 { return p.UrgentTickMillis }},
		{"a broker is held", func(d *Detector, now int64) { d.Closed(now, 1, CloseError) }, func(p *Params) int64 { return p.UrgentTickMillis }},
		{"a broker has no connection any more", func(d *Detector, now int64) { d.Closed(now, 1, CloseOurs) }, func(p *Params) int64 { return p.TickMillis }},
		{"we stood still", func(d *Detector, now int64) { d.Stalled(now+9000, 9000) }, func(p *Params) int64 { return p.TickMillis }},
		{"a loop stood still", func(d *Detector, now int64) { d.LoopStalled(now, 2000) }, func(p *Params) int64 { return p.TickMillis }},
	} {
		d, now, _ := healthyBrokers(3)
		d.p.DialBack = false
		d.Tick(now)
		d.AppendDue(nil, now)
		x.begin(d, now)
		if got, want := d.WaitMillis(), x.want(&d.p); got != want {
			t.Errorf("%s: %d ms are waited, want %d", x.name, got, want)
		}
	}
}
