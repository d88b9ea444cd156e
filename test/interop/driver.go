package interop

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Driver is a Java client program of ours (java/src/client/Driver.java) that does what it
// is told over its standard input.
type Driver struct {
	*Proc
	in io.WriteCloser

	mu      sync.Mutex
	lastID  int
	waiting map[string]chan string
}

// Answer is what a driver said: key=value.
type Answer map[string]string

// Int is a number of the answer; it fails the test when there is none.
func (a Answer) Int(tb testing.TB, key string) int {
	tb.Helper()
	n, err := strconv.Atoi(a[key])
	if err != nil {
		tb.Fatalf("driver's answer %v: %s is not a number", a, key)
	}
	return n
}

// StartDriver starts a driver on a client release.
func StartDriver(tb testing.TB, version string) *Driver {
	tb.Helper()
	home := tb.TempDir()
	spec := ResolveJava(tb, version).command(tb, jvm{
		Name: "client-" + version, HeapMB: 256, Home: home,
		Props: []string{"rocketmq.client.logRoot=" + home, "rocketmq.client.logUseSlf4j=false"},
		Class: "Driver",
	})
	return startDriver(tb, spec)
}

func startDriver(tb testing.TB, spec procSpec) *Driver {
	tb.Helper()
	p, in, out := startTalker(tb, spec)
	d := &Driver{Proc: p, in: in, waiting: map[string]chan string{}}
	go d.read(out)
	return d
}

func (d *Driver) read(out io.ReadCloser) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	defer out.Close()
	for lines.Scan() {
		id, answer, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "@"), " ")
		if !ok {
			continue
		}
		d.mu.Lock()
		c := d.waiting[id]
		delete(d.waiting, id)
		d.mu.Unlock()
		if c != nil {
			c <- answer
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.waiting {
		c <- "err the driver ended"
	}
	d.waiting = nil
}

// Try sends one line and waits for its answer.
func (d *Driver) Try(timeout time.Duration, verb string, args ...string) (Answer, error) {
	c := make(chan string, 1)
	d.mu.Lock()
	if d.waiting == nil {
		d.mu.Unlock()
		return nil, fmt.Errorf("%s %s: the driver ended", d.Name, verb)
	}
	d.lastID++
	id := strconv.Itoa(d.lastID)
	d.waiting[id] = c
	d.mu.Unlock()
	line := strings.Join(append([]string{id, verb}, args...), " ") + "\n"
	if _, err := io.WriteString(d.in, line); err != nil {
		return nil, fmt.Errorf("%s %s: %w", d.Name, verb, err)
	}
	select {
	case text := <-c:
		return parseAnswer(text)
	case <-time.After(timeout):
		return nil, fmt.Errorf("%s: no answer to %s %v within %v, log %s", d.Name, verb, args, timeout, d.LogPath)
	}
}

// Do is Try for what must work.
func (d *Driver) Do(tb testing.TB, verb string, args ...string) Answer {
	tb.Helper()
	a, err := d.Try(2*time.Minute, verb, args...)
	if err != nil {
		tb.Fatalf("%s %s %s: %v", d.Name, verb, strings.Join(args, " "), err)
	}
	return a
}

func parseAnswer(text string) (Answer, error) {
	verdict, rest, _ := strings.Cut(text, " ")
	if verdict != "ok" {
		return nil, fmt.Errorf("%s", rest)
	}
	a := Answer{}
	for _, word := range strings.Fields(rest) {
		k, v, _ := strings.Cut(word, "=")
		a[k] = v
	}
	return a, nil
}
