package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pharosmq/pharos/codec"
)

func text(topic string, i int) *Message {
	return &Message{Topic: topic, Body: fmt.Appendf(nil, "message %d", i)}
}

// sendAll sends n messages from so many goroutines and returns the longest any of them took.
// Every one must be taken.
func sendAll(t *testing.T, p *Producer, goroutines, n int) (longest time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range n / goroutines {
				start := time.Now()
				if _, err := p.Send(t.Context(), text("T", g*n+i)); err != nil {
					t.Errorf("goroutine %d, message %d: %v", g, i, err)
					return
				}
				mu.Lock()
				longest = max(longest, time.Since(start))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return longest
}

// TestSend pins what a broker gets and what the producer makes of its answer.
func TestSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a")
		p := c.producer(ProducerOptions{Group: "g"})
		m := &Message{Topic: "T", Body: []byte("body"), Tags: "tag", Keys: []string{"k1", "k2"}, Flag: 7, Properties: map[string]string{"p": "v"}}
		res, err := p.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		got := c.brokers["ha"].last
		want := map[string]string{"a": "g", "b": "T", "c": "TBW102", "d": "4", "e": got.ext["e"], "f": "0",
			"g": fmt.Sprint(time.Now().UnixMilli()), "h": "7", "i": got.ext["i"], "j": "0", "k": "false", "m": "false", "n": "a"}
		if got.code != 310 || got.flag != 0 || got.body != "body" || got.language != codec.LanguageGo || !maps.Equal(got.ext, want) {
			t.Errorf("the broker got %+v, want %v", got, want)
		}
		for name, value := range map[string]string{"TAGS": "tag", "KEYS": "k1 k2", "p": "v", "WAIT": "true", "UNIQ_KEY": res.MessageID} {
			if property(got.ext["i"], name) != value {
				t.Errorf("property %s is %q, want %q", name, property(got.ext["i"], name), value)
			}
		}
		queue := MessageQueue{Topic: "T", BrokerName: "a", QueueID: res.Queue.QueueID}
		if res.Status != SendOK || res.OffsetMessageID != "a-1" || res.QueueOffset != 0 || res.Queue != queue ||
			res.Addr != "ha" || res.Attempts != 1 || fmt.Sprint(queue.QueueID) != got.ext["e"] || len(res.MessageID) != 32 {
			t.Errorf("result %+v", res)
		}
		if len(m.Properties) != 1 {
			t.Errorf("the message was changed: %v", m.Properties)
		}
	})
}

// TestEvenSends: 100,000 sends of eight goroutines over three brokers, every queue within 1 %.
func TestEvenSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100_000 / raceFactor
		c := newFakeCluster(t, "a", "b", "c")
		p := c.producer(ProducerOptions{})
		sendAll(t, p, 8, n)
		got := map[MessageQueue]int{}
		for _, b := range c.brokers {
			for id, k := range b.byQueue {
				got[MessageQueue{BrokerName: b.name, QueueID: int32(id[0])}] = k
			}
		}
		checkEven(t, "producer", got, n, 6)
		if s := p.Stats(); s.Sent != n || s.Failed+s.Retried+s.NotAnswered != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestBrokerFails: a broker dies in each of the ways a broker can. Every send succeeds, on
