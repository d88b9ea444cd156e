package connwatch

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
)

func kinds(p *pile) (list []noteKind) {
	for n := range p.all {
		list = append(list, n.kind)
	}
	return list
}

func TestBoxKeepsOrderAndMemory(t *testing.T) {
	b := newBox()
	for round := range 3 {
		for i := range 100 {
			b.put(&note{kind: noteClosed, conn: connhealth.ConnID(round*100 + i)})
		}
		i := 0
		for n := range b.take().all {
			if n.conn != connhealth.ConnID(round*100+i) {
				t.Fatalf("round %d: note %d is of %d", round, i, n.conn)
			}
			i++
		}
		if i != 100 {
			t.Fatalf("round %d: %d of 100 notes", round, i)
		}
	}
	if list := kinds(b.take()); len(list) != 0 {
		t.Errorf("%d notes twice", len(list))
	}
	sample := connhealth.Sample{SegsIn: 7}
	allocs := testing.AllocsPerRun(100, func() {
		for i := range 50 {
			b.put(&note{kind: noteRequested, conn: connhealth.ConnID(i)})
			b.put(&note{kind: noteSample, conn: connhealth.ConnID(i), sample: sample})
			b.put(&note{kind: noteAnswered, conn: connhealth.ConnID(i)})
		}
		b.take()
	})
	if allocs > 0 {
		t.Errorf("%v allocations in the steady state", allocs)
	}
}

// Goal: each kind of note arrives with all it had.
func TestBoxKeepsWhatANoteSays(t *testing.T) {
	ap := netip.MustParseAddrPort
	notes := []note{
		{kind: noteOpened, atMillis: 1, conn: 1, peer: ap("10.0.0.1:1"), local: ap("10.0.0.2:2")},
		{kind: noteBound, atMillis: 2, conn: 1, by: connhealth.NamedByHeartbeat, broker: connhealth.Broker{Cluster: "c", Addr: "a:1", Name: "n", Generation: 3}},
		{kind: noteRequested, atMillis: 3, conn: 1, request: connhealth.RequestRegister},
		{kind: noteAnswered, atMillis: 4, conn: 1},
		{kind: noteSample, atMillis: 5, conn: 1, sample: connhealth.Sample{SegsIn: 5, BytesAcked: 6}},
		{kind: noteEvent, atMillis: 6, event: bpf.Event{ConnID: 9, Seq: 4}},
		{kind: noteDial, atMillis: 7, key: keyOf("b:1"), dialID: 8, dial: connhealth.DialRefused},
		{kind: noteGone, atMillis: 8, key: keyOf("g:1")},
		{kind: noteClosed, atMillis: 9, conn: 1, how: connhealth.CloseReset},
		{kind: noteStalled, atMillis: 10, forMillis: 1700},
		{kind: noteCalm, atMillis: 11, conn: 4},
	}
	b := newBox()
	for i := range notes {
		b.put(&notes[i])
	}
	i := 0
	for n := range b.take().all {
		want := notes[i]
		want.lastMillis, want.count = n.lastMillis, 1
		if *n != want {
			t.Errorf("note %d: got %+v, want %+v", i, *n, want)
		}
		i++
	}
	if i != len(notes) {
		t.Errorf("%d notes of %d", i, len(notes))
	}
}

