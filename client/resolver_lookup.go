package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pharosmq/pharos/client/internal/choice"
	"github.com/pharosmq/pharos/client/internal/pause"
	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// lookup is one question of a caller's on its way through the servers. It belongs to the
// caller's goroutine.
type lookup struct {
	r      *Resolver
	header codec.Header
	body   []byte
	hedge  bool
	held   bool // what it asks waits for a Flush
	within time.Duration
	// take looks at a reply: choice.Good ends the lookup with what it returns.
	take func(*Reply) (choice.Answer, error)

	limit    pause.Deadline // of the whole
	flights  [2]*flight
	hedgeAt  time.Duration // 0: not
	patient  time.Duration // nobody is asked before; 0: not
	missing  error         // a server said that the topic does not exist,
	believe  time.Duration // which is believed then at the latest
	attempts []Attempt
	tried    []triedServer
	changed  <-chan struct{}
}

// flight is a request that has not been answered.
type flight struct {
	addr    string
	link    *link
	pending *wire.Pending
	asked   time.Duration
	timing  timing
	until   pause.Deadline
	hedge   bool
	inUse   bool // its server was the one in use then
}

type triedServer struct {
	addr string
	gen  uint64
}

// triedMax is how often one lookup asks the same server: again only on a new connection.
const triedMax = 2

// run asks servers until one has answered, or none can be asked, or time is up. It returns
// the error of take, or why there is nothing to take.
func (l *lookup) run(ctx context.Context) error {
	l.limit = pause.After(l.r.now(), l.within)
	return l.stay(ctx)
}

// stay is the rest of run, for a lookup that may have begun.
func (l *lookup) stay(ctx context.Context) error {
	timer := time.NewTimer(l.within)
	defer timer.Stop()
	defer l.land()
	l.r.watch.start()
	defer l.r.watch.stop()
	for {
		if l.flights == [2]*flight{} {
			if l.missing != nil {
				return l.notFound()
			}
			if err := l.begin(ctx); err != nil {
				return err
			}
		}
		timer.Reset(l.next() - l.r.now())
		select {
		case reply := <-l.flights[0].reply():
			if done, err := l.answered(ctx, 0, reply); done {
				return err
			}
		case reply := <-l.flights[1].reply():
			if done, err := l.answered(ctx, 1, reply); done {
				return err
			}
		case <-l.flights[0].ended():
			l.broke(0)
		case <-l.flights[1].ended():
			l.broke(1)
		case <-l.changed:
			l.follow(ctx)
		case <-timer.C:
			if done, err := l.late(ctx); done {
				return err
			}
		case <-ctx.Done():
			if done, err := l.came(ctx); done {
				return err
			}
			return l.overtaken(endOf(ctx))
		case <-l.r.ctx.Done():
			return l.fail(ErrClosed)
		}
	}
}

func (f *flight) reply() <-chan *Reply {
	if f == nil {
		return nil
	}
	return f.pending.Reply()
}

func (f *flight) ended() <-chan struct{} {
	if f == nil {
		return nil
	}
	return f.link.conn.Done()
}

// land gives up what is still in the air.
func (l *lookup) land() {
	for _, f := range l.flights {
		if f != nil {
			f.pending.Cancel()
		}
	}
}

// next is when the lookup does something by itself.
func (l *lookup) next() time.Duration {
	at := l.limit.Next()
	for _, f := range l.flights {
		if f != nil {
			at = min(at, f.until.Next())
		}
	}
	if l.hedgeAt != 0 {
		at = min(at, l.hedgeAt)
	}
	if l.missing != nil {
		at = min(at, l.believe)
	}
	if l.patient > l.r.now() {
		at = min(at, l.patient)
	}
	return at
}

// begin asks a server, or sees that one is waited for. If there is none it returns why the
// lookup ends.
func (l *lookup) begin(ctx context.Context) error {
	if l.r.now() < l.patient {
		return nil
	}
	switch v, err := l.start(ctx); {
	case err != nil:
		return err
	case v == choice.None && !l.onceMore(ctx):
		return l.fail(nil)
	}
	return nil
}

// busyPause is after how long a server that refused is asked once more, for want of another.
const busyPause = 100 * time.Millisecond

// onceMore reports whether the server asked last, which refused, is to be asked again in a
// moment: once in a lookup, if there is time.
func (l *lookup) onceMore(ctx context.Context) bool {
	now := l.r.now()
	if l.patient != 0 || sentinelOf(l.attempts) != ErrRefused || l.limit.Next() < now+2*busyPause {
		return false
	}
	if end, bounded := ctx.Deadline(); bounded && time.Until(end) < 2*busyPause {
		return false
	}
	last := l.attempts[len(l.attempts)-1].Server
	l.patient = now + busyPause + rand.N(busyPause)
	for i := range l.tried {
		if l.tried[i].addr == last {
			l.tried[i].gen = 0 // of no connection
		}
	}
	return true
}

