package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/pharosmq/pharos/bench"
	"github.com/pharosmq/pharos/codec"
	"golang.org/x/sys/unix"
)

// costRounds is how often servers are measured in turn, there and back: twice as many pairs.
const costRounds = 4

// manyPorts lets a host open some 10,000 connections a second.
func (b *bed) manyPorts(host int) error {
	return errors.Join(
		b.star.Peers[host].Sysctl("ipv4.ip_local_port_range", "1024 65000"),
		b.star.Peers[host].Sysctl("ipv4.tcp_tw_reuse", "1"))
}

// costOfConnections opens connections, asks one question on each and closes it.
func costOfConnections(ctx context.Context, o *Options) ([]Figure, error) {
	beds, closeAll, err := o.beds(ctx, "connections", 1)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	nanos := map[Mode][]float64{}
	world := &bench.World{Topics: 10, Brokers: 1}
	group := bench.Group{Name: "connections", World: world, Conns: 4, Depth: 1, RequestsMax: 1, Reconnect: true, Mix: bench.Mix{Route: 1}}
	for range costRounds {
		for _, back := range []bool{false, true} {
			order := slices.Clone(beds)
			if back {
				slices.Reverse(order)
			}
			for _, b := range order {
				if err := b.manyPorts(0); err != nil {
					return nil, err
				}
				plan := bench.Plan{Fill: []*bench.World{world}, Groups: []bench.Group{group}, Warmup: 300 * time.Millisecond}
				err := b.load(ctx, 0, plan, func(s *bench.Session) error {
					w, err := s.Measure(time.Second, "connections")
					if err == nil && w.Group(group.Name).Replies > 0 {
						nanos[b.mode] = append(nanos[b.mode], w.ServerNanosPerRequest())
					}
					return err
				})
				if err != nil {
					return nil, fmt.Errorf("%s: %w", b.mode, err)
				}
			}
		}
	}
	var figures []Figure
	for _, mode := range costModes {
		figures = append(figures, Figure{What: fmt.Sprintf("a connection with one question, %s", mode), Value: median(nanos[mode]) / 1e3,
			Unit: "us", Limit: NoTarget, Detail: fmt.Sprintf("median of %d", len(nanos[mode]))})
	}
	return figures, nil
}

// lossyGroup asks for bodies of some 40 kB, so often that 5 % loss make about 1,000
// retransmissions a second. Its connections carry brokers if told to.
func lossyGroup(world *bench.World, brokers bool) bench.Group {
	g := bench.Group{Name: "lossy", World: world, Conns: 64, Depth: 4, Rate: 650, Mix: bench.Mix{Route: 1}, Incomplete: true}
	if brokers {
		g.Mix.Register = 0.1
		own := &bench.World{Name: "lossy-own", Topics: 10, Brokers: g.Conns, Base: 1 << 20}
		body := own.Body(0, own.Topics, 0, 1, codec.Version5_5_0)
		all := make([]*bench.Registration, g.Conns)
		for i := range all {
			all[i] = own.Registration(i, body, g.Serialize)
		}
		g.Registrations = func(conn, _ int) *bench.Registration { return all[conn] }
	}
	return g
}

const lossyPercent = 5

// lose has the router drop a share of the segments from the server to a host; without offloads
// a segment is a packet.
func (b *bed) lose(host int) error {
	return errors.Join(
		b.star.Server.IP("link set eth0 gso_max_segs 1\n"),
		b.star.Fault(fmt.Sprintf("ip saddr %s ip daddr %s numgen random mod 100 < %d drop", b.star.ServerIP(), b.star.PeerIP(host), lossyPercent)))
}

// median of a list, 0 of none.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	m := len(list) / 2
	if len(list)%2 == 0 {
		return (list[m-1] + list[m]) / 2
	}
	return list[m]
}

// bindThread keeps the calling thread, which must be locked, on the last processor.
func bindThread() error {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &set); err != nil {
		return err
	}
	last := -1
	for cpu := range 1024 {
		if set.IsSet(cpu) {
			last = cpu
		}
	}
	set.Zero()
	set.Set(last)
	return unix.SchedSetaffinity(0, &set)
}
