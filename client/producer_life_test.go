package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// TestTopicThatDoesNotExist: the route of TBW102 serves until the topic has one, with at most
// four queues for each broker; without it, or when told so, the topic is an error.
func TestTopicThatDoesNotExist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a")
		exists := false
		c.lookup.set(func(topic string) (*codec.TopicRouteData, error) {
			d, _ := brokersAnswer("a")(topic)
			switch {
			case topic == "TBW102":
				d.QueueDatas[0].ReadQueueNums, d.QueueDatas[0].WriteQueueNums = 8, 16
			case !exists:
				return unknownTopic(topic)
			}
			return d, nil
		})
		p := c.producer(ProducerOptions{})
		sendAll(t, p, 1, 40)
		b := c.brokers["ha"]
		if len(b.byQueue) != 4 || b.last.ext["b"] != "T" || b.last.ext["c"] != "TBW102" || b.last.ext["d"] != "4" {
			t.Errorf("queues %v, last %v", b.byQueue, b.last.ext)
		}
		if n := c.lookup.count(); n != 2 {
			t.Errorf("%d lookups for 40 messages in no time", n)
		}
		exists = true
		time.Sleep(time.Second)
		clear(b.byQueue)
		sendAll(t, p, 1, 40)
		if len(b.byQueue) != 2 {
			t.Errorf("queues of the topic that exists: %v", b.byQueue)
		}
		exists = false
		strict := c.producer(ProducerOptions{NoCreateTopic: true})
		if _, err := strict.Send(t.Context(), text("T", 0)); !errors.Is(err, ErrTopicNotFound) {
			t.Errorf("NoCreateTopic: %v", err)
		}
		c.lookup.set(unknownTopic)
		none := c.producer(ProducerOptions{CreateTopicKey: "K"})
		_, err := none.Send(t.Context(), text("T", 0))
		var se *SendError
		if !errors.Is(err, ErrTopicNotFound) || !errors.As(err, &se) || len(se.Attempts) != 0 {
			t.Errorf("no such key: %v", err)
		}
	})
}

// TestNoQueue: a topic whose brokers are all read-only is an error, until one is not: every
// send looks again, though not more often than ReloadInterval.
func TestNoQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a")
		c.lookup.set(func(string) (*codec.TopicRouteData, error) {
			return &codec.TopicRouteData{BrokerDatas: []codec.BrokerData{group("a", "ha")}, QueueDatas: []codec.QueueData{queueData("a", 4, codec.PermRead)}}, nil
		})
		p := c.producer(ProducerOptions{})
		for range 100 {
			if _, err := p.Send(t.Context(), text("T", 0)); !errors.Is(err, ErrNoQueue) {
				t.Fatalf("got %v", err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := c.lookup.count(); n > 3 {
			t.Errorf("%d lookups in a second", n)
		}
		c.lookup.set(brokersAnswer("a"))
		time.Sleep(500 * time.Millisecond)
		if _, err := p.Send(t.Context(), text("T", 0)); err != nil {
			t.Errorf("once it can be written to: %v", err)
		}
	})
}

// TestBrokerMoves: a broker whose master has another address is found there as soon as a send
// failed, and what belonged to the old address is dropped in time.
func TestBrokerMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a", "b")
		p := c.producer(ProducerOptions{})
		sendAll(t, p, 1, 10)
		c.brokers["ha"].kill()
		moved := c.add("a", "elsewhere")
		c.lookup.set(func(string) (*codec.TopicRouteData, error) {
			d, _ := brokersAnswer("a", "b")("")
			d.BrokerDatas[0].BrokerAddrs[codec.MasterID] = "elsewhere"
			return d, nil
		})
		sendAll(t, p, 1, 4)
		time.Sleep(600 * time.Millisecond)
		sendAll(t, p, 1, 100)
		if n := moved.count(); n < 40 {
			t.Errorf("at its new address the broker got %d of 100", n)
		}
		time.Sleep(5 * time.Minute)
		sendAll(t, p, 1, 2)
		if s := p.Stats(); len(s.Brokers) != 2 || s.Brokers[0].Addr != "elsewhere" {
			t.Errorf("brokers %+v", s.Brokers)
		}
		probes := c.brokers["ha"].probes
		time.Sleep(5 * time.Minute)
		if c.brokers["ha"].probes != probes {
			t.Error("the old address is still probed")
		}
	})
}

// TestOneway: no answer is asked for; a broker that cannot be reached is passed over.
func TestOneway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a", "b")
		c.brokers["ha"].kill()
		p := c.producer(ProducerOptions{})
		for i := range 20 {
			if err := p.SendOneway(t.Context(), text("T", i)); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		}
		synctest.Wait()
		b := c.brokers["hb"]
		if b.count() != 20 || b.oneways != 20 || len(b.taken) != 20 {
			t.Errorf("the broker got %d, %d of them one-way, %d different", b.count(), b.oneways, len(b.taken))
		}
		if s := p.Stats(); s.Oneway != 20 || s.Sent != 0 || s.Failed != 0 || s.Retried == 0 {
			t.Errorf("stats %+v", s)
		}
		b.kill()
		synctest.Wait()
		if err := p.SendOneway(t.Context(), text("T", 0)); !errors.Is(err, ErrUnreachable) {
			t.Errorf("nobody there: %v", err)
		}
		if err := p.SendOneway(t.Context(), &Message{}); !errors.Is(err, ErrMessage) {
			t.Errorf("no message: %v", err)
		}
	})
}

