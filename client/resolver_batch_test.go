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
)

// askAll asks many questions together, and waits until each was told of.
func askAll(ctx context.Context, t *testing.T, r *Resolver, questions []routeQuestion) (late int) {
	t.Helper()
	told := make([]atomic.Int32, len(questions))
	var all sync.WaitGroup
	all.Add(len(questions))
	var others atomic.Int32
	r.routesIfNew(ctx, 10*time.Second, questions, func(i int, late bool) {
		if late {
			others.Add(1)
		}
		if told[i].Add(1) > 1 {
			t.Errorf("question %d was told of again", i)
			return
		}
		all.Done()
	})
	all.Wait()
	return int(others.Load())
}

func someQuestions(n int) []routeQuestion {
	questions := make([]routeQuestion, n)
	for i := range questions {
		questions[i].topic = fmt.Sprint("T", i)
	}
	return questions
}

// Goal: questions that are asked together are answered as each of them alone, whatever happens to
// the server in use, and none waits longer than it would alone.
func TestAskedTogether(t *testing.T) {
	f := func(name string, o ResolverOptions, m manner, waitMax time.Duration) {
		t.Helper()
		inBubble(t, o, func(t *testing.T, n *fakeNet, r *Resolver) {
			settled(t, r)
			n.become(nsA, m)
			before, began := r.Stats(), time.Now()
			questions := someQuestions(30)
			late := askAll(t.Context(), t, r, questions)
			if took := time.Since(began); took > waitMax {
				t.Errorf("%s: it took %v", name, took)
			}
			if late > 0 && m == answering {
				t.Errorf("%s: %d of them became lookups of their own", name, late)
			}
			for i := range questions {
				q := &questions[i]
				if first := answeredBy(q.data) == nsA; q.err != nil || q.data == nil || first != (m == answering) || q.id == noAnswer {
					t.Errorf("%s: %s: %v by %q", name, q.topic, q.err, answeredBy(q.data))
				}
			}
			after := r.Stats()
			if asked := after.Lookups - before.Lookups; asked != 30 {
				t.Errorf("%s: %d lookups are counted", name, asked)
			}
			if hedged := after.Hedges > before.Hedges; hedged != (!o.NoHedge && (m == frozen || m == unheard || m == slowly)) {
				t.Errorf("%s: %d hedges", name, after.Hedges)
			}
			if m == answering && n.joined(nsA) != 29 {
				t.Errorf("%s: %d requests left together with another one", name, n.joined(nsA))
			}
		})
	}
	f("answering", ResolverOptions{}, answering, 10*time.Millisecond)
	f("without hedging", ResolverOptions{NoHedge: true}, answering, 10*time.Millisecond)
	f("refused", ResolverOptions{}, refused, 10*time.Millisecond)
	f("frozen", ResolverOptions{}, frozen, 600*time.Millisecond)
	f("frozen, without hedging", ResolverOptions{NoHedge: true}, frozen, 3100*time.Millisecond)
	f("unheard", ResolverOptions{}, unheard, 600*time.Millisecond)
	f("slowly", ResolverOptions{}, slowly, 600*time.Millisecond)
	f("babbling", ResolverOptions{}, babbling, 50*time.Millisecond)
	f("overloaded", ResolverOptions{}, overloaded, 50*time.Millisecond)
	f("starting", ResolverOptions{}, starting, 50*time.Millisecond)
	f("going", ResolverOptions{}, going, 50*time.Millisecond)
	f("mad", ResolverOptions{}, mad, 50*time.Millisecond)
}

// Goal: one that is not as the others does not keep them.
func TestAskedTogetherAreSeveral(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, _ *fakeNet, r *Resolver) {
		questions := someQuestions(10)
		questions[3].topic = "none"
		askAll(t.Context(), t, r, questions) // before there is a connection
		for range 2 {
			for i := range questions {
				q := &questions[i]
				if none := q.topic == "none"; none != errors.Is(q.err, ErrTopicNotFound) || !none && q.err != nil {
					t.Errorf("%s: %v", q.topic, q.err)
				}
				q.last, q.data, q.err = q.id, nil, nil
			}
			time.Sleep(time.Second)
			if late := askAll(t.Context(), t, r, questions); late > 1 {
				t.Errorf("%d of them became lookups of their own", late)
			}
		}
		for i := range questions {
			if q := &questions[i]; q.data != nil || q.id != q.last {
				t.Errorf("%s: the last answer again is parsed again", q.topic)
			}
		}
	})
}

