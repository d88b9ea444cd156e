package connhealth

import (
	"net/netip"
	"testing"
)

// TestLateEventIsNoSecondTransmission: a report of what a sample has already told adds nothing,
// and one that comes late counts at the time it happened.
func TestLateEventIsNoSecondTransmission(t *testing.T) {
	d := New(DefaultParams(), nil)
	const id = 1
	peer, local := netip.MustParseAddrPort("10.0.0.2:1000"), netip.MustParseAddrPort("10.0.0.1:9876")
	d.Opened(1000, id, peer, local, false)
	s := Sample{State: 1, SndWndBytes: 65535, SegsIn: 5, DataSegsOut: 5, RTTMicros: 300, RTOMicros: 200_000}
	d.Sample(2000, id, &s)
	s.UnackedSegs, s.DataSegsOut, s.TotalRetrans = 1, 7, 1
	s.LastDataSentMillis, s.LastAckRecvMillis, s.LastDataRecvMillis = 100, 1500, 1500
	d.Sample(2500, id, &s)
	f := func(told, at int64, wantN int, wantLast int64) {
		t.Helper()
		d.Event(told, &Event{Kind: EventRetransmit, Class: RetransmitTimeout, Conn: id, AtMillis: at, RTOMillis: 200})
		if x := d.conns[id].unanswered; x.n != wantN || x.lastMillis != wantLast {
			t.Errorf("told at %d of %d: %d transmissions, the last at %d; want %d and %d", told, at, x.n, x.lastMillis, wantN, wantLast)
		}
	}
	f(2525, 2400, 2, 2400) // the sample has it
	f(2700, 2675, 3, 2675)
	f(2710, 0, 4, 2710)    // no time is now
	f(2720, 9999, 4, 2710) // nor does it lie ahead: the same transmission again
}
