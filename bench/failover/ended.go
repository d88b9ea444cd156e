package failover

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// endedError: a client's program ended by itself while it was under load. What it could not
// survive is a result.
type endedError struct {
	name, why string
	at        time.Time
}

func (e *endedError) Error() string { return fmt.Sprintf("the program of %s ended: %s", e.name, e.why) }

// lastWords are how a program's last words begin. One that ends with none of them is not known to
// have ended because of what happened to it.
var lastWords = []string{"panic: ", "fatal error: ", `Exception in thread "main"`}

// findLastWords is the line with which a program's end begins; "" if there is none.
func findLastWords(log io.Reader) string {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		for _, words := range lastWords {
			if strings.HasPrefix(line, words) {
				return line[:min(len(line), errorBytesMax)]
			}
		}
	}
	return ""
}

// killed is the exit code of a program that somebody else ended (kill -9, or the kernel for want of
// memory).
const killed = 128 + 9

// endedItself says why a program ended that nobody ended; nil: it did not, or did not tell.
func (c *child) endedItself() error {
	select {
	case <-c.Ended():
	case <-time.After(5 * time.Second): // it closed its output, and lives
		return nil
	}
	if code := c.ExitCode(); code == 0 || code == killed {
		return nil
	}
	log, err := os.Open(c.LogPath)
	if err != nil {
		return nil
	}
	defer log.Close()
	why := findLastWords(log)
	if why == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &endedError{c.Name, why, c.gone}
}

// didNotEnd begins the error of a run whose client did not end as it should.
func didNotEnd(client string) string { return client + " did not end as it should:\n" }

// endedBecause is why the client's program ended; "" if it did not. Records were once written
// in which only the error tells it.
func (r *Record) endedBecause() string {
	if r.Ended != "" {
		return r.Ended
	}
	if log, found := strings.CutPrefix(r.Error, didNotEnd(r.Client)); found {
		return findLastWords(strings.NewReader(log))
	}
	return ""
}
