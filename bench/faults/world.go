package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/pharosmq/pharos/internal/testkit/netns"
	"github.com/pharosmq/pharos/internal/testkit/process"
)

const (
	serverPort = 10876
	brokerPort = 10911
	bootWait   = 90 * time.Second
)

// world is one run: a server, its brokers, an observer, and what happens to them.
type world struct {
	c        *Case
	o        *Options
	mode     Mode
	rtt      time.Duration // 0: that of the bare path
	rng      *rand.Rand
	home     string
	star     *netns.Star
	server   *process.Process
	others   []*process.Process // the other name servers
	clients  []*broker          // co-located
	brokers  []*broker
	observer *observer
	watching context.CancelFunc
	observed sync.WaitGroup
	diedAt   time.Time // when the first died

	mu    sync.Mutex
	notes []string
	// disturbed says what the machine was too busy for; "" if nothing.
	disturbed string
}

// newWorld starts everything and waits until all brokers are in the route and settled.
func newWorld(ctx context.Context, o *Options, j job, home string, seed int64) (w *world, err error) {
	c, mode := j.c, j.mode
	w = &world{c: c, o: o, mode: mode, rtt: j.rtt, home: home, rng: rand.New(rand.NewPCG(uint64(seed), 77)), watching: func() {}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	// Peers: the brokers, the observer, and the hosts of further name servers.
	if w.star, err = newStar(c, j.rtt); err != nil {
		return w, err
	}
	if w.server, err = o.startServer(w.star.Server, filepath.Join(home, "server"), mode); err != nil {
		return w, err
	}
	for i := range c.OtherServers {
		peer := c.Brokers + 1 + i
		p, err := o.startServer(w.star.Peers[peer], filepath.Join(home, fmt.Sprintf("server%d", i+2)), mode)
		if err != nil {
			return w, err
		}
		w.others = append(w.others, p)
	}
	addrs := w.servers()
	w.observer = newObserver(w.star.Peers[c.Brokers], addrs[0])
	ctxObserve, cancel := context.WithCancel(context.Background())
	w.watching = cancel
	w.observed.Go(func() { w.observer.run(ctxObserve) })
	if !w.observer.await(ctx, bootWait, func(map[string]*sight) bool { return w.observer.asked > 0 }) {
		return w, errors.New("the name server does not answer")
	}
	if err := w.prepare(); err != nil {
		return w, err
	}
	return w, w.startBrokers(ctx, addrs)
}

// newStar makes the namespaces. The observer is not delayed: it sees what the server says when
// the server says it.
func newStar(c *Case, rtt time.Duration) (*netns.Star, error) {
	peers := c.Brokers + 1 + c.OtherServers
	if rtt == 0 {
		return netns.NewStar(peers)
	}
	return netns.NewDelayedStar(peers, rtt, c.Brokers)
}

func (w *world) startBrokers(ctx context.Context, servers []string) error {
	for i := range w.c.Brokers {
		if err := w.startBroker(i, servers); err != nil {
			return err
		}
		// Brokers of a real cluster don't tick together.
		w.sleep(ctx, time.Duration(w.rng.IntN(int(3*time.Second)/w.c.Brokers)))
	}
	for _, b := range w.brokers {
		w.observer.expect(b.name)
	}
	if !w.observer.awaitListed(ctx, 20*time.Second) {
		return errors.New("not all brokers are in the route")
	}
	// Loss estimates, dial-backs that are learned, requests at any phase of their period. A fault
	// before the second registration is as good as one after: brokers restart, too.
	w.sleep(ctx, 8*time.Second+time.Duration(w.rng.Int64N(int64(7*time.Second))))
	return ctx.Err()
}

func (w *world) startBroker(i int, servers []string) error {
	name := fmt.Sprintf("broker-%02d", i)
	o := BrokerOptions{Name: name, Listen: fmt.Sprintf("%s:%d", w.star.PeerIP(i), brokerPort), Servers: servers, Topics: w.c.Topics}
	b, err := startBroker(w.star.Peers[i], w.o.self, w.home, o)
	if err != nil {
		return err
	}
	if i < len(w.brokers) {
		w.brokers[i] = b
	} else {
		w.brokers = append(w.brokers, b)
	}
	if w.c.Colocated {
		o.Name, o.Client = fmt.Sprintf("client-%02d", i), true
		c, err := startBroker(w.star.Peers[i], w.o.self, w.home, o)
		if err != nil {
			return err
		}
		w.clients = append(w.clients, c)
	}
	return nil
}

func (w *world) servers() []string {
	addrs := []string{fmt.Sprintf("%s:%d", w.star.ServerIP(), serverPort)}
	for i := range w.c.OtherServers {
		addrs = append(addrs, fmt.Sprintf("%s:%d", w.star.PeerIP(w.c.Brokers+1+i), serverPort))
	}
	return addrs
}

// sleep waits, or until ctx ends.
func (w *world) sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (w *world) notef(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes = append(w.notes, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// victim is one broker, another for each seed.
func (w *world) victim() int { return w.rng.IntN(len(w.brokers)) }

// dies says that broker i is dead from now on.
func (w *world) dies(i int) {
	if w.diedAt.IsZero() {
		w.diedAt = time.Now()
	}
	w.notef("%s dies", w.brokers[i].name)
	w.observer.died(w.brokers[i].name)
}

// close ends all processes and gives up the namespaces.
func (w *world) close() {
	w.watching()
	w.observed.Wait()
	for _, b := range append(w.brokers, w.clients...) {
		b.Kill()
		_ = b.in.Close()
	}
	for _, p := range append(w.others, w.server) {
		if p != nil {
			p.Kill()
		}
	}
	if w.star != nil {
		_ = w.star.Close()
	}
}