// start asks a server, if there is one to ask.
func (l *lookup) start(ctx context.Context) (choice.Verdict, error) {
	for {
		f, v, err := l.pick(ctx)
		if err != nil || v != choice.Use {
			return v, err
		}
		switch err := l.send(ctx, f); {
		case err == nil:
			l.flights[0] = f
			return v, nil
		case errors.Is(err, codec.ErrFrameTooLarge) && !errors.Is(err, wire.ErrClosed):
			return v, l.fail(codec.ErrFrameTooLarge) // for all of them; a frame of the server's is another matter
		}
	}
}

// pick chooses a server to ask.
func (l *lookup) pick(ctx context.Context) (*flight, choice.Verdict, error) {
	r := l.r
	r.mu.Lock()
	defer r.mu.Unlock()
	l.changed = r.changed
	switch {
	case r.closed:
		return nil, choice.None, l.fail(ErrClosed)
	case ctx.Err() != nil:
		return nil, choice.None, l.fail(endOf(ctx))
	case !r.listed && r.listErr != nil:
		return nil, choice.None, l.fail(r.listErr)
	case !r.listed:
		return nil, choice.Wait, nil
	}
	now := r.now()
	addr, gen, v := r.machine.Pick(now, l.hasTried)
	if v != choice.Use {
		r.settle()
		l.changed = r.changed
		return nil, v, nil
	}
	if len(l.tried) > 0 {
		r.stats.FailOvers++
	} else if r.stats.Lookups++; l.hedge {
		r.machine.Lookup()
		l.hedgeAt = now + r.machine.HedgeAfter()
	}
	return l.ask(now, addr, gen), v, nil
}

// ask makes a flight. r.mu is held.
func (l *lookup) ask(now time.Duration, addr string, gen uint64) *flight {
	r := l.r
	f := &flight{
		addr: addr, link: r.links[addr], asked: now, timing: r.watch.split(), until: pause.After(now, r.o.RPCTimeout),
		inUse: addr == r.machine.InUse(),
	}
	l.tried = append(l.tried, triedServer{addr, gen})
	return f
}

func (l *lookup) hasTried(addr string, gen uint64) bool {
	n := 0
	for _, t := range l.tried {
		if t.addr == addr {
			n++
			if t.gen == gen {
				return true
			}
		}
	}
	return n >= triedMax
}

// send puts the request on its way, and tells the machine. An error was noted.
func (l *lookup) send(ctx context.Context, f *flight) error {
	if len(l.body) > 0 { // requests without one do not wait
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.r.o.RPCTimeout)
		defer cancel()
	}
	begin := f.link.conn.Begin
	if l.held {
		begin = f.link.conn.Prepare
	}
	pending, err := begin(ctx, l.header, l.body)
	if err == nil {
		f.pending = pending
		l.r.tell(func(m *choice.Machine, _ time.Duration) { m.Asked(f.asked, f.addr, f.link.gen) })
		return nil
	}
	if f.link.conn.Err() != nil {
		l.r.ended(f.addr, f.link)
	}
	l.note(f, ofWire(err))
	return err
}

// note adds an attempt that failed.
func (l *lookup) note(f *flight, err error) {
	l.attempts = append(l.attempts, Attempt{f.addr, err, max(l.r.now()-f.asked, 1)})
}

// answered takes a reply; done ends the lookup with err.
func (l *lookup) answered(ctx context.Context, i int, reply *Reply) (done bool, err error) {
	f := l.flights[i]
	l.flights[i] = nil
	took := f.timing.took()
	a, err := l.take(reply)
	l.r.tell(func(m *choice.Machine, now time.Duration) {
		m.Answered(now, f.addr, f.link.gen, took, a, false)
		if f.hedge && a == choice.Good {
			l.r.stats.HedgesWon++
		}
	})
	if a == choice.Good && err == nil {
		return true, nil
	}
	l.note(f, err)
	if a == choice.Good && l.doubt(ctx, f, err) {
		return false, nil
	}
	if a == choice.Good && l.missing != nil {
		return true, l.notFound()
	}
	if a == choice.Good {
		return true, &Error{Op: l.op(), Topic: l.topic(), Err: sentinelOfReply(err), Attempts: l.attempts}
	}
	return false, nil
}

// broke: the connection of a flight ended.
func (l *lookup) broke(i int) {
	f := l.flights[i]
	l.flights[i] = nil
	f.pending.Cancel()
	l.r.ended(f.addr, f.link)
	l.note(f, ofWire(f.link.conn.Err()))
}

// follow: if the server that was asked as the one in use is that no more, the new one is asked
// as well, whatever the budget says.
func (l *lookup) follow(ctx context.Context) {
	r := l.r
	r.mu.Lock()
	l.changed = r.changed
	var f *flight
	if inUse := r.machine.InUse(); inUse != "" && l.deserted(inUse) {
		if addr, gen, v := r.machine.Pick(r.now(), l.hasTried); v == choice.Use && addr == inUse {
			f = l.ask(r.now(), addr, gen)
			r.stats.FailOvers++
		}
	}
	r.mu.Unlock()
	if f != nil {
		l.second(ctx, f)
	}
}

