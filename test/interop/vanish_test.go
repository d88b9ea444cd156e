package interop

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
	"github.com/pharosmq/pharos/internal/testkit/netns"
)

// What a vanished broker may cost with Pharos. The client asks for routes every 30 s, and may
// wait for 3 s in a send that it began before.
const (
	vanishedWithin  = 20 * time.Second // from the routes; measured by nsbench faults, here only bounded
	clientPoll      = 30 * time.Second
	clientSlack     = 25 * time.Second
	javaRouteWithin = 130 * time.Second // the 120 s rule and its scan
	slowSend        = time.Second       // a send that was this slow went to the dead broker first
)

// far is a star of namespaces: a name server, two brokers, a host of a producer and one of an
// observer, joined by a router that can drop what goes to and from a broker.
type far struct {
	*netns.Star
	namesrv string
}

const (
	farBrokerA, farBrokerB, farProducer, farObserver = 0, 1, 2, 3

	farNamesrvPort, farBrokerPort = 9870, 10911
	farTopic                      = "Far"
)

// TestBrokerVanishes lets the host of one of two real brokers vanish while real producers
// send, and measures when the route is right, when the producers have noticed, and what they
// lost, with Pharos and beside it the Java name server.
func TestBrokerVanishes(t *testing.T) {
	RequireFull(t)
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: a host that vanishes is a network namespace, which needs root")
	}
	for _, kind := range []NamesrvKind{Pharos, JavaNamesrv} {
		sub(t, string(kind), func(t *testing.T) { brokerVanishes(t, kind) })
	}
}

func brokerVanishes(t *testing.T, kind NamesrvKind) {
	f := startFar(t, kind)
	senders := f.startSenders(t, 4)
	time.Sleep(5 * time.Second)

	dead := f.PeerIP(farBrokerB)
	begin := time.Now()
	for _, way := range []string{"saddr", "daddr"} {
		if err := f.Fault(fmt.Sprintf("ip %s %s drop", way, dead)); err != nil {
			t.Fatal(err)
		}
	}
	limit := vanishedWithin
	if kind == JavaNamesrv {
		limit = javaRouteWithin
	}
	right, ok := f.awaitRoute(t, limit, "broker-a")
	if !ok {
		t.Errorf("the route still names the dead broker %v after its host vanished", limit)
		return
	}
	route := right.Sub(begin)
	time.Sleep(clientPoll + clientSlack - 5*time.Second)
	sends := senders.stop()
	felt, failed, slow := sends.after(begin)
	note(t, "the route is right after %.1f s; the producers send to the dead broker until %.1f s; %d of %d sends failed, %d more were slow",
		route.Seconds(), felt.Seconds(), failed, len(sends), slow)
	if failed+slow == 0 {
		t.Error("no send noticed anything: the dead broker was not used, so nothing was tested")
	}
	if bound := route + clientPoll + clientSlack; felt > bound {
		t.Errorf("the producers sent to the dead broker for %v, which is later than the route (%v) and a poll of theirs", felt, route)
	}
}

// startFar starts all but the producers, and waits until both brokers have the topic.
func startFar(t *testing.T, kind NamesrvKind) *far {
	t.Helper()
	star, err := netns.NewStar(4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { star.Close() })
	f := &far{Star: star, namesrv: fmt.Sprintf("%s:%d", star.ServerIP(), farNamesrvPort)}
	f.startNamesrv(t, kind)
	for i, name := range []string{"broker-a", "broker-b"} {
		f.startBroker(t, i, name)
	}
	for i := range 2 {
		f.createTopic(t, fmt.Sprintf("%s:%d", f.PeerIP(i), farBrokerPort))
	}
	if _, ok := f.awaitRoute(t, 2*time.Minute, "broker-a", "broker-b"); !ok {
		t.Fatal("the route does not name both brokers")
	}
	return f
}

// within makes a program start in a namespace: nsenter replaces itself by it.
func within(ns *netns.NS, spec procSpec) procSpec {
	spec.Args = append([]string{"--net=" + ns.Path(), spec.Path}, spec.Args...)
	spec.Path = "nsenter"
	return spec
}

func (f *far) startNamesrv(t *testing.T, kind NamesrvKind) {
	t.Helper()
	home := t.TempDir()
	conf := filepath.Join(home, "namesrv.properties")
	writeFile(t, conf, strings.Join([]string{
		fmt.Sprint("listenPort=", farNamesrvPort), "bindAddress=0.0.0.0", "adminListen=", "connectionHealth=evict",
		"kvConfigPath=" + filepath.Join(home, "kvConfig.json"),
	}, "\n")+"\n")
	spec := pharosSpec(t, home, conf)
	if kind == JavaNamesrv {
		spec = javaNamesrvSpec(t, "namesrv-java", home, conf)
	}
	spec.Name = "namesrv-" + string(kind)
	startProc(t, within(f.Server, spec))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		c, err := f.dial(t.Context(), farObserver, f.namesrv)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the name server does not listen: %v", err)
		}
	}
}

