package codec

// Limits bounds what a peer can make us hold or compute. Every count and length on the
// wire is compared with one of them, and with the bytes that are there, before anything
// is sized by it. A Limits is read-only once it is in use; all fields are maxima > 0,
// but for those of routes, which are off at 0 or less.
type Limits struct {
	// FrameBytesMax bounds a whole frame, its 4 length bytes included, in both
	// directions. Java peers drop the connection at a larger one, so raising it only
	// helps when theirs is raised too.
	// Java: the system property com.rocketmq.remoting.frameMaxLength.
	FrameBytesMax int
	// HeaderBytesMax bounds the header of an incoming frame. Java has no such limit.
	HeaderBytesMax int
	// ExtFieldsMax bounds the ext fields of an incoming header. Java has no such limit.
	ExtFieldsMax int
	// InflatedBytesMax bounds what one compressed body may grow to.
	InflatedBytesMax int
	// JSONDepthMax bounds how deep arrays and objects may nest, in headers and bodies.
	JSONDepthMax int
	// TopicsMax bounds the topics of one registration body, repetitions included.
	TopicsMax int
	// RouteBrokersMax bounds each of a route's four lists of brokers: brokerDatas,
	// queueDatas, filterServerTable, topicQueueMappingByBroker. RouteEntriesMax bounds the
	// entries of all of a route's lists and tables together, addresses and the queues of
	// static topics among them. Both are off by default, as in Java, and only concern
	// ParseTopicRouteData: they are for clients, which have to live with what any name
	// server answers.
	RouteBrokersMax int
	RouteEntriesMax int
}

const (
	// defaultFrameBytesMax is Java's: the largest legal length field is 16777212.
	defaultFrameBytesMax = 16 << 20
	// defaultHeaderBytesMax: headers are scanned on the event loop, where 1 MiB costs
	// about a millisecond. The largest honest header carries a KV value (100), and an
	// order configuration of 10,000 broker groups is a third of this.
	defaultHeaderBytesMax = 1 << 20
	// defaultExtFieldsMax: the richest request (103) has 12 fields, and clients add a
	// handful for access control and zones.
	defaultExtFieldsMax = 256
	// defaultInflatedBytesMax holds a million topics with names of 80 bytes.
	defaultInflatedBytesMax = 128 << 20
	// defaultJSONDepthMax: no body of the protocol nests deeper than six.
	defaultJSONDepthMax = 64
	// defaultTopicsMax is twice the largest cluster Pharos is measured with.
	defaultTopicsMax = 2 << 20
)

// headerLengthMax is what the 24 bits of a frame's header length can say.
const headerLengthMax = 1<<24 - 1

// Relations the code relies on: a negative result does not compile.
const (
	_ = uint(defaultFrameBytesMax - FramePrefixBytes - defaultHeaderBytesMax) // a frame holds any header
	_ = uint(headerLengthMax - defaultHeaderBytesMax)                         // a length can say any header
	_ = uint(defaultHeaderBytesMax - defaultExtFieldsMax*6)                   // a header holds as many fields: a binary one needs 6 bytes
	_ = uint(defaultInflatedBytesMax - defaultFrameBytesMax)                  // a body may at least stay as large as it came
)

// DefaultLimits returns the limits Pharos starts with.
func DefaultLimits() Limits {
	return Limits{
		FrameBytesMax:    defaultFrameBytesMax,
		HeaderBytesMax:   defaultHeaderBytesMax,
		ExtFieldsMax:     defaultExtFieldsMax,
		InflatedBytesMax: defaultInflatedBytesMax,
		JSONDepthMax:     defaultJSONDepthMax,
		TopicsMax:        defaultTopicsMax,
	}
}
