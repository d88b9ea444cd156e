package failover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
	"github.com/pharosmq/pharos/internal/testkit/netns"
)

// serverKinds are the name servers of a world.
var serverKinds = []string{"pharos", "java", "pharos"}

// brokerNames are the brokers of a world. The first is the star's server, behind the delay line.
var brokerNames = []string{"broker-a", "broker-b", "broker-c"}

// world is a cluster that lives through one run after another.
type world struct {
	o       *Options
	home    string
	star    *netns.Star
	client  *netns.NS // the host of the client under test
	servers []*server
	brokers []*broker
	settled bool // all that runs in it has been under load
}

// newWorld starts a cluster and waits until all name servers name all brokers. With a line the
// way to broker-a can be made slow.
func newWorld(ctx context.Context, o *Options, home string, line bool) (w *world, err error) {
	w = &world{o: o, home: home}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if err = os.RemoveAll(home); err != nil {
		return w, err
	}
	peers := len(brokerNames) - 1 + len(serverKinds) + 1
	if line {
		w.star, err = netns.NewDelayedStar(peers, 0)
	} else {
		w.star, err = netns.NewStar(peers)
	}
	if err != nil {
		return w, err
	}
	w.client = w.star.Peers[peers-1]
	if err := w.startServers(); err != nil {
		return w, err
	}
	if err := w.startBrokers(ctx); err != nil {
		return w, err
	}
	return w, w.awaitAll(ctx, bootWait)
}

func (w *world) startServers() error {
	for i, kind := range serverKinds {
		peer := len(brokerNames) - 1 + i
		s, err := w.newServer(kind, i, w.star.Peers[peer], w.star.PeerIP(peer).String())
		if err != nil {
			return err
		}
		w.servers = append(w.servers, s)
		if err := s.start(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) startBrokers(ctx context.Context) error {
	var servers []string
	for _, s := range w.servers {
		servers = append(servers, s.addr())
	}
	for i, name := range brokerNames {
		ns, ip := w.star.Server, w.star.ServerIP()
		if i > 0 {
			ns, ip = w.star.Peers[i-1], w.star.PeerIP(i-1)
		}
		b, err := w.newBroker(name, ns, ip.String(), servers)
		if err != nil {
			return err
		}
		w.brokers = append(w.brokers, b)
		if err := w.startBroker(b); err != nil {
			return err
		}
	}
	for _, b := range w.brokers {
		if err := b.AwaitLog(ctx, "boot success", bootWait); err != nil {
			return err
		}
		if err := b.Await(ctx, bootWait, func() error { return w.createTopic(ctx, b) }); err != nil {
			return err
		}
	}
	return nil
}

// awaitAll waits until all is well: each name server names each broker, and each broker answers.
func (w *world) awaitAll(ctx context.Context, patience time.Duration) error {
	for _, s := range w.servers {
		if err := w.awaitRoute(ctx, s, patience); err != nil {
			return err
		}
	}
	for _, b := range w.brokers {
		if err := b.Await(ctx, patience, func() error { return w.createTopic(ctx, b) }); err != nil {
			return err
		}
	}
	return nil
}

// settleWait is how long servers and brokers that have just started are under load before
// anything counts: a cold JVM stands still for a second now and then.
const settleWait = 8 * time.Second

// settle waits while a client warms up what has just started.
func (w *world) settle(ctx context.Context) error {
	if w.settled {
		return nil
	}
	w.settled = true
	return sleep(ctx, settleWait)
}

// askTimeout bounds a question of ours to a healthy process.
const askTimeout = 3 * time.Second

// ask asks a name server or a broker from the client's host.
func (w *world) ask(ctx context.Context, addr string, code int32, ext []codec.ExtField) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var c *testkit.Client
	err := w.client.Do(func() (err error) {
		c, err = testkit.Dial(ctx, addr, testkit.ClientOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	m, err := c.Call(ctx, code, ext, nil)
	if err != nil {
		return nil, err
	}
	if m.Code != codec.Success {
		return nil, fmt.Errorf("%s answered %d %s", addr, m.Code, m.Remark)
	}
	return m.Body, nil
}

// ended says which process is gone that should not be.
func (w *world) ended() error {
	for _, s := range w.servers {
		if s.Exited() {
			return fmt.Errorf("%s ended by itself:\n%s", s.name, s.LogTail(15))
		}
	}
	for _, b := range w.brokers {
		if b.Exited() {
			return fmt.Errorf("%s ended by itself:\n%s", b.name, b.LogTail(15))
		}
	}
	return nil
}

// close ends all processes, gives up the namespaces and removes the brokers' messages.
func (w *world) close() {
	for _, s := range w.servers {
		s.stop()
	}
	for _, b := range w.brokers {
		if b.Process != nil {
			b.Kill()
		}
		_ = os.RemoveAll(b.home + "/store")
	}
	if w.star != nil {
		_ = w.star.Close()
	}
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return errors.New("interrupted")
	case <-time.After(d):
		return nil
	}
}