// startBroker starts a broker with the default period of registrations.
func (f *far) startBroker(t *testing.T, peer int, name string) {
	t.Helper()
	ip := f.PeerIP(peer).String()
	b := &Broker{Port: farBrokerPort, Dir: t.TempDir(), Options: BrokerOptions{
		Version: V550, Cluster: "DefaultCluster", Name: name, Addrs: f.namesrv,
		Conf: []string{"brokerIP1=" + ip, "brokerIP2=" + ip, "registerNameServerPeriod=30000"},
	}}
	writeFile(t, b.path("broker.properties"), b.properties())
	spec := ResolveJava(t, V550).command(t, jvm{
		Name: name, HeapMB: 512, Home: b.path("home"), Class: "org.apache.rocketmq.broker.BrokerStartup",
		Props: []string{"rocketmq.broker.diskSpaceWarningLevelRatio=0.99", "rocketmq.broker.diskSpaceCleanForciblyRatio=0.98"},
		Args:  []string{"-c", b.path("broker.properties")}, Env: []string{"ROCKETMQ_HOME=" + b.path("home")},
	})
	if err := os.Mkdir(b.path("home"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.Proc = startProc(t, within(f.Peers[peer], spec))
	b.AwaitBoot(t)
}

// dial connects from a peer's namespace.
func (f *far) dial(ctx context.Context, peer int, addr string) (c *testkit.Client, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err = f.Peers[peer].Do(func() (err error) {
		c, err = testkit.Dial(ctx, addr, testkit.ClientOptions{})
		return err
	})
	return c, err
}

func (f *far) createTopic(t *testing.T, broker string) {
	t.Helper()
	c, err := f.dial(t.Context(), farObserver, broker)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := call(t, c, codeUpdateAndCreateTopic, []string{"topic", farTopic, "defaultTopic", "TBW102", "readQueueNums", "4",
		"writeQueueNums", "4", "perm", "6", "topicFilterType", "SINGLE_TAG", "topicSysFlag", "0", "order", "false"})
	if m.Code != codec.Success {
		t.Fatalf("create topic on %s: %d %s", broker, m.Code, m.Remark)
	}
}

// awaitRoute waits until the topic's route names exactly these brokers, and returns when.
func (f *far) awaitRoute(t *testing.T, timeout time.Duration, brokers ...string) (time.Time, bool) {
	t.Helper()
	c, err := f.dial(t.Context(), farObserver, f.namesrv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		m := call(t, c, codec.CodeGetRouteInfoByTopic, []string{"topic", farTopic})
		var r Route
		if m.Code == codec.Success {
			readBody(t, m, &r)
		}
		var names []string
		for i := range r.BrokerDatas {
			names = append(names, r.BrokerDatas[i].BrokerName)
		}
		slices.Sort(names)
		if slices.Equal(names, brokers) {
			return time.Now(), true
		}
	}
	return time.Time{}, false
}

// oneSend is a message that a producer sent, with its retries.
type oneSend struct {
	begin, end time.Time
	failed     bool
}

type sends []oneSend

// after counts the sends that noticed the fault, and how long after it the last of them began.
func (s sends) after(fault time.Time) (felt time.Duration, failed, slow int) {
	for _, one := range s {
		switch {
		case one.end.Before(fault):
			continue
		case one.failed:
			failed++
		case one.end.Sub(one.begin) > slowSend:
			slow++
		default:
			continue
		}
		felt = max(felt, one.begin.Sub(fault))
	}
	return felt, failed, slow
}

// senders are loops that send one message after the other through a producer of their own.
type senders struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	all    sends
}

func (f *far) startSenders(t *testing.T, n int) *senders {
	t.Helper()
	home := t.TempDir()
	d := startDriver(t, within(f.Peers[farProducer], ResolveJava(t, V550).command(t, jvm{
		Name: "client-" + V550, HeapMB: 256, Home: home, Class: "Driver",
		Props: []string{"rocketmq.client.logRoot=" + home, "rocketmq.client.logUseSlf4j=false"},
	})))
	s := &senders{}
	ctx, cancel := context.WithCancel(t.Context())
	s.cancel = cancel
	t.Cleanup(func() { s.stop() })
	for i := range n {
		name := fmt.Sprint("name=far-", i)
		d.Do(t, "producer", name, "ns="+f.namesrv, "timeout-ms=3000") // the client's default
		if warm := d.Do(t, "send", name, "topic="+farTopic, "n=16"); warm.Int(t, "sent") == 0 {
			t.Fatalf("a producer cannot send at all: %v", warm)
		}
		s.wg.Go(func() { s.send(ctx, d, name) })
	}
	return s
}

func (s *senders) send(ctx context.Context, d *Driver, name string) {
	for ctx.Err() == nil {
		one := oneSend{begin: time.Now()}
		a, err := d.Try(time.Minute, "send", name, "topic="+farTopic, "n=1")
		one.end, one.failed = time.Now(), err != nil || a["failed"] != "0"
		s.mu.Lock()
		s.all = append(s.all, one)
		s.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the loops and returns all that was sent.
func (s *senders) stop() sends {
	s.cancel()
	s.wg.Wait()
	return s.all
}

func TestSendsAfter(t *testing.T) {
	fault := time.Unix(1000, 0)
	at := func(begin, end float64, failed bool) oneSend {
		after := func(s float64) time.Time { return fault.Add(time.Duration(s * 1e9)) }
		return oneSend{after(begin), after(end), failed}
	}
	felt, failed, slow := sends{
		at(-5, -1, true), at(-1, 2, true), at(3, 3.1, false), at(4, 7, false), at(6, 9, true), at(20, 20.1, false),
	}.after(fault)
	if felt != 6*time.Second || failed != 2 || slow != 1 {
		t.Errorf("felt for %v, %d failed, %d slow; want 6s, 2, 1", felt, failed, slow)
	}
}