// deserted: there is one flight, and its server was in use and is not.
func (l *lookup) deserted(inUse string) bool {
	one := l.flights[0]
	if one == nil {
		one = l.flights[1]
	} else if l.flights[1] != nil {
		return false
	}
	return one != nil && one.inUse && one.addr != inUse
}

// second has a second server asked.
func (l *lookup) second(ctx context.Context, f *flight) {
	l.hedgeAt = 0
	if l.send(ctx, f) != nil {
		return
	}
	for i := range l.flights {
		if l.flights[i] == nil {
			l.flights[i] = f
			return
		}
	}
}

// late does what time brings: a second question, or the end of a flight or of the lookup. But
// what has come counts first. done ends the lookup with err.
func (l *lookup) late(ctx context.Context) (done bool, err error) {
	if done, err := l.came(ctx); done {
		return true, err
	}
	now := l.r.now()
	if l.missing != nil && now >= l.believe {
		return true, l.notFound()
	}
	if l.limit.Over(now) {
		l.timeOut(now, true)
		return true, l.overtaken(ErrTimeout)
	}
	l.timeOut(now, false)
	if l.hedgeAt == 0 || now < l.hedgeAt {
		return false, nil
	}
	l.hedgeAt = 0
	if first := l.flights[0]; first != nil && l.flights[1] == nil {
		l.again(ctx, first)
	}
	return false, nil
}

// came takes the replies that are there; done ends the lookup with err.
func (l *lookup) came(ctx context.Context) (done bool, err error) {
	for i := range l.flights {
		select {
		case reply := <-l.flights[i].reply():
			if done, err := l.answered(ctx, i, reply); done {
				return true, err
			}
		default:
		}
	}
	return false, nil
}

// again asks a second server because the first is late, if the budget allows it.
func (l *lookup) again(ctx context.Context, first *flight) {
	r := l.r
	r.mu.Lock()
	addr, gen, ok := r.machine.Hedge(first.addr)
	if !ok || l.hasTried(addr, gen) {
		r.mu.Unlock()
		return
	}
	f := l.ask(r.now(), addr, gen)
	f.hedge = true
	r.stats.Hedges++
	r.mu.Unlock()
	l.second(ctx, f)
}

// timeOut ends the flights whose time is up, or all.
func (l *lookup) timeOut(now time.Duration, all bool) {
	for i, f := range l.flights {
		if f == nil || !f.until.Over(now) && !all {
			continue
		}
		l.flights[i] = nil
		f.pending.Cancel()
		if f.until.Up() {
			l.r.timedOut(f.addr, f.link, f.asked, false)
		}
		l.note(f, fmt.Errorf("%w (%v)", ErrTimeout, (l.r.now()-f.asked).Round(time.Millisecond)))
	}
}

// overtaken is why the lookup ends before its servers have: of a lookup that only waited for one,
// what keeps them.
func (l *lookup) overtaken(cause error) error {
	e := l.fail(cause)
	if len(e.Attempts) == 0 {
		l.resting(e)
	}
	return e
}

// endOf is why a caller's context ended, in the words of this package.
func endOf(ctx context.Context) error {
	switch cause := wire.Cause(ctx); {
	case cause == context.DeadlineExceeded:
		return ErrTimeout
	case errors.Is(cause, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrTimeout, cause)
	default:
		return cause
	}
}

// fail is why the lookup ends without an answer: cause, or what the servers did.
func (l *lookup) fail(cause error) *Error {
	for _, f := range l.flights {
		if f != nil {
			l.note(f, errNoAnswerYet)
		}
	}
	e := &Error{Op: l.op(), Topic: l.topic(), Err: cause, Attempts: l.attempts}
	if cause == nil {
		l.resting(e)
		e.Err = sentinelOf(e.Attempts)
	}
	return e
}

// resting adds the servers that were not asked because they failed before.
func (l *lookup) resting(e *Error) {
	r := l.r
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.machine.Status() {
		if err := r.lastErr[s.Server]; err != nil && !attempted(e.Attempts, s.Server) {
			e.Attempts = append(e.Attempts, Attempt{Server: s.Server, Err: err})
		}
	}
}

func attempted(all []Attempt, server string) bool {
	for i := range all {
		if all[i].Server == server {
			return true
		}
	}
	return false
}

func (l *lookup) op() string {
	if l.header.Code == codec.CodeGetRouteInfoByTopic {
		return "route"
	}
	return fmt.Sprintf("request %d", l.header.Code)
}

func (l *lookup) topic() string {
	if l.header.Code == codec.CodeGetRouteInfoByTopic && len(l.header.Ext) > 0 {
		return l.header.Ext[0].Value
	}
	return ""
}
