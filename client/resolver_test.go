package client

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pharosmq/pharos/codec"
)

const (
	nsA = "ns-a:9876"
	nsB = "ns-b:9876"
	nsC = "ns-c:9876"
)

// inBubble runs f with simulated time, a network of three name servers and a resolver.
func inBubble(t *testing.T, o ResolverOptions, f func(t *testing.T, n *fakeNet, r *Resolver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet(t, nsA, nsB, nsC)
		if o.Servers == nil && o.Source == nil {
			o.Servers = []string{nsA, nsB, nsC}
		}
		o.KeepOrder = true
		o.Dial = n.dial
		r, err := NewResolver(o)
		if err != nil {
			t.Fatal(err)
		}
		f(t, n, r)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		n.conns.Wait()
	})
}

// answeredBy returns which server's answer a route is.
func answeredBy(route *codec.TopicRouteData) string {
	if route == nil || len(route.BrokerDatas) == 0 {
		return ""
	}
	return route.BrokerDatas[0].BrokerAddrs[0]
}

func inUse(r *Resolver) string {
	for _, s := range r.Servers() {
		if s.Role == ServerInUse {
			return s.Addr
		}
	}
	return ""
}

// settled is a resolver that has one server in use and two standing by.
func settled(t *testing.T, r *Resolver) {
	t.Helper()
	if _, err := r.Route(t.Context(), "T"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	for i, s := range r.Servers() {
		if want := []ServerRole{ServerInUse, ServerStandBy, ServerStandBy}[i]; s.Role != want {
			t.Fatalf("%s is %v, want %v", s.Addr, s.Role, want)
		}
	}
}

func TestRoute(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		time.Sleep(time.Hour)
		if d := n.dials(nsA); d != 0 {
			t.Errorf("%d connections before anybody asked", d)
		}
		route, err := r.Route(t.Context(), "T")
		if err != nil || answeredBy(route) != nsA {
			t.Fatalf("%v from %q", err, answeredBy(route))
		}
		_, err = r.Route(t.Context(), "none")
		var e *Error
		var refusal *Refusal
		if !errors.Is(err, ErrTopicNotFound) || errors.Is(err, ErrRefused) || !errors.As(err, &e) || !errors.As(err, &refusal) {
			t.Fatalf("a topic that does not exist: %v", err)
		}
		if e.Topic != "none" || len(e.Attempts) != 1 || e.Attempts[0].Server != nsA || refusal.Code != 17 {
			t.Errorf("%+v", e)
		}
		reply, err := r.Call(t.Context(), codec.Header{Code: codec.CodeGetAllTopicListFromNameserver}, nil)
		if err != nil || reply.Code != codec.Success {
			t.Errorf("another request: %v %v", reply, err)
		}
	})
}

// Goal: whatever happens to the server in use, lookups are answered, none waits longer than it
// must, and after the stated time it is left.
func TestServerInUseFails(t *testing.T) {
	f := func(name string, o ResolverOptions, m manner, leftBy, waitMax time.Duration) {
		t.Helper()
		inBubble(t, o, func(t *testing.T, n *fakeNet, r *Resolver) {
			settled(t, r)
			n.become(nsA, m)
			began := time.Now()
			var left, longest time.Duration
			var mu sync.Mutex
			var callers sync.WaitGroup
			for time.Since(began) < 10*time.Second {
				callers.Go(func() {
					asked := time.Now()
					if _, err := r.Route(t.Context(), "T"); err != nil {
						t.Errorf("%s: after %v: %v", name, asked.Sub(began), err)
					}
					mu.Lock()
					defer mu.Unlock()
					longest = max(longest, time.Since(asked))
				})
				time.Sleep(10 * time.Millisecond)
				if left == 0 && inUse(r) != nsA {
					left = time.Since(began)
				}
			}
			callers.Wait()
			if left == 0 || left > leftBy || longest > waitMax {
				t.Errorf("%s: left after %v, want %v; the longest wait was %v, want %v", name, left, leftBy, longest, waitMax)
			}
			for _, s := range r.Servers() {
				if s.Addr == nsA && m != mad && (s.Role != ServerResting || s.Fails == 0) { // who is mad answers probes
					t.Errorf("%s: 10 s later %+v", name, s)
				}
			}
		})
	}
	ms := time.Millisecond
	plain := ResolverOptions{NoHedge: true}
	hedging := ResolverOptions{}
	f("killed", plain, refused, 20*ms, 20*ms)
	f("killed, hedging", hedging, refused, 20*ms, 20*ms)
	f("hung", plain, frozen, 3100*ms, 3100*ms)
	f("hung, hedging", hedging, frozen, 600*ms, 600*ms)
	f("path dropped", plain, unheard, 3100*ms, 3100*ms)
	f("path dropped, hedging", hedging, unheard, 600*ms, 600*ms)
	f("slow", plain, slowly, 6200*ms, 2100*ms)
	f("slow, hedging", hedging, slowly, 600*ms, 600*ms)
	f("garbage", plain, babbling, 20*ms, 20*ms)
	f("busy", plain, overloaded, 50*ms, 20*ms)
	f("starting", plain, starting, 20*ms, 20*ms)
	f("leaving", plain, going, 20*ms, 20*ms)
	f("mad", plain, mad, 50*ms, 20*ms)
}

