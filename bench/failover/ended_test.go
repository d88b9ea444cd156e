package failover

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/internal/testkit/process"
)

// TestEndedItself: what a client's program that did not live to the end says of it.
func TestEndedItself(t *testing.T) {
	f := func(script, why, other string) {
		t.Helper()
		out, stdout, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", script)
		cmd.Stdout = stdout
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		c := &child{in: in, read: make(chan struct{})}
		begin := time.Now()
		c.Process, err = process.Start(cmd, process.Options{Name: "go-2.1.2", Log: filepath.Join(t.TempDir(), "errors")})
		stdout.Close()
		if err != nil {
			t.Fatal(err)
		}
		go c.follow(out)
		lines, err := c.end()
		var ended *endedError
		switch isEnded := errors.As(err, &ended); {
		case why != "":
			if !isEnded || ended.why != why || ended.at.Before(begin) || ended.at.After(time.Now()) {
				t.Errorf("%s: %v, want %q", script, err, why)
			}
		case other != "":
			if isEnded || err == nil || !strings.Contains(err.Error(), other) {
				t.Errorf("%s: %v, want %q", script, err, other)
			}
		case err != nil || len(lines) != 2:
			t.Errorf("%s: %v, %v", script, lines, err)
		}
	}
	const ready, over = `echo '{"at":1,"ready":true}';`, `echo '{"at":2,"ended":true,"count":{}}';`
	f(ready+over, "", "")
	f(ready+over+`echo 'panic: too late' >&2; exit 2`, "", "")
	f(ready+`printf '{"at":2,"ca'; echo 'a warning' >&2; echo 'panic: makeslice' >&2; echo 'goroutine 7 [running]:' >&2; exit 2`, "panic: makeslice", "")
	f(ready+`read x; echo 'fatal error: all asleep' >&2; exit 2`, "fatal error: all asleep", "") // while it is told to end
	f(ready+`echo 'no such file' >&2; exit 1`, "", "did not end as it should")
	f(ready+`echo 'panic: not so' >&2; exit 0`, "", "did not end as it should")
	f(ready+`echo 'panic: of another' >&2; kill -9 $$`, "", "did not end as it should")
}

func TestEndedBecause(t *testing.T) {
	f := func(want string, r Record) {
		t.Helper()
		r.Client = "go-2.1.2"
		if got := r.endedBecause(); got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
		if r.Counts() != (want != "") {
			t.Errorf("%+v: it counts: %v", r, r.Counts())
		}
	}
	f("panic: a", Record{Ended: "panic: a"})
	f("panic: b", Record{Error: "go-2.1.2 did not end as it should:\n    panic: b\n    \n    goroutine 1"})
	f("", Record{Error: "go-2.1.2 did not end as it should:\n    (no log)"})
	f("", Record{Error: "afterwards: broker-a ended by itself:\n    panic: c"})
}
