package hostile

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/pharosmq/pharos/codec"
)

const (
	innocentBrokers  = 20
	innocentTopics   = 50
	innocentClients  = 20
	lookupsPerSecond = 500
	fatTopic         = "FatTopic"
	fatBrokers       = 225 // a route body of about 45 kB
)

// innocents are the clients and brokers that must not notice the attack.
type innocents struct {
	addr    string
	brokers []*peer
	frames  [][]byte // the brokers' registrations
	fat     *peer

	mu        sync.Mutex
	errors    []error
	latencies *hdrhistogram.Histogram // of lookups, from the intended time of sending, in us
	newcomers int
}

func topicName(i int) string    { return fmt.Sprintf("Topic%02d", i) }
func brokerName(i int) string   { return fmt.Sprintf("broker-%02d", i) }
func brokerAddr(i int) string   { return fmt.Sprintf("127.0.0.1:%d", 20000+i) }
func topicNames(n int) []string { return names(n, topicName) }

func names(n int, name func(int) string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = name(i)
	}
	return all
}

// newInnocents registers the brokers, each on its own connection, and the wide topic.
func newInnocents(t *testing.T, addr string) *innocents {
	t.Helper()
	in := &innocents{addr: addr}
	in.reset()
	topics := topicNames(innocentTopics)
	for i := range innocentBrokers {
		p, err := dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		frame := registration(nil, brokerName(i), brokerAddr(i), topics, 1)
		in.brokers = append(in.brokers, p)
		in.frames = append(in.frames, frame)
		in.mustRegister(t, p, frame)
	}
	fat, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	in.fat = fat
	for i := range fatBrokers {
		in.mustRegister(t, fat, registration(nil, fmt.Sprintf("fat-broker-%03d", i), fmt.Sprintf("127.0.0.2:%d", 20000+i), []string{fatTopic, fmt.Sprintf("own-%d", i)}, 1))
	}
	t.Cleanup(func() {
		in.fat.Close()
		for _, p := range in.brokers {
			p.Close()
		}
	})
	return in
}

func (in *innocents) mustRegister(t *testing.T, p *peer, frame []byte) {
	t.Helper()
	reply, err := p.ask(frame)
	if err != nil {
		t.Fatalf("register: %v", err)
	}
	if reply.Code != codec.Success {
		t.Fatalf("register: code %d %s", reply.Code, reply.Remark)
	}
}

func (in *innocents) reset() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.errors, in.newcomers = nil, 0
	in.latencies = hdrhistogram.New(1, 10_000_000, 3)
}

func (in *innocents) fail(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.errors) < 20 {
		in.errors = append(in.errors, err)
	}
}

// live lets the innocents do their work until ctx ends.
func (in *innocents) live(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range innocentClients {
		wg.Go(func() { in.client(ctx, i) })
	}
	for i := range in.brokers {
		wg.Go(func() { in.broker(ctx, i) })
	}
	wg.Go(func() { in.arrivals(ctx) })
	wg.Wait()
}

// client asks at a fixed rate, whatever the answers take: a late answer delays the next
// question, whose latency counts from when it should have been sent.
func (in *innocents) client(ctx context.Context, index int) {
	p, err := dial(in.addr)
	if err != nil {
		in.fail(fmt.Errorf("client: %w", err))
		return
	}
	defer p.Close()
	const period = time.Second * innocentClients / lookupsPerSecond
	next := time.Now().Add(time.Duration(index) * period / innocentClients)
	for opaque := int32(1); ctx.Err() == nil; opaque++ {
		time.Sleep(time.Until(next))
		if err := in.lookUp(p, opaque); err != nil {
			in.fail(fmt.Errorf("client: %w", err))
			return
		}
		in.mu.Lock()
		_ = in.latencies.RecordValue(time.Since(next).Microseconds())
		in.mu.Unlock()
		next = next.Add(period)
	}
}

// lookUp asks for one topic and checks that every innocent broker is in the answer.
func (in *innocents) lookUp(p *peer, opaque int32) error {
	p.out = lookup(p.out[:0], topicName(rand.IntN(innocentTopics)), opaque)
	reply, err := p.ask(p.out)
	if err != nil {
		return err
	}
	if reply.Code != codec.Success || reply.Opaque != opaque {
		return fmt.Errorf("code %d, opaque %d for %d: %s", reply.Code, reply.Opaque, opaque, reply.Remark)
	}
	if n := bytes.Count(reply.Body, []byte(`"cluster":"hostile-test"`)); n < innocentBrokers {
		return fmt.Errorf("a route lists %d brokers, want at least %d", n, innocentBrokers)
	}
	return nil
}

// broker registers again every second: every other broker unchanged, the rest with a new
// data version each time, so that both ways of a registration are innocent.
func (in *innocents) broker(ctx context.Context, i int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	topics := topicNames(innocentTopics)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if i%2 == 1 {
			in.frames[i] = registration(in.frames[i][:0], brokerName(i), brokerAddr(i), topics, time.Now().UnixMilli())
		}
		reply, err := in.brokers[i].ask(in.frames[i])
		switch {
		case err != nil:
			in.fail(fmt.Errorf("broker %d: %w", i, err))
			return
		case reply.Code != codec.Success:
			in.fail(fmt.Errorf("broker %d: code %d %s", i, reply.Code, reply.Remark))
		}
	}
}

// arrivals are new clients, ten a second, that connect, ask once and leave.
func (in *innocents) arrivals(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for opaque := int32(1); ; opaque++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := in.arrive(opaque); err != nil {
			in.fail(fmt.Errorf("new client: %w", err))
			continue
		}
		in.mu.Lock()
		in.newcomers++
		in.mu.Unlock()
	}
}

func (in *innocents) arrive(opaque int32) error {
	p, err := dial(in.addr)
	if err != nil {
		return err
	}
	defer p.Close()
	return in.lookUp(p, opaque)
}
