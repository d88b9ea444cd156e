package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// flakyWay is a way to a name server that can be shut.
type flakyWay struct {
	shut             atomic.Bool
	refused, carried atomic.Int32
}

// open returns the address of the way to target.
func (w *flakyWay) open(t *testing.T, target string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c, target)
		}
	}()
	return l.Addr().String()
}

func (w *flakyWay) carry(c net.Conn, target string) {
	defer c.Close()
	if w.shut.Load() {
		w.refused.Add(1)
		return
	}
	far, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer far.Close()
	go func() {
		defer c.Close()
		io.Copy(c, far)
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := c.Read(buf)
		if err != nil || w.shut.Load() {
			return
		}
		w.carried.Add(1)
		if _, err := far.Write(buf[:n]); err != nil {
			return
		}
	}
}

// TestDemoStays: a name server that is away for a while does not end the demo broker.
func TestDemoStays(t *testing.T) {
	var w flakyWay
	addr := w.open(t, startServer(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, env{[]string{"-n", addr, "demo", "-period", "20ms"}, func(string) string { return "" }, &out, &errs})
	}()
	await := func(what string, enough func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !enough(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("after 20 s: " + what)
			}
		}
	}
	await("never registered", func() bool { return w.carried.Load() > 0 })
	w.shut.Store(true)
	await("not tried again", func() bool { return w.refused.Load() >= 2 })
	w.shut.Store(false)
	before := w.carried.Load()
	await("not registered again", func() bool { return w.carried.Load() > before+1 })
	cancel()
	if code := <-ended; code != exitOK || !strings.Contains(errs.String(), "not registered again") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}
