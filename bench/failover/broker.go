package failover

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
	"github.com/pharosmq/pharos/internal/testkit/netns"
	"github.com/pharosmq/pharos/internal/testkit/process"
)

const (
	topic        = "Failover"
	topicQueues  = 4 // on each broker
	brokerPort   = 10911
	brokerHeapMB = 320
)

// broker is a Java 5.5.0 broker on a host of its own.
type broker struct {
	*process.Process
	name string
	ip   string
	ns   *netns.NS
	home string
}

func (b *broker) addr() string { return fmt.Sprintf("%s:%d", b.ip, brokerPort) }

// newBroker prepares a broker. Its settings are the defaults that clients feel; files are small
// and registrations frequent, so that the next run can begin sooner.
func (w *world) newBroker(name string, ns *netns.NS, ip string, servers []string) (*broker, error) {
	b := &broker{name: name, ip: ip, ns: ns, home: filepath.Join(w.home, name)}
	store := filepath.Join(b.home, "store")
	return b, writeLines(b.config(),
		"brokerClusterName=DefaultCluster", "brokerName="+name, "brokerId=0", "brokerRole=ASYNC_MASTER",
		"brokerIP1="+ip, "brokerIP2="+ip, fmt.Sprintf("listenPort=%d", brokerPort), fmt.Sprintf("haListenPort=%d", brokerPort+1),
		"namesrvAddr="+strings.Join(servers, ";"), "registerNameServerPeriod=10000",
		"storePathRootDir="+store, "storePathCommitLog="+filepath.Join(store, "commitlog"), "flushDiskType=ASYNC_FLUSH",
		"mapedFileSizeCommitLog=67108864", "mapedFileSizeConsumeQueue=60000", "maxHashSlotNum=5000", "maxIndexNum=20000",
		"diskMaxUsedSpaceRatio=95", "transientStorePoolEnable=false", "warmMapedFileEnable=false",
		// A broker refuses what waited 200 ms for a thread, which on a busy machine is no sign of anything.
		"waitTimeMillsInSendQueue=15000", "waitTimeMillsInHeartbeatQueue=60000")
}

func (b *broker) config() string { return filepath.Join(b.home, "conf", "broker.properties") }

// start starts it, for the first time or again, and does not wait for it.
func (w *world) startBroker(b *broker) (err error) {
	cmd := w.o.java550.command(b.home, brokerHeapMB, []string{
		"rocketmq.broker.diskSpaceWarningLevelRatio=0.99", "rocketmq.broker.diskSpaceCleanForciblyRatio=0.98",
	}, "org.apache.rocketmq.broker.BrokerStartup", "-c", b.config())
	b.Process, err = process.Start(cmd, process.Options{Name: b.name, Log: filepath.Join(b.home, "output"), In: b.ns})
	return err
}

// codeUpdateAndCreateTopic asks a broker, not a name server, to make a topic.
const codeUpdateAndCreateTopic = 17

// createTopic makes the topic on a broker, as mqadmin's updateTopic does.
func (w *world) createTopic(ctx context.Context, b *broker) error {
	queues := fmt.Sprint(topicQueues)
	_, err := w.ask(ctx, b.addr(), codeUpdateAndCreateTopic, testkit.Ext(
		"topic", topic, "defaultTopic", "TBW102", "readQueueNums", queues, "writeQueueNums", queues,
		"perm", "6", "topicFilterType", "SINGLE_TAG", "topicSysFlag", "0", "order", "false"))
	return err
}

// route are the names of the brokers that a name server names for the topic.
func (w *world) route(ctx context.Context, addr string) (map[string]bool, error) {
	body, err := w.ask(ctx, addr, codec.CodeGetRouteInfoByTopic, testkit.Ext("topic", topic))
	if err != nil {
		return nil, err
	}
	lim := codec.DefaultLimits()
	route, err := codec.ParseTopicRouteData(body, &lim)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, b := range route.BrokerDatas {
		names[b.BrokerName] = true
	}
	return names, nil
}
