package client

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// routeEntry is one topic of Routes: its route, the lookup under way and when the next one
// is due. Its clock is a refresh slot while all is well, else its timer; one of them runs while
// there is a route to keep fresh or somebody who waits for the first one.
type routeEntry struct {
	c     *Routes
	topic string
	route atomic.Pointer[Route]
	used  atomic.Bool // since the last tick

	mu       sync.Mutex
	flight   *routeFlight
	again    bool // Reload was called while a lookup was under way
	started  time.Time
	due      time.Time
	slot     int64 // the latest one it was put into
	timer    *time.Timer
	failures int       // lookups failed since the last good one
	wanted   time.Time // when a tick last saw that the topic is used
	missing  error     // the name servers do not know the topic,
	until    time.Time // which is believed until then
	watchers []*watcher
	gone     bool // no longer in the table
}

// routeFlight is one lookup. route and err are set before done is closed; one of them is nil.
type routeFlight struct {
	done  chan struct{}
	route *Route
	err   error
}

type watcher struct{ changed func(Change) }

func newRouteEntry(c *Routes, topic string) *routeEntry {
	return &routeEntry{c: c, topic: topic, wanted: time.Now()}
}

// landed is a lookup that is over before it began.
func landed(err error) *routeFlight {
	f := &routeFlight{done: make(chan struct{}), err: err}
	close(f.done)
	return f
}

// touch notes that somebody wants the topic. The load keeps readers from fighting over the
// cache line.
func (e *routeEntry) touch() {
	if !e.used.Load() {
		e.used.Store(true)
	}
}

// join returns the lookup that gives the topic's first route; nil if the entry is gone.
func (e *routeEntry) join() *routeFlight {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.gone:
		return nil
	case e.flight != nil:
		return e.flight
	case e.route.Load() != nil:
		f := landed(nil)
		f.route = e.route.Load()
		return f
	case e.missing != nil && time.Now().Before(e.until):
		return landed(e.missing)
	}
	return e.launch()
}

// rejoin returns the lookup under way, the latest result if that is new, or a new lookup.
func (e *routeEntry) rejoin() *routeFlight {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.route.Load()
	switch {
	case e.flight != nil:
		return e.flight
	case r != nil && time.Since(e.started) < e.c.o.ReloadInterval:
		f := landed(nil)
		f.route = r
		return f
	case r == nil && e.missing != nil && time.Now().Before(e.until):
		return landed(e.missing)
	}
	return e.launch()
}

// launch starts a lookup; e.mu is held and none is under way.
func (e *routeEntry) launch() *routeFlight {
	if !e.c.enter() {
		return landed(fmt.Errorf("%w: route of topic %q", ErrClosed, e.topic))
	}
	e.takeOff()
	go func() {
		defer e.c.wg.Done()
		e.fly()
	}()
	return e.flight
}

// takeOff notes that a lookup begins; e.mu is held.
func (e *routeEntry) takeOff() {
	e.flight = &routeFlight{done: make(chan struct{})}
	e.started = time.Now()
}

// fly makes the lookup that took off.
func (e *routeEntry) fly() {
	e.arrive(e.c.ask(e.topic, e.known()))
}

// known is the answer that the route is made of.
func (e *routeEntry) known() answerID {
	if old := e.route.Load(); old != nil {
		return old.answer
	}
	return noAnswer
}

// arrive ends the lookup with its result.
func (e *routeEntry) arrive(data *codec.TopicRouteData, id answerID, err error) {
	f, change, watchers := e.land(data, id, err)
	if len(watchers) == 0 {
		e.finish() // first: whoever is told of a failure may ask anew, and must not join this lookup
		close(f.done)
		return
	}
	close(f.done)
	e.c.wg.Add(1)
	go e.tell(change, watchers) // whom the other topics do not wait for
}

// tell calls the watchers, and finishes then.
func (e *routeEntry) tell(change Change, watchers []*watcher) {
	defer e.c.wg.Done()
	for _, w := range watchers {
		w.changed(change)
	}
	e.finish()
}

