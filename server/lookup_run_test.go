package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/routetable"
)

// lookupBrokers are the routes that the runs of these tests find.
func lookupBrokers() []broker {
	a := newBroker("broker-a", 0, "T0", "T1", "rmq_sys_SYNC_BROKER_MEMBER_x", "主题", strings.Repeat("n", 120))
	b := newBroker("broker-b", 1, "T1", "T2")
	b.acting = "true"
	return []broker{a, b, newBroker("broker-c", 2, "T3", "T4")}
}

// lookupMix makes n requests: mostly plain lookups of known and unknown topics, some that
// are no part of a run.
func lookupMix(r *rand.Rand, c *client, n int) (all []byte) {
	topics := []string{"T0", "T1", "T2", "T3", "rmq_sys_SYNC_BROKER_MEMBER_x", "主题", "", "absent", `a"b`, strings.Repeat("n", 120), strings.Repeat("x", 200), strings.Repeat("y", 300)}
	for range n {
		topic := topics[r.IntN(len(topics))]
		c.version, c.serialize = codec.Version5_5_0, codec.SerializeJSON
		switch r.IntN(40) {
		case 0:
			c.version = 300
		case 1:
			c.serialize = codec.SerializeRocketMQ
		case 2:
			all = append(all, c.frame(codec.CodeGetRouteInfoByTopic, nil, "__ZONE_MODE", "true", "__ZONE_NAME", "z", "topic", topic)...)
			continue
		case 3:
			all = append(all, c.frame(codec.CodeGetRouteInfoByTopic, []byte("body"), "topic", topic)...)
			continue
		case 4:
			all = append(all, c.frame(codec.CodeGetBrokerClusterInfo, nil)...)
			continue
		case 5:
			all = append(all, c.frame(codec.CodeGetRouteInfoByTopic, nil)...)
			continue
		case 6:
			h := codec.Header{Code: codec.CodeGetRouteInfoByTopic, Version: c.version, Flag: int32(r.IntN(4)), Opaque: 77, Ext: []codec.ExtField{{Key: "topic", Value: topic}}}
			all = append(all, codec.AppendCommand(all[len(all):], codec.SerializeJSON, &h, nil)...)
			continue
		}
		all = append(all, c.frame(codec.CodeGetRouteInfoByTopic, nil, "acceptStandardJsonOnly", "true", "topic", topic)...)
	}
	return all
}

// A run answers, counts and bounds what it serves as the handler does that serves one
// request at a time, however the requests come in and whatever is set.
func TestLookupRunsAnswerAsTheHandler(t *testing.T) {
	settings := map[string]func(*config.Settings, *config.Live){
		"defaults": nil,
		"joined":   nil, // bodies: none is kept
		"acting":   func(_ *config.Settings, l *config.Live) { l.SupportActingMaster = true },
		"order":    func(_ *config.Settings, l *config.Live) { l.OrderMessageEnable = true },
		"waiting":  func(_ *config.Settings, l *config.Live) { l.NeedWaitForService, l.WaitSecondsForService = true, 1000 },
	}
	for name, change := range settings {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				r := rand.New(rand.NewPCG(seed, 2))
				with, without := newRig(t, change), newRig(t, change)
				without.loop.run.slot = -1
				if name == "joined" {
					with.handlers.table = routetable.New(routetable.Options{BodyBytesMax: -1})
				}
				with.o.batchFrames = 1 + r.IntN(50)
				without.o.batchFrames = with.o.batchFrames
				a, b := with.dial(), without.dial()
				for _, one := range lookupBrokers() {
					a.mustRegister(one)
					b.mustRegister(one)
				}
				input := lookupMix(r, with.dial(), 300)
				for rest := input; len(rest) > 0; {
					n := min(len(rest), 1+r.IntN(1+r.IntN(20_000)))
					for _, one := range []*client{a, b} {
						one.in = append(one.in, rest[:n]...)
						one.r.loop.traffic(one.conn)
					}
					rest = rest[n:]
				}
				for _, rig := range []*rig{with, without} {
					for len(rig.loop.again) > 0 {
						rig.loop.pumpNow()
					}
					rig.settle()
				}
				if !bytes.Equal(a.out, b.out) || len(a.in)+len(b.in) > 0 {
					t.Fatalf("seed %d: %d and %d bytes of answers differ", seed, len(a.out), len(b.out))
				}
				if name == "defaults" && with.loop.run.n == 0 && seed == 0 {
					t.Error("there was no run")
				}
				sameCounts(t, with.loop.stats, without.loop.stats)
			}
		})
	}
}

func sameCounts(t *testing.T, a, b *LoopStats) {
	t.Helper()
	for i := range a.Requests {
		if a.Requests[i].Results != b.Requests[i].Results || a.Requests[i].LatencyCount != b.Requests[i].LatencyCount {
			t.Errorf("slot %d: %v, %d timed; one by one: %v, %d timed", i, a.Requests[i].Results, a.Requests[i].LatencyCount, b.Requests[i].Results, b.Requests[i].LatencyCount)
		}
	}
	if a.FramesIn != b.FramesIn || a.BytesIn != b.BytesIn || a.BytesOut != b.BytesOut {
		t.Errorf("frames %d, bytes %d in, %d out; one by one %d, %d, %d", a.FramesIn, a.BytesIn, a.BytesOut, b.FramesIn, b.BytesIn, b.BytesOut)
	}
}

// Runs allocate nothing, with known topics and with unknown ones, with bodies that are kept and
// with those that are joined.
func TestLookupRunsAllocateNothing(t *testing.T) {
	lookupRunsAllocateNothing(t, routetable.Options{})
	lookupRunsAllocateNothing(t, routetable.Options{BodyBytesMax: -1})
}

func lookupRunsAllocateNothing(t *testing.T, o routetable.Options) {
	t.Helper()
	r := newRig(t, nil)
	r.handlers.table = routetable.New(o)
	c := r.dial()
	c.mustRegister(newBroker("broker-a", 0, "TopicTest", "T2"))
	var frames []byte
	for i := range 40 {
		frames = append(frames, c.frame(codec.CodeGetRouteInfoByTopic, nil, "topic", [...]string{"TopicTest", fmt.Sprint("absent", i)}[i%2])...)
	}
	if n := testing.AllocsPerRun(200, func() { c.serve(frames) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(c.out) < 40*100 {
		t.Errorf("%d bytes of answers", len(c.out))
	}
}

// Goal: what a run was answered from is not kept for longer than a tick: the next run may be
// shorter, or come hours later, and a snapshot can be most of the memory.
func TestLookupRunsKeepNoSnapshot(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.mustRegister(newBroker("broker-a", 0, "T0", "T1"))
	c.serve(lookupMix(rand.New(rand.NewPCG(1, 1)), c, 1)) // the predictor learns
	var all []byte
	for range 16 {
		all = append(all, c.frame(codec.CodeGetRouteInfoByTopic, nil, "acceptStandardJsonOnly", "true", "topic", "T0")...)
	}
	c.serve(all)
	c.serve(all)
	if r.loop.run.n < 2 {
		t.Fatal("there was no run")
	}
	old := weak.Make(r.Snapshot())
	c.mustRegister(newBroker("broker-b", 1, "T0", "T1"))
	r.loop.tick()
	eventually(t, "the snapshot is collected", func() bool {
		runtime.GC()
		return old.Value() == nil
	})
}
