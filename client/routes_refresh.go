package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// refreshSlots is into how many moments a refresh period is divided. Refreshes that fall into
// the same one go out together: what a lookup costs is most of all waking up for it.
const refreshSlots = 12

// refreshSlot is one of those moments, and who is looked at then.
type refreshSlot struct {
	timer   *time.Timer
	entries []*routeEntry
}

// plan has an entry looked at in RoutesOptions.Refresh, give or take a tenth, up to the nearest
// slot, and returns when. An entry that is due before remains in its slot, where it is passed
// over; it is in a slot only once, however often it is planned. e.mu is held.
func (c *Routes) plan(now time.Time, e *routeEntry) time.Time {
	d := c.o.Refresh - c.o.Refresh/20 + rand.N(c.o.Refresh/10+1)
	every := max(c.o.Refresh/refreshSlots, 1)
	n := max(int64((now.Add(d).Sub(c.began)+every/2)/every), e.slot)
	at := c.began.Add(time.Duration(n) * every)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return at
	}
	s := c.slots[n]
	switch {
	case s == nil:
		s = &refreshSlot{}
		s.timer = time.AfterFunc(at.Sub(now), func() { c.lookAt(n) })
		c.slots[n] = s
	case n == e.slot:
		return at
	}
	s.entries = append(s.entries, e)
	e.slot = n
	return at
}

// lookAt is a slot's timer's.
func (c *Routes) lookAt(slot int64) {
	c.mu.Lock()
	s := c.slots[slot]
	delete(c.slots, slot)
	c.mu.Unlock()
	c.look(s.entries)
}

// look refreshes those of the entries whose time has come. They are the callee's.
func (c *Routes) look(entries []*routeEntry) {
	if !c.enter() {
		return
	}
	defer c.wg.Done()
	due := entries[:0]
	for _, e := range entries {
		if e.tick() {
			due = append(due, e)
		}
	}
	c.mu.Lock()
	c.due = append(c.due, due...)
	c.mu.Unlock()
	c.refresh()
}

// refresh refreshes what is due, as many at a time as RoutesOptions.Parallel allows. The rest is
// left to those that run: whoever ends one looks here. The caller is counted in c.wg.
func (c *Routes) refresh() {
	for {
		c.mu.Lock()
		n := min(len(c.due), c.o.Parallel-c.refreshing)
		batch := c.due[:n:n]
		if c.due = c.due[n:]; len(c.due) == 0 {
			c.due = nil
		}
		c.refreshing += n
		c.wg.Add(n)
		c.mu.Unlock()
		if n == 0 {
			return
		}
		c.fly(batch)
	}
}

// refreshed says that a refresh is over; call refresh then.
func (c *Routes) refreshed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refreshing--
}

// fly makes the lookups of a batch: together, or each on a goroutine of its own if the Lookup
// is not ours.
func (c *Routes) fly(batch []*routeEntry) {
	if c.news == nil || len(batch) == 1 {
		for _, e := range batch[1:] {
			go c.flyAlone(e)
		}
		batch[0].fly()
		c.refreshed()
		c.wg.Done()
		return
	}
	questions := make([]routeQuestion, len(batch))
	for i, e := range batch {
		questions[i] = routeQuestion{topic: e.topic, last: e.known()}
	}
	c.news.routesIfNew(c.ctx, c.o.LookupTimeout, questions, func(i int, late bool) {
		defer c.wg.Done()
		q := &questions[i]
		batch[i].arrive(q.data, q.id, c.why(q.topic, q.err))
		c.refreshed()
		if late {
			c.refresh()
		}
	})
}

// flyAlone refreshes an entry on a goroutine of its own, and then whatever is due.
func (c *Routes) flyAlone(e *routeEntry) {
	defer c.wg.Done()
	e.fly()
	c.refreshed()
	c.refresh()
}

// newsLookup is a Lookup that knows by an answer's bytes that it is the last one again, so that
// it need not be parsed, and that bounds its time itself. A Resolver is one.
type newsLookup interface {
	routeIfNew(ctx context.Context, within time.Duration, q *routeQuestion)
	// routesIfNew is that for several questions. Each is told of once: on the caller's
	// goroutine, or late, on one that is about to end.
	routesIfNew(ctx context.Context, within time.Duration, questions []routeQuestion, told func(i int, late bool))
}

// ask makes one lookup. The data is nil if the answer is the last one again, which had that
// id. A panic of the Lookup is not ours to catch.
func (c *Routes) ask(topic string, last answerID) (data *codec.TopicRouteData, id answerID, err error) {
	if c.news != nil {
		q := routeQuestion{topic: topic, last: last}
		c.news.routeIfNew(c.ctx, c.o.LookupTimeout, &q)
		data, id, err = q.data, q.id, q.err
	} else {
		data, err = c.askPlainly(topic)
	}
	return data, id, c.why(topic, err)
}

// why is err, or that the cache is closed.
func (c *Routes) why(topic string, err error) error {
	if err != nil && c.ctx.Err() != nil {
		return fmt.Errorf("%w: route of topic %q", ErrClosed, topic)
	}
	return err
}

// askPlainly asks a Lookup that is not ours.
func (c *Routes) askPlainly(topic string) (*codec.TopicRouteData, error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.o.LookupTimeout)
	defer cancel()
	data, err := c.lookup.Route(ctx, topic)
	if err == nil && data == nil {
		err = fmt.Errorf("%w: topic %q: an empty answer", ErrBadRoute, topic)
	}
	return data, err
}
