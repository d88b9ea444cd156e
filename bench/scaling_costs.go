package bench

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// cost is a line of the table of costs.
type cost struct {
	what string
	unit string
	in   float64 // the unit, in that of Costs
	at   func(*Costs) *float64
	from string // where it was measured
}

// costLines are all costs, in the order in which they are shown.
var costLines = []cost{
	{"a route lookup, one at a time on each of many connections; also any other small request", "us", 1000, func(c *Costs) *float64 { return &c.LookupNanos }, `"small, depth 1" less the bytes of its body`},
	{"waking up, for what comes while the server sleeps", "us", 1000, func(c *Costs) *float64 { return &c.WakeNanos }, `"small, quiet" above "small, depth 1"`},
	{"what follows if nothing else comes for 10 ms", "ms", 1e6, func(c *Costs) *float64 { return &c.SettleNanos }, `"300 x 10,000, brokers alone" less all above`},
	{"each byte of a reply's body", "ns", 1, func(c *Costs) *float64 { return &c.ReplyByteNanos }, `"60 kB bodies, 70 %" above "small, depth 1", less waking up`},
	{"each byte of an unchanged registration: read, checksum, digest", "ns", 1, func(c *Costs) *float64 { return &c.RegisterByteNanos }, `"unchanged, brokers alone", less waking up`},
	{"each byte of one that changes something: parse and publication besides", "ns", 1, func(c *Costs) *float64 { return &c.ChangedByteNanos }, `"mass restart" less its new topics`},
	{"each topic that the server did not know", "us", 1000, func(c *Costs) *float64 { return &c.NewTopicNanos }, `"ingest 100k x 4" less its bytes`},
	{"each byte of the cluster list", "ns", 1, func(c *Costs) *float64 { return &c.ClusterByteNanos }, `"106 every 5 s", less waking up`},
	{"a lookup's request", "bytes", 1, func(c *Costs) *float64 { return &c.LookupRequestBytes }, "its frame"},
	{"its reply, without brokers", "bytes", 1, func(c *Costs) *float64 { return &c.ReplyHeaderBytes }, `"small, depth 1"`},
	{"the reply, for each broker of the topic", "bytes", 1, func(c *Costs) *float64 { return &c.RouteBrokerBytes }, `"60 kB bodies" above "small, depth 1"`},
	{"a registration, for each topic", "bytes", 1, func(c *Costs) *float64 { return &c.RegisterTopicBytes }, "its frame"},
	{"the cluster list, for each broker group", "bytes", 1, func(c *Costs) *float64 { return &c.ClusterGroupBytes }, `"106 every 5 s"`},
	{"memory without facts", "MB", 1e6, func(c *Costs) *float64 { return &c.ProcessBytes }, `"small, quiet" less all below`},
	{"memory of a connection, the kernel's apart", "bytes", 1, func(c *Costs) *float64 { return &c.ConnectionBytes }, `"idle connections" above "small, quiet"`},
	{"memory of a topic", "bytes", 1, func(c *Costs) *float64 { return &c.TopicBytes }, `"1M x 4, depth 16" above the 1,000 topics beside it`},
	{"memory of a topic that has queue numbers of its own", "bytes", 1, func(c *Costs) *float64 { return &c.OwnTopicBytes }, `"1M x 4, all different, depth 16" above the 1,000 topics beside it`},
	{"memory beside that, in registrations of the largest size", "frames", 1, func(c *Costs) *float64 { return &c.FrameRooms }, `"unchanged, brokers alone" above "small, quiet"`},
	{"registrations that may come in at a time", "MB", 1e6, func(c *Costs) *float64 { return &c.IntakeBytes }, "the server's bound"},
	{"Ethernet, IP and TCP on top of the bytes, a share", "", 1, func(c *Costs) *float64 { return &c.SegmentOverheadShare }, "full segments"},
}

// The costs that nothing has to be measured for.
const (
	intakeBytes          = 128 << 20
	segmentOverheadShare = 0.05
)

// The worlds and numbers of the scenarios that costs and points are taken from.
const (
	smallTopics, smallBrokers           = 1000, 4
	largeTopics, largeBrokers           = 10_000, 300
	quietScenario                       = "small, quiet"
	idleScenario                        = "idle connections"
	unchangedScenario                   = "unchanged, brokers alone"
	restartScenario                     = "mass restart"
	clusterScenario                     = "106 every 5 s"
	largeOpenScenario                   = large + ", 70 %"
	silentScenario                      = "300 x 10,000, brokers alone"
	millionScenario                     = "1M x 4, depth 16"
	ownScenario                         = "1M x 4, all different, depth 16"
	ingestScenario                      = "ingest 100k x 4"
	ingestTopics, ingestBrokers         = 100_000, 4
	clusterBrokers                      = 1000
	clusterAskSeconds           float64 = 5
	largeTogether                       = 4 // lookups of 60 kB on a connection
)

// reader reads medians of what counts, and remembers what there is none of.
type reader struct {
	c      *Comparison
	lacks  []string
	server string
}

func (r *reader) median(scenario, metric string) float64 {
	values, err := r.c.value(Ref{scenario, r.server, metric})
	if err != nil {
		r.lacks = append(r.lacks, err.Error())
		return 0
	}
	var all []float64
	for _, v := range values {
		all = append(all, v)
	}
	return spread(all).Median
}

