package openloop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Client is a client under test. Its methods are called by many goroutines.
type Client interface {
	// Lookup asks a name server for the route.
	Lookup(ctx context.Context) error
	// Send sends a message, as often as the client tries by itself, and returns the name of
	// the broker that confirmed it.
	Send(ctx context.Context) (broker string, err error)
}

// Cacher is a client with a cache of routes that can be asked.
type Cacher interface {
	Cached() error
}

// User is a client that tells which name server it asks first; "" if none.
type User interface {
	InUse() string
}

// Options is the load.
type Options struct {
	LookupsPerSecond, SendsPerSecond float64
	// Callers bounds the calls of a kind at a time. A call that is due beyond them waits, and
	// its waiting counts.
	Callers int
	Slow    time.Duration // calls that take longer are printed
}

// The times of a client under test.
const (
	warmWait   = 60 * time.Second
	warmCalls  = 20
	endWait    = 15 * time.Second
	lookPeriod = 5 * time.Millisecond // at InUse
	countEvery = 20                   // looks
)

// Run warms the client up, says that it is ready, and puts the load on it until in ends.
func Run(ctx context.Context, c Client, o Options, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := warmUp(ctx, c); err != nil {
		return err
	}
	l := &load{client: c, o: o, out: newPrinter(out), brokers: map[string]int64{}, under: map[begun]bool{}}
	go func() {
		_, _ = io.Copy(io.Discard, in) // its end is all that is wanted
		cancel()
	}()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.watch(ctx, cancel)
	}()
	l.out.print(Line{At: now(), Ready: true})
	l.run(ctx)
	<-watched
	l.out.print(Line{At: now(), Ended: true, Count: l.count()})
	return l.out.failed()
}

// warmUp waits until both kinds of calls succeed.
func warmUp(ctx context.Context, c Client) error {
	lookups, sends := 0, 0
	var lookup, send error
	for end := time.Now().Add(warmWait); time.Now().Before(end) && ctx.Err() == nil; {
		if lookup = c.Lookup(ctx); lookup == nil {
			lookups++
		}
		if _, send = c.Send(ctx); send == nil {
			sends++
		}
		if lookups >= warmCalls && sends >= warmCalls {
			return nil
		}
		if lookup != nil || send != nil {
			time.Sleep(100 * time.Millisecond)
		}
	}
	return fmt.Errorf("within %v %d lookups and %d sends succeeded, %d each are wanted: %v, %v", warmWait, lookups, sends, warmCalls, lookup, send)
}

// load is a load that runs.
type load struct {
	client                 Client
	o                      Options
	out                    *printer
	lookups, cached, sends atomic.Int64
	late                   atomic.Int64 // nanoseconds

	mu      sync.Mutex
	brokers map[string]int64
	under   map[begun]bool // calls that have not come back
}

// begun is a call.
type begun struct {
	what string
	due  time.Time
}

func now() int64 { return time.Now().UnixNano() }

// run makes calls until ctx ends, and waits for those that are under way.
func (l *load) run(ctx context.Context) {
	begin := time.Now()
	var calls, paces sync.WaitGroup
	pace := func(what string, perSecond float64, count *atomic.Int64, call func(due time.Time)) {
		free := make(chan struct{}, l.o.Callers)
		paces.Go(func() {
			for i := 0; ; i++ {
				due := begin.Add(time.Duration(float64(i) / perSecond * 1e9))
				if !sleep(ctx, time.Until(due)) {
					return
				}
				l.late.Store(max(l.late.Load(), int64(time.Since(due))))
				count.Add(1)
				l.keep(begun{what, due})
				calls.Go(func() {
					free <- struct{}{}
					call(due)
					<-free
				})
			}
		})
	}
	// A call that has begun comes back even though the load is over.
	lasting := context.WithoutCancel(ctx)
	if l.o.LookupsPerSecond > 0 {
		pace("lookup", l.o.LookupsPerSecond, &l.lookups, func(due time.Time) { l.done("lookup", due, l.client.Lookup(lasting)) })
	}
	if l.o.SendsPerSecond > 0 {
		pace("send", l.o.SendsPerSecond, &l.sends, func(due time.Time) { l.send(lasting, due) })
	}
	paces.Wait()
	ended := make(chan struct{})
	go func() { calls.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(endWait):
		l.giveUp()
	}
}

func (l *load) keep(b begun) {
	l.mu.Lock()
	l.under[b] = true
	l.mu.Unlock()
}

// giveUp prints the calls that have not come back.
func (l *load) giveUp() {
	l.mu.Lock()
	under := slices.Collect(maps.Keys(l.under))
	l.mu.Unlock()
	for _, b := range under {
		l.print(b, errors.New(neverBack))
	}
}

// sleep waits; false if ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (l *load) send(ctx context.Context, due time.Time) {
	if c, ok := l.client.(Cacher); ok {
		l.cached.Add(1)
		l.done("cached", time.Now(), c.Cached())
	}
	broker, err := l.client.Send(ctx)
	l.done("send", due, err)
	if err == nil {
		l.mu.Lock()
		l.brokers[broker]++
		l.mu.Unlock()
	}
}

func (l *load) done(what string, due time.Time, err error) {
	l.mu.Lock()
	delete(l.under, begun{what, due})
	l.mu.Unlock()
	if err != nil || time.Since(due) > l.o.Slow {
		l.print(begun{what, due}, err)
	}
}

// print prints a call that comes back now, or does not.
func (l *load) print(b begun, err error) {
	c := &Call{What: b.what, Due: b.due.UnixNano(), Millis: float64(time.Since(b.due)) / 1e6}
	if err != nil {
		c.Error = err.Error()
	}
	l.out.print(Line{At: now(), Call: c})
}

func (l *load) count() *Count {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Count{Lookups: l.lookups.Load(), Cached: l.cached.Load(), Sends: l.sends.Load(),
		LateMillis: float64(l.late.Swap(0)) / 1e6, Brokers: maps.Clone(l.brokers)}
}

// watch prints which name server is in use, and counts, until ctx ends. It ends the load if
// nobody reads it any more.
func (l *load) watch(ctx context.Context, cancel func()) {
	last := ""
	for i := 0; ; i++ {
		if user, ok := l.client.(User); ok {
			if server := user.InUse(); server != last && server != "" {
				l.out.print(Line{At: now(), InUse: server})
				last = server
			}
		}
		if i%countEvery == 0 {
			l.out.print(Line{At: now(), Count: l.count()})
		}
		if l.out.failed() != nil {
			cancel()
		}
		if !sleep(ctx, lookPeriod) {
			return
		}
	}
}
