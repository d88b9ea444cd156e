package differential

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/test/interop"
)

// TestCapture runs real brokers, clients and mqadmin of several releases against the Java
// 5.5.0 name server through recording proxies, and writes some of the frames that passed
// into the folder PHAROS_CAPTURE names. codec/testdata/captured was made with it.
//
// It also shows what the digest of unchanged registrations rests on: the bodies an idle
// broker sends one after the other are the same, byte for byte, but for the timestamp of
// mappingDataVersion, which a 5.x broker makes up anew each time.
func TestCapture(t *testing.T) {
	interop.Require(t)
	dir := os.Getenv("PHAROS_CAPTURE")
	if dir == "" {
		t.Skip("NOT RUN: makes golden frames; PHAROS_CAPTURE=<empty folder> says where")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newCaptureStage(t)
	slave := s.brokers(t)
	s.clients(t)
	s.admin(t)
	s.lists(t)
	slave.Stop(t, 30*time.Second) // sends 104
	time.Sleep(12 * time.Second)  // brokers register every 10 s, and what mqadmin did is over then
	for _, r := range s.recorders {
		r.forgetBodies()
	}
	time.Sleep(35 * time.Second)
	files := 0
	for _, r := range s.recorders {
		files += r.write(t, dir)
	}
	progress("%d files in %s", files, dir)
	s.checkIdleBodies(t)
}

// TestCaptureStatic captures what a static topic adds: apart, since mqadmin asks every
// broker about it and old ones do not understand.
func TestCaptureStatic(t *testing.T) {
	interop.Require(t)
	dir := os.Getenv("PHAROS_CAPTURE")
	if dir == "" {
		t.Skip("NOT RUN: makes golden frames; PHAROS_CAPTURE=<empty folder> says where")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newCaptureStage(t)
	for _, name := range []string{"broker-a", "broker-b"} {
		interop.StartBroker(t, interop.BrokerOptions{Name: name, Addrs: s.through(t, "broker-5.5.0-static")})
	}
	addrs := s.through(t, "mqadmin-5.5.0-static")
	m := interop.StartMqadmin(t, interop.V550)
	out, errs := m.Run(t, addrs, "updateStaticTopic", "-b", "broker-a,broker-b", "-t", "Static", "-qn", "5")
	t.Logf("updateStaticTopic\n%s\n%s", out, errs)
	time.Sleep(25 * time.Second)
	out, errs = m.Run(t, addrs, "topicRoute", "-t", "Static")
	t.Logf("topicRoute\n%s\n%s", out, errs)
	for _, r := range s.recorders {
		r.write(t, dir)
	}
}

// TestCaptureGo captures the questions and answers of the Go client v2.1.2: JSON headers of
// another order than Java's, with an empty remark, and a version below 401.
func TestCaptureGo(t *testing.T) {
	interop.Require(t)
	dir := os.Getenv("PHAROS_CAPTURE")
	if dir == "" {
		t.Skip("NOT RUN: makes golden frames; PHAROS_CAPTURE=<empty folder> says where")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newCaptureStage(t)
	interop.StartBroker(t, interop.BrokerOptions{Name: "broker-a", Addrs: s.json.Addr})
	binary := filepath.Join(t.TempDir(), "goclient")
	build := exec.Command("go", "build", "-o", binary, ".") // a module of its own
	build.Dir = filepath.Join("..", "goclient")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the Go client: %v\n%s", err, out)
	}
	run := exec.Command(binary, "-namesrv", s.through(t, "goclient-2.1.2"), "-topic", "Captured", "-group", "captured_go", "-n", "10")
	run.Dir = t.TempDir()
	run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + run.Dir}
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("the Go client: %v\n%s", err, out)
	}
	for _, r := range s.recorders {
		if n := r.write(t, dir); n < 4 {
			t.Errorf("%s: %d files", r.peer, n)
		}
	}
}

// captureStage is the name servers with the recorders in front of them.
type captureStage struct {
	json, binary *Server
	recorders    []*recorder
}

