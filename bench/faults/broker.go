package faults

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// The timers of a 5.x broker and of its remoting client.
const (
	registerPeriod  = 30 * time.Second
	registerSecond  = 10 * time.Second // the first periodic registration; one more is at the start
	registerTimeout = 24 * time.Second
	askPeriod       = 5 * time.Second
	askTimeout      = 3 * time.Second
	scanPeriod      = 3 * time.Second
	connectTimeout  = 3 * time.Second
)

// routeTopic is the topic that all brokers have and the observer asks for.
const routeTopic = "TopicTest"

// BrokerOptions is who a fake broker is.
type BrokerOptions struct {
	Name    string
	Listen  string   // ip:port: what it registers and where it listens
	Servers []string // name servers
	Topics  int      // besides those that all have: the size of its registration
	// Client: no broker but a client on the same host, which asks for a route every 30 s.
	Client bool
}

// fakeBroker behaves towards name servers as a 5.x broker does: it registers with all of them,
// asks one of them for the cluster every 5 s, closes a connection whose answer is late, and
// reconnects to those that it lost every 3 s.
type fakeBroker struct {
	o      BrokerOptions
	links  []*link
	chosen int // the link that is asked (Java: namesrvAddrChoosed)
	outMu  sync.Mutex
	out    io.Writer
}

// RunBroker is a fake broker until in ends. It prints events to out, one a line:
// "connected SERVER LOCALPORT", "registered SERVER", "lost SERVER", "late SERVER CODE". It obeys
// lines of in: "ask" asks for the cluster now, after an event "asks"; "abort" ends it with its connections reset, "stall"
// lets it ask on and on without reading an answer.
func RunBroker(ctx context.Context, o BrokerOptions, in io.Reader, out io.Writer) error {
	b := &fakeBroker{o: o, out: out}
	for i, addr := range o.Servers {
		b.links = append(b.links, newLink(b, i, addr))
	}
	if !o.Client {
		l, err := net.Listen("tcp", o.Listen)
		if err != nil {
			return fmt.Errorf("a broker listens on its address: %w", err)
		}
		defer l.Close()
		go acceptAll(l)
	}
	timed, cancel := context.WithCancel(ctx)
	defer cancel()
	go b.every(timed, scanPeriod, 0, b.scan)
	if o.Client {
		go b.every(timed, registerPeriod, 0, b.lookUp)
	} else {
		go b.registering(timed)
		go b.every(timed, askPeriod, askPeriod, b.ask)
	}
	return b.obey(ctx, in, cancel)
}

// acceptAll holds connections open until their peers end them, as a broker's listener does.
func acceptAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(io.Discard, c) // until it ends
			_ = c.Close()
		}()
	}
}

// every calls f after first and then every period, one call at a time, as Java's
// scheduleAtFixedRate on a single thread: a call that takes longer delays the next.
func (b *fakeBroker) every(ctx context.Context, period, first time.Duration, f func(context.Context)) {
	next := time.Now().Add(first)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
		}
		f(ctx)
		next = next.Add(period)
	}
}

func (b *fakeBroker) registering(ctx context.Context) {
	b.register(ctx)
	b.every(ctx, registerPeriod, registerSecond, b.register)
}

// register sends 103 to every name server, each on its own, and returns at once if one is slow.
func (b *fakeBroker) register(ctx context.Context) {
	for _, l := range b.links {
		go l.register(ctx)
	}
}

func (b *fakeBroker) scan(context.Context) {
	for _, l := range b.links {
		go l.connected()
	}
}

// ask asks the chosen name server for the cluster (106), the next one if it is not connected.
func (b *fakeBroker) ask(ctx context.Context) {
	for range b.links {
		l := b.links[b.chosen%len(b.links)]
		if c := l.connected(); c != nil {
			l.call(ctx, c, codec.CodeGetBrokerClusterInfo, askTimeout, nil, nil)
			return
		}
		b.chosen++
	}
}

func (b *fakeBroker) lookUp(ctx context.Context) {
	l := b.links[0]
	if c := l.connected(); c != nil {
		l.call(ctx, c, codec.CodeGetRouteInfoByTopic, askTimeout, testkit.Ext("topic", routeTopic), nil)
	}
}

func (b *fakeBroker) obey(ctx context.Context, in io.Reader, stopTimers func()) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		switch word := strings.TrimSpace(lines.Text()); word {
		case "ask":
			go func() {
				b.tell("asks")
				b.ask(ctx)
			}()
		case "stall":
			stopTimers()
			go func() { b.tell("stall ended: %v", b.links[0].stall(ctx)) }()
		case "abort":
			for _, l := range b.links {
				l.lingerNot()
			}
			os.Exit(0) // the kernel closes the connections
		default:
			return fmt.Errorf("no such order: %q", word)
		}
	}
	return lines.Err()
}

func (b *fakeBroker) tell(format string, args ...any) {
	b.outMu.Lock()
	defer b.outMu.Unlock()
	fmt.Fprintf(b.out, "%d %s\n", time.Now().UnixNano(), fmt.Sprintf(format, args...))
}