// TestProducerClose: sends under way and later ones fail with ErrClosed, wherever they wait.
func TestProducerClose(t *testing.T) {
	for name, prepare := range map[string]func(*fakeBroker){
		"for an answer":       func(b *fakeBroker) { b.hang = true },
		"for a connection":    func(b *fakeBroker) { b.deaf = true },
		"for a busy broker":   func(b *fakeBroker) { b.code = codeFlowControl },
		"for nothing at all":  func(b *fakeBroker) { b.latency = time.Millisecond },
		"while it is refused": func(b *fakeBroker) { b.refuse = true },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newFakeCluster(t, "a")
			prepare(c.brokers["ha"])
			p := c.producer(ProducerOptions{Retries: 1000})
			failed := make(chan error)
			go func() {
				for {
					if _, err := p.Send(t.Context(), text("T", 0)); err != nil {
						failed <- err
						return
					}
				}
			}()
			time.Sleep(100 * time.Millisecond)
			p.Close()
			if err := <-failed; name != "while it is refused" && !errors.Is(err, ErrClosed) {
				t.Errorf("waiting %s: %v", name, err)
			}
			if _, err := p.Send(t.Context(), text("T", 0)); !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
			p.Close()
		})
	}
}

// TestBadAnswer: a broker that takes a message and says nonsense is no reason to send it again.
func TestBadAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a", "b")
		c.brokers["ha"].bare, c.brokers["hb"].bare = true, true
		p := c.producer(ProducerOptions{})
		if _, err := p.Send(t.Context(), text("T", 0)); !errors.Is(err, ErrBadAnswer) {
			t.Errorf("got %v", err)
		}
		if n := c.brokers["ha"].count() + c.brokers["hb"].count(); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

// lazySelector chooses nothing.
type lazySelector struct{ RoundRobin }

func (lazySelector) Select(*Candidates, string) *Candidate { return nil }

// TestSelectorThatChoosesNothing does not bring a send to nothing.
func TestSelectorThatChoosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sendAll(t, newFakeCluster(t, "a", "b").producer(ProducerOptions{Selector: lazySelector{}}), 1, 10)
	})
}

// TestProducerUnderRace: brokers die, hang, refuse and return while goroutines send both ways.
func TestProducerUnderRace(t *testing.T) {
	for kind := range selectors() {
		synctest.Test(t, func(t *testing.T) {
			c := newFakeCluster(t, "a", "b", "c")
			for _, b := range c.brokers {
				b.latency = time.Millisecond
			}
			p := c.producer(ProducerOptions{Selector: selectors()[kind]})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var wg sync.WaitGroup
			var kills, unknown atomic.Int32
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					b := c.brokers[[]string{"ha", "hb", "hc"}[i%3]]
					switch i % 4 {
					case 0:
						kills.Add(1)
						b.kill()
					case 1:
						b.set(func(b *fakeBroker) { b.hang = true })
					case 2:
						b.set(func(b *fakeBroker) { b.code = codec.SystemBusy })
					case 3:
						b.set(func(b *fakeBroker) { b.code = codec.SystemError })
					}
					time.Sleep(700 * time.Millisecond)
					b.set(func(b *fakeBroker) { b.refuse, b.hang, b.code = false, false, 0 })
					time.Sleep(300 * time.Millisecond)
					p.Stats()
				}
			})
			for g := range 4 {
				wg.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						var err error
						if m := text(fmt.Sprint("T", g%2), i); i%8 == 7 {
							// What was being written when the broker died may have arrived.
							if err = p.SendOneway(t.Context(), m); errors.Is(err, ErrUnreachable) {
								unknown.Add(1)
								err = nil
							}
						} else {
							_, err = p.Send(t.Context(), m)
						}
						// One broker at a time fails: of the others one takes it.
						if err != nil {
							t.Errorf("%s: %v", kind, err)
						}
						time.Sleep(time.Duration(g+1) * 3 * time.Millisecond)
					}
				})
			}
			wg.Wait()
			if n, most := unknown.Load(), 4*kills.Load(); n > most {
				t.Errorf("%s: %d one-way messages failed; one of each goroutine a kill may: %d", kind, n, most)
			}
		})
	}
}

// TestTopicThatNobodyCanCreate: of a topic that does not exist, and for which TBW102 has no queue
// either, name servers are not asked with every message.
func TestTopicThatNobodyCanCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "a")
		asked := 0
		c.lookup.set(func(topic string) (*codec.TopicRouteData, error) {
			if topic == "TBW102" {
				return &codec.TopicRouteData{BrokerDatas: []codec.BrokerData{group("a", "ha")}}, nil
			}
			asked++
			return nil, ErrTopicNotFound
		})
		p := c.producer(ProducerOptions{})
		for range 500 {
			if _, err := p.Send(t.Context(), text("T", 0)); !errors.Is(err, ErrNoQueue) {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if asked != 1 {
			t.Errorf("asked %d times in half a second", asked)
		}
	})
}
