package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// fakeLookup answers lookups as told and notes when they began.
type fakeLookup struct {
	mu     sync.Mutex
	answer func(topic string) (*codec.TopicRouteData, error)
	takes  time.Duration
	asked  []time.Duration // since start, in order
	start  time.Time
	now    int // lookups under way
	most   int
}

func newFakeLookup(answer func(topic string) (*codec.TopicRouteData, error)) *fakeLookup {
	return &fakeLookup{answer: answer, start: time.Now()}
}

func (l *fakeLookup) set(answer func(topic string) (*codec.TopicRouteData, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = answer
}

func (l *fakeLookup) Route(ctx context.Context, topic string) (*codec.TopicRouteData, error) {
	l.mu.Lock()
	l.asked = append(l.asked, time.Since(l.start))
	l.now++
	l.most = max(l.most, l.now)
	answer, takes := l.answer, l.takes
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.now--
		l.mu.Unlock()
	}()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return answer(topic)
}

func (l *fakeLookup) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.asked)
}

// brokersAnswer is a route over these brokers, two queues each.
func brokersAnswer(names ...string) func(string) (*codec.TopicRouteData, error) {
	return func(string) (*codec.TopicRouteData, error) {
		d := &codec.TopicRouteData{}
		for _, n := range names {
			d.BrokerDatas = append(d.BrokerDatas, group(n, "h"+n))
			d.QueueDatas = append(d.QueueDatas, queueData(n, 2, readWrite))
		}
		return d, nil
	}
}

var errDown = errors.New("no name server answers")

func down(string) (*codec.TopicRouteData, error) { return nil, errDown }

func unknownTopic(topic string) (*codec.TopicRouteData, error) {
	return nil, fmt.Errorf("%w: %s", ErrTopicNotFound, topic)
}

func newRoutes(t *testing.T, l Lookup, o RoutesOptions) *Routes {
	c := NewRoutes(l, o)
	t.Cleanup(func() { c.Close() })
	return c
}

// TestFetchSharesOneLookup: a hundred callers, one question; then the answer is known.
func TestFetchSharesOneLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(brokersAnswer("a"))
		l.takes = time.Second
		c := newRoutes(t, l, RoutesOptions{})
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				r, err := c.Fetch(t.Context(), "T")
				if err != nil || len(r.Queues) != 2 {
					t.Errorf("Fetch: %v, %v", r, err)
				}
			})
		}
		wg.Wait()
		if n := l.count(); n != 1 {
			t.Errorf("%d lookups for 100 callers", n)
		}
		if r, ok := c.Route("T"); !ok || r.Age() != 0 || r.Stale() {
			t.Errorf("after the lookup: %v %+v", ok, r)
		}
		if _, ok := c.Route("other"); ok {
			t.Error("a topic nobody fetched is known")
		}
	})
}

// TestFetchHonoursItsContext: the caller leaves, the lookup goes on and serves the next one.
func TestFetchHonoursItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(brokersAnswer("a"))
		l.takes = time.Second
		c := newRoutes(t, l, RoutesOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := c.Fetch(ctx, "T"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
		if time.Since(l.start) != 100*time.Millisecond {
			t.Errorf("it waited %v", time.Since(l.start))
		}
		if r, err := c.Fetch(t.Context(), "T"); err != nil || l.count() != 1 {
			t.Errorf("the next caller: %v, %v after %d lookups", r, err, l.count())
		}
	})
}

// TestRefresh: every 30 s give or take a tenth, for as long as somebody asks.
func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(brokersAnswer("a"))
		c := newRoutes(t, l, RoutesOptions{})
		if _, err := c.Fetch(t.Context(), "T"); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			time.Sleep(10 * time.Second)
			if r, ok := c.Route("T"); !ok || r.Age() > 33*time.Second {
				t.Fatalf("after %v: known %v, %+v", time.Since(l.start), ok, r)
			}
		}
		synctest.Wait()
		for i := 1; i < len(l.asked); i++ {
			if d := l.asked[i] - l.asked[i-1]; d < 27*time.Second || d > 33*time.Second {
				t.Errorf("lookup %d came %v after the one before", i, d)
			}
		}
		if n := l.count(); n < 18 || n > 23 {
			t.Errorf("%d lookups in 10 minutes", n)
		}
		// Nobody asks any more: after 10 minutes the topic is dropped.
		time.Sleep(11 * time.Minute)
		before := l.count()
		time.Sleep(time.Hour)
		if l.count() != before || c.peek("T") != nil {
			t.Errorf("a topic that nobody wants is still refreshed: %d lookups, then %d", before, l.count())
		}
	})
}

