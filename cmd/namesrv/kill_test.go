package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// startServer runs namesrv with a home and waits until it listens.
func startServer(t *testing.T, home string) (cmd *exec.Cmd, addr string) {
	t.Helper()
	conf := filepath.Join(home, "ns.conf")
	if err := os.WriteFile(conf, []byte("listenPort=0\nadminListen=\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(home, "stdout")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd = exec.Command("namesrv", "-c", conf)
	cmd.Env = append(os.Environ(), "JAVA_OPT=-Duser.home="+home)
	cmd.Stdout, cmd.Stderr = f, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(out)
		if m := bootLine.FindSubmatch(text); m != nil {
			return cmd, "127.0.0.1:" + string(m[1])
		}
	}
	_ = cmd.Process.Kill()
	t.Fatal("no boot line")
	return nil, ""
}

// putUntilKilled counts up under a key and returns the last value that was answered with 0.
func putUntilKilled(t *testing.T, addr, key string, from int, acked *atomic.Int64) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := testkit.Dial(ctx, addr, testkit.ClientOptions{})
	if err != nil {
		t.Error(err)
		return from
	}
	defer c.Close()
	for i := from + 1; ; i++ {
		m, err := c.Call(ctx, codec.CodePutKVConfig, testkit.Ext("namespace", "ns", "key", key, "value", strconv.Itoa(i)), nil)
		if err != nil {
			if !errors.Is(err, testkit.ErrClosed) {
				t.Logf("the call ended with %v", err)
			}
			return i - 1
		}
		if m.Code != codec.Success {
			t.Errorf("put %s=%d: code %d, %s", key, i, m.Code, m.Remark)
			return i - 1
		}
		acked.Add(1)
	}
}

// A server that is killed in the middle of many writers' puts has every value that it
// answered for, and a file that can be read.
func TestKillDuringPuts(t *testing.T) {
	const writers, rounds = 4, 5
	home := t.TempDir()
	last := make([]int, writers)
	for round := range rounds {
		cmd, addr := startServer(t, home)
		checkPuts(t, addr, last, round)
		var acked atomic.Int64
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() { last[w] = putUntilKilled(t, addr, fmt.Sprint("k", w), last[w], &acked) })
		}
		for deadline := time.Now().Add(patience); acked.Load() < int64(10+7*round) && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		_ = cmd.Wait()
		if acked.Load() == 0 {
			t.Fatal("nothing was put")
		}
	}
	cmd, addr := startServer(t, home)
	checkPuts(t, addr, last, rounds)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// checkPuts: each key has the last value that was answered for, or one put later that was
// under way.
func checkPuts(t *testing.T, addr string, last []int, round int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := testkit.Dial(ctx, addr, testkit.ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for w, want := range last {
		m, err := c.Call(ctx, codec.CodeGetKVConfig, testkit.Ext("namespace", "ns", "key", fmt.Sprint("k", w)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want == 0 && m.Code == codec.QueryNotFound {
			continue
		}
		got, err := strconv.Atoi(m.Ext["value"])
		if m.Code != codec.Success || err != nil || got < want || got > want+1 {
			t.Errorf("after kill %d: k%d is %q (code %d), and %d was answered for", round, w, m.Ext["value"], m.Code, want)
		}
		last[w] = max(got, want)
	}
}