// another broker; none waits longer than one attempt; once the failure is seen nobody tries
// the broker, but it is probed, and gets its share again when it is back.
func TestBrokerFails(t *testing.T) {
	for name, how := range map[string]struct {
		fail    func(*fakeBroker)
		longest time.Duration
	}{
		"killed":  {func(b *fakeBroker) { b.kill() }, 2 * time.Millisecond},
		"frozen":  {func(b *fakeBroker) { b.set(func(b *fakeBroker) { b.hang = true }) }, time.Second + 10*time.Millisecond},
		"dropped": {func(b *fakeBroker) { b.set(func(b *fakeBroker) { b.deaf = true }) }, time.Second + 10*time.Millisecond},
	} {
		for kind := range selectors() {
			if kind == "NoWeight" {
				continue // as Weighted
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newFakeCluster(t, "c", "d", "e")
					for _, b := range c.brokers {
						b.latency = time.Millisecond
					}
					p := c.producer(ProducerOptions{Selector: selectors()[kind]})
					sendAll(t, p, 16, 320)
					bad := c.brokers["hd"]
					how.fail(bad)
					longest := sendAll(t, p, 16, 3200/raceFactor)
					if longest > how.longest {
						t.Errorf("a send took %v", longest)
					}
					s := p.Stats()
					if s.Failed != 0 || s.NotAnswered > 16+s.Brokers[1].Probes || s.Brokers[1].State != "down" || s.Brokers[1].Err == nil {
						t.Errorf("stats %+v", s)
					}
					before := bad.count()
					bad.set(func(b *fakeBroker) { b.refuse, b.hang, b.deaf = false, false, false })
					time.Sleep(16 * time.Second) // the longest pause, and LatencyFault's isolation
					sendAll(t, p, 16, 1600)
					if back := bad.count() - before; back < 1600/3*8/10 {
						t.Errorf("the broker that returned got %d of 1600", back)
					}
				})
			})
		}
	}
}

// TestLatencyFaultProbes: a broker that refused gets nothing until it has answered a probe and its
// rest is over, and then its share.
func TestLatencyFaultProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a", "b")
		a := c.brokers["ha"]
		s := NewLatencyFault(nil)
		p := c.producer(ProducerOptions{Selector: s})
		a.set(func(b *fakeBroker) { b.code = codeServiceNotAvailable })
		sendAll(t, p, 1, 10)
		if before := p.Stats().Brokers[0]; before.Refused != 1 || a.count() != 0 || s.reachable("a") {
			t.Errorf("after its refusal: %+v, reachable %v", before, s.reachable("a"))
		}
		a.set(func(b *fakeBroker) { b.code = codec.Success })
		time.Sleep(9 * time.Second)
		if n := p.Stats().Brokers[0].Probes; n != 1 || !s.reachable("a") {
			t.Errorf("%d probes, reachable %v", n, s.reachable("a"))
		}
		if sendAll(t, p, 1, 10); a.count() != 0 {
			t.Errorf("it got %d while it rested", a.count())
		}
		time.Sleep(2 * time.Second)
		if sendAll(t, p, 1, 12); a.count() != 6 {
			t.Errorf("it got %d of 12 afterwards", a.count())
		}
	})
}

// TestAllFrozen: with no broker left a send ends at its time-out, and says all it tried.
func TestAllFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a", "b")
		for _, b := range c.brokers {
			b.hang = true
		}
		p := c.producer(ProducerOptions{})
		start := time.Now()
		_, err := p.Send(t.Context(), text("T", 0))
		var se *SendError
		if !errors.As(err, &se) || len(se.Attempts) != 3 || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrNoAnswer) {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(start); took != 3*time.Second || se.Took != took {
			t.Errorf("it took %v, and says %v", took, se.Took)
		}
		if se.Attempts[0].Addr == se.Attempts[1].Addr || se.Attempts[1].Addr == se.Attempts[2].Addr {
			t.Errorf("attempts %v", err)
		}
		for _, want := range []string{"topic T", "attempt 3 on", "ha", "hb", "queue"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in %q", want, err)
			}
		}
		// While all are down messages are still tried: the state may be out of date.
		for _, b := range c.brokers {
			b.set(func(b *fakeBroker) { b.hang = false })
		}
		if _, err := p.Send(t.Context(), text("T", 1)); err != nil {
			t.Errorf("once they answer: %v", err)
		}
	})
}

// TestCallersContext: a caller that gives up early is gone at once, and nothing is held
// against the broker.
func TestCallersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a")
		p := c.producer(ProducerOptions{})
		sendAll(t, p, 1, 1)
		c.brokers["ha"].set(func(b *fakeBroker) { b.latency = 400 * time.Millisecond })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := p.Send(ctx, text("T", 0)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if _, err := p.Send(ctx, text("T", 0)); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		if s := p.Stats(); s.Brokers[0].State != "up" || s.NotAnswered != 0 || s.Failed != 2 {
			t.Errorf("stats %+v", s)
		}
		sendAll(t, p, 1, 1)
	})
}

