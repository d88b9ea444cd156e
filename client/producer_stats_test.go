package client

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// TestProducerStats: a broker takes messages, asks for less, and falls silent. Each attempt is
// counted once for the producer and once for the broker, by what became of it.
func TestProducerStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a")
		a := c.brokers["ha"]
		a.latency = 5 * time.Millisecond
		p := c.producer(ProducerOptions{})
		check := func(when string, sent, failed, busy, silent uint64, state string) {
			t.Helper()
			s := p.Stats()
			if len(s.Brokers) != 1 {
				t.Fatalf("%s: brokers %+v", when, s.Brokers)
			}
			b := s.Brokers[0]
			if s.Sent != sent || s.Failed != failed || s.FlowControlled != busy || s.NotAnswered != silent {
				t.Errorf("%s: %+v", when, s)
			}
			if b.Name != "a" || b.Addr != "ha" || b.State != state || b.InFlight != 0 || b.Stored != sent || b.Refused != busy || b.Lost != silent {
				t.Errorf("%s: broker %+v", when, b)
			}
			if attempts := b.Stored + b.Refused + b.Lost; sent+failed+s.Retried != attempts {
				t.Errorf("%s: %d attempts for %d messages, %d of them repeated", when, attempts, sent+failed, s.Retried)
			}
			if state == "up" != (b.Err == nil) {
				t.Errorf("%s: %s, and held against it: %v", when, state, b.Err)
			}
		}
		sendAll(t, p, 1, 3)
		check("all is well", 3, 0, 0, 0, "up")
		if latency := p.Stats().Brokers[0].Latency; latency < 5*time.Millisecond || latency > 6*time.Millisecond {
			t.Errorf("latency %v", latency)
		}

		a.set(func(b *fakeBroker) { b.code = codec.SystemBusy })
		time.AfterFunc(8*time.Millisecond, func() { a.set(func(b *fakeBroker) { b.code = codec.Success }) })
		sendAll(t, p, 1, 1)
		time.Sleep(time.Minute)
		check("it asked for less", 4, 0, 1, 0, "up")

		a.set(func(b *fakeBroker) { b.hang = true })
		if _, err := p.Send(t.Context(), text("T", 0)); err == nil {
			t.Fatal("a silent broker took a message")
		}
		check("it is silent", 4, 1, 1, 3, "down")
		if b := p.Stats().Brokers[0]; b.Since.IsZero() || time.Since(b.Since) > 3*time.Second {
			t.Errorf("down since %v", b.Since)
		}

		a.set(func(b *fakeBroker) { b.hang = false })
		time.Sleep(time.Minute)
		check("it is back", 4, 1, 1, 3, "up")
		if err := p.SendOneway(t.Context(), text("T", 1)); err != nil {
			t.Fatal(err)
		}
		if s := p.Stats(); s.Oneway != 1 || s.Sent != 4 || s.Brokers[0].Probes == 0 {
			t.Errorf("after a one-way message: %+v", s)
		}
		synctest.Wait()
	})
}
