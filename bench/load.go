package bench

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Plan is a run of load against one server: groups, and when to measure them.
type Plan struct {
	To string // host:port
	// Fill is what brokers register before anything is measured. Their connections stay: a
	// name server forgets a broker whose connection ends.
	Fill []*World
	// Renew says what the brokers of a filled world say from then on; those of a world it
	// does not name ask something now and then, so that they are not closed as idle.
	Renew    []Renewal
	Groups   []Group
	Warmup   time.Duration
	Duration time.Duration // of one window; what is reported
	Repeats  int           // windows, at least 1
	// Stable, if not 0, makes the warm-up go on until three windows of that length in a row
	// differ by less than 3 % in throughput, for at most StableMax.
	Stable, StableMax time.Duration
	// UntilDone ends a window early, when the group of that name is done.
	UntilDone string
	// Spin polls without ever sleeping: exact, but it takes a whole core.
	Spin bool
	// PID is the server's process, to tell what it used; 0: not told.
	PID int
	// Progress is told once a second how it goes; may be nil.
	Progress func(line string)
	// FillTimeout bounds how long filling may take. Default 15 minutes.
	FillTimeout time.Duration
	// OpenTimeout bounds how long opening the connections may take. Default a minute.
	OpenTimeout time.Duration
}

// Result is what came out of a Plan.
type Result struct {
	To            string   `json:"to"`
	WarmupSeconds float64  `json:"warmup_s"`
	Stable        bool     `json:"stable,omitempty"` // the warm-up ended since it was
	Fill          []Filled `json:"fill,omitempty"`
	Windows       []Window `json:"windows"`
}

// Window is one measured stretch of time.
type Window struct {
	Seconds float64       `json:"seconds"`
	Groups  []GroupResult `json:"groups"`
	Server  *ProcessUse   `json:"server,omitempty"`
	Load    LoadUse       `json:"load"`
}

// LoadUse is what the load's own thread used, polling in vain left out.
type LoadUse struct {
	CPUSeconds float64 `json:"cpu_s"`
	// BusyShare near 1: the load was the limit, not the server.
	BusyShare       float64 `json:"busy_share"`
	NanosPerRequest float64 `json:"ns_per_request"`
	// AwayMicros is the longest time in which it did not look at its sockets though a request waited
	// or was due: latencies may be too long by that.
	AwayMicros float64 `json:"away_us"`
}

// Group is the result of the group of that name, or nil.
func (w *Window) Group(name string) *GroupResult {
	for i := range w.Groups {
		if w.Groups[i].Name == name {
			return &w.Groups[i]
		}
	}
	return nil
}

// Replies is how many replies all groups had.
func (w *Window) Replies() (n uint64) {
	for i := range w.Groups {
		n += w.Groups[i].Replies
	}
	return n
}

// ServerNanosPerRequest is the server's processor time for each reply.
func (w *Window) ServerNanosPerRequest() float64 {
	if w.Server == nil || w.Replies() == 0 {
		return 0
	}
	return w.Server.CPUSeconds * 1e9 / float64(w.Replies())
}

// openTimeout is the default of Plan.OpenTimeout.
const openTimeout = time.Minute

// drainTimeout is how long replies are waited for after the last window.
const drainTimeout = 2 * time.Second

// Run opens the connections, warms up, measures, and closes the connections. It returns what
// was measured so far when ctx ends.
func Run(ctx context.Context, p Plan) (*Result, error) {
	s, err := Open(ctx, p)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for i := range max(p.Repeats, 1) {
		s.r.phase = fmt.Sprintf("window %d of %d", i+1, max(p.Repeats, 1))
		w, err := s.r.measure(p.Duration)
		if err == nil && i+1 == max(p.Repeats, 1) {
			err = s.r.drain(&w)
		}
		if err != nil {
			return s.r.result, s.why(err)
		}
		s.r.result.Windows = append(s.r.result.Windows, w)
	}
	return s.r.result, nil
}

func resolve(to string) (netip.AddrPort, error) {
	addr, err := net.ResolveTCPAddr("tcp", to)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("server address %q: %w", to, err)
	}
	ap := addr.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// runner takes an engine through the phases of a Plan.
type runner struct {
	Plan
	engine *engine
	result *Result
	fill   []*group
	load   []*group
	phase  string
	shown  int64 // when progress was last told
	last   []uint64
}

// open opens all connections of groups but the late ones.
func (r *runner) open(phase string, groups []*group) error {
	e := r.engine
	r.phase = phase
	wanted := 0
	for _, g := range groups {
		for i := range g.conns {
			if !g.Late {
				e.toOpen = append(e.toOpen, &g.conns[i])
				wanted++
			}
		}
	}
	timeout := r.OpenTimeout
	if timeout == 0 {
		timeout = openTimeout
	}
	open := func() (n int) {
		for _, g := range groups {
			if !g.Late {
				n += int(g.opened)
			}
		}
		return n
	}
	if err := e.run(e.now()+int64(timeout), func() bool { return open() == wanted }); err != nil {
		return err
	}
	if open() < wanted {
		return fmt.Errorf("only %d of %d connections to %s opened within %v", open(), wanted, r.To, timeout)
	}
	return nil
}

// start lets the groups ask.
func (r *runner) start(groups []*group) {
	e := r.engine
	now := e.now()
	for _, g := range groups {
		g.asking = true
		g.dueNext(float64(now + int64(g.Pause)))
		for i := range g.conns {
			c := &g.conns[i]
			switch {
			case g.Late:
				e.toOpen = append(e.toOpen, c)
			case g.interval == 0 && g.Depth > 0 && (g.Together == 0 || i < g.Together):
				g.begun++
				e.fill(c, now)
			}
		}
	}
}

