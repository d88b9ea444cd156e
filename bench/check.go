package bench

import (
	"fmt"
	"strings"

	"github.com/pharosmq/pharos/codec"
)

// checker compares bodies with what was registered.
type checker struct {
	world      *World
	variants   int
	incomplete bool
	version    int32
	limits     codec.Limits
}

func newChecker(g *Group) checker {
	return checker{world: g.World, variants: g.Variants, incomplete: g.Incomplete, version: g.Version, limits: codec.DefaultLimits()}
}

// body says what is wrong with the body that answered o.
func (k *checker) body(o op, body []byte) error {
	switch o.kind() {
	case opRoute:
		return k.route(int(o.topic()), body)
	case opUnknown:
		if len(body) != 0 {
			return fmt.Errorf("the answer to an unknown topic has one, of %d bytes", len(body))
		}
	case opCluster:
		return k.cluster(body)
	case opTopicList:
		return k.topicList(body)
	}
	return nil
}

func (k *checker) route(topic int, body []byte) error {
	r, err := codec.ParseTopicRouteData(body, &k.limits)
	if err != nil {
		return err
	}
	if quoted := strings.Contains(string(body), `"brokerAddrs":{"`); quoted != (k.version >= codec.Version4_9_4) {
		return fmt.Errorf("quoted broker ids: %v, in a reply to version %d", quoted, k.version)
	}
	if len(r.QueueDatas) != k.world.Brokers && (!k.incomplete || len(r.QueueDatas) > k.world.Brokers) {
		return fmt.Errorf("topic %s has %d brokers, not %d", k.world.TopicName(topic), len(r.QueueDatas), k.world.Brokers)
	}
	if len(r.BrokerDatas) != len(r.QueueDatas) {
		return fmt.Errorf("%d broker data beside %d queue data", len(r.BrokerDatas), len(r.QueueDatas))
	}
	brokers := make(map[string]string, len(r.BrokerDatas))
	for i := range r.BrokerDatas {
		brokers[r.BrokerDatas[i].BrokerName] = r.BrokerDatas[i].BrokerAddrs[codec.MasterID]
	}
	for i := range r.QueueDatas {
		if err := k.queues(topic, &r.QueueDatas[i], brokers); err != nil {
			return err
		}
	}
	return nil
}

// queues compares one broker's part of a route, and ticks the broker off.
func (k *checker) queues(topic int, q *codec.QueueData, brokers map[string]string) error {
	addr, ok := brokers[q.BrokerName]
	if !ok {
		return fmt.Errorf("queue data of %s without broker data, or twice", q.BrokerName)
	}
	delete(brokers, q.BrokerName)
	var b int
	if _, err := fmt.Sscanf(q.BrokerName, k.world.name()+"-%d", &b); err != nil || b >= k.world.Brokers || addr != k.world.BrokerAddr(b) {
		return fmt.Errorf("broker %s at %s is not one of topic %s", q.BrokerName, addr, k.world.TopicName(topic))
	}
	for variant := range k.variants {
		read, write := k.world.Queues(topic, variant)
		if q.ReadQueueNums == read && q.WriteQueueNums == write && q.Perm == codec.PermRead|codec.PermWrite {
			return nil
		}
	}
	return fmt.Errorf("topic %s has %d/%d queues, permission %d, on %s", k.world.TopicName(topic), q.ReadQueueNums, q.WriteQueueNums, q.Perm, q.BrokerName)
}

func (k *checker) cluster(body []byte) error {
	info, err := codec.ParseClusterInfo(body, &k.limits)
	if err != nil {
		return err
	}
	if names := info.ClusterAddrTable[k.world.Cluster()]; len(names) != k.world.Brokers && !k.incomplete {
		return fmt.Errorf("cluster %s has %d brokers, not %d", k.world.Cluster(), len(names), k.world.Brokers)
	}
	for b := range k.world.Brokers {
		name := k.world.BrokerName(b)
		if addr := info.BrokerAddrTable[name].BrokerAddrs[codec.MasterID]; addr != k.world.BrokerAddr(b) && !k.incomplete {
			return fmt.Errorf("broker %s is at %q, not %s", name, addr, k.world.BrokerAddr(b))
		}
	}
	return nil
}

func (k *checker) topicList(body []byte) error {
	list, err := codec.ParseTopicList(body, &k.limits)
	if err != nil {
		return err
	}
	ours := 0
	for _, topic := range list.Topics {
		if strings.HasPrefix(topic, k.world.name()+"-topic-") {
			ours++
		}
	}
	if ours != k.world.Topics && !k.incomplete {
		return fmt.Errorf("the topic list names %d topics, not %d", ours, k.world.Topics)
	}
	return nil
}
