package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"golang.org/x/sys/unix"
)

// childIsolated is the mode of the test binary in which it is a whole name server on one
// processor.
const childIsolated = "isolated"

// measureEnv makes TestLookupsBesideRegistrations hold the target: for a quiet machine.
const measureEnv = "PHAROS_MEASURE"

func runIsolated() int {
	if err := pinToOneProcessor(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, err := New(Options{BindAddress: "127.0.0.1", EventLoops: 1, Lanes: 1}, Deps{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	st := s.Stats(context.Background())
	fmt.Println(st.Loops.LongestNanos)
	if err := s.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// pinToOneProcessor leaves this process, the threads it has and will have, one processor.
func pinToOneProcessor() error {
	var allowed, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return err
	}
	for cpu := range 1024 {
		if allowed.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &one); err != nil {
			return err
		}
	}
	return nil
}

// bigRegistration is a REGISTER_BROKER frame of nearly the largest legal size.
func bigRegistration(counter int64) []byte {
	body := codec.RegisterBody{DataVersion: codec.DataVersion{Timestamp: 1, Counter: counter}}
	for i := range 73_000 {
		name := []byte(fmt.Sprintf("topic-with-a-name-of-usual-length-%06d", i))
		body.Topics = append(body.Topics, codec.TopicConfig{Name: name, Key: name, ReadQueueNums: 4 + int32(counter&1), WriteQueueNums: 4, Perm: 6})
	}
	h := codec.Header{Code: codec.CodeRegisterBroker, Opaque: int32(counter), Version: codec.Version5_5_0, Language: codec.LanguageJava,
		Ext: []codec.ExtField{{Key: "clusterName", Value: "c"}, {Key: "brokerName", Value: "big"}, {Key: "brokerAddr", Value: "10.0.0.1:10911"}, {Key: "brokerId", Value: "0"}}}
	return codec.AppendCommand(nil, codec.SerializeJSON, &h, codec.AppendRegisterBody(nil, &body, codec.Version5_5_0))
}

func lookup(topic string) []byte {
	h := codec.Header{Code: codec.CodeGetRouteInfoByTopic, Version: codec.Version5_5_0, Language: codec.LanguageJava,
		Ext: []codec.ExtField{{Key: "topic", Value: topic}}}
	return codec.AppendCommand(nil, codec.SerializeJSON, &h, nil)
}

// latencies sends a lookup every 2 ms for d, whether those before are answered or not,
// and returns how long the answers took, sorted.
func latencies(t *testing.T, p *peer, d time.Duration) []time.Duration {
	t.Helper()
	const every = 2 * time.Millisecond
	question := lookup("topic-with-a-name-of-usual-length-000007")
	sent := make(chan time.Time, d/every+1)
	go func() {
		defer close(sent)
		start := time.Now()
		for due := time.Duration(0); due < d; due += every {
			time.Sleep(due - time.Since(start))
			sent <- time.Now()
			if _, err := p.Write(question); err != nil {
				return
			}
		}
	}()
	var all []time.Duration
	for at := range sent {
		if a := p.answer(); a.Code != codec.Success {
			t.Fatalf("a lookup was answered with code %d", a.Code)
		}
		all = append(all, time.Since(at))
	}
	slices.Sort(all)
	return all
}

// Goal: a lookup does not wait for a registration, even on one processor. Method: a name
// server pinned to one; lookups on one connection, 500 a second whether answered or not;
// registrations of 16 MB back to back on another, first unchanged, then changed each time.
func TestLookupsBesideRegistrations(t *testing.T) {
	ch := startChildMode(t, childIsolated)
	broker, client := ch.dial(), ch.dial()
	odd, even := bigRegistration(1), bigRegistration(2)
	if len(even) < 12<<20 || len(even) > 16<<20 {
		t.Fatalf("the registration has %d bytes", len(even))
	}
	var registered atomic.Int64
	register := func(frames [2][]byte, until *atomic.Bool, done chan error) {
		for i := 0; !until.Load(); i++ {
			if _, err := broker.Write(frames[i%2]); err != nil {
				done <- err
				return
			}
			frame, err := broker.tryFrame(60 * time.Second)
			if err != nil {
				done <- err
				return
			}
			if a := decode(t, frame); a.Code != codec.Success {
				done <- fmt.Errorf("registration answered with code %d %s", a.Code, a.Remark)
				return
			}
			registered.Add(1)
		}
		done <- nil
	}
	beside := func(frames [2][]byte) ([]time.Duration, int64) {
		var until atomic.Bool
		registered.Store(0)
		done := make(chan error, 1)
		go register(frames, &until, done)
		all := latencies(t, client, 3*time.Second)
		n := registered.Load()
		until.Store(true)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return all, n
	}
	broker.send(even)
	if a := broker.answer(); a.Code != codec.Success {
		t.Fatalf("the first registration: code %d %s", a.Code, a.Remark)
	}
	quiet := latencies(t, client, 2*time.Second)
	unchanged, nUnchanged := beside([2][]byte{even, even})
	changed, nChanged := beside([2][]byte{odd, even})
	longest := ch.stopLongest()
	for _, m := range []struct {
		name string
		n    int64
		all  []time.Duration
	}{{"quiet", 0, quiet}, {"unchanged", nUnchanged, unchanged}, {"changed", nChanged, changed}} {
		t.Logf("%-9s %3d registrations of %d MB: P50 %v P99 %v P99.9 %v max %v", m.name, m.n, len(even)>>20,
			percentile(m.all, 50), percentile(m.all, 99), percentile(m.all, 99.9), m.all[len(m.all)-1])
	}
	t.Logf("longest callback %v", longest)
	if nUnchanged == 0 || nChanged == 0 {
		t.Error("no registration came through")
	}
	if os.Getenv(measureEnv) == "" {
		return // no numbers from a machine that others use
	}
	for _, busy := range [][]time.Duration{unchanged, changed} {
		if over := percentile(busy, 99.9) - percentile(quiet, 99.9); over > 2*time.Millisecond {
			t.Errorf("P99.9 is %v above quiet, want at most 2ms", over)
		}
	}
}

func percentile(sorted []time.Duration, p float64) time.Duration {
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}

// stopLongest ends an isolated child and returns its longest callback.
func (ch *child) stopLongest() time.Duration { return time.Duration(ch.stop()) }
