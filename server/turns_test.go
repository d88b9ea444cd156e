package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// turnsFull are turns that are all taken, and who has them.
func turnsFull() (*turns, []*connection) {
	t, holders := &turns{}, make([]*connection, turnsMost)
	for i := range holders {
		holders[i] = &connection{}
		t.take(holders[i], 0)
	}
	return t, holders
}

// Goal: turns are free while few stream, and are then had in the order of waiting; who ends,
// having a turn or not, is in nobody's way.
func TestTurnsAreHadInOrder(t *testing.T) {
	turns, holders := turnsFull()
	for i, c := range holders {
		if c.turn.state != turnHeld || turns.over(c) {
			t.Fatalf("the first %d have no turn each, number %d lacks it", turnsMost, i)
		}
	}
	waiting := make([]*connection, 5)
	for i := range waiting {
		waiting[i] = &connection{}
		if turns.take(waiting[i], 0) {
			t.Fatal("a turn too many")
		}
		turns.wait(waiting[i])
	}
	if next := turns.leave(waiting[1], 0); next != nil {
		t.Error("somebody goes on since another one ended that only waited")
	}
	for _, want := range []int{0, 2, 3, 4} {
		h := holders[want]
		next := turns.leave(h, 7)
		if next != waiting[want] || next.turn.state != turnHeld || next.turn.lastMillis != 7 {
			t.Errorf("it is not the turn of number %d", want)
		}
		if h.turn.state != turnNone {
			t.Error("it has a turn that it left")
		}
	}
	if turns.waiting != 0 || len(turns.held) != turnsMost {
		t.Errorf("%d wait, %d have a turn", turns.waiting, len(turns.held))
	}
	if next := turns.leave(holders[1], 0); next != nil {
		t.Error("somebody goes on, and nobody waited")
	}
	if !turns.take(waiting[1], 0) {
		t.Error("a turn is free, and not to be had")
	}
}

// Goal: a turn is as long as it should be. Method: reads are counted; only while others wait
// a turn is over, and who goes to the end of the queue comes after all who wait.
func TestTurnsEnd(t *testing.T) {
	turns, holders := turnsFull()
	first, late := holders[0], &connection{}
	for range 10 * turnReads {
		turns.take(first, 3)
	}
	if turns.over(first) {
		t.Error("a turn is over, and nobody waits")
	}
	turns.wait(late)
	if !turns.over(first) || turns.over(holders[1]) {
		t.Error("a turn lasts too long, or not long enough")
	}
	if next := turns.leave(first, 3); next != late {
		t.Error("it is not the turn of who waits")
	}
	turns.wait(first)
	if c := turns.silent(turnSilentMillis); c != nil {
		t.Error("a turn is over too early")
	}
	c := turns.silent(turnSilentMillis + 1)
	if c == nil || c == late {
		t.Fatal("a turn in which nothing comes is not over, or the wrong one is")
	}
	for _, h := range holders {
		h.inAgain = true // they are about to be gone on with: that they are silent is not their fault
	}
	if turns.silent(turnSilentMillis+1) != nil {
		t.Error("a turn is over that was not used for want of time")
	}
	if next := turns.leave(c, 3); next != first {
		t.Error("it is not the turn of who waits")
	}
}

// The queue is used again: what was waited for does not add up.
func TestTurnsQueueIsBounded(t *testing.T) {
	turns, holders := turnsFull()
	others := make([]*connection, 100)
	for i := range others {
		others[i] = &connection{}
		turns.wait(others[i])
	}
	all := append(append([]*connection(nil), holders...), others...)
	for i := range 10_000 {
		c, next := all[i%len(all)], all[(i+turnsMost)%len(all)]
		if got := turns.leave(c, 0); got != next {
			t.Fatalf("round %d: it is the turn of another one", i)
		}
		turns.wait(c)
	}
	if n := cap(turns.queue); n > 4*len(others) {
		t.Errorf("%d places in a queue of %d", n, len(others))
	}
	if turns.waiting != len(others) || len(turns.held) != turnsMost {
		t.Errorf("%d wait, %d have a turn", turns.waiting, len(turns.held))
	}
}

