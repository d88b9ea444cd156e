package bench

import (
	"fmt"
	"strconv"

	"github.com/pharosmq/pharos/codec"
)

// topicDigits is how many digits end a topic's name: all names have the same length, so that
// a request is a template in which only digits change.
const topicDigits = 7

// topicsMax is the number of topics that topicDigits can name.
const topicsMax = 10_000_000

// World is the facts that a name server is filled with: every broker group has one master
// and all topics. Its zero fields take defaults where that is said.
type World struct {
	// Name keeps worlds in one server apart: it begins the names of topics and brokers and
	// is the cluster's. Default "bench".
	Name    string
	Topics  int
	Brokers int
	// Distinct: every topic has its own pair of queue numbers, so that no two topics have
	// the same route body. Otherwise all are alike.
	Distinct bool
	// Base is the number of the first broker, which decides its address: two worlds in one
	// server must not share addresses.
	Base int
}

// Validate says what is wrong with w.
func (w *World) Validate() error {
	switch {
	case w.Topics < 2 || w.Topics > topicsMax:
		return fmt.Errorf("a world has between 2 and %d topics, not %d (a broker whose first registration has one topic is refused)", topicsMax, w.Topics)
	case w.Brokers < 1 || w.Base < 0 || w.Base+w.Brokers > 1<<24:
		return fmt.Errorf("a world has between 1 and %d brokers, not %d", 1<<24, w.Brokers)
	}
	return nil
}

func (w *World) name() string {
	if w.Name == "" {
		return "bench"
	}
	return w.Name
}

// Cluster is the name of the cluster of all brokers.
func (w *World) Cluster() string { return w.name() + "-c" }

// TopicName is the name of topic i, 0 <= i < Topics. Names beyond Topics are of topics that
// nobody registered.
func (w *World) TopicName(i int) string { return string(w.appendTopicName(nil, i)) }

func (w *World) appendTopicName(dst []byte, i int) []byte {
	dst = append(append(dst, w.name()...), "-topic-"...)
	digits := strconv.Itoa(i)
	for range topicDigits - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

// unknownName is a name of the same length that no world has.
func (w *World) unknownName(i int) string {
	name := []byte(w.TopicName(i))
	copy(name[len(name)-topicDigits-len("topic-"):], "nobo--")
	return string(name)
}

// BrokerName is the name of broker group b, 0 <= b < Brokers.
func (w *World) BrokerName(b int) string { return fmt.Sprintf("%s-%04d", w.name(), b) }

// BrokerAddr is the address that broker b claims. Nobody listens there.
func (w *World) BrokerAddr(b int) string {
	n := w.Base + b
	return fmt.Sprintf("10.%d.%d.%d:10911", n>>16&0xFF, n>>8&0xFF, n&0xFF)
}

// Queues is how many read and write queues topic i has on each broker in a variant of the
// world; odd variants are what "all topics changed" changes them to.
func (w *World) Queues(i, variant int) (read, write int32) {
	read, write = 8, 8
	if w.Distinct {
		read, write = int32(1+i%1024), int32(1+i/1024)
	}
	if variant%2 != 0 {
		read, write = read+1, write+1
	}
	return read, write
}

// topicConfig is topic i of a variant as a broker registers it.
func (w *World) topicConfig(i, variant int) codec.TopicConfig {
	read, write := w.Queues(i, variant)
	name := w.appendTopicName(nil, i)
	return codec.TopicConfig{
		Name: name, Key: name, ReadQueueNums: read, WriteQueueNums: write, Perm: codec.PermRead | codec.PermWrite,
	}
}

// Route is what a lookup of topic i answers when all brokers have registered the variant.
func (w *World) Route(i, variant int) codec.TopicRouteData {
	var r codec.TopicRouteData
	read, write := w.Queues(i, variant)
	for b := range w.Brokers {
		name := w.BrokerName(b)
		r.QueueDatas = append(r.QueueDatas, codec.QueueData{
			BrokerName: name, ReadQueueNums: read, WriteQueueNums: write, Perm: codec.PermRead | codec.PermWrite,
		})
		r.BrokerDatas = append(r.BrokerDatas, codec.BrokerData{
			Cluster: w.Cluster(), BrokerName: name, BrokerAddrs: map[int64]string{codec.MasterID: w.BrokerAddr(b)},
		})
	}
	r.FilterServerTable = map[string][]string{}
	return r
}