// TestRetriedCodes: the codes Java retries, and flow control, and 3 of what is no broker, go to
// another broker, the others to the caller.
func TestRetriedCodes(t *testing.T) {
	for code, retried := range map[int32]bool{
		1: true, 2: true, 3: true, 14: true, 16: true, 17: true, 204: true, 205: true, 215: true, 1500: true,
		13: false, 18: false, 206: false, 221: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newFakeCluster(t, "a", "b")
			c.brokers["ha"].code = code
			p := c.producer(ProducerOptions{})
			failed := 0
			for i := range 8 {
				_, err := p.Send(t.Context(), text("T", i))
				var be *BrokerError
				if errors.As(err, &be) && be.Code == code && be.Addr == "ha" && strings.Contains(err.Error(), "told to") {
					failed++
				} else if err != nil {
					t.Errorf("code %d: %v", code, err)
				}
			}
			if (failed == 0) != retried {
				t.Errorf("code %d: %d of 8 sends failed, retried should be %v", code, failed, retried)
			}
			if s := p.Stats(); retried && s.Retried == 0 || s.Brokers[0].State == "down" {
				t.Errorf("code %d: %+v", code, s)
			}
		})
	}
}

// TestNotSafelyStored: a broker that stored but not as safely as wanted is an answer, or with
// RetryNotStored a reason to try another; if that fails, it is an answer after all.
func TestNotSafelyStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a", "b")
		c.brokers["ha"].code, c.brokers["hb"].code = codeFlushDiskTimeout, codeFlushDiskTimeout
		p := c.producer(ProducerOptions{})
		res, err := p.Send(t.Context(), text("T", 0))
		if err != nil || res.Status != SendFlushDiskTimeout || res.Attempts != 1 || res.Status.String() != "FLUSH_DISK_TIMEOUT" {
			t.Errorf("%+v, %v", res, err)
		}
		strict := c.producer(ProducerOptions{RetryNotStored: true, Retries: 1})
		for code, status := range map[int32]SendStatus{codec.Success: SendOK, codeSlaveNotAvailable: SendSlaveNotAvailable, codeFlushSlaveTimeout: SendFlushSlaveTimeout} {
			c.brokers["hb"].set(func(b *fakeBroker) { b.code = code })
			for i := range 4 {
				res, err := strict.Send(t.Context(), text("T", i))
				if err != nil || res.Status != status && (status == SendOK || res.Status != SendFlushDiskTimeout) {
					t.Errorf("code %d: %+v, %v", code, res, err)
				}
			}
		}
		c.brokers["hb"].set(func(b *fakeBroker) { b.code = 1 })
		for i := range 4 {
			if res, err := strict.Send(t.Context(), text("T", i)); err != nil || res.Status != SendFlushDiskTimeout {
				t.Errorf("the other one refuses: %+v, %v", res, err)
			}
		}
	})
}

// TestFlowControl: brokers that ask for less are left alone for a moment; while all of them
// do, sends wait, at growing distances, and go through when it is over.
func TestFlowControl(t *testing.T) {
	for _, code := range []int32{codec.SystemBusy, codeFlowControl} {
		synctest.Test(t, func(t *testing.T) {
			c := newFakeCluster(t, "a", "b", "c")
			for _, b := range c.brokers {
				b.latency = time.Millisecond
			}
			c.brokers["ha"].code = code
			p := c.producer(ProducerOptions{})
			start := time.Now()
			longest := sendAll(t, p, 4, 4000)
			if longest > 5*time.Millisecond {
				t.Errorf("code %d: a send took %v with two brokers free", code, longest)
			}
			if s := p.Stats(); s.FlowControlled > 4*uint64(8+time.Since(start)/time.Second) || s.Failed != 0 {
				t.Errorf("code %d: the busy broker was asked too often: %+v", code, s)
			}
			for _, b := range c.brokers {
				b.set(func(b *fakeBroker) { b.code = code })
			}
			time.AfterFunc(1500*time.Millisecond, func() {
				for _, b := range c.brokers {
					b.set(func(b *fakeBroker) { b.code = codec.Success })
				}
			})
			before := p.Stats().FlowControlled
			longest = sendAll(t, p, 4, 4)
			if longest < 1500*time.Millisecond || longest > 2900*time.Millisecond {
				t.Errorf("code %d: with all busy for 1.5 s a send took %v", code, longest)
			}
			if n := p.Stats().FlowControlled - before; n > 4*3*9 {
				t.Errorf("code %d: %d refusals while all were busy", code, n)
			}
			// For ever: the time-out ends it.
			for _, b := range c.brokers {
				b.set(func(b *fakeBroker) { b.code = code })
			}
			start = time.Now()
			_, err := p.Send(t.Context(), text("T", 0))
			var be *BrokerError
			if !errors.As(err, &be) || be.Code != code || time.Since(start) > 3*time.Second {
				t.Errorf("code %d: after %v: %v", code, time.Since(start), err)
			}
		})
	}
}