// Goal: a switch costs no connect, and one that comes back neither takes over nor is asked
// before it has proved itself.
func TestSwitchAndReturn(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		n.become(nsA, refused)
		dials := n.dials(nsB)
		if route, err := r.Route(t.Context(), "T"); err != nil || answeredBy(route) != nsB || n.dials(nsB) != dials {
			t.Errorf("%v from %s, %d new connections", err, answeredBy(route), n.dials(nsB)-dials)
		}
		time.Sleep(time.Minute)
		asked := n.asked(nsA, "T")
		n.become(nsA, answering)
		for range 600 {
			if route, err := r.Route(t.Context(), "T"); err != nil || answeredBy(route) != nsB {
				t.Fatalf("%v from %s", err, answeredBy(route))
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n.asked(nsA, "T") != asked || n.asked(nsA, probeTopic) < 3 {
			t.Errorf("it got %d lookups and %d probes after its return", n.asked(nsA, "T")-asked, n.asked(nsA, probeTopic))
		}
		if s := r.Servers()[0]; s.Role != ServerStandBy {
			t.Errorf("a minute after its return: %+v", s)
		}
	})
}

// Goal: while nobody can be asked a caller is told at once by whom and why, and who comes back
// first is found.
func TestNobodyAnswers(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		for _, a := range []string{nsA, nsB, nsC} {
			n.become(a, refused)
		}
		var err error
		for range 100 {
			began := time.Now()
			if _, err = r.Route(t.Context(), "T"); !errors.Is(err, ErrNoNameServer) {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 100*time.Millisecond {
				t.Errorf("it took %v to say that nobody is there", took)
			}
			time.Sleep(100 * time.Millisecond)
		}
		for _, a := range []string{nsA, nsB, nsC} {
			if !strings.Contains(err.Error(), a) || n.dials(a) > 25 {
				t.Errorf("%s was dialled %d times in 10 s; the error is %v", a, n.dials(a), err)
			}
		}
		if !errors.Is(err, errFakeRefused) {
			t.Errorf("the error does not say why: %v", err)
		}
		n.become(nsC, answering)
		began := time.Now()
		for {
			if route, err := r.Route(t.Context(), "T"); err == nil {
				if answeredBy(route) != nsC {
					t.Errorf("answered by %s", answeredBy(route))
				}
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("found again after %v", took)
		}
	})
}

// Goal: a single server that restarts costs no lookup but those while it is away.
func TestOneServerOfWhichTheConnectionEnds(t *testing.T) {
	inBubble(t, ResolverOptions{Servers: []string{nsA}}, func(t *testing.T, n *fakeNet, r *Resolver) {
		if _, err := r.Route(t.Context(), "T"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		n.become(nsA, refused)
		n.become(nsA, answering)
		if _, err := r.Route(t.Context(), "T"); err != nil {
			t.Errorf("after its connection ended: %v", err)
		}
	})
}

// Goal: a caller's context is obeyed, and what it gave up on is counted against the server.
func TestContexts(t *testing.T) {
	inBubble(t, ResolverOptions{NoHedge: true}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		n.become(nsA, frozen)
		n.become(nsB, frozen)
		n.become(nsC, frozen)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		_, err := r.Route(ctx, "T")
		if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 700*time.Millisecond || !strings.Contains(err.Error(), nsA) {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := r.Route(ctx, "T"); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) {
			t.Errorf("cancelled: %v", err)
		}
		time.Sleep(1400 * time.Millisecond)
		if now := inUse(r); now == nsA {
			t.Error("a server that was silent for 3 s is still in use, because nobody waited so long")
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := r.Route(ctx, "T"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
		began = time.Now()
		if _, err = r.Route(t.Context(), "T"); !errors.Is(err, ErrTimeout) || time.Since(began) > 6*time.Second {
			t.Errorf("without a deadline: %v after %v", err, time.Since(began))
		}
	})
}

// Goal: Close ends everything, lookups under way included, and what comes after is refused.
func TestClose(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		n.become(nsA, frozen)
		n.become(nsB, frozen)
		n.become(nsC, unheard)
		failed := make(chan error)
		go func() {
			_, err := r.Route(t.Context(), "T")
			failed <- err
		}()
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		if err := r.Close(); err != nil || time.Since(began) > 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := <-failed; !errors.Is(err, ErrClosed) {
			t.Errorf("a lookup under way: %v", err)
		}
		if _, err := r.Route(t.Context(), "T"); !errors.Is(err, ErrClosed) {
			t.Errorf("a lookup after Close: %v", err)
		}
		if _, err := r.CallAt(t.Context(), nsA, routeHeader("T"), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("CallAt after Close: %v", err)
		}
	})
}