func TestFullReadBytes(t *testing.T) {
	for in, want := range map[int]int{1: 1024, 1024: 1024, 1025: 2048, 16 << 10: 16 << 10, 16<<10 + 1: 32 << 10} {
		if got := fullReadBytes(in); got != want {
			t.Errorf("of %d: %d, want %d", in, got, want)
		}
	}
}

// holdLoops stops the server's loops, which have a connection each, until release is called.
func (ts *testServer) holdLoops() (release func()) {
	hold := make(chan struct{})
	held := 0
	ts.conns.each(func(c *connection) {
		if held++; held == 1 {
			c.loop.post(mail{kind: mailRun, run: func() { <-hold }})
		}
	})
	if held == 0 {
		ts.t.Fatal("no connection")
	}
	return func() { close(hold) }
}

// Goal: connections that stream take turns, none of them loses anything, and a lookup beside
// them is served. Method: 100 connections send 1,500 requests each, every tenth 10,000, and then
// nothing more. All must be answered, in their order, and they must have waited, or this tested nothing. A
// small request beside goes back and forth meanwhile.
func TestStreamingConnectionsAreAllServed(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	const conns, requests, most, ready = 100, 1_500, 10_000, 64 << 10
	var all []byte
	ends := make([]int, most) // of each request in all
	for i := range int32(most) {
		all = append(all, request(testEcho, i, []byte("hello"))...)
		ends[i] = len(all)
	}
	beside := ts.dial()
	if !beside.served() {
		t.Fatal("not served")
	}
	release := ts.holdLoops()
	var streams sync.WaitGroup
	failed := make(chan error, conns)
	for i := range conns {
		p, n := ts.dial(), requests
		if i%10 == 0 {
			n = most
		}
		p.send(all[:ready]) // the kernel takes so much
		go func() { _, _ = p.Write(all[ready:ends[n-1]]) }()
		streams.Go(func() {
			if err := p.echoes(n); err != nil {
				failed <- err
			}
		})
	}
	release()
	done := make(chan struct{})
	go func() { streams.Wait(); close(done) }()
	for over := false; !over; {
		beside.send(request(testEcho, 7, nil))
		if a := beside.answer(); a.Opaque != 7 || a.Code != codec.Success {
			t.Fatalf("a request beside: opaque %d code %d", a.Opaque, a.Code)
		}
		select {
		case <-done:
			over = true
		default:
		}
	}
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if n := ts.Stats(t.Context()).Loops.TurnsWaited; n < conns-turnsMost {
		t.Errorf("%d times a connection waited for its turn: this tested nothing", n)
	}
	ts.noTurnsLeft()
}

// echoes reads so many answers of testEcho, in their order.
func (p *peer) echoes(n int) error {
	in := bufio.NewReaderSize(p, 64<<10)
	lim := codec.DefaultLimits()
	var frame []byte
	var cmd codec.Command
	for i := range int32(n) {
		_ = p.SetReadDeadline(time.Now().Add(time.Minute))
		head, err := in.Peek(frameLenBytes)
		if err != nil {
			return fmt.Errorf("answer %d: %w", i, err)
		}
		frame = slices.Grow(frame[:0], 1<<10)[:frameLenBytes+int(binary.BigEndian.Uint32(head))]
		if _, err := io.ReadFull(in, frame); err != nil {
			return fmt.Errorf("answer %d: %w", i, err)
		}
		if err := cmd.Decode(frame, &lim); err != nil {
			return err
		}
		if cmd.Opaque != i || cmd.Code != codec.Success || string(cmd.Body) != "hello" {
			return fmt.Errorf("answer %d: opaque %d code %d body %q", i, cmd.Opaque, cmd.Code, cmd.Body)
		}
	}
	return nil
}

