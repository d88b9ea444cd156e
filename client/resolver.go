package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pharosmq/pharos/client/internal/choice"
	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// Resolver asks name servers. It makes connections when it is first used. It has one goroutine
// of its own, one that asks an address server if there is one, three for each connection, and
// one for each probe and for the log while there is something to do; all end with Close. Its
// methods may be called from any goroutine.
type Resolver struct {
	o      ResolverOptions
	dialer wire.Dialer
	began  time.Time // the machine's time counts from here

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	poke   chan struct{} // of one: keep has to look again
	watch  *stopwatch

	mu      sync.Mutex
	closed  bool
	machine *choice.Machine
	links   map[string]*link // the connections the machine knows, by server
	lastErr map[string]error // what last went wrong with a server
	listed  bool             // a list has come
	listErr error            // why none has
	changed chan struct{}    // closed when the machine's choice changes
	changes uint64           // the machine's, when changed was made
	wakeAt  time.Duration    // when keep looks next; 0: not by itself
	inUse   string           // as last told to the log
	news    []news
	telling bool // tellLog is under way
	stats   ResolverStats
}

// link is a connection the machine knows.
type link struct {
	gen  uint64
	conn *wire.Conn
}

// news is a line for the log, written by a goroutine of its own: nobody waits for a log.
type news struct{ from, to, why string }

// ResolverStats counts what a Resolver did.
type ResolverStats struct {
	Lookups   uint64 // questions of callers
	Hedges    uint64 // of them, asked of a second server because the first was late
	HedgesWon uint64 // where the second answered first
	Doubts    uint64 // of them, asked of a second server because the first did not know the topic
	FailOvers uint64 // servers asked after another one had failed
	Switches  uint64 // changes of the server in use, the first one included
	Probes    uint64
	Dials     uint64
}

// NewResolver returns a Resolver. A source that is asked only once (a list, the environment)
// is asked now; without an address in it the error is an ErrNoNameServer. Close it in the end.
func NewResolver(o ResolverOptions) (*Resolver, error) {
	o = o.withDefaults()
	r := &Resolver{
		o: o, dialer: o.dialer(), began: time.Now(), poke: make(chan struct{}, 1),
		machine: choice.New(o.params(rand.Uint64())), links: map[string]*link{}, lastErr: map[string]error{},
		changed: make(chan struct{}), watch: newStopwatch(),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	if o.Source.Refresh() > 0 {
		r.wg.Go(r.follow)
	} else {
		addrs, err := o.Source.Addresses(r.ctx)
		if err == nil {
			err = checkAddresses(addrs)
		}
		if err != nil {
			r.cancel()
			return nil, fmt.Errorf("client: %w", err)
		}
		r.setServers(addrs)
	}
	r.wg.Go(r.keep)
	return r, nil
}

// Close ends all connections and goroutines, and waits for them. Lookups under way fail with
// ErrClosed.
func (r *Resolver) Close() error {
	r.mu.Lock()
	r.closed = true
	r.cancel()
	for _, l := range r.links {
		l.conn.Abort(ErrClosed)
	}
	r.mu.Unlock()
	r.wg.Wait()
	r.watch.close()
	return nil
}

// Stats returns the counts so far.
func (r *Resolver) Stats() ResolverStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// now is the machine's time.
func (r *Resolver) now() time.Duration { return time.Since(r.began) }

func (r *Resolver) time(at time.Duration) time.Time { return r.began.Add(at) }

// tell gives the machine some evidence and does what it then wants. What was heard before
// counts first.
func (r *Resolver) tell(evidence func(m *choice.Machine, now time.Duration)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hear()
	evidence(r.machine, r.now())
	r.settle()
}

// settle does what the machine wants, wakes those who wait for a change, and sees that keep
// looks in time. r.mu is held.
func (r *Resolver) settle() {
	if r.closed {
		return
	}
	for _, a := range r.machine.Actions() {
		r.perform(a)
	}
	if n := r.machine.Changes(); n != r.changes {
		r.changes = n
		close(r.changed)
		r.changed = make(chan struct{})
		r.notice()
	}
	if next, ok := r.machine.Next(r.now()); ok && (r.wakeAt == 0 || next < r.wakeAt) {
		r.wakeAt = max(next, 1)
		r.nudge()
	}
}

func (r *Resolver) nudge() {
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// notice has the log told of another server in use.
func (r *Resolver) notice() {
	to := r.machine.InUse()
	if to == r.inUse {
		return
	}
	n := news{from: r.inUse, to: to}
	for _, s := range r.machine.Status() {
		if s.Server == n.from && s.Role == choice.Resting {
			n.why = s.Why
		}
	}
	if to != "" {
		r.stats.Switches++
	}
	r.inUse = to
	if len(r.news) < newsMax {
		r.news = append(r.news, n)
	}
	if !r.telling {
		r.telling = true
		r.wg.Go(r.tellLog)
	}
}

// newsMax bounds what waits for a log that takes its time; it misses the rest.
const newsMax = 100

// tellLog writes what there is to be told, and ends.
func (r *Resolver) tellLog() {
	for {
		r.mu.Lock()
		told := r.news
		r.news = nil
		r.telling = len(told) > 0
		r.mu.Unlock()
		if len(told) == 0 {
			return
		}
		for _, n := range told {
			r.log(n)
		}
	}
}

// keep gives the machine its time, until Close.
func (r *Resolver) keep() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(r.tick())
		select {
		case <-timer.C:
		case <-r.poke:
		case <-r.ctx.Done():
			return
		}
	}
}

