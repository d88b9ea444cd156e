package server

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Goal: no burst of connections ends the event engine, however few descriptors there are and
// however busy the loop is. Method: a process with 256 files, and peers that keep its one
// loop at work; ten times 300 connections that are made at once. Whoever was there is
// served in between, and new ones are when those are gone.
func TestBurstsOfConnections(t *testing.T) {
	ch := startChild(t)
	old := ch.dial()
	for range 4 {
		p := ch.dial()
		requests := bytes.Repeat(request(testEcho, 1, make([]byte, 1000)), 500)
		go func() {
			for {
				if _, err := p.Conn.Write(requests); err != nil {
					return
				}
			}
		}()
		go func() { _, _ = io.Copy(io.Discard, p.Conn) }()
	}
	for range 10 {
		var all sync.WaitGroup
		var mu sync.Mutex
		var open []net.Conn
		for range 300 {
			all.Go(func() {
				c, err := net.DialTimeout("tcp", ch.addr, 300*time.Millisecond)
				if err != nil {
					return // the kernel has no room in its queue
				}
				mu.Lock()
				open = append(open, c)
				mu.Unlock()
			})
		}
		all.Wait()
		if !old.served() {
			t.Fatalf("the old connection is not served any more\n%s", &ch.errs)
		}
		for _, c := range open {
			_ = c.Close()
		}
		eventually(t, "new ones are served again", func() bool { return ch.dial().served() })
	}
	if restarts := ch.stop(); restarts != 0 {
		t.Errorf("the engine was restarted %d times", restarts)
	}
}
