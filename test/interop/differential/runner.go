package differential

import (
	"fmt"
	"strings"
	"time"
)

// How long two servers may take to agree after something that Java applies behind the
// reply's back (104, a closed connection, a oneway request).
const agreeTime = 500 * time.Millisecond

// Failure is the first step of a history after which the servers do not agree.
type Failure struct {
	Step  int
	Diffs []Difference
	Err   error // the run could not go on: a reply that is no reply, a dead server
}

// runner plays one history against a pair of servers: index 0 is the reference.
type runner struct {
	servers [2]*Server
	history *History
	links   [2][]*link
	control [2]*link
	stats   *Stats

	opaque  int32
	barrier int
	// bound is the connection each broker last registered on; holders says which address
	// last registered under a group's id; seen is every broker ever registered.
	bound       map[BrokerRef]int
	holders     map[holderKey]string
	seen        map[BrokerRef]bool
	removed     bool      // a topic was deleted, or a broker unregistered or gone
	mappedAgain bool      // see Case
	last        time.Time // of the last request or close that Java applies later
	ears        *ears     // listens for 905; nil: nobody does
}

type holderKey struct {
	name string
	id   int64
}

// Stats counts what a run did, over all histories.
type Stats struct {
	Histories, Steps, Replies int
	Late                      int                     // answers that agreed only after a while
	Notified                  int                     // 905 received, from both servers together
	Codes                     map[int32]map[int32]int // request code -> reply code -> how often
	Excepted                  map[int]int             // by number of the exception
}

// noReply stands for the code of a reply that never came: oneway requests, wrong frames.
const noReply = -1

// NewStats returns empty counters.
func NewStats() *Stats {
	return &Stats{Codes: map[int32]map[int32]int{}, Excepted: map[int]int{}}
}

func newRunner(servers [2]*Server, h *History, e *ears, stats *Stats) (*runner, error) {
	r := &runner{servers: servers, history: h, stats: stats, ears: e, opaque: 1_000_000_000,
		bound: map[BrokerRef]int{}, holders: map[holderKey]string{}, seen: map[BrokerRef]bool{}}
	for side, s := range servers {
		r.links[side] = make([]*link, h.Conns)
		c, err := dial(s.Addr)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		r.control[side] = c
	}
	return r, nil
}

// play runs the steps whose index is in keep (nil: all) and returns the first failure.
func (r *runner) play(keep []int) *Failure {
	if keep == nil {
		for i := range r.history.Steps {
			keep = append(keep, i)
		}
	}
	for _, i := range keep {
		diffs, err := r.step(&r.history.Steps[i])
		r.stats.Steps++
		if err != nil || len(diffs) > 0 {
			return &Failure{Step: i, Diffs: diffs, Err: err}
		}
	}
	return nil
}

func (r *runner) step(s *Step) ([]Difference, error) {
	if s.Close {
		return nil, r.closeConn(s.Conn)
	}
	if r.ears != nil && s.Requests[0].Unregister != nil {
		if real, err := r.isMember(s.Requests[0].Unregister); !real || err != nil {
			return nil, err
		}
	}
	if s.Requests[0].Stamped {
		time.Sleep(2 * time.Millisecond)
	}
	out, err := r.both(s.Conn, s.Requests)
	if err != nil {
		return nil, err
	}
	r.count(s, out[0])
	diffs := r.tolerate(s, compare(s.Requests, out[0], out[1]))
	if len(diffs) > 0 && r.mayBeLate(s) {
		if diffs, err = r.askAgain(s); err != nil {
			return nil, err
		}
	}
	if len(diffs) > 0 {
		return diffs, nil
	}
	if err := r.settle(s, out); err != nil {
		return nil, err
	}
	if r.ears != nil {
		return r.ears.compare(r.servers, s, r.stats), nil
	}
	return nil, nil
}

func (r *runner) count(s *Step, a *Outcome) {
	for i := range s.Requests {
		q := &s.Requests[i]
		if r.stats.Codes[q.Code] == nil {
			r.stats.Codes[q.Code] = map[int32]int{}
		}
		if reply := a.Replies[q.Opaque]; reply != nil {
			r.stats.Codes[q.Code][reply.Code]++
		} else {
			r.stats.Codes[q.Code][noReply]++
		}
	}
	r.stats.Replies += len(a.Replies) + len(a.Stray)
}

// both sends the requests on connection conn of both servers at once.
func (r *runner) both(conn int, requests []Request) ([2]*Outcome, error) {
	var out [2]*Outcome
	var errs [2]error
	done := make(chan struct{})
	go func() {
		out[1], errs[1] = r.send(1, conn, requests)
		close(done)
	}()
	out[0], errs[0] = r.send(0, conn, requests)
	<-done
	for side, err := range errs {
		if err != nil {
			return out, fmt.Errorf("%s, connection %d: %w", r.servers[side].Name, conn, err)
		}
	}
	return out, nil
}

func (r *runner) send(side, conn int, requests []Request) (*Outcome, error) {
	l := &r.links[side][conn]
	if *l == nil {
		var err error
		if *l, err = dial(r.servers[side].Addr); err != nil {
			return nil, err
		}
	}
	return (*l).exchange(requests)
}

// mayBeLate says whether a difference may only mean that one server has not yet applied
// what it has answered, or has not yet answered a frame that it may be silent about.
func (r *runner) mayBeLate(s *Step) bool {
	if s.Requests[0].Expect == ExpectAny {
		return true
	}
	for i := range s.Requests {
		if s.Requests[i].Expect != ExpectReply || !readOnly(s.Requests[i].Code) {
			return false
		}
	}
	return time.Since(r.last) < 2*time.Second
}

func (r *runner) askAgain(s *Step) ([]Difference, error) {
	deadline := time.Now().Add(agreeTime)
	for {
		time.Sleep(20 * time.Millisecond)
		if s.Requests[0].Expect == ExpectAny {
			if err := r.closeConn(s.Conn); err != nil {
				return nil, err
			}
		}
		out, err := r.both(s.Conn, s.Requests)
		if err != nil {
			return nil, err
		}
		diffs := r.tolerate(s, compare(s.Requests, out[0], out[1]))
		if len(diffs) == 0 {
			r.stats.Late++
			return nil, nil
		}
		if time.Now().After(deadline) {
			return diffs, nil
		}
	}
}

// tolerate drops the differences that an exception covers.
func (r *runner) tolerate(s *Step, diffs []Difference) []Difference {
	var left []Difference
	for i := range diffs {
		e := exceptionFor(&Case{Difference: &diffs[i], Step: s, ask: r.askReference, removed: r.removed, mappedAgain: r.mappedAgain})
		if e == nil {
			left = append(left, diffs[i])
			continue
		}
		r.stats.Excepted[e.Number]++
	}
	return left
}

// askReference puts one question to the reference, for exceptions that depend on state.
func (r *runner) askReference(code int32, ext []Ext) (*Reply, error) {
	return r.control[0].one(call{code: code, version: 513, opaque: r.nextOpaque(), ext: ext})
}

func (r *runner) nextOpaque() int32 {
	r.opaque++
	return r.opaque
}

// String describes a failure for people, with everything needed to see it by hand.
func (f *Failure) String() string {
	if f.Err != nil {
		return fmt.Sprintf("step %d: %v", f.Step, f.Err)
	}
	lines := make([]string, 0, len(f.Diffs))
	for i := range f.Diffs {
		lines = append(lines, f.Diffs[i].String())
	}
	return fmt.Sprintf("step %d:\n    %s", f.Step, strings.Join(lines, "\n    "))
}
