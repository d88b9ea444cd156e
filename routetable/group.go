package routetable

import (
	"slices"
	"strconv"

	"github.com/pharosmq/pharos/codec"
)

// group is a broker group (Java: BrokerData), immutable. Any change makes a new one.
type group struct {
	index   uint32 // in groupView.groups; stable while the name exists
	cluster string
	name    string
	zone    codec.NullString
	acting  bool        // enableActingMaster
	addrs   []groupAddr // by id; never empty
	filters []filterEntry

	// stamp changes with every fact of the group and whenever its topics are deleted: a
	// digest remembered under another stamp is void.
	stamp uint64
	// topics changes whenever the group may get topics, whatever the settings are: a digest
	// remembered under deleteTopicWithBrokerRegistration and another value is void.
	topics uint64
	// shown changes with every fact that readers can see: bodies built from another
	// version are void. All three are drawn from one counter and never repeat.
	shown uint64

	visible int // addresses that are not parked; 0 hides the group
	// maskWrite: the group's master is parked, and Java would have taken the write bit
	// from an acting group when its master unregistered. The view takes it instead.
	maskWrite bool
	// actable: an acting group without a visible master, whose smallest id poses as the
	// master in routes of topics that are not writable.
	actable bool

	brokerData [dialects][2]encodedJSON // [dialect][1: acting master]
	queueHead  encodedJSON              // {"brokerName":"x","perm":
	bodyBytes  int64                    // at least what a route's body has of the group
}

type encodedJSON []byte

const dialects = 2

// groupAddr is a member of a group: a broker id and the registration that holds it.
type groupAddr struct {
	id     int64
	addr   string
	live   *brokerLive
	parked bool
}

// filterEntry is one broker address's filter servers, also as "addr":["server"].
type filterEntry struct {
	addr    string
	servers []string
	json    encodedJSON
}

// byID returns the member with this id, nil when there is none.
func (g *group) byID(id int64) *groupAddr {
	if g == nil {
		return nil
	}
	for i := range g.addrs {
		if g.addrs[i].id == id {
			return &g.addrs[i]
		}
	}
	return nil
}

// byAddr returns the member at this address, nil when there is none. An address has at
// most one id in a group.
func (g *group) byAddr(addr string) *groupAddr {
	if g == nil {
		return nil
	}
	for i := range g.addrs {
		if g.addrs[i].addr == addr {
			return &g.addrs[i]
		}
	}
	return nil
}

// holds reports whether l is the group's registration for its id.
func (g *group) holds(l *brokerLive) bool {
	a := g.byID(l.id)
	return a != nil && a.live == l
}

// visibleMin returns the visible member with the smallest id, nil when all are parked.
func (g *group) visibleMin() *groupAddr {
	if g == nil {
		return nil
	}
	for i := range g.addrs {
		if !g.addrs[i].parked {
			return &g.addrs[i]
		}
	}
	return nil
}

// shownAddrs returns the visible addresses by id, with the acting master under id 0 if
// asked for.
func (g *group) shownAddrs(acting bool) map[int64]string {
	m := make(map[int64]string, len(g.addrs))
	for i := range g.addrs {
		a := &g.addrs[i]
		if a.parked {
			continue
		}
		if acting {
			m[codec.MasterID], acting = a.addr, false
			continue
		}
		m[a.id] = a.addr
	}
	return m
}

// data returns the group as a route shows it.
func (g *group) data(acting bool) codec.BrokerData {
	return codec.BrokerData{
		Cluster: g.cluster, BrokerName: g.name, BrokerAddrs: g.shownAddrs(acting),
		ZoneName: g.zone, EnableActingMaster: g.acting,
	}
}

// encode fills in everything that follows from the group's facts.
func (g *group) encode() {
	g.visible = 0
	for i := range g.addrs {
		if !g.addrs[i].parked {
			g.visible++
		}
	}
	master, first := g.byID(codec.MasterID), g.visibleMin()
	g.actable = g.acting && first != nil && (master == nil || master.parked)
	g.maskWrite = g.acting && first != nil && first.id > codec.MasterID && g.addrs[0].id <= codec.MasterID
	for d := range codec.Dialect(dialects) {
		data := g.data(false)
		g.brokerData[d][0] = codec.AppendBrokerData(nil, &data, d)
		g.brokerData[d][1] = g.brokerData[d][0]
		if g.actable {
			data = g.data(true)
			g.brokerData[d][1] = codec.AppendBrokerData(nil, &data, d)
		}
	}
	g.queueHead = append(codec.AppendJSONString([]byte(`{"brokerName":`), g.name, codec.DialectPlain), `,"perm":`...)
	n := max(len(g.brokerData[0][0]), len(g.brokerData[1][0]), len(g.brokerData[1][1])) + len(g.queueHead) + queueDataBytesMax
	for i := range g.filters {
		n += len(g.filters[i].json) + 1
	}
	g.bodyBytes = int64(n)
}

// perm returns what routes show of a member's permission.
func (g *group) perm(m *member) int32 {
	if g.maskWrite {
		return m.perm &^ codec.PermWrite
	}
	return m.perm
}

// acts reports whether the group is shown with an acting master to a topic with this
// shown permission.
func (g *group) acts(perm int32) bool { return g.actable && perm&codec.PermWrite == 0 }

// queueNumbers is what follows queueHead.
type queueNumbers struct{ perm, read, write, sysFlag int32 }

// numbers returns what routes show of the topic's queues at the group.
func (g *group) numbers(m *member) queueNumbers {
	return queueNumbers{g.perm(m), m.read, m.write, m.sysFlag}
}

// appendTo appends the rest of a QueueData. Topics mostly have as many queues to write to as to
// read from: the digits are copied.
func (q *queueNumbers) appendTo(dst []byte) []byte {
	dst = appendNumber(dst, q.perm)
	dst = append(dst, `,"readQueueNums":`...)
	from := len(dst)
	dst = appendNumber(dst, q.read)
	to := len(dst)
	dst = append(dst, `,"topicSysFlag":`...)
	dst = appendNumber(dst, q.sysFlag)
	dst = append(dst, `,"writeQueueNums":`...)
	if q.write == q.read {
		dst = append(dst, dst[from:to]...)
	} else {
		dst = appendNumber(dst, q.write)
	}
	return append(dst, '}')
}

// appendNumber appends n, which mostly has one digit.
func appendNumber(dst []byte, n int32) []byte {
	if n >= 0 && n < 10 {
		return append(dst, '0'+byte(n))
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// sameShown reports whether readers see the same in both groups.
func (g *group) sameShown(o *group) bool {
	return g.cluster == o.cluster && g.zone == o.zone && g.acting == o.acting &&
		slices.EqualFunc(g.addrs, o.addrs, func(a, b groupAddr) bool {
			return a.id == b.id && a.addr == b.addr && a.parked == b.parked
		}) &&
		slices.EqualFunc(g.filters, o.filters, func(a, b filterEntry) bool {
			return a.addr == b.addr && slices.Equal(a.servers, b.servers)
		})
}

// newFilterEntry encodes the filter servers of one address.
func newFilterEntry(addr string, servers []string) filterEntry {
	json := append(codec.AppendJSONString(nil, addr, codec.DialectPlain), ':')
	return filterEntry{addr, servers, codec.AppendStrings(json, servers)}
}