// Goal: hedging is bounded: a server that is a little late does not double the load of the
// other one.
func TestHedgesAreBounded(t *testing.T) {
	inBubble(t, ResolverOptions{HedgeMax: 100 * time.Millisecond, Silence: time.Hour}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		n.become(nsA, slowly)
		before := n.asked(nsB, "T") + n.asked(nsC, "T")
		var callers sync.WaitGroup
		for range 500 {
			callers.Go(func() { r.Route(t.Context(), "T") })
			time.Sleep(time.Millisecond)
		}
		callers.Wait()
		extra := n.asked(nsB, "T") + n.asked(nsC, "T") - before
		s := r.Stats()
		if extra < 40 || extra > 70 || s.Hedges != uint64(extra) || s.HedgesWon != s.Hedges {
			t.Errorf("500 late lookups: %d questions to others; %+v", extra, s)
		}
	})
}

// Goal: CallAt asks just that server, whatever its role, and says what is wrong with it.
func TestCallAt(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		f := func(addr string, m manner, want error) {
			t.Helper()
			n.become(addr, m)
			dials := n.dials(addr)
			reply, err := r.CallAt(t.Context(), addr, routeHeader("T"), nil)
			if want != nil {
				if !errors.Is(err, want) || !strings.Contains(err.Error(), addr) {
					t.Errorf("%s: %v, want %v", addr, err, want)
				}
				return
			}
			if err != nil || !strings.Contains(string(reply.Body), addr) || n.dials(addr) != dials+1 {
				t.Errorf("%s: %v %v, %d connections", addr, reply, err, n.dials(addr)-dials)
			}
		}
		f(nsB, answering, nil)
		f(nsB, refused, ErrNoNameServer)
		f(nsB, unheard, ErrNoNameServer)
		f(nsB, frozen, ErrTimeout)
		f(nsB, babbling, ErrBadReply)
		n.become(nsB, answering)
		settled(t, r)
		dials := n.dials(nsB)
		if _, err := r.CallAt(t.Context(), nsB, routeHeader("T"), nil); err != nil || n.dials(nsB) != dials {
			t.Errorf("with a connection there: %v, %d new ones", err, n.dials(nsB)-dials)
		}
	})
}

// script is an address source that says one thing after the other.
type script struct {
	mu    sync.Mutex
	says  []any // []string or error
	takes time.Duration
	asked int
}

func (s *script) Refresh() time.Duration { return 2 * time.Minute }

func (s *script) Addresses(context.Context) ([]string, error) {
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	say := s.says[min(s.asked, len(s.says)-1)]
	s.asked++
	if err, ok := say.(error); ok {
		return nil, err
	}
	return say.([]string), nil
}

// Goal: the list follows its source; a source that fails changes nothing, and while there has
// never been a list that is what callers are told.
func TestListFollowsItsSource(t *testing.T) {
	down := errors.New("address server down")
	source := &script{says: []any{down, []string{nsB}, down, []string{nsC, nsB}, []string{nsC}}}
	inBubble(t, ResolverOptions{Source: source}, func(t *testing.T, n *fakeNet, r *Resolver) {
		if _, err := r.Route(t.Context(), "T"); !errors.Is(err, down) || !errors.Is(err, ErrNoNameServer) {
			t.Errorf("without a list: %v", err)
		}
		f := func(after time.Duration, want string, servers ...string) {
			t.Helper()
			time.Sleep(after)
			route, err := r.Route(t.Context(), "T")
			var list []string
			for _, s := range r.Servers() {
				list = append(list, s.Addr)
			}
			if err != nil || answeredBy(route) != want || !slices.Equal(list, servers) {
				t.Errorf("%v from %s, list %v; want %s of %v", err, answeredBy(route), list, want, servers)
			}
		}
		f(11*time.Second, nsB, nsB)
		f(2*time.Minute, nsB, nsB)       // it failed
		f(10*time.Second, nsB, nsC, nsB) // and is asked again soon
		f(2*time.Minute+time.Second, nsC, nsC)
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.lastErr) != 0 {
			t.Errorf("errors of servers that are gone: %v", r.lastErr)
		}
	})
}

