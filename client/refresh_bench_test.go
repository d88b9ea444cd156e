package client

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// BenchmarkThousandTopics is what keeping 1,000 topics fresh costs, all of it: timers, Resolver,
// a loopback connection, the kernel. The name server is another process. The topics are
// refreshed ten times as often as by default, so that it takes seconds; as many go out
// together as do by default. At most 0.1 % of a core is wanted, which is 30 us a refresh.
func BenchmarkThousandTopics(b *testing.B) {
	const topics, period = 1000, 3 * time.Second
	r, err := NewResolver(ResolverOptions{Servers: []string{canned(b)}})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	c := NewRoutes(r, RoutesOptions{Refresh: period})
	defer c.Close()
	for i := range topics {
		if _, err := c.Fetch(b.Context(), fmt.Sprint("T", i)); err != nil {
			b.Fatal(err)
		}
		time.Sleep(period / topics)
	}
	time.Sleep(period)
	b.ResetTimer()
	before := cpuTime(b)
	for range b.N {
		time.Sleep(period)
	}
	each := float64(cpuTime(b)-before) / float64(b.N*topics)
	b.ReportMetric(each, "cpu-ns/refresh")
	b.ReportMetric(each*topics/float64(30*time.Second)*100, "%core/1000topics")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// envCanned makes this test binary a name server that gives every question the same route.
const envCanned = "PHAROS_CLIENT_BENCH_SERVER"

// canned starts such a name server, as a process of its own, and returns its address.
func canned(b *testing.B) string {
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envCanned+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // it ends with this
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(addr)
}

// serveCanned is the other process: until its standard input ends.
func serveCanned() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "listen:", err)
		os.Exit(1)
	}
	fmt.Println(ln.Addr())
	body := typicalRoute()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go answerCanned(conn, body)
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}

func answerCanned(conn net.Conn, body []byte) {
	defer conn.Close()
	in, lim, cmd := bufio.NewReader(conn), codec.DefaultLimits(), codec.Command{}
	frame, out := make([]byte, 4096), []byte(nil)
	for {
		if _, err := io.ReadFull(in, frame[:4]); err != nil {
			return
		}
		n := 4 + int(binary.BigEndian.Uint32(frame))
		if n > len(frame) {
			return
		}
		if _, err := io.ReadFull(in, frame[4:n]); err != nil || cmd.Decode(frame[:n], &lim) != nil {
			return
		}
		h := codec.Header{Opaque: cmd.Opaque, Flag: codec.FlagResponse, Version: codec.Version5_5_0}
		out = codec.AppendCommand(out[:0], codec.SerializeJSON, &h, body)
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}