func newCaptureStage(t *testing.T) *captureStage {
	home, err := os.MkdirTemp("", "rocketmq-home-") // its path is in the replies of 319
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	s := &captureStage{}
	l := newLauncher(t, "java")
	if s.json, err = l.Start(home); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.json.Stop)
	binary := &launcher{name: "java", start: func(home string, port int) *exec.Cmd {
		cmd := l.start(home, port)
		cmd.Env = append(cmd.Env, "ROCKETMQ_SERIALIZE_TYPE=ROCKETMQ")
		return cmd
	}}
	if s.binary, err = binary.Start(home); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.binary.Stop)
	return s
}

// through is the address list that leads a peer to the name server through a recorder.
func (s *captureStage) through(t *testing.T, peer string) string {
	t.Helper()
	r := record(t, peer, "namesrv-5.5.0", s.json.Addr)
	s.recorders = append(s.recorders, r)
	return r.addr()
}

func (s *captureStage) throughBinary(t *testing.T, peer string) string {
	t.Helper()
	r := record(t, peer, "namesrv-5.5.0 with serialize type ROCKETMQ", s.binary.Addr)
	s.recorders = append(s.recorders, r)
	return r.addr()
}

// brokers starts one of each kind and returns the slave.
func (s *captureStage) brokers(t *testing.T) (slave *interop.Broker) {
	acting := []string{"enableSlaveActingMaster=true"}
	list := []struct {
		peer    string
		options interop.BrokerOptions
		binary  bool // register with the ROCKETMQ name server too
	}{
		{"broker-5.5.0-master", interop.BrokerOptions{Name: "broker-a", Conf: []string{"enableSingleTopicRegister=true"}}, true},
		{"broker-5.5.0-slave", interop.BrokerOptions{Name: "broker-a", ID: 1}, false},
		{"broker-5.5.0-acting", interop.BrokerOptions{Name: "broker-b", Conf: acting}, false},
		{"broker-5.5.0-acting-904", interop.BrokerOptions{Name: "broker-c", Conf: append(acting, "compatibleWithOldNameSrv=false")}, false},
		{"broker-5.5.0-compressed", interop.BrokerOptions{Name: "broker-d", Conf: []string{"compressedRegister=true"}}, false},
		{"broker-5.5.0-322", interop.BrokerOptions{Name: "broker-e", Conf: []string{"forceRegister=false"}}, false},
		{"broker-5.3.3-master", interop.BrokerOptions{Name: "broker-f", Version: interop.V533}, false},
		{"broker-4.9.7-master", interop.BrokerOptions{Name: "broker-g", Cluster: "OldCluster", Version: interop.V497}, false},
		{"broker-4.9.7-compressed", interop.BrokerOptions{Name: "broker-h", Cluster: "OldCluster", Version: interop.V497, Conf: []string{"compressedRegister=true"}}, false},
	}
	for _, b := range list {
		b.options.Addrs = s.through(t, b.peer)
		if b.binary {
			b.options.Addrs += ";" + s.throughBinary(t, b.peer)
		}
		progress("starting %s", b.peer)
		if started := interop.StartBroker(t, b.options); b.options.ID != 0 {
			slave = started
		}
	}
	return slave
}

func (s *captureStage) clients(t *testing.T) {
	for _, version := range []string{interop.V550, interop.V498, interop.V480} {
		addrs := s.through(t, "client-"+version)
		progress("client %s", version)
		d := interop.StartDriver(t, version)
		d.Do(t, "producer", "name=p", "ns="+addrs)
		d.Do(t, "send", "name=p", "topic=Captured", "n=10")
		d.Do(t, "consumer", "name=c", "group=captured_"+strings.ReplaceAll(version, ".", "_"), "topic=Captured", "ns="+addrs)
		d.Do(t, "send", "name=p", "topic=Captured", "n=10")
	}
}