// finalSource says after its first list, or while it has none, that it is not to be asked again.
type finalSource struct{ script }

func (s *finalSource) Refresh() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked > 0 {
		return 0
	}
	return time.Minute
}

// Goal: a list that has become final is not asked for again; one that could not be had is.
func TestListThatIsFinal(t *testing.T) {
	source := &finalSource{script{says: []any{errors.New("down"), errors.New("down"), []string{nsB}}}}
	inBubble(t, ResolverOptions{Source: source}, func(t *testing.T, n *fakeNet, r *Resolver) {
		time.Sleep(time.Hour)
		route, err := r.Route(t.Context(), "T")
		source.mu.Lock()
		defer source.mu.Unlock()
		if err != nil || answeredBy(route) != nsB || source.asked != 3 {
			t.Errorf("%v from %q after %d questions", err, answeredBy(route), source.asked)
		}
	})
}

// roundTrip is an HTTP server without a socket.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Goal: an address server is asked every two minutes, as by Java's clients, and every ten seconds
// while it does not answer; who it names is asked.
func TestAddressServerIsPolled(t *testing.T) {
	var asked atomic.Int32
	var list atomic.Pointer[string]
	say := func(s string) { list.Store(&s) }
	say(nsA + ";" + nsB)
	web := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked.Add(1)
		if r.URL.Path != "/rocketmq/nsaddr" || *list.Load() == "" {
			return nil, errors.New("nobody there")
		}
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(*list.Load() + "\n"))}, nil
	})}
	o := ResolverOptions{Source: HTTPAddresses("http://jmenv:8080/rocketmq/nsaddr", web)}
	inBubble(t, o, func(t *testing.T, n *fakeNet, r *Resolver) {
		f := func(after time.Duration, want string, questions int32) {
			t.Helper()
			time.Sleep(after)
			route, err := r.Route(t.Context(), "T")
			if now := asked.Swap(0); err != nil || answeredBy(route) != want || now != questions {
				t.Errorf("%v from %q after %d questions, want %s after %d", err, answeredBy(route), now, want, questions)
			}
		}
		f(time.Second, nsA, 1)
		f(10*time.Minute, nsA, 5)
		say(nsC)
		f(2*time.Minute, nsC, 1)
		say("")
		f(2*time.Minute, nsC, 1)
		f(time.Minute, nsC, 6)
		say(nsB)
		f(10*time.Second, nsB, 1)
	})
}

// Goal: who asks before the first list has come waits for it.
func TestFirstListIsWaitedFor(t *testing.T) {
	source := &script{says: []any{[]string{nsB}}, takes: time.Second}
	inBubble(t, ResolverOptions{Source: source}, func(t *testing.T, n *fakeNet, r *Resolver) {
		began := time.Now()
		route, err := r.Route(t.Context(), "T")
		if took := time.Since(began); err != nil || answeredBy(route) != nsB || took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("%v from %q after %v", err, answeredBy(route), took)
		}
	})
}

// Goal: whatever one server does, and another next, no lookup fails; with the race detector
// looking.
func TestManyCallersWhileServersComeAndGo(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				for ctx.Err() == nil {
					if _, err := r.Route(ctx, "T"); err != nil && ctx.Err() == nil {
						t.Errorf("%v", err)
					}
					time.Sleep(200 * time.Millisecond)
				}
			})
		}
		for i, m := range []manner{refused, frozen, unheard, slowly, babbling, overloaded, going, starting, mad} {
			addr := []string{nsA, nsB, nsC}[i%3]
			n.become(addr, m)
			time.Sleep(10 * time.Second)
			n.become(addr, answering)
			time.Sleep(40 * time.Second)
		}
		cancel()
		callers.Wait()
	})
}

// Goal: the log says which server is in use and why another one is not; a log that blocks
// holds nobody up.
func TestLog(t *testing.T) {
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
		time.Sleep(10 * time.Second)
		return text.Write(b)
	}), nil))
	inBubble(t, ResolverOptions{Log: log}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		n.become(nsA, refused)
		time.Sleep(time.Millisecond)
		for range 3 {
			if _, err := r.Route(t.Context(), "T"); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
		}
	})
	for _, want := range []string{`msg="name server in use" server=` + nsA, `msg="another name server is in use" server=` + nsB + ` left=` + nsA} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, text.String())
		}
	}
	if !strings.Contains(text.String(), "closed by the server") {
		t.Errorf("the log does not say why:\n%s", text.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