func (r *runner) warmUp() error {
	e := r.engine
	begin := e.now()
	r.phase = "warm-up"
	if r.Warmup > 0 {
		if err := e.run(begin+int64(r.Warmup), nil); err != nil {
			return err
		}
	}
	var rates []float64
	for r.Stable > 0 && e.now() < begin+int64(r.StableMax) && !r.result.Stable {
		w, err := r.measure(r.Stable)
		if err != nil {
			return err
		}
		rates = append(rates, float64(w.Replies())/w.Seconds)
		r.result.Stable = stable(rates)
	}
	r.result.WarmupSeconds = float64(e.now()-begin) / 1e9
	return nil
}

// stableShare is how much three windows in a row may differ.
const stableShare = 0.03

// stable reports whether the last three rates differ by less than stableShare.
func stable(rates []float64) bool {
	if len(rates) < 3 {
		return false
	}
	low, high := math.Inf(1), 0.0
	for _, rate := range rates[len(rates)-3:] {
		low, high = min(low, rate), max(high, rate)
	}
	return high-low < stableShare*low
}

// measure runs one window.
func (r *runner) measure(d time.Duration) (w Window, err error) {
	e := r.engine
	runtime.LockOSThread() // its processor time is counted
	defer runtime.UnlockOSThread()
	var before, after usage
	if r.PID != 0 {
		forgetPeak(r.PID)
		others, err := readOtherTasks(r.PID, os.Getpid())
		if err != nil {
			return w, err
		}
		if before, err = readUsage(r.PID); err != nil {
			return w, err
		}
		before.others = others
	}
	for _, g := range e.groups {
		g.counters.reset()
	}
	r.last = nil
	begin, cpu := e.now(), threadCPU()
	e.windowStart, e.idleNanos, e.awayNanos, e.awayBefore = begin, 0, 0, 0
	if err := e.run(begin+int64(d), r.done()); err != nil {
		return w, err
	}
	end := e.now()
	w.Seconds = float64(end-begin) / 1e9
	if r.PID != 0 {
		if after, err = readUsage(r.PID); err != nil {
			return w, fmt.Errorf("the server has gone: %w", err)
		}
		if after.others, err = readOtherTasks(r.PID, os.Getpid()); err != nil {
			return w, err
		}
		w.Server = between(before, after, w.Seconds)
	}
	w.Load.CPUSeconds = max(0, float64(threadCPU()-cpu-e.idleNanos)/1e9)
	w.Load.BusyShare = w.Load.CPUSeconds / w.Seconds
	w.Load.AwayMicros = float64(e.awayNanos) / 1e3
	for _, g := range e.groups {
		w.Groups = append(w.Groups, g.result(g.Name, w.Seconds))
	}
	if n := w.Replies(); n > 0 {
		w.Load.NanosPerRequest = w.Load.CPUSeconds * 1e9 / float64(n)
	}
	return w, nil
}

// done tells when a window may end before its time.
func (r *runner) done() func() bool {
	if r.UntilDone == "" {
		return nil
	}
	return func() bool {
		for _, g := range r.engine.groups {
			if g.Name == r.UntilDone {
				return g.done == len(g.conns)
			}
		}
		return true
	}
}

// unfinished is an error if what was to be done in a window is not.
func (r *runner) unfinished(d time.Duration) error {
	for _, g := range r.engine.groups {
		if g.Name == r.UntilDone && g.done < len(g.conns) {
			return fmt.Errorf("%s: %d of %d connections were done within %v", g.Name, g.done, len(g.conns), d)
		}
	}
	return nil
}

// drain waits for what is still in flight after the last window. Its latencies count; what
// does not come at all is an error.
func (r *runner) drain(w *Window) error {
	e := r.engine
	r.phase = "draining"
	e.draining = true
	inFlight := func() (n int) {
		for _, g := range e.groups {
			if g.ReadBytesPerSecond > 0 {
				continue // slow readers never end
			}
			for i := range g.conns {
				if g.conns[i].state == connOpen {
					n += g.conns[i].inFlight()
				}
			}
		}
		return n
	}
	if err := e.run(e.now()+int64(drainTimeout), func() bool { return inFlight() == 0 }); err != nil {
		return err
	}
	for i, g := range e.groups {
		late := 0
		for j := range g.conns {
			if c := &g.conns[j]; c.state == connOpen && g.ReadBytesPerSecond == 0 {
				late += c.inFlight()
			}
		}
		if late > 0 {
			g.errors[fmt.Sprintf("unanswered after %v", drainTimeout)] = uint64(late)
		}
		w.Groups[i].Latency = summarize(g.latency)
		w.Groups[i].Errors = g.result(g.Name, w.Seconds).Errors
	}
	return nil
}

// tick tells how it goes, once a second.
func (r *runner) tick(now int64) {
	if r.Progress == nil || now-r.shown < int64(time.Second) {
		return
	}
	seconds := float64(now-r.shown) / 1e9
	r.shown = now
	line := r.phase
	fresh := r.last == nil
	if fresh {
		r.last = make([]uint64, len(r.engine.groups))
	}
	for i, g := range r.engine.groups {
		failed := uint64(0)
		for _, n := range g.errors {
			failed += n
		}
		line += "  " + g.Name
		if !fresh {
			line += fmt.Sprintf(" %.0f/s", float64(g.counters.good-r.last[i])/seconds)
		}
		line += fmt.Sprintf(" %d failed", failed)
		r.last[i] = g.counters.good
	}
	r.Progress(line)
}

// threadCPU is what the calling thread has run, in nanoseconds.
func threadCPU() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return t.Nano()
}
