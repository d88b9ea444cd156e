package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pharosmq/pharos/bench"
	"github.com/pharosmq/pharos/internal/testkit"
)

// costModes are compared: Java's rules alone, samples, samples and kernel events.
var costModes = []Mode{Off, Sampling, EBPF}

// beds makes a bed for each mode.
func (o *Options) beds(ctx context.Context, label string, hosts int) (beds []*bed, closeAll func(), err error) {
	closeAll = func() {
		for _, b := range beds {
			b.close()
		}
	}
	for _, mode := range costModes {
		b, err := o.newBed(ctx, label, mode, hosts)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		beds = append(beds, b)
	}
	return beds, closeAll, nil
}

func costOfMemory(ctx context.Context, o *Options) ([]Figure, error) {
	beds, closeAll, err := o.beds(ctx, "memory", 1)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	if err := rest(ctx, 10*time.Second); err != nil {
		return nil, err
	}
	figures := make([]Figure, 0, len(beds))
	for _, b := range beds {
		_, rss, err := bench.Use(b.pid())
		if err != nil {
			return nil, err
		}
		f := Figure{What: fmt.Sprintf("idle memory, %s", b.mode), Value: float64(rss) / 1e6, Unit: "MB", Limit: NoTarget}
		if b.mode == EBPF {
			f.Limit = 25
		}
		figures = append(figures, f)
	}
	return figures, nil
}

const (
	costBrokers      = 1000
	costHosts        = 20
	costBrokersFor   = 60 * time.Second // shorter than a server waits for a silent connection
	costBrokersAfter = 15 * time.Second // dial-backs are learned, loss is estimated
)

func costOfBrokers(ctx context.Context, o *Options) ([]Figure, error) {
	beds, closeAll, err := o.beds(ctx, "brokers", costHosts)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	var wg sync.WaitGroup
	errs := make([]error, len(beds))
	ctx, cancel := context.WithCancel(ctx)
	defer wg.Wait()
	defer cancel()
	for i, b := range beds {
		wg.Go(func() { errs[i] = b.registerMany(ctx, &wg) })
	}
	if err := rest(ctx, costBrokersAfter); err != nil {
		return nil, err
	}
	before := make([]int64, len(beds))
	began := time.Now()
	for i, b := range beds {
		if before[i], _, err = bench.Use(b.pid()); err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
	}
	if err := rest(ctx, costBrokersFor); err != nil {
		return nil, err
	}
	var figures []Figure
	base := 0.0
	for i, b := range beds {
		nanos, rss, err := bench.Use(b.pid())
		if err != nil {
			return nil, err
		}
		m, err := b.metrics(ctx)
		if err = errors.Join(errs[i], err); err != nil {
			return nil, err
		}
		if n := m[`brokers{state="live"}`]; n != costBrokers {
			return nil, fmt.Errorf("%s: %v brokers are live, want %d", b.mode, n, costBrokers)
		}
		share := float64(nanos-before[i]) / float64(time.Since(began)) * 100
		f := Figure{What: fmt.Sprintf("1,000 silent brokers, %s", b.mode), Value: share, Unit: "% of a core", Limit: NoTarget,
			Detail: fmt.Sprintf("%.0f MB", float64(rss)/1e6)}
		if b.mode == Off {
			base = share
		} else {
			f.Detail += fmt.Sprintf("; %.0f samples since the start", m["tcp_samples_total"])
		}
		figures = append(figures, f)
		if b.mode != Off {
			figures = append(figures, Figure{What: fmt.Sprintf("of that for watching, %s", b.mode), Value: share - base, Unit: "% of a core", Limit: 0.5})
		}
	}
	return figures, nil
}

// registerMany registers costBrokers brokers, on all hosts, each with a connection and an
// address of its own where it listens. They stay until ctx ends.
func (b *bed) registerMany(ctx context.Context, wg *sync.WaitGroup) error {
	for i := range costBrokers {
		host := i % costHosts
		addr := fmt.Sprintf("%s:%d", b.star.PeerIP(host), brokerPort+i/costHosts)
		err := b.star.Peers[host].Do(func() error {
			l, err := net.Listen("tcp", addr)
			if err != nil {
				return err
			}
			wg.Go(func() { answerDials(l) })
			context.AfterFunc(ctx, func() { _ = l.Close() })
			broker, err := testkit.DialBroker(ctx, b.addr(), testkit.BrokerOptions{
				Name: fmt.Sprintf("broker-%04d", i), Addr: addr, Client: testkit.ClientOptions{Dialer: &net.Dialer{KeepAlive: -1}}})
			if err != nil {
				return err
			}
			context.AfterFunc(ctx, func() { _ = broker.Close() })
			broker.SetTopics(testkit.Topic(routeTopic, 8), testkit.Topic("TBW102", 8))
			_, err = broker.Register(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: broker %d: %w", b.mode, i, err)
		}
	}
	return nil
}

// answerDials accepts until the listener is closed, and stays connected until the other side
// hangs up, as brokers do: a dial-back that is hung up on at once proves nothing and is tried
// again and again.
func answerDials(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(io.Discard, c)
		}()
	}
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
