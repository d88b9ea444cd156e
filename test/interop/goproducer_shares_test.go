package interop

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/client"
)

// slowConn delays what is read from a connection, without holding up what follows.
type slowConn struct {
	net.Conn
	in *io.PipeReader
}

func (c slowConn) Read(b []byte) (int, error) { return c.in.Read(b) }

type delayedBytes struct {
	due time.Time
	b   []byte
}

func slowed(conn net.Conn, delay *atomic.Int64) net.Conn {
	in, out := io.Pipe()
	queue := make(chan delayedBytes, 1<<14)
	go func() {
		defer close(queue)
		for {
			b := make([]byte, 32<<10)
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			queue <- delayedBytes{time.Now().Add(time.Duration(delay.Load())), b[:n]}
		}
	}()
	go func() {
		defer out.Close()
		for d := range queue {
			time.Sleep(time.Until(d.due))
			out.Write(d.b) // an error is the reader's end: the rest is read and dropped
		}
	}()
	return slowConn{conn, in}
}

// shareRun sends n messages from 16 goroutines; during runs when a quarter is sent. It returns
// what each queue got. Every send must succeed.
func shareRun(t *testing.T, what string, p *client.Producer, n int, during func()) map[client.MessageQueue]int {
	t.Helper()
	var mu sync.Mutex
	got := map[client.MessageQueue]int{}
	var sent, repeated atomic.Int64
	var longest time.Duration
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range n / 16 {
				begun := time.Now()
				res, err := p.Send(t.Context(), &client.Message{Topic: "Shares", Body: make([]byte, 100)})
				if err != nil {
					t.Errorf("%s: %v", what, err)
					return
				}
				mu.Lock()
				got[res.Queue]++
				longest = max(longest, time.Since(begun))
				mu.Unlock()
				repeated.Add(int64(res.Attempts - 1))
				if sent.Add(1) == int64(n/4) && during != nil {
					during()
				}
			}
		})
	}
	wg.Wait()
	Progress("Go producer, %s: %d sends, %d attempts repeated, the longest %v; brokers %v", what, n, repeated.Load(), longest, byBroker(got))
	return got
}

// quietRun is shareRun without an attempt that had to be repeated: on a busy machine a broker can
// be silent for the time of an attempt, and who then sends less to it is right.
func quietRun(t *testing.T, what string, p *client.Producer, n int) (got map[client.MessageQueue]int) {
	t.Helper()
	for range 5 {
		before := p.Stats().Retried
		if got = shareRun(t, what, p, n, nil); p.Stats().Retried == before {
			break
		}
	}
	return got
}

func byBroker(got map[client.MessageQueue]int) map[string]int {
	sum := map[string]int{}
	for q, n := range got {
		sum[q.BrokerName] += n
	}
	return sum
}

// TestGoProducerShares: on three real brokers round robin is even within 1 % over 100,000
// sends; a broker that gets 50 ms slower loses 80 % of its share to LeastInFlight, and has it
// again after; one that is frozen, thawed, killed costs no send.
func TestGoProducerShares(t *testing.T) {
	RequireFull(t)
	ns := StartNamesrv(t, Subject(t), NamesrvOptions{})
	names := []string{"broker-a", "broker-b", "broker-c"}
	brokers := map[string]*Broker{}
	for _, name := range names {
		brokers[name] = LaunchBroker(t, BrokerOptions{Name: name, Addrs: ns.Addr(), Conf: []string{"sendMessageThreadPoolNums=4"}})
	}
	ask := ns.Ask(t)
	for _, name := range names {
		ask.AwaitMembers(t, name, "0")
		brokers[name].CreateTopic(t, "Shares", 8)
	}
	ask.Await(t, "Shares is on all brokers", onGroups(t, "Shares", names...))
	victim := brokers["broker-b"]
	var delay atomic.Int64
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil || addr != victim.Addr() {
			return conn, err
		}
		return slowed(conn, &delay), nil
	}

	turns := goProducer(t, ns, client.ProducerOptions{Dial: dial})
	shareRun(t, "warm-up", turns, 4800, nil)
	for q, n := range quietRun(t, "round robin", turns, 100_000) {
		if share := 100_000 / 24; n < share*99/100 || n > share*101/100+1 {
			t.Errorf("round robin: %v got %d, its share is %d", q, n, share)
		}
	}
	least := goProducer(t, ns, client.ProducerOptions{Dial: dial, Selector: client.LeastInFlight{}})
	shareRun(t, "least in flight", least, 24_000, nil)
	delay.Store(int64(50 * time.Millisecond))
	if n := byBroker(quietRun(t, "least in flight, b 50 ms slower", least, 24_000))["broker-b"]; n > 8000/5 {
		t.Errorf("the slow broker got %d of its share of 8000", n)
	}
	delay.Store(0)
	if n := byBroker(quietRun(t, "least in flight, b as quick again", least, 24_000))["broker-b"]; n < 8000/2 {
		t.Errorf("the broker that is quick again got %d of its share of 8000", n)
	}
	shareRun(t, "b frozen", turns, 48_000, func() { victim.Freeze(t) })
	victim.Thaw(t)
	time.Sleep(5 * time.Second) // the longest pause between probes, and a bit
	if n := byBroker(quietRun(t, "b thawed", turns, 24_000))["broker-b"]; n < 8000*9/10 {
		t.Errorf("the thawed broker got %d of its share of 8000", n)
	}
	shareRun(t, "b killed", turns, 48_000, func() { victim.Signal(t, syscall.SIGKILL) })
}
