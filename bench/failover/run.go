package failover

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench"
	"github.com/pharosmq/pharos/bench/results"
)

// Options is what is measured, and where the results go.
type Options struct {
	Pharos   string // path of the namesrv binary
	GoClient string // folder of the Go client's program
	Cache    string // folder for what is downloaded
	Dir      string // folder of the results
	Match    *regexp.Regexp
	Clients  []string // by name; none: all
	Runs     int      // of each case with each client
	// Before and During are how long a client runs well, and then with the fault.
	Before, During time.Duration
	Lookups, Sends float64 // a second
	Callers        int     // calls of a kind at a time
	EvenSends      int     // of the case of round robin
	Phase          time.Duration
	Budget         time.Duration // 0: none
	Lateness       time.Duration // above it a run is disturbed
	Calm           time.Duration // above it a call before the fault puts it off
	Seed           int64
	Progress       func(line string)

	self, pharos, goClient string
	builds                 map[string]string // by client
	java550, java480       *java
}

// Validate says what is wrong with o.
func (o *Options) Validate() error {
	switch {
	case o.Runs < 1 || o.Callers < 1 || o.EvenSends < 1:
		return fmt.Errorf("%d runs, %d callers, %d sends for evenness: all must be above 0", o.Runs, o.Callers, o.EvenSends)
	case o.Before < 0 || o.During < 2*time.Second || o.Phase < time.Second:
		return fmt.Errorf("%v before, %v during a fault, phases of %v: at least 0 s, 2 s and 1 s", o.Before, o.During, o.Phase)
	case !(o.Lookups > 0 && o.Sends > 0):
		return fmt.Errorf("%g lookups and %g sends a second: both must be above 0", o.Lookups, o.Sends)
	case o.Calm < slow:
		return fmt.Errorf("calls of more than %v are to put a fault off: shorter ones than %v are not noted", o.Calm, slow)
	}
	return nil
}

// job is one run that is to be done.
type job struct {
	c   *Case
	k   *kind
	run int
}

// Run does the runs that are not in the folder yet, one after the other.
func Run(ctx context.Context, o *Options) error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root")
	}
	clients, err := o.prepare(ctx)
	if err != nil {
		return err
	}
	kept, err := results.Open[*Record](o.Dir)
	if err != nil {
		return err
	}
	defer kept.Close()
	for client, build := range o.builds {
		if err := kept.Fits(client, build); err != nil {
			return err
		}
	}
	work := results.Work[job]{
		Missing: func() []job { return o.jobs(clients, kept) }, Lasts: o.estimate, Budget: o.Budget, Progress: o.Progress,
		Do: func(jobs []job, over func() bool) (int, error) { return o.runAll(ctx, jobs, kept, over) },
	}
	return work.Complete()
}

// prepare finds, fetches and builds all programs.
func (o *Options) prepare(ctx context.Context) (clients []kind, err error) {
	if o.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	if o.pharos, err = filepath.Abs(o.Pharos); err != nil {
		return nil, err
	}
	namesrv, err := bench.BuildOf(o.pharos)
	if err != nil {
		return nil, fmt.Errorf("-pharos: %w; make build makes it", err)
	}
	self, err := bench.BuildOf(o.self)
	if err != nil {
		return nil, err
	}
	if o.java550, err = o.findJava(ctx, "5.5.0", pom550); err != nil { // brokers and a name server, too
		return nil, err
	}
	if clients, err = o.chosen(); err != nil {
		return nil, err
	}
	o.builds = map[string]string{}
	for i := range clients {
		k := &clients[i]
		if err := k.prepare(ctx, o); err != nil {
			return nil, err
		}
		o.builds[k.name] = "name servers " + namesrv
		if k.ours {
			o.builds[k.name] += ", client " + self
		}
	}
	return clients, nil
}

// chosen are the clients that are wanted.
func (o *Options) chosen() (clients []kind, err error) {
	if len(o.Clients) == 0 {
		return kinds(), nil
	}
	for _, name := range o.Clients {
		found := false
		for _, k := range kinds() {
			if k.name == name {
				clients, found = append(clients, k), true
			}
		}
		if !found {
			return nil, fmt.Errorf("-clients: there is no %q; -list lists them", name)
		}
	}
	return clients, nil
}

// jobs are the runs that are missing: first runs first. Cases that need the delay line come
// last, since they need a world of their own.
func (o *Options) jobs(clients []kind, s *store) (jobs []job) {
	cases := allCases()
	for _, line := range []bool{false, true} {
		for run := 1; run <= o.Runs; run++ {
			for i := range cases {
				c := &cases[i]
				if line != (c.Victim == Choices) || c.Victim == Choices && run > 1 || o.Match != nil && !o.Match.MatchString(c.Name) {
					continue
				}
				for j := range clients {
					if k := &clients[j]; c.wanted(k) && !s.Has(storeKey(k.name, c.Name, run)) {
						jobs = append(jobs, job{c, k, run})
					}
				}
			}
		}
	}
	return jobs
}