// Goal: all end with their context, and with the Resolver.
func TestAskedTogetherEnd(t *testing.T) {
	f := func(end func(context.CancelFunc, *Resolver), want error) {
		t.Helper()
		inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
			settled(t, r)
			for _, addr := range []string{nsA, nsB, nsC} {
				n.become(addr, frozen)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			for _, after := range []time.Duration{time.Millisecond, 100 * time.Millisecond} {
				time.AfterFunc(after, func() { end(cancel, r) })
				questions := someQuestions(10)
				began := time.Now()
				askAll(ctx, t, r, questions)
				if took := time.Since(began); took > after {
					t.Errorf("it took %v, and not %v", took, after)
				}
				for i := range questions {
					if !errors.Is(questions[i].err, want) {
						t.Errorf("%v, want %v", questions[i].err, want)
					}
				}
			}
		})
	}
	f(func(cancel context.CancelFunc, _ *Resolver) { cancel() }, context.Canceled)
	f(func(_ context.CancelFunc, r *Resolver) { r.Close() }, ErrClosed)
}

// countedResolver counts the refreshes that run.
type countedResolver struct {
	*Resolver
	now, most, batch atomic.Int64
}

func (c *countedResolver) add(n int) {
	if now := c.now.Add(int64(n)); now > c.most.Load() {
		c.most.Store(now) // simulated time: all at once, one at a time
	}
}

func (c *countedResolver) routesIfNew(ctx context.Context, within time.Duration, questions []routeQuestion, told func(int, bool)) {
	c.add(len(questions))
	c.batch.Store(max(c.batch.Load(), int64(len(questions))))
	c.Resolver.routesIfNew(ctx, within, questions, func(i int, late bool) {
		c.now.Add(-1)
		told(i, late)
	})
}

// Goal: topics are refreshed together, not more of them than may be, while servers answer and
// while none does; and a new one needs no place among them.
func TestRefreshesTogetherAreBounded(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		const topics, parallel = 200, 5
		l := &countedResolver{Resolver: r}
		c := NewRoutes(l, RoutesOptions{Parallel: parallel})
		c.news = l
		defer c.Close()
		for i := range topics {
			if _, err := c.Fetch(t.Context(), fmt.Sprint("T", i)); err != nil {
				t.Fatal(err)
			}
		}
		oldest := func() (age time.Duration) {
			for i := range topics {
				known, _ := c.Route(fmt.Sprint("T", i))
				age = max(age, known.Age())
			}
			return age
		}
		time.Sleep(5 * time.Minute)
		if most, batch := l.most.Load(), l.batch.Load(); most != parallel || batch != parallel || oldest() > 35*time.Second {
			t.Errorf("%d at a time, %d together, the oldest is %v old", most, batch, oldest())
		}
		for _, addr := range []string{nsA, nsB, nsC} {
			n.become(addr, frozen)
		}
		time.Sleep(time.Minute)
		if most := l.most.Load(); most != parallel {
			t.Errorf("%d at a time while nobody answers", most)
		}
		n.become(nsA, answering)
		time.Sleep(time.Second)
		if _, err := c.Fetch(t.Context(), "new"); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Minute)
		if oldest() > 35*time.Second {
			t.Errorf("the oldest is %v old", oldest())
		}
	})
}

// Goal: what finds no place is refreshed as soon as there is one, by whoever frees it.
func TestRefreshesFollowEachOther(t *testing.T) {
	inBubble(t, ResolverOptions{Servers: []string{nsA}}, func(t *testing.T, n *fakeNet, r *Resolver) {
		const topics, parallel = 20, 5
		c := NewRoutes(r, RoutesOptions{Parallel: parallel})
		defer c.Close()
		var all []*routeEntry
		for i := range topics {
			topic := fmt.Sprint("T", i)
			if _, err := c.Fetch(t.Context(), topic); err != nil {
				t.Fatal(err)
			}
			all = append(all, c.table.Get(topic))
		}
		n.become(nsA, slowly)
		time.Sleep(20 * time.Second)
		for _, e := range all {
			e.mu.Lock()
			e.due = time.Now()
			e.mu.Unlock()
		}
		c.look(all)
		time.Sleep(topics / parallel * 2100 * time.Millisecond)
		for i := range topics {
			if known, _ := c.Route(fmt.Sprint("T", i)); known.Age() > 10*time.Second {
				t.Errorf("T%d is %v old", i, known.Age())
			}
		}
	})
}

// Goal: a watcher that takes its time keeps its own topic, and no other.
func TestAWatcherKeepsItsOwnTopic(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		c := NewRoutes(r, RoutesOptions{Parallel: 2})
		defer c.Close()
		goOn := make(chan struct{})
		defer close(goOn)
		var changes atomic.Int32
		for i := range 20 {
			if _, err := c.Fetch(t.Context(), fmt.Sprint("T", i)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 5 {
			defer c.Watch(fmt.Sprint("T", i), func(Change) { changes.Add(1); <-goOn })()
		}
		n.become(nsA, refused)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		for i := range 20 {
			known, _ := c.Route(fmt.Sprint("T", i))
			if kept := i < 5; kept != (known.Age() > 2*time.Minute) || answeredBy(known.Data) == nsA {
				t.Errorf("T%d: %v old, by %s", i, known.Age(), answeredBy(known.Data))
			}
		}
		if changes.Load() != 5 {
			t.Errorf("%d changes were told of", changes.Load())
		}
	})
}
