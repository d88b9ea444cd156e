package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pharosmq/pharos/internal/config"
)

// gate is a writer that is stuck until it is opened.
type gate struct {
	open chan struct{}
	mu   sync.Mutex
	b    bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func (g *gate) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

func TestAsyncWriterNeverBlocks(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	w := newAsyncWriter(g, nil)
	line := strings.Repeat("x", 1<<20) + "\n"
	const lines = 20 // of which 8 MiB fit
	for range lines {
		if n, err := io.WriteString(w, line); n != len(line) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if waiting := w.waiting.Load(); waiting > asyncBytesMax {
		t.Errorf("%d bytes wait, the bound is %d", waiting, asyncBytesMax)
	}
	close(g.open)
	w.Close(patience)
	kept := strings.Count(g.String(), line)
	if kept < 7 || kept > 8 || !strings.Contains(g.String(), "13 lines were lost here") && !strings.Contains(g.String(), "12 lines were lost here") {
		t.Errorf("%d lines were written and no word about the %d others", kept, lines-kept)
	}
	if w.waiting.Load() != 0 {
		t.Errorf("%d bytes still wait", w.waiting.Load())
	}
}

func TestAsyncWriterCloseGivesUp(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	defer close(g.open)
	w := newAsyncWriter(g, nil)
	_, _ = io.WriteString(w, "x")
	begin := time.Now()
	w.Close(50 * time.Millisecond)
	if took := time.Since(begin); took > patience/2 {
		t.Errorf("Close took %v", took)
	}
	_, _ = io.WriteString(w, "late") // goes nowhere, and is no panic
}

func TestLogRotates(t *testing.T) {
	dir := t.TempDir()
	s := config.DefaultSettings(dir)
	s.LogFileBytesMax, s.LogFilesMax = 1<<20, 2
	l := openLogs(config.New(s, config.DefaultLive()), io.Discard, false)
	for range 5 << 10 {
		l.Info(strings.Repeat("x", 1000))
	}
	l.close()
	deadline := time.Now().Add(patience) // old files are compressed and removed behind our back
	for {
		logs, _ := filepath.Glob(filepath.Join(s.LogDir, "namesrv*.log"))
		old, _ := filepath.Glob(filepath.Join(s.LogDir, "namesrv-*.log.gz"))
		if len(old) == 2 && len(logs) == 2 { // namesrv.log and the empty namesrv_crash.log
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("logs %q, rotated %q", logs, old)
		}
		time.Sleep(10 * time.Millisecond)
	}
	fi, err := os.Stat(filepath.Join(s.LogDir, "namesrv.log"))
	if err != nil || fi.Size() > 1<<20 || fi.Mode().Perm()&0o044 == 0 {
		t.Errorf("namesrv.log: %v, %v", fi, err)
	}
}