// land takes the result of a lookup and says who is to be told of a change. Without data it is
// the route there is again.
func (e *routeEntry) land(data *codec.TopicRouteData, id answerID, err error) (*routeFlight, Change, []*watcher) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.flight
	now := time.Now()
	old := e.route.Load()
	var next *Route
	switch {
	case err != nil:
	case data == nil:
		next = old.again(now)
	default:
		if next, err = newRoute(e.topic, data, old, now); err == nil {
			next.answer = id
		}
	}
	f.err = err
	if err != nil {
		e.failures++
		e.missing = nil
		if notFound(err) {
			e.missing, e.until = err, now.Add(e.c.o.NotFoundFor)
		}
		if old != nil {
			kept := *old
			kept.Err = err
			e.route.Store(&kept)
			f.route, f.err = &kept, nil
		}
		return f, Change{}, nil
	}
	e.failures, e.missing = 0, nil
	e.route.Store(next)
	f.route = next
	if len(e.watchers) == 0 || old != nil && old.Data == next.Data {
		return f, Change{}, nil
	}
	return f, diffRoutes(old, next), append([]*watcher(nil), e.watchers...)
}

// finish ends the lookup under way and sets the time of the next one.
func (e *routeEntry) finish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.flight = nil
	switch {
	case e.again:
		e.again = false
		e.schedule(e.c.o.ReloadInterval - time.Since(e.started))
	case e.failures == 0:
		e.later()
	case e.route.Load() != nil || len(e.watchers) > 0:
		e.schedule(jittered(e.pause()))
	default:
		e.schedule(e.c.o.NotFoundFor) // to be forgotten
	}
}

// pause is how long to wait after failed lookups: it doubles up to the refresh period.
func (e *routeEntry) pause() time.Duration {
	d := e.c.o.ReloadInterval
	for range e.failures - 1 {
		if d *= 2; d >= e.c.o.Refresh {
			return e.c.o.Refresh
		}
	}
	return min(d, e.c.o.Refresh)
}

// later has the entry refreshed a period from now, with others; e.mu is held.
func (e *routeEntry) later() {
	if e.timer != nil {
		e.timer.Stop()
	}
	e.due = e.c.plan(time.Now(), e)
}

// schedule sets the timer; e.mu is held. Nothing is set once the cache is closed: stop comes
// after that was noted, and looks at every entry.
func (e *routeEntry) schedule(d time.Duration) {
	d = max(d, 0)
	e.due = time.Now().Add(d)
	if e.timer != nil {
		e.timer.Reset(d)
	} else {
		e.timer = time.AfterFunc(d, func() { e.c.look([]*routeEntry{e}) })
	}
	if e.c.ctx.Err() != nil {
		e.timer.Stop()
	}
}

// tick is the timer's or the slot's. It reports whether the route is to be refreshed, and then
// that lookup has taken off, or forgets a topic that nobody wants.
func (e *routeEntry) tick() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.flight != nil || e.gone || time.Now().Before(e.due) {
		return false // set anew meanwhile
	}
	if e.used.Swap(false) {
		e.wanted = time.Now()
	}
	if len(e.watchers) == 0 && (e.route.Load() == nil || time.Since(e.wanted) >= e.c.o.ForgetAfter) {
		e.gone = true
		e.c.table.Remove(e.topic, e)
		return false
	}
	e.takeOff()
	return true
}

func (e *routeEntry) reload() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.flight != nil {
		e.again = true
		return
	}
	if e.due.IsZero() || e.gone || e.c.ctx.Err() != nil {
		return
	}
	wait := e.c.o.ReloadInterval - time.Since(e.started)
	if time.Now().Add(wait).Before(e.due) {
		e.schedule(wait)
	}
}

// watch adds a watcher and sees to it that the topic is looked up; false if the entry is gone.
func (e *routeEntry) watch(changed func(Change)) (stop func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gone {
		return nil, false
	}
	w := &watcher{changed}
	e.watchers = append(e.watchers, w)
	if e.flight == nil && e.route.Load() == nil {
		e.launch()
	}
	return func() { e.unwatch(w) }, true
}

func (e *routeEntry) unwatch(w *watcher) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.watchers {
		if e.watchers[i] == w {
			e.watchers = append(e.watchers[:i:i], e.watchers[i+1:]...)
			return
		}
	}
}

// stop ends the timer for good; the cache is closed.
func (e *routeEntry) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timer != nil {
		e.timer.Stop()
	}
}
