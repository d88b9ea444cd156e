package interop

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// BrokerOptions says how to start a Java broker.
type BrokerOptions struct {
	Version string // default 5.5.0
	Cluster string // default DefaultCluster
	Name    string // the group's name; default broker-a
	ID      int    // 0 is the master
	Addrs   string // name servers, a;b
	Conf    []string
}

// Broker is a Java broker process.
type Broker struct {
	Options BrokerOptions
	Port    int
	Dir     string // its store, configuration and home
	*Proc
}

// Addr is the address it registers.
func (b *Broker) Addr() string { return fmt.Sprintf("127.0.0.1:%d", b.Port) }

// StartBroker starts a broker on ports of its own with an empty store, and waits until it
// says that it is up. That is not yet registered: 5.x only registers at once with the name
// servers it has already probed, with the others up to 10 s later.
func StartBroker(tb testing.TB, o BrokerOptions) *Broker {
	tb.Helper()
	b := LaunchBroker(tb, o)
	b.AwaitBoot(tb)
	return b
}

// LaunchBroker starts a broker and does not wait for it.
func LaunchBroker(tb testing.TB, o BrokerOptions) *Broker {
	tb.Helper()
	if o.Version == "" {
		o.Version = V550
	}
	if o.Cluster == "" {
		o.Cluster = "DefaultCluster"
	}
	if o.Name == "" {
		o.Name = "broker-a"
	}
	b := &Broker{Options: o, Port: brokerPort(tb), Dir: tb.TempDir()}
	writeFile(tb, b.path("broker.properties"), b.properties())
	writeFile(tb, b.path("home", "conf", "logback_broker.xml"), logbackXML(b.path("logback.log")))
	b.launch(tb)
	return b
}

// Restart starts a broker that has ended again: same ports, same store.
func (b *Broker) Restart(tb testing.TB) {
	tb.Helper()
	if !b.Exited() {
		tb.Fatalf("%s still runs", b.Name)
	}
	b.launch(tb)
	b.AwaitBoot(tb)
}

// AwaitBoot waits for the broker's own word that it is up.
func (b *Broker) AwaitBoot(tb testing.TB) {
	tb.Helper()
	b.awaitLog(tb, "boot success", 3*time.Minute)
}

var brokerStarts int // makes log names unique: a restarted broker writes a new log

func (b *Broker) launch(tb testing.TB) {
	tb.Helper()
	brokerStarts++
	spec := ResolveJava(tb, b.Options.Version).command(tb, jvm{
		Name:   fmt.Sprintf("broker-%s-%s-%d.%d", b.Options.Version, b.Options.Name, b.Options.ID, brokerStarts),
		HeapMB: 512, Home: b.path("home"),
		Props: []string{
			// A test machine's disk may be fuller than a broker likes.
			"rocketmq.broker.diskSpaceWarningLevelRatio=0.99",
			"rocketmq.broker.diskSpaceCleanForciblyRatio=0.98",
		},
		Class: "org.apache.rocketmq.broker.BrokerStartup",
		Args:  []string{"-c", b.path("broker.properties")},
		Env:   []string{"ROCKETMQ_HOME=" + b.path("home")},
	})
	b.Proc = startProc(tb, spec)
}

func (b *Broker) path(elem ...string) string {
	return filepath.Join(append([]string{b.Dir}, elem...)...)
}

// properties are a broker's settings: the defaults that clients feel, with small files and
// short periods.
func (b *Broker) properties() string {
	role := "ASYNC_MASTER"
	if b.Options.ID != 0 {
		role = "SLAVE"
	}
	lines := []string{
		"brokerClusterName=" + b.Options.Cluster,
		"brokerName=" + b.Options.Name,
		fmt.Sprintf("brokerId=%d", b.Options.ID),
		"brokerRole=" + role,
		"brokerIP1=127.0.0.1",
		"brokerIP2=127.0.0.1",
		"namesrvAddr=" + b.Options.Addrs,
		fmt.Sprintf("listenPort=%d", b.Port),
		fmt.Sprintf("haListenPort=%d", b.Port+1),
		"storePathRootDir=" + b.path("store"),
		"storePathCommitLog=" + b.path("store", "commitlog"),
		"autoCreateTopicEnable=true",
		"autoCreateSubscriptionGroup=true",
		"registerNameServerPeriod=10000",
		"flushDiskType=ASYNC_FLUSH",
		"mapedFileSizeCommitLog=67108864",
		"mapedFileSizeConsumeQueue=60000",
		"maxHashSlotNum=5000",
		"maxIndexNum=20000",
		"diskMaxUsedSpaceRatio=95",
		"transientStorePoolEnable=false",
		"warmMapedFileEnable=false",
		// A broker refuses what waited 200 ms for a thread. On a busy machine that is no sign
		// of anything.
		"waitTimeMillsInSendQueue=15000",
		"waitTimeMillsInPullQueue=15000",
		"waitTimeMillsInHeartbeatQueue=60000",
	}
	return strings.Join(append(lines, b.Options.Conf...), "\n") + "\n"
}

// logbackXML configures the logging of 4.x brokers, which do not start without the file.
func logbackXML(path string) string {
	return `<configuration>
  <appender name="file" class="ch.qos.logback.core.FileAppender">
    <file>` + path + `</file>
    <encoder><pattern>%d %p %t - %m%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="file"/></root>
</configuration>
`
}

// codeUpdateAndCreateTopic asks a broker, not a name server, to make a topic.
const codeUpdateAndCreateTopic = 17

// CreateTopic makes a topic on this broker, as mqadmin's updateTopic does. The broker tells
// the name servers at once.
func (b *Broker) CreateTopic(tb testing.TB, topic string, queues int) {
	tb.Helper()
	c, err := testkit.Dial(tb.Context(), b.Addr(), testkit.ClientOptions{})
	if err != nil {
		tb.Fatalf("%s: %v", b.Name, err)
	}
	defer c.Close()
	n := fmt.Sprint(queues)
	ctx, cancel := context.WithTimeout(tb.Context(), callTimeout)
	defer cancel()
	m, err := c.Call(ctx, codeUpdateAndCreateTopic, testkit.Ext(
		"topic", topic, "defaultTopic", "TBW102", "readQueueNums", n, "writeQueueNums", n,
		"perm", "6", "topicFilterType", "SINGLE_TAG", "topicSysFlag", "0", "order", "false"), nil)
	if err != nil || m.Code != codec.Success {
		tb.Fatalf("create topic %s on %s: %v %+v", topic, b.Name, err, m)
	}
}