// estimate is about how long the jobs take.
func (o *Options) estimate(jobs []job) (all time.Duration) {
	for _, j := range jobs {
		all += 3 * time.Second // a client starts, the world recovers
		switch {
		case j.c.Name == evenLeast:
			all += 3*o.Phase + settleWait
		case j.c.Name == evenRoundRobin:
			all += time.Duration(float64(o.EvenSends)/evenSendsPerSecond*1e9) + settleWait
		default:
			all += o.Before + o.During
		}
		if strings.HasSuffix(j.c.Name, "-killed") {
			all += settleWait
		}
		if j.c.Victim == Broker {
			all += 5 * time.Second
		}
	}
	return all
}

// runAll does jobs in their order. It begins none once over says so, and returns how many are left.
func (o *Options) runAll(ctx context.Context, jobs []job, s *store, over func() bool) (left int, err error) {
	var w *world
	defer func() {
		if w != nil {
			w.close()
		}
	}()
	for i, j := range jobs {
		if over() {
			return len(jobs) - i, nil
		}
		if line := j.c.Victim == Choices; w != nil && (w.star.Line != nil) != line {
			w.close()
			w = nil
		}
		r := o.runOne(ctx, &w, j)
		if ctx.Err() != nil {
			return 0, ctx.Err() // half a run is none
		}
		o.Progress(r.line())
		if err := s.Add(r); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// runOne does one run, in a world that is made if there is none. What goes wrong is in its
// record; the world is given up then.
func (o *Options) runOne(ctx context.Context, w **world, j job) *Record {
	r := &Record{Client: j.k.name, Build: o.builds[j.k.name], Case: j.c.Name, Run: j.run, Started: time.Now().UTC()}
	var err error
	if *w == nil {
		*w, err = newWorld(ctx, o, filepath.Join(o.Dir, "world"), j.c.Victim == Choices)
	}
	if err == nil {
		err = o.play(ctx, *w, j, r)
	}
	if err != nil {
		r.Error = err.Error()
		if *w != nil {
			(*w).close()
			*w = nil
		}
	}
	r.Seconds = time.Since(r.Started).Seconds()
	return r
}

func (o *Options) play(ctx context.Context, w *world, j job, r *Record) error {
	h := fnv.New32a()
	fmt.Fprint(h, j.c.Name, j.run) // the same for all clients
	rng := rand.New(rand.NewPCG(uint64(o.Seed), uint64(h.Sum32())))
	l := launch{home: filepath.Join(o.Dir, "runs", strings.ReplaceAll(r.Key(), " ", "-")), callers: o.Callers}
	if err := os.RemoveAll(l.home); err != nil {
		return err
	}
	for i := range w.servers {
		s := w.servers[(i+j.run)%len(w.servers)] // another one is the first each time
		if j.c.Standin {
			l.servers = append(l.servers, s.standinAddr())
		} else {
			l.servers = append(l.servers, s.addr())
		}
	}
	if j.c.Victim == Choices {
		return w.even(ctx, j, l, r)
	}
	l.lookups, l.sends = o.Lookups, o.Sends
	return w.underFault(ctx, j, l, rng, r)
}

// underFault lets a client live through a fault.
func (w *world) underFault(ctx context.Context, j job, l launch, rng *rand.Rand, r *Record) (err error) {
	c, err := w.startChild(j.k, l)
	if err != nil {
		return err
	}
	defer c.Kill()
	if err := c.awaitReady(ctx); err != nil {
		return err
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	putOff, uncalm, err := w.o.awaitCalm(ctx, c, w.o.Before+time.Duration(rng.Int64N(int64(time.Second))))
	if err != nil {
		return err
	}
	if r.Disturbed = uncalm; uncalm != "" {
		return nil
	}
	if putOff >= calmLook {
		r.PutOffSeconds = putOff.Seconds()
	}
	victim := rng.IntN(j.c.victims(w))
	victimAddr := ""
	if j.c.Victim == Server {
		victim = w.inUse(c, victim)
		r.Victim, victimAddr = w.servers[victim].name, w.servers[victim].addr()
		if j.c.Standin {
			victimAddr = w.servers[victim].standinAddr()
		}
	} else if j.c.Victim == Broker {
		r.Victim = w.brokers[victim].name
	}
	if c.Exited() {
		return fmt.Errorf("%s ended before the fault:\n%s", c.Name, c.LogTail(15))
	}
	begin := time.Now()
	if err := j.c.strike(w, victim); err != nil {
		return err
	}
	if err := sleep(ctx, w.o.During-time.Since(begin)); err != nil {
		return err
	}
	end := time.Now()
	lines, err := c.end()
	healed := j.c.heal(w, victim)
	var ended *endedError
	switch {
	case errors.As(err, &ended):
		r.Ended, r.EndedAfter = ended.why, max(ended.at.Sub(begin).Seconds(), 0)
	case err != nil:
		return err
	default:
		r.take(lines, window{begin, end, l.lookups, l.sends}, victimAddr)
		r.disturbedBy(w.o.Lateness)
	}
	if healed != nil {
		return healed
	}
	if err := w.awaitAll(ctx, recoverWait); err != nil {
		return fmt.Errorf("afterwards: %w", err)
	}
	return w.ended()
}

// recoverWait bounds the time until all is well after a fault.
const recoverWait = 100 * time.Second

// inUse is the index of the name server that a client uses; otherwise, if it does not tell.
func (w *world) inUse(c *child, otherwise int) int {
	used := c.inUse()
	for i, s := range w.servers {
		if used == s.addr() || used == s.standinAddr() {
			return i
		}
	}
	return otherwise
}