// TestStaleRouteServes: while no name server answers the known route serves and says how old
// it is; lookups come at growing distances; the first answer makes it fresh again.
func TestStaleRouteServes(t *testing.T) {
	for name, fail := range map[string]func(string) (*codec.TopicRouteData, error){"down": down, "unknown": unknownTopic} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newFakeLookup(brokersAnswer("a"))
				c := newRoutes(t, l, RoutesOptions{})
				if _, err := c.Fetch(t.Context(), "T"); err != nil {
					t.Fatal(err)
				}
				l.set(fail)
				time.Sleep(5 * time.Minute)
				r, err := c.Fetch(t.Context(), "T")
				if err != nil || len(r.Queues) != 2 || !r.Stale() || r.Age() != 5*time.Minute {
					t.Fatalf("after five minutes: %+v, %v", r, err)
				}
				// 30 s, then pauses of 0.5, 1, 2, 4, 8, 16, 30, 30, ... seconds.
				if n := l.count(); n < 13 || n > 18 {
					t.Errorf("%d lookups while down", n)
				}
				l.set(brokersAnswer("a", "b"))
				time.Sleep(34 * time.Second)
				if r, _ := c.Route("T"); r.Stale() || len(r.Queues) != 4 || r.Age() > 33*time.Second {
					t.Errorf("after the return: %+v", r)
				}
			})
		})
	}
}

// TestNotFoundIsRememberedBriefly: one lookup a second at most, and no trace later.
func TestNotFoundIsRememberedBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(unknownTopic)
		c := newRoutes(t, l, RoutesOptions{})
		for range 100 {
			if _, err := c.Fetch(t.Context(), "T"); !errors.Is(err, ErrTopicNotFound) {
				t.Fatalf("got %v", err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := l.count(); n < 9 || n > 11 {
			t.Errorf("%d lookups in 10 s", n)
		}
		l.set(brokersAnswer("a"))
		time.Sleep(time.Second)
		if _, err := c.Fetch(t.Context(), "T"); err != nil {
			t.Errorf("once it exists: %v", err)
		}
		l.set(unknownTopic)
		c.Fetch(t.Context(), "U")
		time.Sleep(2 * time.Second)
		if c.table.Get("U") != nil {
			t.Error("a topic that does not exist is kept")
		}
	})
}

// TestOtherErrorsAreNotRemembered: a lookup that failed says nothing about the next one.
func TestOtherErrorsAreNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(down)
		c := newRoutes(t, l, RoutesOptions{})
		if _, err := c.Fetch(t.Context(), "T"); !errors.Is(err, errDown) {
			t.Errorf("got %v", err)
		}
		l.set(brokersAnswer("a"))
		if _, err := c.Fetch(t.Context(), "T"); err != nil {
			t.Errorf("got %v", err)
		}
		l.set(func(string) (*codec.TopicRouteData, error) { return nil, nil })
		if _, err := c.Fetch(t.Context(), "U"); !errors.Is(err, ErrBadRoute) {
			t.Errorf("an empty answer: %v", err)
		}
	})
}

// TestReload: at once the first time, then as often as ReloadInterval allows, however many
// failures ask; one that comes during a lookup is followed by another lookup.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(brokersAnswer("a"))
		c := newRoutes(t, l, RoutesOptions{})
		c.Reload("T") // unknown: nothing to reload
		if _, err := c.Fetch(t.Context(), "T"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		l.set(brokersAnswer("b"))
		c.Reload("T")
		synctest.Wait()
		if r, _ := c.Route("T"); r.Queues[0].BrokerName != "b" {
			t.Errorf("after Reload: %v", r.Queues)
		}
		for range 1000 {
			c.Reload("T")
			time.Sleep(time.Millisecond)
		}
		if n := l.count(); n < 3 || n > 5 {
			t.Errorf("%d lookups for 1000 reloads in a second", n)
		}
		time.Sleep(5 * time.Second)
		l.mu.Lock()
		l.takes = 2 * time.Second
		l.mu.Unlock()
		c.Reload("T")
		time.Sleep(time.Second)
		before := l.count()
		c.Reload("T")
		time.Sleep(5 * time.Second)
		if n := l.count() - before; n != 1 {
			t.Errorf("%d lookups followed the one under way", n)
		}
	})
}

