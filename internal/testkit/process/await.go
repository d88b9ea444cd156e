package process

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// awaitPeriod is how often is looked whether it is so.
const awaitPeriod = 30 * time.Millisecond

// Await waits until ready says so. It is an error if the process ends before that, or if ready
// still says an error after the timeout.
func (p *Process) Await(ctx context.Context, timeout time.Duration, ready func() error) error {
	deadline := time.Now().Add(timeout)
	for {
		gone := p.Exited() // before the look: what it said before it ended counts
		err := ready()
		switch {
		case err == nil:
			return nil
		case gone:
			return fmt.Errorf("%s ended with code %d: %w\n%s", p.Name, p.ExitCode(), err, p.LogTail(15))
		case time.Now().After(deadline):
			return fmt.Errorf("%s: within %v: %w\n%s", p.Name, timeout, err, p.LogTail(15))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(awaitPeriod):
		}
	}
}

// AwaitLog waits until the log holds text.
func (p *Process) AwaitLog(ctx context.Context, text string, timeout time.Duration) error {
	return p.Await(ctx, timeout, func() error {
		log, err := os.ReadFile(p.LogPath)
		if err == nil && !bytes.Contains(log, []byte(text)) {
			err = fmt.Errorf("it did not say %q", text)
		}
		return err
	})
}

// AwaitListening waits until somebody accepts connections at addr, seen from where this program
// is.
func (p *Process) AwaitListening(ctx context.Context, addr string, timeout time.Duration) error {
	return p.Await(ctx, timeout, func() error {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
}

// LogTail is the last n lines of the log, for errors.
func (p *Process) LogTail(n int) string {
	if p.LogPath == "" {
		return "    (no log)"
	}
	text, err := os.ReadFile(p.LogPath)
	if err != nil {
		return fmt.Sprintf("    (%v)", err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-n):], "\n    ")
}