// noTurnsLeft waits until no connection waits for its turn.
func (ts *testServer) noTurnsLeft() {
	ts.t.Helper()
	eventually(ts.t, "nobody waits for a turn", func() bool {
		waiting := make(chan int, 1)
		ts.conns.each(func(c *connection) {
			c.loop.post(mail{kind: mailRun, run: func() {
				select {
				case waiting <- c.loop.turns.waiting:
				default:
				}
			}})
		})
		return <-waiting == 0
	})
}

// Goal: who waits for its turn and has closed loses nothing that it sent. Method: while the
// loop stands still, 200 connections send requests without an answer, some read buffers full,
// and close. All requests must be served, and all connections end.
func TestWhoSendsAndClosesIsServed(t *testing.T) {
	var served atomic.Int64
	routes := append(testRoutes(), route{code: 1, name: "COUNT", serve: func(_ *handlers, rq *Request) {
		served.Add(1)
		rq.Reply(codec.Success, "", nil)
	}})
	ts := startServer(t, Options{}, routes)
	const conns, requests, oneway = 200, 400, 2
	var all []byte
	for i := range int32(requests) {
		all = append(all, requestFlag(1, i, oneway, []byte("hello"))...)
	}
	if len(all) < 2*defaultReadBuffer {
		t.Fatalf("%d bytes are too few", len(all))
	}
	beside := ts.dial()
	if !beside.served() {
		t.Fatal("not served")
	}
	release := ts.holdLoops()
	for range conns {
		p := ts.dial()
		p.send(all)
		_ = p.Close()
	}
	release()
	eventually(t, "all is served", func() bool { return served.Load() == conns*requests })
	eventually(t, "they have ended", func() bool { return ts.conns.open.Load() == 1 })
	if n := ts.Stats(t.Context()).Loops.TurnsWaited; n == 0 {
		t.Error("nobody waited for a turn: this tested nothing")
	}
	ts.noTurnsLeft()
}

// Goal: large frames in progress need no turn, and a single frame does not either. Method: all
// turns are taken by connections that are never silent, as the loop sees it; others send one
// frame of each size, and are answered.
func TestSingleFramesNeedNoTurn(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	if !p.served() {
		t.Fatal("not served")
	}
	ts.onLoop(func(l *loop, _ *connection) {
		for range turnsMost {
			l.turns.take(&connection{loop: l, inAgain: true}, l.localMillis)
		}
	})
	for i, size := range []int{100, 16 << 10, 20_000, 60_000, 100_000, 1 << 20} {
		p.send(request(testEcho, int32(i), pattern(size)))
		if a := p.answer(); a.Opaque != int32(i) || !bytes.Equal(a.Body, pattern(size)) {
			t.Fatalf("%d bytes: opaque %d, %d bytes", size, a.Opaque, len(a.Body))
		}
	}
	if n := ts.Stats(t.Context()).Loops.TurnsWaited; n != 0 {
		t.Errorf("waited %d times", n)
	}
	// Two frames in one go are not a single one: now it waits, until a turn is free.
	two := append(request(testEcho, 1, pattern(20_000)), request(testEcho, 2, pattern(60_000))...)
	two = append(two, two...)
	two = append(request(testEcho, 3, nil), two...)
	release := ts.holdLoops()
	p.send(two)
	release()
	eventually(t, "it waits", func() bool { return ts.Stats(t.Context()).Loops.TurnsWaited == 1 })
	p.openFor(20 * time.Millisecond)
	ts.onLoop(func(l *loop, _ *connection) { l.leaveTurn(l.turns.held[0]) })
	for _, want := range []int32{3, 1, 2, 1, 2} {
		if a := p.answer(); a.Opaque != want {
			t.Fatalf("opaque %d, want %d", a.Opaque, want)
		}
	}
}
