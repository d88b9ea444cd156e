package bench

// Costs are what a name server's work costs, as measured on one core (see Comparison.Costs).
type Costs struct {
	LookupNanos          float64 // a route lookup of its own (depth 1, many connections), without its reply's bytes; and any small request
	ReplyByteNanos       float64 // each byte of a reply's body
	RegisterByteNanos    float64 // each byte of an unchanged registration: read, checked, digested
	ChangedByteNanos     float64 // each byte of one that changed something, parse and publication included
	ClusterByteNanos     float64 // each byte of a reply to 106, which is sent in parts
	LookupRequestBytes   float64
	ReplyHeaderBytes     float64 // of a reply to 105, and of its body what does not depend on brokers
	RouteBrokerBytes     float64 // of a route's body, for each broker that has the topic
	RegisterTopicBytes   float64 // of a registration, for each topic
	ClusterGroupBytes    float64 // of the reply to 106, for each group
	ProcessBytes         float64 // resident, without any fact
	ConnectionBytes      float64 // resident, for each connection, the kernel's apart
	TopicBytes           float64 // resident, for each topic: its name and its number of brokers, which topics share
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
	LookupCores        float64
	RegisterCores      float64
	ClusterCores       float64
	InGbit, OutGbit    float64 // per second
	ResidentMB         float64
	MassRestartMB      float64 // resident meanwhile
	MassRestartSeconds float64 // until all brokers are back, on one core and a free network
}

// Cores is all that a server has to compute.
func (n Need) Cores() float64 { return n.LookupCores + n.RegisterCores + n.ClusterCores }

// Each is what each of so many servers needs. What clients ask is shared by them; what brokers
// register is not: every server has it all.
func (f Fleet) Each(servers int, c Costs) Need {
	var n Need
	topicsPerBroker := float64(f.Topics) * f.BrokersPerTopic / float64(f.Brokers)
	bodyBytes := c.RouteBrokerBytes * f.BrokersPerTopic
	n.LookupsPerSecond = perSecond(float64(f.Clients)*f.TopicsPerClient, f.PollSeconds) / float64(servers)
	n.LookupCores = n.LookupsPerSecond * (c.LookupNanos + bodyBytes*c.ReplyByteNanos) / 1e9

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

	wire := 8 * (1 + c.SegmentOverheadShare) / 1e9
	n.InGbit = wire * (n.LookupsPerSecond*c.LookupRequestBytes + registrations*registerBytes)
	n.OutGbit = wire * (n.LookupsPerSecond*(c.ReplyHeaderBytes+bodyBytes) + asked*clusterBytes)

	connections := float64(f.Clients)/float64(servers) + float64(f.Brokers)
	n.ResidentMB = (c.ProcessBytes + connections*c.ConnectionBytes + float64(f.Topics)*c.TopicBytes + c.FrameRooms*frameBytes) / 1e6
	n.MassRestartMB = n.ResidentMB + min(c.IntakeBytes, float64(f.Brokers)*frameBytes)/1e6
	n.MassRestartSeconds = float64(f.Brokers) * registerBytes * c.ChangedByteNanos / 1e9
	return n
}

// perSecond is how often something happens that n do every so many seconds; 0: never.
func perSecond(n, seconds float64) float64 {
	if seconds == 0 {
		return 0
	}
	return n / seconds
}