func TestBoxNotesThatBelongTogether(t *testing.T) {
	f := func(name string, left []note, want ...string) {
		t.Helper()
		b := newBox()
		for i := range left {
			left[i].atMillis = int64(i + 1)
			b.put(&left[i])
		}
		var got []string
		for n := range b.take().all {
			got = append(got, fmt.Sprintf("%d of %d x%d %d-%d", n.kind, n.conn, n.count, n.atMillis, n.lastMillis))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
	}
	asks := func(id connhealth.ConnID) note { return note{kind: noteRequested, conn: id} }
	answer := func(id connhealth.ConnID) note { return note{kind: noteAnswered, conn: id} }
	bind := func(id connhealth.ConnID) note {
		return note{kind: noteBound, conn: id, broker: brokerAt("10.0.0.1:1")}
	}
	opens := func(id connhealth.ConnID) note { return note{kind: noteOpened, conn: id} }
	closes := func(id connhealth.ConnID) note { return note{kind: noteClosed, conn: id} }
	f("requests and answers of two", []note{asks(1), asks(2), answer(1), asks(1), answer(2), answer(1)},
		"2 of 1 x2 1-4", "2 of 2 x1 2-2", "3 of 1 x2 3-6", "3 of 2 x1 5-5")
	f("an answer to an older request", []note{answer(1), asks(1), answer(1), asks(1)},
		"3 of 1 x1 1-1", "2 of 1 x2 2-4", "3 of 1 x1 3-3")
	f("kinds of requests", []note{asks(1), {kind: noteRequested, conn: 1, request: connhealth.RequestClient}, asks(1)},
		"2 of 1 x2 1-3", "2 of 1 x1 2-2")
	f("opened and closed unseen", []note{opens(1), asks(1), opens(2), answer(1), closes(1)}, "1 of 2 x1 3-3")
	f("a broker's is judged", []note{opens(1), bind(1), closes(1)}, "1 of 1 x1 1-1", "4 of 1 x1 2-2", "5 of 1 x1 3-3")
	f("named again", []note{opens(1), bind(1), asks(1), bind(1)}, "1 of 1 x1 1-1", "4 of 1 x1 4-4", "2 of 1 x1 3-3")
	f("named elsewhere", []note{opens(1), bind(1), opens(2), bind(2)}, "1 of 1 x1 1-1", "1 of 2 x1 3-3", "4 of 2 x1 4-4")
}

// Goal: the box stays small, whatever peers do while the watch does not read. Method: each
// flood is 300,000 notes.
func TestBoxIsBounded(t *testing.T) {
	const flood = 300_000
	f := func(name string, bytesMax int, wantLost uint64, leave func(b *box, i int)) {
		t.Helper()
		b := newBox()
		for i := range flood {
			leave(b, i)
		}
		if b.pile.bytes > bytesMax {
			t.Errorf("%s: %d bytes, want at most %d", name, b.pile.bytes, bytesMax)
		}
		if l := b.lost(); l.Samples+l.Events+l.Gone < wantLost {
			t.Errorf("%s: %+v left out, want %d at least", name, l, wantLost)
		}
		if big := cap(b.take().slips) * 48; big > 16<<20 {
			t.Errorf("%s: %d bytes of slips", name, big)
		}
		b.take()
		if left := cap(b.pile.slips) + cap(b.spare.slips); left*48 > 2*pileKeptBytes {
			t.Errorf("%s: room for %d notes is kept", name, left)
		}
	}
	id := func(i int) connhealth.ConnID { return connhealth.ConnID(i + 1) }
	f("pipelined requests of 100 connections", 100<<10, 0, func(b *box, i int) {
		b.put(&note{kind: noteRequested, conn: id(i % 100), request: connhealth.RequestKind(i % 3)})
		b.put(&note{kind: noteAnswered, conn: id(i % 100)})
	})
	f("pipelined heartbeats that two connections send", 2<<20, 0, func(b *box, i int) {
		b.put(&note{kind: noteRequested, conn: id(i % 2)})
		b.put(&note{kind: noteBound, conn: id(i % 2), broker: brokerAt("10.0.0.1:1")})
		b.put(&note{kind: noteAnswered, conn: id(i % 2)})
	})
	f("connections that come and go", 2<<20, 0, func(b *box, i int) {
		b.put(&note{kind: noteOpened, conn: id(i)})
		b.put(&note{kind: noteRequested, conn: id(i), request: connhealth.RequestClient})
		b.put(&note{kind: noteClosed, conn: id(i)})
	})
	f("samples", boxBytesMax+1000, flood/2, func(b *box, i int) { b.put(&note{kind: noteSample, conn: id(i)}) })
	f("events", boxBytesMax+1000, flood/2, func(b *box, _ int) { b.put(&note{kind: noteEvent}) })
	f("registrations that come and go", boxBytesMax+1000, flood/2, func(b *box, i int) {
		b.put(&note{kind: noteGone, key: keyOf(fmt.Sprint(i))})
	})
}

// Goal: notes that were put together tell the detector what all of them would have told.
// Method: random histories of brokers and connections reach one detector at once, another
// through a box that is read now and then; both know the same in the end.
func TestBoxTellsWhatHappened(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		direct, boxed := newRig(t, discard), newRig(t, discard)
		box := newBox()
		open, next := []connhealth.ConnID{}, connhealth.ConnID(0)
		for range 200 {
			var n note
			at := func() connhealth.ConnID { return open[rnd.IntN(len(open))] }
			switch k := rnd.IntN(10); {
			case len(open) < 2 || k == 0:
				next++
				open = append(open, next)
				n = note{kind: noteOpened, conn: next, peer: netip.MustParseAddrPort("10.0.0.1:1"), local: netip.MustParseAddrPort("10.9.9.9:1")}
			case k == 1:
				n = note{kind: noteClosed, conn: at(), how: connhealth.CloseFIN}
				open = slices.DeleteFunc(open, func(id connhealth.ConnID) bool { return id == n.conn })
			case k < 5:
				n = note{kind: noteBound, conn: at(), broker: brokerAt(fmt.Sprintf("10.0.0.1:%d", 1+rnd.IntN(3)))}
			default:
				id := at()
				direct.happens(note{kind: noteRequested, conn: id})
				box.put(&note{kind: noteRequested, atMillis: boxed.millis, conn: id})
				n = note{kind: noteAnswered, conn: id}
			}
			direct.happens(n)
			n.atMillis = boxed.millis
			box.put(&n)
			if rnd.IntN(8) == 0 {
				for n := range box.take().all {
					boxed.happens(*n)
				}
			}
		}
		for n := range box.take().all {
			boxed.happens(*n)
		}
		want, got := bindingsOf(direct), bindingsOf(boxed)
		if !slices.Equal(got, want) {
			t.Errorf("seed %d:\n got %q\nwant %q", seed, got, want)
		}
	}
}

// bindingsOf are the brokers that have a connection, and which.
func bindingsOf(r *rig) (list []string) {
	for _, b := range r.det.Brokers(r.millis) {
		if b.Conn != 0 {
			list = append(list, fmt.Sprintf("%s %s on %d", b.Broker.Addr, b.State, b.Conn))
		}
	}
	slices.Sort(list)
	return list
}

func BenchmarkBoxPut(b *testing.B) {
	box := newBox()
	n := note{kind: noteRequested}
	for i := 0; b.Loop(); i++ {
		n.conn = connhealth.ConnID(i % 1000)
		box.put(&n)
		if i%1000 == 0 {
			box.take()
		}
	}
}
