package faults

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
	"github.com/pharosmq/pharos/internal/testkit/netns"
)

const (
	observePeriod  = 50 * time.Millisecond
	observeTimeout = time.Second
	// blindAfter without an answer the observer knows nothing: the time does not count.
	blindAfter = 500 * time.Millisecond
)

// sight is what the observer has seen of one broker.
type sight struct {
	due      bool // it has registered and lives, so it has to be in the route
	listed   bool
	died     time.Time // zero: it lives
	found    time.Time // seen missing ever since
	returns  int       // times it came back to the route although dead
	missing  time.Duration
	removals int
	longest  time.Duration // longest time in a row that it was missing
	current  time.Duration
}

// observer asks a name server for one route, again and again.
type observer struct {
	ns     *netns.NS
	server string

	mu     sync.Mutex
	sights map[string]*sight
	last   time.Time // of the last answer
	blind  time.Duration
	asked  int
	notify chan struct{}
}

func newObserver(ns *netns.NS, server string) *observer {
	return &observer{ns: ns, server: server, sights: map[string]*sight{}, notify: make(chan struct{})}
}

// run observes until ctx ends.
func (o *observer) run(ctx context.Context) {
	var c *testkit.Client
	defer func() {
		if c != nil {
			_ = c.Close()
		}
	}()
	tick := time.NewTicker(observePeriod)
	defer tick.Stop()
	for ctx.Err() == nil {
		if c == nil || c.Err() != nil {
			c = o.dial(ctx)
		}
		if c != nil && o.ask(ctx, c) != nil {
			_ = c.Close()
			c = nil
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (o *observer) dial(ctx context.Context) (c *testkit.Client) {
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	_ = o.ns.Do(func() (err error) { // nil tells as much
		c, err = testkit.Dial(ctx, o.server, testkit.ClientOptions{Dialer: &net.Dialer{KeepAlive: -1}})
		return err
	})
	return c
}

func (o *observer) ask(ctx context.Context, c *testkit.Client) error {
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	m, err := c.Call(ctx, codec.CodeGetRouteInfoByTopic, testkit.Ext("topic", routeTopic), nil)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	if m.Code == codec.Success {
		lim := codec.DefaultLimits()
		route, err := codec.ParseTopicRouteData(m.Body, &lim)
		if err != nil {
			return fmt.Errorf("the route: %w", err)
		}
		for i := range route.BrokerDatas {
			listed[route.BrokerDatas[i].BrokerName] = true
		}
	}
	o.saw(time.Now(), listed)
	return nil
}

// saw counts what one answer says.
func (o *observer) saw(now time.Time, listed map[string]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	step := now.Sub(o.last)
	if o.last.IsZero() {
		step = 0
	}
	if step > blindAfter {
		o.blind += step
		step = 0
	}
	o.last = now
	o.asked++
	for name, s := range o.sights {
		s.see(now, step, listed[name])
	}
	close(o.notify)
	o.notify = make(chan struct{})
}

func (s *sight) see(now time.Time, step time.Duration, listed bool) {
	was := s.listed
	s.listed = listed
	switch {
	case !s.died.IsZero():
		switch {
		case listed && !s.found.IsZero(): // hidden too soon, or for the wrong reason
			s.found = time.Time{}
			s.returns++
		case !listed && s.found.IsZero():
			s.found = now
		}
	case !s.due:
	case listed:
		s.current = 0
	default:
		if was {
			s.removals++
		}
		s.missing += step
		s.current += step
		s.longest = max(s.longest, s.current)
	}
}

// expect makes the broker known; that it is missing does not count yet.
func (o *observer) expect(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sights[name] = &sight{}
}

// watch begins to count the broker: it has to be in the route from now on.
func (o *observer) watch(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.sights[name]
	s.due, s.died = true, time.Time{}
}

// forgive stops counting the broker until the next watch: it is rightly absent.
func (o *observer) forgive(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sights[name].due = false
}

// died says that the broker is dead from now on.
func (o *observer) died(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.sights[name]
	s.died, s.found = time.Now(), time.Time{}
}

// await waits until done says so of the sights, looking at each answer.
func (o *observer) await(ctx context.Context, timeout time.Duration, done func(map[string]*sight) bool) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		o.mu.Lock()
		ok, next := done(o.sights), o.notify
		o.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-next:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// awaitListed waits until all brokers are in the route.
func (o *observer) awaitListed(ctx context.Context, timeout time.Duration) bool {
	return o.await(ctx, timeout, func(all map[string]*sight) bool {
		for _, s := range all {
			if !s.listed {
				return false
			}
		}
		return true
	})
}

// awaitFound waits until no dead broker is in the route.
func (o *observer) awaitFound(ctx context.Context, timeout time.Duration) bool {
	return o.await(ctx, timeout, func(all map[string]*sight) bool {
		for _, s := range all {
			if !s.died.IsZero() && s.found.IsZero() {
				return false
			}
		}
		return true
	})
}
