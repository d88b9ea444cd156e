package differential

import (
	"fmt"
	"math/rand/v2"
)

// world is the cast of one history: clusters, broker groups with their members, topics,
// names. The generator keeps no model of what a server should answer; it only remembers
// what each pretended broker last said, so that most requests make sense.
type world struct {
	r      *rand.Rand
	prefix string // in front of every name, so that histories do not meet

	clusters []string
	groups   []string
	members  []*member
	topics   []topic
	keys     []string // KV keys
	spaces   []string // KV namespaces

	conns    int   // how many connections there are; broker i of members speaks on conn i
	opaque   int32 // the last one used
	notify   bool  // 905 is wanted: addresses must be ones the runner listens on
	switches map[string]string
}

// topic is a name with the properties every broker gives it.
type topic struct {
	name    string
	sysFlag int32
	static  bool
	plain   bool // fits the compressed form, whose fields are split at blanks
}

// member is one pretended broker.
type member struct {
	BrokerRef
	conn       int
	ha         string
	version    int32
	style      style
	acting     string // "", "true", "false": the header field
	zone       string // "": absent
	timeout    string // heartbeatTimeoutMillis; "": absent
	compressed bool
	dv         dataVersion
	said       dataVersion // of its last registration
	topics     []topicConfig
	filters    []string
	noFilters  bool // leave the field out of the body
}

type dataVersion struct {
	state, timestamp, counter int64
	noState, noTimestamp      bool
}

type topicConfig struct {
	topic
	read, write, perm int32
	mapping           bool // announce the static mapping in this body
}

// The numbers of a world.
const (
	clusterCount = 2
	groupCount   = 3
	memberCount  = 3 // per group
	clientConns  = 4
	scratchConns = 1 // for frames that get the connection closed
)

// newWorld builds the cast. The salt changes names, never the shape: the same seed with
// another salt is the same history among other names of the same length.
func newWorld(seed uint64, salt int) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 0x70686172)), switches: map[string]string{}}
	w.prefix = fmt.Sprintf("h%06d%04d_", seed%1_000_000, salt%10_000)
	for i := range clusterCount {
		w.clusters = append(w.clusters, w.prefix+"C"+string(rune('a'+i)))
	}
	for i := range groupCount {
		w.groups = append(w.groups, w.prefix+"broker-"+string(rune('a'+i)))
	}
	if seed%3 == 2 {
		w.groups[groupCount-1] = w.prefix + "brök\"er/\\ \u0001 🚀"
		w.clusters[clusterCount-1] = w.prefix + "Clüster'/\u2028"
	}
	w.notify = seed%5 == 4
	w.addTopics()
	acting := []string{"", "false", "true", "true"}[w.r.IntN(4)]
	for g := range groupCount {
		if w.r.IntN(2) == 0 {
			acting = []string{"", "false", "true"}[w.r.IntN(3)]
		}
		version := versions[w.r.IntN(len(versions))]
		for m := range memberCount {
			w.members = append(w.members, w.newMember(g, m, acting, version))
		}
	}
	w.conns = len(w.members) + clientConns + scratchConns
	w.spaces = []string{"ORDER_TOPIC_CONFIG", w.prefix + "ns", w.prefix + "näme\"space"}
	w.keys = []string{w.topics[0].name, w.topics[1].name, w.topics[5].name, w.prefix + "key"}
	return w
}

func (w *world) addTopics() {
	add := func(name string, static, plain bool) {
		w.topics = append(w.topics, topic{name: name, static: static, plain: plain,
			sysFlag: []int32{0, 0, 0, 1, 2, 3}[w.r.IntN(6)]})
	}
	for i := range 4 {
		add(fmt.Sprintf("%sT%d", w.prefix, i), false, true)
	}
	add("%RETRY%"+w.prefix+"group", false, true)
	add(w.prefix+"ünïcode/テスト🚀", false, true)
	add("rmq_sys_SYNC_BROKER_MEMBER_"+w.groups[0], false, true)
	add(w.prefix+"static", true, true)
	add(w.prefix+"q\"uo\\te\t\u0001\u007f\u0085\u2028'{0:1},[", false, false)
}

func (w *world) newMember(g, m int, acting string, version int32) *member {
	b := &member{
		BrokerRef: BrokerRef{
			Cluster: w.clusters[min(g, clusterCount-1)], Name: w.groups[g], ID: int64(m),
			Addr: brokerAddr(g, m),
		},
		conn: len(w.members), version: version, style: w.anyStyle(), acting: acting,
		dv:      dataVersion{timestamp: 1_700_000_000_000 + int64(w.r.IntN(1_000_000)), counter: 1},
		timeout: []string{"", "", "120000", "600000", "abc"}[w.r.IntN(5)],
		zone:    []string{"", "", "zone-a", "zone-B"}[w.r.IntN(4)],
	}
	if m == memberCount-1 && w.r.IntN(2) == 0 {
		b.ID = []int64{5, 33554432, 4294967296}[w.r.IntN(3)]
	}
	b.ha = fmt.Sprintf("127.0.0.%d:%d", 1+g, 20912+m)
	b.compressed = version >= 37 && w.r.IntN(4) == 0
	b.dv.noState = version < 413 && w.r.IntN(2) == 0
	b.noFilters = w.r.IntN(4) == 0
	for range w.r.IntN(6) {
		b.addTopic(w)
	}
	return b
}

func (w *world) anyStyle() style {
	// The two Java forms are what brokers use; the others are as likely together.
	if w.r.IntN(2) == 0 {
		return []style{styleJava, styleBinary}[w.r.IntN(2)]
	}
	return style(w.r.IntN(int(styleCount)))
}

// addTopic puts one more topic into the broker's table, or changes the one it has.
func (b *member) addTopic(w *world) {
	t := w.topics[w.r.IntN(len(w.topics))]
	c := topicConfig{topic: t,
		read:    []int32{1, 4, 8, 16}[w.r.IntN(4)],
		write:   []int32{1, 4, 8, 16}[w.r.IntN(4)],
		perm:    []int32{6, 6, 6, 6, 4, 2, 7, 0, 15}[w.r.IntN(9)],
		mapping: t.static && w.r.IntN(3) > 0,
	}
	for i := range b.topics {
		if b.topics[i].name == t.name {
			b.topics[i] = c
			return
		}
	}
	b.topics = append(b.topics, c)
}

func (w *world) nextOpaque() int32 {
	w.opaque++
	if w.opaque%17 == 0 {
		return -w.opaque
	}
	return w.opaque
}

// client is a connection that is no broker's.
func (w *world) client() int { return len(w.members) + w.r.IntN(clientConns) }

// scratch is the connection for frames that may get it closed.
func (w *world) scratch() int { return len(w.members) + clientConns }

func (w *world) anyMember() *member { return w.members[w.r.IntN(len(w.members))] }

func (w *world) anyTopic() string {
	switch w.r.IntN(14) {
	case 0:
		return w.prefix + "no such topic"
	case 1:
		return "TBW102"
	}
	return w.topics[w.r.IntN(len(w.topics))].name
}

func (w *world) anyGroup() string {
	if w.r.IntN(10) == 0 {
		return w.prefix + "nobody"
	}
	return w.groups[w.r.IntN(len(w.groups))]
}

func (w *world) anyCluster() string {
	if w.r.IntN(10) == 0 {
		return w.prefix + "nowhere"
	}
	return w.clusters[w.r.IntN(len(w.clusters))]
}
