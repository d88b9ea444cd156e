package failover

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/pharosmq/pharos/bench/failover/openloop"
	"github.com/pharosmq/pharos/internal/testkit/process"
)

const (
	readyWait = 90 * time.Second
	endWait   = 25 * time.Second
)

// child is a client under test and all that it printed.
type child struct {
	*process.Process
	in io.Closer

	read  chan struct{} // closed when all it printed was read
	mu    sync.Mutex
	lines []openloop.Line
	bad   error     // what it printed that is no line
	gone  time.Time // when it closed its output
}

// startChild starts a client on its host.
func (w *world) startChild(k *kind, l launch) (*child, error) {
	if err := os.MkdirAll(l.home, 0o755); err != nil {
		return nil, err
	}
	cmd := k.command(w.o, l)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, stdout, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = stdout
	c := &child{in: in, read: make(chan struct{})}
	c.Process, err = process.Start(cmd, process.Options{Name: k.name, Log: filepath.Join(l.home, "errors"), In: w.client})
	_ = stdout.Close() // the child has its own
	if err != nil {
		_ = out.Close()
		return nil, err
	}
	go c.follow(out)
	return c, nil
}

// follow reads lines until the child ends.
func (c *child) follow(out io.ReadCloser) {
	defer close(c.read)
	defer out.Close()
	defer func() {
		c.mu.Lock()
		c.gone = time.Now()
		c.mu.Unlock()
	}()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l openloop.Line
		err := json.Unmarshal(lines.Bytes(), &l)
		c.mu.Lock()
		if err != nil {
			c.bad = fmt.Errorf("%s printed %q: %w", c.Name, lines.Text(), err)
		} else {
			c.lines = append(c.lines, l)
		}
		c.mu.Unlock()
	}
}

// find returns the last line that is wanted.
func (c *child) find(wanted func(*openloop.Line) bool) *openloop.Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.lines) - 1; i >= 0; i-- {
		if wanted(&c.lines[i]) {
			l := c.lines[i]
			return &l
		}
	}
	return nil
}

// awaitReady waits until its load runs.
func (c *child) awaitReady(ctx context.Context) error {
	return c.Await(ctx, readyWait, func() error {
		if c.find(func(l *openloop.Line) bool { return l.Ready }) == nil {
			return errors.New("it is not ready")
		}
		return nil
	})
}

// inUse is the name server that it asks first; "" if it does not tell.
func (c *child) inUse() string {
	if l := c.find(func(l *openloop.Line) bool { return l.InUse != "" }); l != nil {
		return l.InUse
	}
	return ""
}

// end ends its load, waits for the calls under way, and returns all that it printed. The error is
// an *endedError if it ended by itself before that, and told why.
func (c *child) end() ([]openloop.Line, error) {
	_ = c.in.Close()
	var ended error
	select {
	case <-c.read:
		if !c.hasEnded() {
			ended = c.endedItself()
		}
	case <-time.After(endWait):
	}
	c.Kill()
	<-c.read
	c.mu.Lock()
	defer c.mu.Unlock()
	if ended != nil { // its last line may be cut off
		return nil, ended
	}
	if c.bad != nil {
		return nil, c.bad
	}
	if n := len(c.lines); n == 0 || !c.lines[n-1].Ended {
		return nil, errors.New(didNotEnd(c.Name) + c.LogTail(15))
	}
	return c.lines, nil
}

// hasEnded says whether all calls came back, or were given up: the last line says it.
func (c *child) hasEnded() bool {
	return c.find(func(l *openloop.Line) bool { return l.Ended }) != nil
}

// all is what it has printed so far.
func (c *child) all() []openloop.Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}