// TestSpread: the moment to wait for may be over, for however long the process stood still.
func TestSpread(t *testing.T) {
	for _, d := range []time.Duration{-time.Hour, -5 * time.Millisecond, -1, 0, 1, time.Second} {
		if got, least := spread(d), max(d, 0); got < least || got > least+least/4+time.Millisecond {
			t.Errorf("%v became %v", d, got)
		}
	}
}

// TestLeastInFlightAvoidsTheSlow: a broker slowed by 50 ms loses at least 80 % of its share,
// and has it again when it is quick.
func TestLeastInFlightAvoidsTheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a", "b", "c")
		for _, b := range c.brokers {
			b.latency = time.Millisecond
		}
		p := c.producer(ProducerOptions{Selector: LeastInFlight{}})
		share := func(n int) int {
			before := c.brokers["hb"].count()
			sendAll(t, p, 16, n)
			return c.brokers["hb"].count() - before
		}
		const n = 48_000 / raceFactor
		if got := share(n); got < n/3*98/100 || got > n/3*102/100 {
			t.Errorf("quick: %d of %d", got, n)
		}
		for _, b := range c.brokers { // a broker's queues get as much as each other
			if d := b.byQueue["0"] - b.byQueue["1"]; d < -n/300 || d > n/300 {
				t.Errorf("queues of %s: %v", b.name, b.byQueue)
			}
		}
		c.brokers["hb"].set(func(b *fakeBroker) { b.latency += 50 * time.Millisecond })
		if got := share(n); got > n/3*20/100 {
			t.Errorf("slow by 50 ms: %d of %d, at most a fifth of a third wanted", got, n)
		}
		c.brokers["hb"].set(func(b *fakeBroker) { b.latency -= 50 * time.Millisecond })
		if got := share(n); got < n/3*95/100 {
			t.Errorf("quick again: %d of %d", got, n)
		}
	})
}

// TestOneLateAnswerIsNoFault: time-outs of single requests on a connection that answers
// others do not make a broker down.
func TestOneLateAnswerIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a")
		p := c.producer(ProducerOptions{Retries: -1, SendTimeout: time.Second})
		b := c.brokers["ha"]
		sendAll(t, p, 1, 1)
		conn := p.broker(Target{Broker: "a", Addr: "ha"}).alive()
		b.set(func(b *fakeBroker) { b.latency = 1200 * time.Millisecond })
		late := make(chan error)
		go func() {
			_, err := p.Send(t.Context(), text("T", 0))
			late <- err
		}()
		time.Sleep(500 * time.Millisecond)
		b.set(func(b *fakeBroker) { b.latency = 0 })
		sendAll(t, p, 1, 1)
		if err := <-late; !errors.Is(err, ErrNoAnswer) {
			t.Errorf("the late one: %v", err)
		}
		s := p.Stats()
		if s.Brokers[0].State != "up" || s.NotAnswered != 1 || p.broker(Target{Broker: "a", Addr: "ha"}).alive() != conn {
			t.Errorf("stats %+v; the connection was kept: %v", s, p.broker(Target{Broker: "a", Addr: "ha"}).alive() == conn)
		}
	})
}