// tick gives the machine the time, and returns how long until it wants it again.
func (r *Resolver) tick() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wakeAt = 0
	r.hear()
	r.machine.Tick(r.now())
	r.settle()
	select {
	case <-r.poke: // it is being looked after
	default:
	}
	if r.wakeAt == 0 {
		return time.Hour
	}
	return max(r.wakeAt-r.now(), 0)
}

func (r *Resolver) log(n news) {
	switch {
	case n.to == "":
		r.o.Log.Warn("no name server answers", "left", n.from, "why", n.why)
	case n.from == "":
		r.o.Log.Info("name server in use", "server", n.to)
	default:
		r.o.Log.Warn("another name server is in use", "server", n.to, "left", n.from, "why", n.why)
	}
}

// hear tells the machine on which connections answers came. r.mu is held.
func (r *Resolver) hear() {
	for addr, l := range r.links {
		if heard := l.conn.Heard(); heard.After(l.conn.Opened()) {
			r.machine.Heard(heard.Sub(r.began), addr, l.gen)
		}
	}
}

func (r *Resolver) setServers(addrs []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listed, r.listErr = true, nil
	r.machine.SetServers(r.now(), addrs)
	r.settle()
	maps.DeleteFunc(r.lastErr, func(addr string, _ error) bool { return !slices.Contains(addrs, addr) })
}

// followRetry is when an address server that failed is asked again.
const followRetry = 10 * time.Second

// follow asks the source again and again. A list that can't be had changes nothing.
func (r *Resolver) follow() {
	for {
		addrs, err := r.o.Source.Addresses(r.ctx)
		if err == nil {
			err = checkAddresses(addrs)
		}
		wait := r.o.Source.Refresh()
		switch {
		case err != nil:
			r.noList(err)
			if wait <= 0 || wait > followRetry {
				wait = followRetry
			}
		case wait <= 0: // it will not change any more
			r.setServers(addrs)
			return
		default:
			r.setServers(addrs)
		}
		select {
		case <-time.After(wait):
		case <-r.ctx.Done():
			return
		}
	}
}

// noList notes that the source has failed; those who wait for the first list are told.
func (r *Resolver) noList(err error) {
	if r.ctx.Err() == nil {
		r.o.Log.Warn("the list of name servers can't be had", "error", err.Error())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listed || errors.Is(err, context.Canceled) {
		return
	}
	r.listErr = fmt.Errorf("%w: %w", ErrNoNameServer, err)
	close(r.changed)
	r.changed = make(chan struct{})
}

// probeTopic is no legal name of a topic: the answer is always that it does not exist.
const probeTopic = "!probe"

// perform starts what the machine wants. r.mu is held, and r not closed.
func (r *Resolver) perform(a choice.Action) {
	switch a.Do {
	case choice.Dial:
		r.stats.Dials++
		r.wg.Go(func() { r.connect(a.Server, a.Gen) })
	case choice.Probe:
		if l := r.links[a.Server]; l != nil && l.gen == a.Gen {
			r.stats.Probes++
			r.wg.Go(func() { r.probe(a.Server, l) })
		}
	case choice.Close:
		if l := r.links[a.Server]; l != nil && l.gen == a.Gen {
			r.lastErr[a.Server] = errors.New(a.Why)
			delete(r.links, a.Server)
			l.conn.Abort(r.lastErr[a.Server])
		}
	}
}

// connect makes a connection and stays with it until it ends.
func (r *Resolver) connect(addr string, gen uint64) {
	conn, err := r.dialer.Dial(r.ctx, addr)
	l := &link{gen, conn}
	if !r.connected(addr, l, err) {
		if conn != nil {
			conn.Close(nil)
		}
		return
	}
	<-conn.Done()
	conn.Close(nil)
	r.ended(addr, l)
}

// connected tells the machine how dialling ended. It reports whether there is a connection
// that somebody wants.
func (r *Resolver) connected(addr string, l *link, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	why := ""
	if err != nil {
		why = err.Error()
	}
	wanted := r.machine.Dialed(r.now(), addr, l.gen, why)
	switch {
	case !wanted:
	case err != nil:
		r.lastErr[addr] = err
	default:
		r.links[addr] = l
	}
	r.settle()
	return wanted && err == nil
}

// ended tells the machine that a connection is gone, if it does not know.
func (r *Resolver) ended(addr string, l *link) {
	r.tell(func(m *choice.Machine, now time.Duration) {
		if r.links[addr] != l {
			return
		}
		r.lastErr[addr] = ofWire(l.conn.Err())
		delete(r.links, addr)
		m.Closed(now, addr, l.gen, r.lastErr[addr].Error())
	})
}

// probe asks a server something cheap.
func (r *Resolver) probe(addr string, l *link) {
	ctx, cancel := context.WithTimeout(r.ctx, r.o.RPCTimeout)
	defer cancel()
	asked := r.now()
	timing := r.watch.start()
	defer r.watch.stop()
	reply, err := l.conn.Call(ctx, routeHeader(probeTopic), nil)
	switch {
	case err == nil:
		a := judge(reply, true)
		if a == choice.Good && reply.Code != codec.TopicNotExist {
			a = choice.Senseless
		}
		took := timing.took()
		r.tell(func(m *choice.Machine, now time.Duration) { m.Answered(now, addr, l.gen, took, a, true) })
	case l.conn.Err() != nil:
		r.ended(addr, l)
	default:
		r.timedOut(addr, l, asked, true)
	}
}

// timedOut tells the machine that there was no answer in time.
func (r *Resolver) timedOut(addr string, l *link, asked time.Duration, probe bool) {
	r.tell(func(m *choice.Machine, now time.Duration) { m.TimedOut(now, addr, l.gen, asked, probe) })
}
