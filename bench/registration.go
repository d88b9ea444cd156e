package bench

import (
	"hash/crc32"
	"strconv"

	"github.com/pharosmq/pharos/codec"
)

// splitTopics is how many topics a part of a split registration has (Java:
// BrokerConfig.splitRegistrationSize); splitFrom is from how many topics on a broker with
// that setting has to split: more do not fit one frame of 16 MiB.
const (
	splitTopics = 800
	splitFrom   = 80_000
)

// heartbeatTimeoutMillis is how long brokers ask to be kept without registering again: those
// of a world that nobody renews must outlast every measurement.
const heartbeatTimeoutMillis = "3600000"

// crcMask drops the sign of a checksum, as Java does.
const crcMask = 0x7FFFFFFF

// Registration is a REGISTER_BROKER request, encoded and ready to be sent many times: a
// frame up to its body, in which the sender puts its opaque, and the body, which many
// registrations may share. Neither may be changed otherwise.
type Registration struct {
	head template
	body []byte
}

// Bytes is how long the frame is.
func (r *Registration) Bytes() int { return len(r.head.frame) + len(r.body) }

// RegisterBody is what a broker of w has to say, encoded once for all its brokers.
type RegisterBody struct {
	bytes   []byte
	crc     uint32
	version int32
}

// Body encodes topics [from, to) of a variant of w as a broker of the given RocketMQ version
// sends them. Two bodies with the same counter are the same registration to a name server.
func (w *World) Body(from, to, variant int, counter int64, version int32) RegisterBody {
	topics := make([]codec.TopicConfig, 0, to-from)
	for i := from; i < to; i++ {
		topics = append(topics, w.topicConfig(i, variant))
	}
	return encodeBody(topics, counter, version)
}

// BodyOneChanged is all topics of w, of which one has other queue numbers.
func (w *World) BodyOneChanged(topic int, counter int64, version int32) RegisterBody {
	topics := make([]codec.TopicConfig, 0, w.Topics)
	for i := range w.Topics {
		variant := 0
		if i == topic {
			variant = 1
		}
		topics = append(topics, w.topicConfig(i, variant))
	}
	return encodeBody(topics, counter, version)
}

// bodyTimestamp is the time of all data versions: bodies must be the same from run to run.
const bodyTimestamp = 1_700_000_000_000

func encodeBody(topics []codec.TopicConfig, counter int64, version int32) RegisterBody {
	b := codec.RegisterBody{Topics: topics, DataVersion: codec.DataVersion{Timestamp: bodyTimestamp, Counter: counter}}
	bytes := codec.AppendRegisterBody(nil, &b, version)
	return RegisterBody{bytes: bytes, crc: bodyCRC(bytes), version: version}
}

// Registration is the request of broker b with that body.
func (w *World) Registration(b int, body RegisterBody, st codec.SerializeType) *Registration {
	ext := append(w.identity(b),
		codec.ExtField{Key: "haServerAddr", Value: w.BrokerAddr(b)},
		codec.ExtField{Key: "enableActingMaster", Value: "false"},
		codec.ExtField{Key: "compressed", Value: "false"},
		codec.ExtField{Key: "heartbeatTimeoutMillis", Value: heartbeatTimeoutMillis},
		codec.ExtField{Key: "bodyCrc32", Value: strconv.FormatUint(uint64(body.crc), 10)})
	h := codec.Header{Code: codec.CodeRegisterBroker, Version: body.version, Ext: ext}
	t := newTemplate(st, &h, "")
	t.grow(len(body.bytes))
	return &Registration{head: t, body: body.bytes}
}

func (w *World) identity(b int) []codec.ExtField {
	return []codec.ExtField{
		{Key: "brokerName", Value: w.BrokerName(b)}, {Key: "brokerAddr", Value: w.BrokerAddr(b)},
		{Key: "clusterName", Value: w.Cluster()}, {Key: "brokerId", Value: "0"},
	}
}

// parts cuts w's topics as a broker does that has to split its registration.
func (w *World) parts() (ranges [][2]int) {
	if w.Topics < splitFrom {
		return [][2]int{{0, w.Topics}}
	}
	for from := 0; from < w.Topics; from += splitTopics {
		to := min(from+splitTopics, w.Topics)
		if w.Topics-to == 1 { // a part of one topic would be taken for an incremental registration
			to = w.Topics
		}
		ranges = append(ranges, [2]int{from, to})
		from = to - splitTopics
	}
	return ranges
}

func bodyCRC(body []byte) uint32 { return crc32.ChecksumIEEE(body) & crcMask }
