package faults

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pharosmq/pharos/bench"
	"github.com/pharosmq/pharos/bench/results"
)

// Options is what is measured, and where the results go.
type Options struct {
	Pharos string         // path of the namesrv binary
	Commit string         // that it was built from, should it not tell itself
	Server string         // as bench.Finder knows it
	Cache  string         // folder for other servers
	Dir    string         // folder of the results
	Match  *regexp.Regexp // names of cases
	Modes  []Mode
	RTTs   []time.Duration // round trips; 0 is the bare path, others take a delay line
	Runs   int             // of each death
	// RunsLiving and RunsWatch are the runs of cases of kind Hardship and Watch, Runs at most.
	RunsLiving, RunsWatch int
	Watch                 time.Duration // how long a case of kind Watch lasts
	Parallel              int
	Budget                time.Duration // 0: none
	Lateness              time.Duration // above it a run is disturbed
	Short                 bool
	Seed                  int64
	Progress              func(line string)

	kind  bench.Server
	build string // which one of the server
	self  string
}

// Run does the runs that are not in the folder yet, several at a time.
func Run(ctx context.Context, o *Options) error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root")
	}
	var err error
	if o.self, err = os.Executable(); err != nil {
		return err
	}
	if err := o.findServer(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	kept, err := results.Open[*Record](o.Dir)
	if err != nil {
		return err
	}
	defer kept.Close()
	if err := kept.Fits(o.kind.Name, o.build); err != nil {
		return err
	}
	stayAwake()
	work := results.Work[job]{
		Missing: func() []job { return o.jobs(kept) }, Lasts: o.estimate, Budget: o.Budget, Progress: o.Progress,
		Do: func(jobs []job, over func() bool) (int, error) { return o.runAll(ctx, jobs, kept, over) },
	}
	return work.Complete()
}

// stayAwake keeps this process from stopping itself. It holds a P while it waits for a child to
// begin, and starts hundreds of them at a time; all that is timed, and the delay lines, would
// wait for these, and for a garbage collection that waits for them.
func stayAwake() {
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), 24))
	debug.SetGCPercent(1000)
}

// runAll does jobs in their order, those that there is room for before those that there isn't.
// It begins none once over says so, and returns how many are left.
func (o *Options) runAll(ctx context.Context, jobs []job, s *store, over func() bool) (left int, err error) {
	r := newRoom(o.Parallel)
	var wg sync.WaitGroup
	defer wg.Wait()
	for len(jobs) > 0 {
		i := r.take(jobs)
		j := jobs[i]
		jobs = slices.Delete(jobs, i, i+1)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if over() {
			return len(jobs) + 1, nil
		}
		wg.Go(func() {
			defer r.give(j)
			record := o.runOne(ctx, j)
			if ctx.Err() != nil {
				return // half a run is none
			}
			o.Progress(record.line())
			if err := s.Add(record); err != nil {
				o.Progress(err.Error())
			}
		})
	}
	return 0, nil
}

// runOne does one run; what goes wrong is in its record.
func (o *Options) runOne(ctx context.Context, j job) *Record {
	h := fnv.New32a()
	fmt.Fprint(h, j.c.Name, j.run)
	seed := o.Seed<<32 | int64(h.Sum32()) // the same in all modes and servers
	r := &Record{Server: o.kind.Name, Build: o.build, Mode: j.mode, RTTMillis: float64(j.rtt) / 1e6, Case: j.c.Name, Run: j.run,
		Seed: seed, Started: time.Now().UTC()}
	home := filepath.Join(o.Dir, "runs", strings.ReplaceAll(r.Key(), " ", "-"))
	err := os.RemoveAll(home)
	if err == nil {
		err = os.MkdirAll(home, 0o755)
	}
	if err == nil {
		err = o.play(ctx, j, home, seed, r)
	}
	if err != nil {
		r.Error = err.Error()
	}
	r.Seconds = time.Since(r.Started).Seconds()
	return r
}

func (o *Options) play(ctx context.Context, j job, home string, seed int64, r *Record) error {
	w, err := newWorld(ctx, o, j, home, seed)
	if err != nil {
		return err
	}
	defer w.close()
	for i := range w.brokers {
		w.observer.watch(w.brokers[i].name) // counts from here on
	}
	begin := time.Now()
	measured, stop := context.WithCancel(ctx)
	late := make(chan time.Duration)
	go func() { late <- lateness(measured) }()
	err = j.c.Play(ctx, w)
	lasted := time.Since(begin)
	stop()
	r.LateSeconds = (<-late).Seconds()
	w.disturbedBy("a timer", latenessPeriod+time.Duration(r.LateSeconds*1e9), latenessPeriod, w.patience())
	if w.star.Line != nil {
		w.disturbedBy("a packet on the delay line", w.rtt+w.star.Line.Late(), w.rtt, w.patience()/5)
	}
	r.take(w, lasted)
	select {
	case <-w.server.Ended():
		err = errors.Join(err, errors.New("the server ended by itself"))
	default:
	}
	return err
}