// TestWatch: the first route and every change, in order; nothing for an answer that says the
// same; nothing after stop.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(unknownTopic)
		c := newRoutes(t, l, RoutesOptions{Refresh: 10 * time.Second})
		var got []Change
		stop := c.Watch("T", func(ch Change) { got = append(got, ch) })
		var other int
		stopOther := c.Watch("T", func(Change) { other++; c.Reload("T") })
		defer stopOther()
		step := func(answer func(string) (*codec.TopicRouteData, error), want int) {
			t.Helper()
			l.set(answer)
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if len(got) != want {
				t.Fatalf("%d changes, want %d: %+v", len(got), want, got)
			}
		}
		step(unknownTopic, 0)
		step(brokersAnswer("a", "b"), 1)
		step(brokersAnswer("b", "a"), 1)
		step(down, 1)
		step(brokersAnswer("b", "c"), 2)
		step(func(string) (*codec.TopicRouteData, error) {
			d, _ := brokersAnswer("b", "c")("")
			d.BrokerDatas[0].BrokerAddrs[0] = "elsewhere"
			d.QueueDatas[1].WriteQueueNums = 1
			return d, nil
		}, 3)
		stop()
		step(brokersAnswer("a"), 3)
		if other != 4 {
			t.Errorf("the other watcher saw %d changes, want 4", other)
		}
		queue := func(b string, id int32) MessageQueue { return MessageQueue{"T", b, id} }
		first, second, third := got[0], got[1], got[2]
		if first.Old != nil || !slices.Equal(first.BrokersAdded, []string{"a", "b"}) || len(first.QueuesAdded) != 4 {
			t.Errorf("first change: %+v", first)
		}
		if second.Old.Data != first.New.Data || !slices.Equal(second.BrokersAdded, []string{"c"}) || !slices.Equal(second.BrokersRemoved, []string{"a"}) ||
			!slices.Equal(second.QueuesAdded, []MessageQueue{queue("c", 0), queue("c", 1)}) ||
			!slices.Equal(second.QueuesRemoved, []MessageQueue{queue("a", 0), queue("a", 1)}) {
			t.Errorf("second change: %+v", second)
		}
		if !slices.Equal(third.BrokersMoved, []string{"b"}) || !slices.Equal(third.QueuesRemoved, []MessageQueue{queue("c", 1)}) ||
			len(third.BrokersAdded)+len(third.BrokersRemoved)+len(third.QueuesAdded) != 0 {
			t.Errorf("third change: %+v", third)
		}
	})
}

// TestRefreshesAreBounded: hung refreshes hold their places; a new topic needs none.
func TestRefreshesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(brokersAnswer("a"))
		c := newRoutes(t, l, RoutesOptions{Parallel: 4, LookupTimeout: 3 * time.Second})
		for i := range 100 {
			if _, err := c.Fetch(t.Context(), fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		l.mu.Lock()
		l.takes, l.most = time.Hour, 0
		l.mu.Unlock()
		time.Sleep(33 * time.Second) // some 20 refreshes hang or wait
		l.mu.Lock()
		most := l.most
		l.mu.Unlock()
		if most != 4 {
			t.Errorf("%d refreshes at a time, at most 4 wanted", most)
		}
		start := time.Now()
		if _, err := c.Fetch(t.Context(), "new"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("a new topic: %v after %v, want the time-out of its own lookup", err, time.Since(start))
		}
	})
}

// TestCloseEndsEverything: lookups under way, waiting callers, timers.
func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(brokersAnswer("a"))
		c := NewRoutes(l, RoutesOptions{})
		if _, err := c.Fetch(t.Context(), "T"); err != nil {
			t.Fatal(err)
		}
		l.takes = time.Hour
		waiting := make(chan error)
		go func() {
			_, err := c.Fetch(t.Context(), "U")
			waiting <- err
		}()
		synctest.Wait()
		c.Close()
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("a waiting caller got %v", err)
		}
		if _, err := c.Fetch(t.Context(), "V"); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if _, ok := c.Route("T"); !ok {
			t.Error("a known route is gone after Close")
		}
		before := l.count()
		c.Reload("T")
		time.Sleep(time.Hour)
		if l.count() != before {
			t.Error("lookups after Close")
		}
		c.Close()
	})
}

// TestRoutesUnderRace: everything at once, under the race detector.
func TestRoutesUnderRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(nil)
		l.set(func(topic string) (*codec.TopicRouteData, error) {
			switch time.Since(l.start) / time.Second % 3 {
			case 0:
				return brokersAnswer("a", topic)(topic)
			case 1:
				return unknownTopic(topic)
			}
			return down(topic)
		})
		l.takes = 50 * time.Millisecond
		c := newRoutes(t, l, RoutesOptions{Refresh: time.Second, ReloadInterval: 10 * time.Millisecond, ForgetAfter: 2 * time.Second})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 500 {
					topic := fmt.Sprint((g + i) % 10)
					switch i % 5 {
					case 0:
						defer c.Watch(topic, func(ch Change) { c.Reload(ch.Topic) })()
					case 1:
						c.Reload(topic)
					default:
						if r, err := c.Fetch(t.Context(), topic); err == nil && len(r.Targets()) != 4 {
							t.Errorf("route of %s: %v", topic, r.Targets())
						}
					}
					time.Sleep(time.Duration(g+1) * time.Millisecond)
				}
			})
		}
		wg.Wait()
	})
}
