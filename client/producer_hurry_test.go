package client

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// hurried sends n messages, each of which has so long, and returns how many failed and how long
// the longest took.
func hurried(t *testing.T, p *Producer, n int, within time.Duration) (failed int, longest time.Duration) {
	for range n {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), within)
		if _, err := p.Send(ctx, &Message{Topic: "T", Body: []byte("x")}); err != nil {
			failed++
		}
		cancel()
		longest = max(longest, time.Since(began))
		time.Sleep(time.Millisecond)
	}
	return failed, longest
}

// brokerStatesOf are the states of a producer's brokers by address.
func brokerStatesOf(p *Producer) map[string]string {
	states := map[string]string{}
	for _, b := range p.Stats().Brokers {
		states[b.Addr] = b.State
	}
	return states
}

// Goal: callers that never wait for as long as an attempt may take do not share out their
// failures for ever when a broker hangs: those who know it as quick go elsewhere in time, and
// after half an attempt of silence everybody does.
func TestHurriedCallersAndABrokerThatHangs(t *testing.T) {
	hang := func(b *fakeBroker) { b.hang = true }
	f := func(name string, before int, how func(*fakeBroker), failures int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c := newFakeCluster(t, "a", "b", "c")
			p := c.producer(ProducerOptions{})
			if failed, _ := hurried(t, p, before, 200*time.Millisecond); failed > 0 {
				t.Fatalf("%s: %d failed before", name, failed)
			}
			c.brokers["ha"].set(how)
			failed, longest := hurried(t, p, 100, 200*time.Millisecond)
			if failed > failures || longest > 201*time.Millisecond {
				t.Errorf("%s: %d failed, want at most %d; the longest took %v", name, failed, failures, longest)
			}
			if state := brokerStatesOf(p)["ha"]; state != "down" {
				t.Errorf("%s: the broker is %s", name, state)
			}
			c.brokers["ha"].set(func(b *fakeBroker) { b.hang, b.deaf = false, false })
			time.Sleep(5 * time.Second)
			if state := brokerStatesOf(p)["ha"]; state != "up" {
				t.Errorf("%s: when it answers again the broker is %s", name, state)
			}
		})
	}
	f("known as quick", 30, hang, 0)
	f("unknown", 0, hang, 5)
	f("not connected to", 0, func(b *fakeBroker) { b.deaf = true }, 5)
}

// Goal: a broker that is as slow as ever is not sent to twice, nor taken for one that hangs,
// because its callers are in a hurry.
func TestHurriedCallersAndBrokersThatAnswer(t *testing.T) {
	f := func(name string, latency, within time.Duration, succeed bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c := newFakeCluster(t, "a", "b", "c")
			for _, b := range c.brokers {
				b.set(func(b *fakeBroker) { b.latency = latency })
			}
			p := c.producer(ProducerOptions{})
			failed, _ := hurried(t, p, 60, within)
			if succeed != (failed == 0) {
				t.Errorf("%s: %d of 60 failed", name, failed)
			}
			time.Sleep(time.Second)
			stored := 0
			for addr, b := range c.brokers {
				stored += b.count()
				if state := brokerStatesOf(p)[addr]; state != "up" {
					t.Errorf("%s: %s is %s", name, addr, state)
				}
			}
			if stored != 60 {
				t.Errorf("%s: %d messages are stored, want 60", name, stored)
			}
		})
	}
	f("just in time", 150*time.Millisecond, 200*time.Millisecond, true)
	f("never in time", 5*time.Millisecond, time.Millisecond, false)
}