// admin lets mqadmin ask everything it can ask a name server.
func (s *captureStage) admin(t *testing.T) {
	addrs := s.through(t, "mqadmin-5.5.0")
	progress("mqadmin 5.5.0")
	m := interop.StartMqadmin(t, interop.V550)
	for _, line := range []string{
		"updateKvConfig -s captured -k key -v value", "updateOrderConf -m put -t Ordered -v broker-a:4",
		"updateOrderConf -m get -t Ordered", "deleteKvConfig -s captured -k key",
		"updateTopic -c DefaultCluster -t Plain", "updateTopic -c DefaultCluster -t Ordered -o true",
		"topicClusterList -t Ordered",
		"updateTopic -c OldCluster -t Plain", "topicRoute -t Plain", "topicRoute -t Static", "topicRoute -t NoSuchTopic", "topicClusterList -t Plain",
		"clusterList", "topicList", "topicList -c", "getNamesrvConfig", "updateNamesrvConfig -k orderMessageEnable -v true",
		"topicRoute -t Ordered", "updateNamesrvConfig -k kvConfigPath -v /tmp/x",
		"wipeWritePerm -b broker-a", "topicRoute -t Plain", "addWritePerm -b broker-a",
		"getBrokerConfig -c DefaultCluster", "deleteTopic -c DefaultCluster -t Plain",
	} {
		out, errs := m.Run(t, addrs, strings.Fields(line)...)
		t.Logf("mqadmin %s\n%.400s%.900s", line, out, errs)
	}
	s.binaryAdmin(t)
}

// lists asks what no command of mqadmin asks.
func (s *captureStage) lists(t *testing.T) {
	l, err := dial(s.through(t, "admin-by-hand"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	for i, c := range []call{
		{code: 224, ext: []Ext{{Key: "cluster", Value: "DefaultCluster"}}},
		{code: 219, ext: []Ext{{Key: "namespace", Value: "ORDER_TOPIC_CONFIG"}}}, {code: 304},
		{code: 311}, {code: 312}, {code: 313}, {code: 99999},
		{code: 101, ext: []Ext{{Key: "namespace", Value: "captured"}, {Key: "key", Value: "gone"}}},
	} {
		c.version, c.opaque = 513, int32(i+1)
		if _, err := l.one(c); err != nil {
			t.Fatal(err)
		}
	}
}

// binaryAdmin runs mqadmin with the ROCKETMQ header form, against both name servers.
func (s *captureStage) binaryAdmin(t *testing.T) {
	java := interop.ResolveJava(t, interop.V550)
	for _, addrs := range []string{s.through(t, "mqadmin-5.5.0-binary"), s.throughBinary(t, "mqadmin-5.5.0-binary")} {
		for _, line := range []string{"clusterList", "topicList", "topicRoute -t Captured", "topicRoute -t NoSuchTopic", "wipeWritePerm -b broker-z"} {
			words := append(strings.Fields(line), "-n", addrs)
			cmd := exec.Command("java", append([]string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Drocketmq.serialize.type=ROCKETMQ",
				"-Duser.home=" + t.TempDir(), "-cp", java.ClassPath, "org.apache.rocketmq.tools.command.MQAdminStartup"}, words...)...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ROCKETMQ_HOME=" + t.TempDir()}
			out, err := cmd.CombinedOutput()
			t.Logf("binary mqadmin %s: %v\n%.400s", line, err, out)
		}
	}
}

// checkIdleBodies: the registration bodies of a broker that nothing happened to are the
// same, but for mappingDataVersion.
func (s *captureStage) checkIdleBodies(t *testing.T) {
	for _, r := range s.recorders {
		if !strings.HasPrefix(r.peer, "broker-") || r.peer == "broker-5.5.0-322" || r.peer == "broker-5.5.0-slave" {
			continue // one registers only when something changed, the other is gone
		}
		r.mu.Lock()
		steady := map[string]int{}
		for _, b := range r.bodies {
			steady[b.steady]++
		}
		t.Logf("%s: registration bodies (as sent, without mappingDataVersion) %v", r.peer, r.bodies)
		if len(r.bodies) < 2 || len(steady) != 1 {
			t.Errorf("%s: %d registrations of an idle broker, %d different bodies", r.peer, len(r.bodies), len(steady))
		}
		r.mu.Unlock()
	}
}
