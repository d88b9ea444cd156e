package client

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/pharosmq/pharos/codec"
)

// queuesMax bounds the queues of one topic: numbers in an answer size what we hold. It is
// room for brokersMax broker groups with 26 queues each.
const queuesMax = 1 << 18

// brokersMax bounds the broker groups of one topic: a producer keeps something for each of them.
const brokersMax = 10_000

// routeEntriesMax bounds all that is listed in one answer: brokersMax broker groups with 26
// queues and 25 other things each, replicas for example.
const routeEntriesMax = 2 * queuesMax

// nameBytesMax bounds a broker's name, and its address.
const nameBytesMax = 1 << 10

// ErrBadRoute: a name server's answer is well formed but no route can be made of it.
var ErrBadRoute = errors.New("client: unusable route")

// Names Java gives to the brokers of static topics' logical queues (Java: MixAll).
const (
	mockBrokerPrefix  = "__syslo__"
	mockBrokerMissing = "__syslo__none__"
	scopeGlobal       = "__global__"
)

// queueLister collects the queues of one route.
type queueLister struct {
	route   *Route
	masters map[string]string // broker name -> address of its master
}

// deriveQueues lists the queues to send to.
//
// Java: MQClientInstance#topicRouteData2TopicPublishInfo.
func (r *Route) deriveQueues() error {
	if n := len(r.Data.BrokerDatas); n > brokersMax {
		return fmt.Errorf("%w: topic %q is said to lie on %d broker groups, at most %d are taken", ErrBadRoute, r.Topic, n, brokersMax)
	}
	l := queueLister{route: r, masters: make(map[string]string, len(r.Data.BrokerDatas))}
	for i := range r.Data.BrokerDatas {
		b := &r.Data.BrokerDatas[i]
		addr, ok := b.BrokerAddrs[codec.MasterID]
		if _, seen := l.masters[b.BrokerName]; ok && !seen {
			if !isName(b.BrokerName) || !isName(addr) {
				addr = "" // nowhere to connect to
			}
			l.masters[b.BrokerName] = addr
		}
	}
	conf := r.Data.OrderTopicConf
	switch {
	case conf.Valid && conf.String != "":
		r.Ordered = true
		return l.ordered(conf.String)
	case !conf.Valid && len(r.Data.TopicQueueMappingByBroker) > 0:
		return l.static()
	default:
		return l.writable()
	}
}

// isName reports whether a broker's name or address can be one: they are used for each queue, and
// errors quote them.
func isName(s string) bool {
	return len(s) <= nameBytesMax && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// room refuses n more queues if that were too many.
func (l *queueLister) room(n int32) error {
	if have := len(l.route.Queues); int64(n) > int64(queuesMax-have) {
		return fmt.Errorf("%w: topic %q is said to have %d queues after the first %d, at most %d are taken",
			ErrBadRoute, l.route.Topic, n, have, queuesMax)
	}
	return nil
}

// add adds a queue whose broker is where it lies.
func (l *queueLister) add(name, broker string, id int32) {
	q := MessageQueue{Topic: l.route.Topic, BrokerName: name, QueueID: id}
	l.route.Queues = append(l.route.Queues, q)
	if addr := l.masters[broker]; addr != "" {
		l.route.targets = append(l.route.targets, Target{Queue: q, Broker: broker, Addr: addr})
	}
}

// ordered lists broker:n;broker:n. An item that is no such thing spoils the whole route, as
// in Java: a topic whose order matters must not lose queues quietly.
func (l *queueLister) ordered(conf string) error {
	for item := range strings.SplitSeq(strings.TrimRight(conf, ";"), ";") {
		if item == "" && strings.Trim(conf, ";") == "" {
			return nil // nothing but separators lists nothing
		}
		parts := strings.Split(item, ":")
		if len(parts) < 2 {
			return fmt.Errorf("%w: topic %q has the order configuration %q, where %q is not broker:queues",
				ErrBadRoute, l.route.Topic, brief(conf), brief(item))
		}
		n, err := strconv.ParseInt(parts[1], 10, 32)
		if err != nil {
			return fmt.Errorf("%w: topic %q has the order configuration %q, where %q is no number of queues",
				ErrBadRoute, l.route.Topic, brief(conf), brief(parts[1]))
		}
		if err := l.upTo(parts[0], int32(n)); err != nil {
			return err
		}
	}
	return nil
}

// writable lists the write queues of every broker group that can be written to and has a
// master. An acting master is read-only: its group has none.
func (l *queueLister) writable() error {
	for i := range l.route.Data.QueueDatas {
		q := &l.route.Data.QueueDatas[i]
		if _, ok := l.masters[q.BrokerName]; !ok || q.Perm&codec.PermWrite == 0 {
			continue
		}
		if err := l.upTo(q.BrokerName, q.WriteQueueNums); err != nil {
			return err
		}
	}
	return nil
}

// upTo adds queues 0 to n-1 of a broker.
func (l *queueLister) upTo(broker string, n int32) error {
	if err := l.room(n); err != nil {
		return err
	}
	for id := range n {
		l.add(broker, broker, id)
	}
	return nil
}

// static lists the logical queues of a static topic, by id. The broker with the highest
// epoch has a queue that several claim; a queue that nobody claims lies nowhere.
//
// Java: ClientMetadata#topicRouteData2EndpointsForStaticTopic. Where Java leaves the choice
// between equal epochs to a hash table, the last broker by name has the queue.
func (l *queueLister) static() error {
	type owner struct {
		broker string
		epoch  int64
	}
	owners := map[string]map[int32]owner{} // scope -> queue id -> owner
	totals := map[string]int32{}
	mapping := l.route.Data.TopicQueueMappingByBroker
	for _, name := range slices.Sorted(maps.Keys(mapping)) {
		info := mapping[name]
		if !info.Scope.Valid {
			continue
		}
		scope := info.Scope.String
		if owners[scope] == nil {
			owners[scope] = map[int32]owner{}
		}
		totals[scope] = max(totals[scope], info.TotalQueues)
		if info.BName.Valid {
			name = info.BName.String
		}
		for id := range info.CurrIDMap {
			if o, ok := owners[scope][id]; !ok || o.epoch <= info.Epoch {
				owners[scope][id] = owner{name, info.Epoch}
			}
		}
	}
	for _, scope := range slices.Sorted(maps.Keys(totals)) {
		if err := l.room(totals[scope]); err != nil {
			return err
		}
		for id := range totals[scope] {
			broker := mockBrokerMissing
			if o, ok := owners[scope][id]; ok {
				broker = o.broker
			}
			l.add(mockBrokerName(scope), broker, id)
		}
	}
	byID := func(a, b MessageQueue) int { return cmp.Compare(a.QueueID, b.QueueID) }
	slices.SortStableFunc(l.route.Queues, byID)
	slices.SortStableFunc(l.route.targets, func(a, b Target) int { return byID(a.Queue, b.Queue) })
	return nil
}

// mockBrokerName is Java's TopicQueueMappingUtils#getMockBrokerName.
func mockBrokerName(scope string) string {
	if scope == scopeGlobal {
		return mockBrokerPrefix + scope[2:]
	}
	return mockBrokerPrefix + scope
}
