package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// Lookup asks name servers for a topic's route. A Resolver is one. An error that wraps
// ErrTopicNotFound says that they do not know the topic. The result belongs to the caller.
type Lookup interface {
	Route(ctx context.Context, topic string) (*codec.TopicRouteData, error)
}

// RoutesOptions says how routes are kept. The zero value is the default of every field.
type RoutesOptions struct {
	// Refresh is how often a topic's route is asked for again, give or take a tenth, so that
	// a thousand topics do not ask at once. Default 30 s (Java: pollNameServerInterval).
	Refresh time.Duration
	// ReloadInterval is the shortest time between two lookups of one topic that failures
	// ask for, and the first pause after a failed lookup; the pause doubles up to Refresh.
	// Default 500 ms.
	ReloadInterval time.Duration
	// NotFoundFor is how long a topic that no name server knows is not asked for again.
	// Default 1 s.
	NotFoundFor time.Duration
	// LookupTimeout bounds one lookup, its fail-over included. Default 10 s.
	LookupTimeout time.Duration
	// ForgetAfter: a topic that nobody asked for so long, and nobody watches, is dropped
	// and no longer refreshed. Default 10 min.
	ForgetAfter time.Duration
	// Parallel bounds how many refreshes run at the same time, and so how many questions a
	// name server that hangs is asked at once; topics that are due at the same moment are asked
	// for together. First lookups of a topic never wait for a place. Default 32.
	Parallel int
}

func (o RoutesOptions) withDefaults() RoutesOptions {
	o.Refresh = min(orDuration(o.Refresh, 30*time.Second), refreshMax)
	o.ReloadInterval = orDuration(o.ReloadInterval, 500*time.Millisecond)
	o.NotFoundFor = orDuration(o.NotFoundFor, time.Second)
	o.LookupTimeout = orDuration(o.LookupTimeout, 10*time.Second)
	o.ForgetAfter = orDuration(o.ForgetAfter, 10*time.Minute)
	if o.Parallel <= 0 {
		o.Parallel = 32
	}
	return o
}

// refreshMax bounds a Refresh that means never, so that there is a time after it.
const refreshMax = 100 * 365 * 24 * time.Hour

func orDuration(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// Routes keeps the routes of the topics it has been asked for: one lookup at a time for
// each topic, again every RoutesOptions.Refresh, and at once when told of a failure. While
// no name server answers, the routes known go on serving. All methods can be called from
// any goroutine.
type Routes struct {
	lookup Lookup
	news   newsLookup // the same, or nil
	o      RoutesOptions
	table  *topicTable[routeEntry]
	began  time.Time // the zero of the refresh slots

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu         sync.Mutex
	closed     bool
	slots      map[int64]*refreshSlot // by their number
	due        []*routeEntry          // to be refreshed, each with its flight
	refreshing int                    // refreshes under way
	wg         sync.WaitGroup         // all that runs; Add from 0 only under mu and while not closed
}

// NewRoutes returns an empty cache. Close it to end its lookups.
func NewRoutes(l Lookup, o RoutesOptions) *Routes {
	o = o.withDefaults()
	c := &Routes{lookup: l, o: o, table: newTopicTable[routeEntry](), began: time.Now(), slots: map[int64]*refreshSlot{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if r, ok := l.(*Resolver); ok { // what embeds one may have a Route of its own
		c.news = r
	}
	return c
}

// Close ends all lookups and waits for them and for the watchers they call. Routes that are
// known can still be read; they are not refreshed any more. A watcher must not call it.
func (c *Routes) Close() error {
	c.mu.Lock()
	c.closed = true
	for _, s := range c.slots {
		s.timer.Stop()
	}
	c.mu.Unlock()
	c.cancel()
	for _, e := range c.table.All() {
		e.stop()
	}
	c.wg.Wait()
	return nil
}

// enter says that something starts; every true needs one c.wg.Done.
func (c *Routes) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.wg.Add(1)
	}
	return !c.closed
}

// Route returns the topic's route if it is known, and never waits: it takes no lock, makes
// no garbage and asks nobody. A stale route is known (Route.Err).
func (c *Routes) Route(topic string) (*Route, bool) {
	e := c.table.Get(topic)
	if e == nil {
		return nil, false
	}
	e.touch()
	r := e.route.Load()
	return r, r != nil
}

// Fetch returns the topic's route: the known one at once, else that of a lookup, which all
// callers share. It waits until ctx ends; the lookup itself goes on then. Its error wraps
// ErrTopicNotFound, ErrBadRoute, the Lookup's error or that of ctx.
func (c *Routes) Fetch(ctx context.Context, topic string) (*Route, error) {
	if r, ok := c.Route(topic); ok {
		return r, nil
	}
	f := c.join(topic)
	select {
	case <-f.done:
		return f.route, f.err
	default:
	}
	select {
	case <-f.done:
		return f.route, f.err
	case <-ctx.Done():
		return nil, c.gaveUp(ctx, topic)
	}
}

// again is Fetch by a lookup that begins now, or has begun less than ReloadInterval ago.
func (c *Routes) again(ctx context.Context, topic string) (*Route, error) {
	e := c.table.Get(topic)
	if e == nil {
		return c.Fetch(ctx, topic)
	}
	f := e.rejoin()
	select {
	case <-f.done:
		return f.route, f.err
	case <-ctx.Done():
		return nil, c.gaveUp(ctx, topic)
	}
}

// gaveUp is why a caller goes that did not wait for the lookup to end.
func (c *Routes) gaveUp(ctx context.Context, topic string) error {
	sentinel, whom := errWaiting, ""
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		sentinel = ErrTimeout
	}
	if r, ok := c.lookup.(*Resolver); ok {
		whom = " of " + r.whom()
	}
	return fmt.Errorf("%w: route of topic %q%s, whose lookup goes on: %w", sentinel, topic, whom, wire.Cause(ctx))
}

// errWaiting is said by those whose context is cancelled.
var errWaiting = errors.New("client: no answer yet")

// Reload asks for a known or watched topic's route again: at once, or as soon as
// RoutesOptions.ReloadInterval has passed since the lookup before. It does not wait. Call it
// when a broker of the route fails.
func (c *Routes) Reload(topic string) {
	if e := c.table.Get(topic); e != nil {
		e.reload()
	}
}

// Watch calls changed for every change of the topic's route from now on, the first route
// included if none is known yet: to miss nothing, Watch first and Fetch then. Calls of one
// topic follow each other in order, and its next lookup waits for them: changed must not
// block. The topic is kept fresh until stop is called; stop does not wait for a call under
// way.
func (c *Routes) Watch(topic string, changed func(Change)) (stop func()) {
	for {
		e := c.entry(topic)
		if stop, ok := e.watch(changed); ok {
			return stop
		}
	}
}

func (c *Routes) entry(topic string) *routeEntry {
	return c.table.Add(topic, func() *routeEntry { return newRouteEntry(c, topic) })
}

// join returns the lookup of a topic that has no route: the one under way or a new one.
func (c *Routes) join(topic string) *routeFlight {
	for {
		if f := c.entry(topic).join(); f != nil {
			return f
		}
	}
}

// peek is Route without saying that somebody wants the topic.
func (c *Routes) peek(topic string) *Route {
	if e := c.table.Get(topic); e != nil {
		return e.route.Load()
	}
	return nil
}

// jittered is d give or take a tenth.
func jittered(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// notFound reports whether err says that the topic does not exist.
func notFound(err error) bool { return errors.Is(err, ErrTopicNotFound) }
