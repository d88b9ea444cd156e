package bench

// Costs are what a name server's work costs, as measured on one core (see Comparison.Costs).
type Costs struct {
	LookupNanos          float64 // a route lookup of its own (depth 1, many connections), without its reply's bytes; and any small request
	WakeNanos            float64 // waking up, for what comes while the server sleeps
	SettleNanos          float64 // what follows it if nothing else comes for lonelyNanos
	ReplyByteNanos       float64 // each byte of a reply's body
	RegisterByteNanos    float64 // each byte of an unchanged registration: read, checked, digested
	ChangedByteNanos     float64 // each byte of one that changed something, parse and publication included
	NewTopicNanos        float64 // besides, each topic that the server did not know
	ClusterByteNanos     float64 // each byte of a reply to 106, which is sent in parts
	LookupRequestBytes   float64
	ReplyHeaderBytes     float64 // of a reply to 105, and of its body what does not depend on brokers
	RouteBrokerBytes     float64 // of a route's body, for each broker that has the topic
	RegisterTopicBytes   float64 // of a registration, for each topic
	ClusterGroupBytes    float64 // of the reply to 106, for each group
	ProcessBytes         float64 // resident, without any fact
	ConnectionBytes      float64 // resident, for each connection, the kernel's apart
	TopicBytes           float64 // resident, for each topic: its name and its number of brokers, which topics share
	OwnTopicBytes        float64 // instead of that, if no other topic has its brokers and queue numbers
	FrameRooms           float64 // resident beside that, in registrations: what they are received and parsed in, and garbage
	IntakeBytes          float64 // of registrations that may come in at a time
	SegmentOverheadShare float64 // of Ethernet, IP and TCP, on top of the bytes
}

// Fleet is who uses a set of name servers. Each broker registers at every server; each client
// and, for 106, each broker asks one of them.
type Fleet struct {
	Brokers int // broker groups, one master each
	Clients int
	Topics  int
	// BrokersPerTopic is how many brokers have a topic; TopicsPerClient how many a client asks
	// for every PollSeconds (Java's default: 30).
	BrokersPerTopic float64
	TopicsPerClient float64
	PollSeconds     float64
	// LookupsTogether is how many lookups come at once on a connection; they are read and
	// answered in one turn. 0: each comes alone, as those of clients do.
	LookupsTogether float64
	// RegisterSeconds is how often a broker registers (default: 30); ChangedShare of its
	// registrations change something.
	RegisterSeconds float64
	ChangedShare    float64
	// ClusterSeconds is how often a broker asks 106; 0: never.
	ClusterSeconds float64
}

// Need is what one of the servers needs.
type Need struct {
	LookupsPerSecond   float64
	RegisterMBPer      float64 // of one registration
	LookupCores        float64 // of work: what a server that never sleeps would need
	RegisterCores      float64
	ClusterCores       float64
	WakeCores          float64 // besides, of one core: see wakeCores
	InGbit, OutGbit    float64 // per second
	ResidentMB         float64
	ResidentOwnMB      float64 // the same if no two topics have the same brokers and queue numbers
	MassRestartMB      float64 // resident meanwhile
	MassRestartSeconds float64 // until all brokers are back, on one core and a free network
}

// WorkCores is all that a server has to compute, which is what its capacity is counted by.
func (n Need) WorkCores() float64 { return n.LookupCores + n.RegisterCores + n.ClusterCores }

// Cores is what will be seen of it on a machine.
func (n Need) Cores() float64 { return n.WorkCores() + n.WakeCores }

// lonelyNanos is how long nothing else must come for SettleNanos. What the bench sends comes at even
// distances, so it is all or nothing; at random ones it would be a share of e^(-rate * lonelyNanos).
const lonelyNanos = 10e6

// wakeCores is what a server spends on waking up, as a share of the one core of its event loop. Of
// what arrives only that costs a wake-up which finds the server asleep; if it is busy for a share
// x of the time, and things arrive at no special time, those are 1-x of them:
//
//	x = work + asleep*(1-x), so x - work = asleep*(1-work) / (1+asleep)
//
// where asleep is what waking up would cost if the server always slept. So nothing is left of it
// at the limit, and a server near it wakes up less for more.
func (c Costs) wakeCores(workCores, arrivalsPerSecond float64) float64 {
	nanos := c.WakeNanos
	if arrivalsPerSecond < 1e9/lonelyNanos {
		nanos += c.SettleNanos
	}
	asleep := arrivalsPerSecond * nanos / 1e9
	return asleep * max(0, 1-workCores) / (1 + asleep)
}

// Each is what each of so many servers needs. What clients ask is shared by them; what brokers
// register is not: every server has it all.
func (f Fleet) Each(servers int, c Costs) Need {
	var n Need
	topicsPerBroker := float64(f.Topics) * f.BrokersPerTopic / float64(f.Brokers)
	bodyBytes := c.RouteBrokerBytes * f.BrokersPerTopic
	n.LookupsPerSecond = perSecond(float64(f.Clients)*f.TopicsPerClient, f.PollSeconds) / float64(servers)
	turns := n.LookupsPerSecond / max(1, f.LookupsTogether) // what is there at once is read and answered at once
	n.LookupCores = (turns*c.LookupNanos + n.LookupsPerSecond*bodyBytes*c.ReplyByteNanos) / 1e9

	registerBytes := topicsPerBroker * c.RegisterTopicBytes
	frameBytes := registerBytes
	if topicsPerBroker >= splitFrom {
		frameBytes = splitTopics * c.RegisterTopicBytes
	}
	registrations := perSecond(float64(f.Brokers), f.RegisterSeconds)
	byteNanos := c.RegisterByteNanos + f.ChangedShare*(c.ChangedByteNanos-c.RegisterByteNanos)
	n.RegisterMBPer = registerBytes / 1e6
	n.RegisterCores = registrations * (c.LookupNanos + registerBytes*byteNanos) / 1e9

	asked := perSecond(float64(f.Brokers), f.ClusterSeconds) / float64(servers)
	clusterBytes := float64(f.Brokers) * c.ClusterGroupBytes
	n.ClusterCores = asked * (c.LookupNanos + clusterBytes*c.ClusterByteNanos) / 1e9
	n.WakeCores = c.wakeCores(n.WorkCores(), turns+registrations+asked)

	wire := 8 * (1 + c.SegmentOverheadShare) / 1e9
	n.InGbit = wire * (n.LookupsPerSecond*c.LookupRequestBytes + registrations*registerBytes)
	n.OutGbit = wire * (n.LookupsPerSecond*(c.ReplyHeaderBytes+bodyBytes) + asked*clusterBytes)

	connections := float64(f.Clients)/float64(servers) + float64(f.Brokers)
	n.ResidentMB = (c.ProcessBytes + connections*c.ConnectionBytes + float64(f.Topics)*c.TopicBytes + c.FrameRooms*frameBytes) / 1e6
	n.ResidentOwnMB = n.ResidentMB + float64(f.Topics)*(c.OwnTopicBytes-c.TopicBytes)/1e6
	n.MassRestartMB = n.ResidentMB + min(c.IntakeBytes, float64(f.Brokers)*frameBytes)/1e6
	n.MassRestartSeconds = (float64(f.Brokers)*registerBytes*c.ChangedByteNanos + float64(f.Topics)*c.NewTopicNanos) / 1e9
	return n
}

// perSecond is how often something happens that n do every so many seconds; 0: never.
func perSecond(n, seconds float64) float64 {
	if seconds == 0 {
		return 0
	}
	return n / seconds
}
