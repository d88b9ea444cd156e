package connwatch

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pharosmq/pharos/bpf/tcpinfo"
	"github.com/pharosmq/pharos/internal/testkit/netns"
)

// Goal: traces of a real kernel for the simulation's model of TCP, which is held to within
// 10 % of them (connhealth/internal/tcpsim). Method: a server and a peer in namespaces; the
// router between them drops everything; then the server sends, and its TCP_INFO is read
// every millisecond. With PHAROS_RECORD=1 the traces are written, else one is compared with
// what is there, loosely and three times at most: this machine may be busy.
func TestPrivilegedRecordTraces(t *testing.T) {
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: namespaces want root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	for _, tt := range []struct {
		name     string
		rtt, cap time.Duration
	}{
		{"rtt0_nocap", 0, 0},
		{"rtt0_cap1s", 0, time.Second},
		{"rtt50_cap1s", 50 * time.Millisecond, time.Second},
		{"rtt200_cap1s", 200 * time.Millisecond, time.Second},
	} {
		path := filepath.Join("..", "..", "connhealth", "internal", "tcpsim", "testdata", tt.name+".trace")
		switch {
		case os.Getenv("PHAROS_RECORD") != "":
			writeTrace(t, path, tt.rtt, tt.cap, recordTrace(t, tt.rtt, tt.cap))
		case tt.name == "rtt0_cap1s":
			err := errors.New("not tried")
			for try := 0; try < 3 && err != nil; try++ {
				err = likeTrace(t, path, recordTrace(t, tt.rtt, tt.cap))
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// likeTrace says in what way times are not those that were recorded.
func likeTrace(t *testing.T, path string, times []int64) error {
	t.Helper()
	recorded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(recorded), "retransmitted_ms")
	line := strings.Fields(list)
	for i, ms := range times[:4] {
		want, err := strconv.ParseFloat(line[i], 64)
		if err != nil {
			t.Fatal(path, err)
		}
		if got := float64(ms); got < want*0.6 || got > want*1.6+100 {
			return fmt.Errorf("retransmission %d after %v ms, recorded %v", i, got, want)
		}
	}
	return nil
}

// recordTrace returns when what a server sends into a dead path is sent again, milliseconds.
func recordTrace(t *testing.T, rtt, limit time.Duration) []int64 {
	t.Helper()
	newStar := func() (*netns.Star, error) { return netns.NewStar(1) }
	if rtt > 0 {
		newStar = func() (*netns.Star, error) { return netns.NewDelayedStar(1, rtt) }
	}
	star, err := newStar()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = star.Close() }()
	server, peer := pairIn(t, star)
	fd := someDescriptor(t, server)
	if limit > 0 {
		if err := tcpinfo.SetRTOMax(fd, limit); err != nil {
			t.Skip("NOT TESTED: this kernel (before 6.15) has no TCP_RTO_MAX_MS: ", err)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, server) }()
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	for range 20 { // requests and answers, so that the round trip is known
		for _, c := range []net.Conn{peer, server} {
			if _, err := c.Write(make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(rtt/2 + 5*time.Millisecond)
		}
	}
	time.Sleep(time.Second)
	if err := star.Fault("drop"); err != nil {
		t.Fatal(err)
	}
	return retransmissionTimes(t, server, fd, 8*time.Second)
}

// pairIn connects a peer to the server of a star.
func pairIn(t *testing.T, star *netns.Star) (server, peer net.Conn) {
	t.Helper()
	var l net.Listener
	err := star.Server.Do(func() (err error) {
		l, err = net.Listen("tcp4", star.ServerIP().String()+":0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = star.Peers[0].Do(func() (err error) { peer, err = net.Dial("tcp4", l.Addr().String()); return err })
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(); _ = peer.Close() })
	return server, peer
}

// retransmissionTimes sends 100 bytes and returns when they were sent again, in milliseconds.
func retransmissionTimes(t *testing.T, server net.Conn, fd int, watch time.Duration) (times []int64) {
	t.Helper()
	var info tcpinfo.Info
	if _, err := tcpinfo.Read(fd, &info); err != nil {
		t.Fatal(err)
	}
	seen := info.TotalRetrans
	began := time.Now()
	if _, err := server.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	for time.Since(began) < watch {
		if _, err := tcpinfo.Read(fd, &info); err != nil {
			t.Fatal(err)
		}
		for ; seen < info.TotalRetrans; seen++ {
			// The kernel's own age of the newest transmission is exacter than our look.
			times = append(times, time.Since(began).Milliseconds()-int64(info.LastDataSentMs))
		}
		time.Sleep(time.Millisecond)
	}
	if len(times) < 4 {
		t.Fatalf("sent again after %v ms only", times)
	}
	return times
}

func writeTrace(t *testing.T, path string, rtt, limit time.Duration, times []int64) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	version, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	text := fmt.Sprintf("# Linux %s; after 20 requests and answers a router drops everything, and the server sends 100 bytes.\n"+
		"# Written by internal/connwatch TestPrivilegedRecordTraces with PHAROS_RECORD=1.\n"+
		"rtt_ms %d\nrto_max_ms %d\nretransmitted_ms", version, rtt.Milliseconds(), limit.Milliseconds())
	for _, ms := range times {
		text += fmt.Sprint(" ", ms)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func someDescriptor(t *testing.T, c net.Conn) (fd int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(d uintptr) { fd = int(d) }); err != nil {
		t.Fatal(err)
	}
	return fd
}
