package interop

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// Mqadmin is one JVM that runs mqadmin commands one after the other (Mqadmin.java).
type Mqadmin struct {
	*Proc
	in  io.WriteCloser
	out *bufio.Reader
}

// mqadminTimeout bounds one command; the longest wait on their own timeouts of 3 to 15 s.
const mqadminTimeout = time.Minute

// StartMqadmin starts the admin tools of a release.
func StartMqadmin(tb testing.TB, version string) *Mqadmin {
	tb.Helper()
	home := tb.TempDir()
	spec := ResolveJava(tb, version).command(tb, jvm{
		Name: "mqadmin-" + version, HeapMB: 256, Home: home, ShortLived: true,
		Class: "Mqadmin",
		Env:   []string{"ROCKETMQ_HOME=" + home},
	})
	p, in, out := startTalker(tb, spec)
	return &Mqadmin{Proc: p, in: in, out: bufio.NewReaderSize(out, 1<<20)}
}

// Run runs a command against the name servers addrs and returns what it printed to standard
// output and standard error.
func (m *Mqadmin) Run(tb testing.TB, addrs string, args ...string) (stdout, stderr string) {
	tb.Helper()
	words := append(append([]string{}, args...), "-n", addrs)
	for i, w := range words {
		words[i] = base64.StdEncoding.EncodeToString([]byte(w))
	}
	if _, err := io.WriteString(m.in, strings.Join(words, " ")+"\n"); err != nil {
		tb.Fatalf("mqadmin %v: %v", args, err)
	}
	type result struct {
		line string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		line, err := m.out.ReadString('\n')
		got <- result{line, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			tb.Fatalf("mqadmin %v: its JVM ended (code %d): %v", args, m.ExitCode(), r.err)
		}
		out, err := decodeOutputs(r.line)
		if err != nil {
			tb.Fatalf("mqadmin %v: %v", args, err)
		}
		return out[0], out[1]
	case <-time.After(mqadminTimeout):
		tb.Fatalf("mqadmin %v: no end after %v, log %s", args, mqadminTimeout, m.LogPath)
		return "", ""
	}
}

func decodeOutputs(line string) ([2]string, error) {
	var out [2]string
	words := strings.Fields(strings.TrimPrefix(line, "@"))
	if len(words) != len(out) {
		return out, fmt.Errorf("unexpected answer %q", line)
	}
	for i, w := range words {
		if w == "-" {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(w)
		if err != nil {
			return out, fmt.Errorf("unexpected answer %q: %w", line, err)
		}
		out[i] = string(text)
	}
	return out, nil
}

// startTalker starts a process that is spoken to over its standard input and output.
func startTalker(tb testing.TB, spec procSpec) (*Proc, io.WriteCloser, io.ReadCloser) {
	tb.Helper()
	stdin, in, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, stdout, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	spec.Stdin, spec.Stdout = stdin, stdout
	p := startProc(tb, spec)
	stdin.Close() // the child has its own; out ends when the child does
	stdout.Close()
	tb.Cleanup(func() { in.Close() })
	return p, in, out
}