// Costs makes the costs of what was measured, to three digits. The error says what lacks.
func (c *Comparison) Costs() (Costs, error) {
	r, beside := &reader{c: c}, &reader{c: c, server: besideName}
	w, big := &World{Topics: smallTopics, Brokers: smallBrokers}, &World{Topics: largeTopics, Brokers: largeBrokers}
	k := Costs{IntakeBytes: intakeBytes, SegmentOverheadShare: segmentOverheadShare}

	templates := w.templates(thisVersion, 0)
	k.LookupRequestBytes = float64(len(templates[opRoute].frame))
	k.RegisterTopicBytes = float64(len(big.Body(0, big.Topics, 0, 1, thisVersion).bytes)) / largeTopics
	smallReply := r.median(small1, "reply_bytes")
	k.RouteBrokerBytes = (r.median(large, "reply_bytes") - smallReply) / (largeBrokers - smallBrokers)
	k.ReplyHeaderBytes = smallReply - smallBrokers*k.RouteBrokerBytes
	k.ClusterGroupBytes = r.median(clusterScenario, "reply_bytes") / clusterBrokers

	// A server that is busy for a share x of the time pays 1-x of a wake-up for what arrives, see
	// wakeCores; one that has all it can do pays none. Bodies of 60 kB are taken from an open loop
	// and not from the closed one: there it is known how many lookups come together (in a closed
	// loop a connection asks again for each answer, so it is between one and four), and no socket is full.
	asleep := func(scenario string) float64 { return 1 - r.median(scenario, "cpu_share") }
	small := r.median(small1, "server_ns")
	k.WakeNanos = (r.median(quietScenario, "server_ns") - small) / asleep(quietScenario)
	together := r.median(largeOpenScenario, "server_ns")*largeTogether - k.WakeNanos*asleep(largeOpenScenario) // four lookups, one turn
	k.ReplyByteNanos = (together - small) / ((largeTogether*largeBrokers - smallBrokers) * k.RouteBrokerBytes)
	k.LookupNanos = small - smallBrokers*k.RouteBrokerBytes*k.ReplyByteNanos
	k.SettleNanos = (r.median(silentScenario, "server_ns")-k.LookupNanos)/asleep(silentScenario) - k.WakeNanos
	const clusterRate = clusterBrokers / clusterAskSeconds
	clusterNanos := r.median(clusterScenario, "cpu_share")*1e9/clusterRate - k.WakeNanos*asleep(clusterScenario)
	k.ClusterByteNanos = (clusterNanos - k.LookupNanos) / (clusterBrokers * k.ClusterGroupBytes)
	bytes := largeTopics * k.RegisterTopicBytes
	const each = 1e9 * renewSeconds / float64(largeBrokers) // nanoseconds from one registration to the next
	registerNanos := r.median(unchangedScenario, "cpu_share")*each - (k.WakeNanos+k.SettleNanos)*asleep(unchangedScenario)
	k.RegisterByteNanos = (registerNanos - k.LookupNanos) / bytes
	k.ChangedByteNanos, k.NewTopicNanos = changedCosts(
		registered{r.median(restartScenario, "elapsed_s") * 1e9, largeBrokers * bytes, largeTopics},
		registered{r.median(ingestScenario, "fill_s") * 1e9, ingestBrokers * ingestTopics * k.RegisterTopicBytes, ingestTopics})

	quiet := r.median(quietScenario, "rss_mb") * 1e6
	k.ConnectionBytes = (r.median(idleScenario, "rss_mb")*1e6 - quiet) / idleConns
	topicBytes := func(scenario string) float64 {
		return (r.median(scenario, "rss_mb") - beside.median(scenario, "rss_mb")) * 1e6 / (topicsMost - smallTopics)
	}
	k.TopicBytes, k.OwnTopicBytes = topicBytes(millionScenario), topicBytes(ownScenario)
	quiet -= (clients+smallBrokers)*k.ConnectionBytes + smallTopics*k.TopicBytes
	loud := r.median(unchangedScenario, "rss_mb")*1e6 - largeBrokers*k.ConnectionBytes - largeTopics*k.TopicBytes
	k.FrameRooms = (loud - quiet) / ((largeTopics - smallTopics) * k.RegisterTopicBytes)
	k.ProcessBytes = quiet - k.FrameRooms*smallTopics*k.RegisterTopicBytes

	if lacks := append(r.lacks, beside.lacks...); len(lacks) > 0 {
		slices.Sort(lacks)
		return Costs{}, errors.New("the costs lack: " + strings.Join(slices.Compact(lacks), "; "))
	}
	return k.rounded()
}

// registered is how long it took for so many bytes of registrations, with so many topics that were
// not known, to be accepted.
type registered struct{ nanos, bytes, newTopics float64 }

// changedCosts are the costs of a byte and of a new topic, by which both took as long as they did.
func changedCosts(a, b registered) (byteNanos, newTopicNanos float64) {
	det := a.bytes*b.newTopics - b.bytes*a.newTopics
	return (a.nanos*b.newTopics - b.nanos*a.newTopics) / det, (a.bytes*b.nanos - b.bytes*a.nanos) / det
}

// rounded leaves three digits, which is how costs are written down: what is calculated with them
// can be calculated again.
func (c Costs) rounded() (Costs, error) {
	for _, line := range costLines {
		v := line.at(&c)
		if *v <= 0 {
			return Costs{}, fmt.Errorf("%s costs %.3g %s (%s): something disturbed one of the two", line.what, *v/line.in, line.unit, line.from)
		}
		*v = digits3(*v/line.in) * line.in
	}
	return c, nil
}

// digits3 rounds to three digits.
func digits3(v float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return rounded
}
