package codec

import (
	"encoding/binary"
	"testing"
)

// jsonFrame makes a frame of a JSON header and a body.
func jsonFrame(header, body string) []byte {
	frame := make([]byte, FramePrefixBytes, FramePrefixBytes+len(header)+len(body))
	binary.BigEndian.PutUint32(frame, uint32(frameWordBytes+len(header)+len(body)))
	binary.BigEndian.PutUint32(frame[frameLengthBytes:], uint32(len(header)))
	return append(append(frame, header...), body...)
}

// benchJSON105 is what a Java 5.5.0 client asks for a route: 190 bytes of header.
const benchJSON105 = `{"code":105,"extFields":{"acceptStandardJsonOnly":"true","topic":"order-events-europe-west-settled"},` +
	`"flag":0,"language":"JAVA","opaque":1234567,"serializeTypeCurrentRPC":"JSON","version":513}`

// benchExt105 are the same fields, to be sent in the binary form.
var benchExt105 = []ExtField{
	{"acceptStandardJsonOnly", "true"}, {"topic", "order-events-europe-west-settled"},
}

// bench103 is a registration as a 5.5.0 broker sends it.
const bench103 = `{"code":103,"extFields":{"bodyCrc32":"1844486275","brokerAddr":"10.0.0.1:10911","brokerId":"0",` +
	`"brokerName":"broker-a","clusterName":"DefaultCluster","compressed":"false","enableActingMaster":"false",` +
	`"haServerAddr":"10.0.0.1:10912","heartbeatTimeoutMillis":"30000"},"flag":0,"language":"JAVA","opaque":9,` +
	`"serializeTypeCurrentRPC":"JSON","version":513}`

func benchmarkDecode(b *testing.B, frame []byte) {
	lim := DefaultLimits()
	var c Command
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if err := c.Decode(frame, &lim); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeJSON105(b *testing.B) { benchmarkDecode(b, jsonFrame(benchJSON105, "")) }
func BenchmarkDecodeJSON103(b *testing.B) { benchmarkDecode(b, jsonFrame(bench103, "{}")) }

func BenchmarkDecodeBinary105(b *testing.B) {
	h := Header{Code: CodeGetRouteInfoByTopic, Version: Version5_5_0, Opaque: 7, Ext: benchExt105}
	benchmarkDecode(b, AppendCommand(nil, SerializeRocketMQ, &h, nil))
}

func BenchmarkExt(b *testing.B) {
	lim := DefaultLimits()
	var c Command
	if err := c.Decode(jsonFrame(benchJSON105, ""), &lim); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if topic, ok := c.Ext("topic"); !ok || len(topic) == 0 {
			b.Fatal("no topic")
		}
	}
}

func benchmarkResponse(b *testing.B, st SerializeType, remark string, ext []ExtField) {
	lim := DefaultLimits()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var m FrameMark
		var err error
		dst, m = BeginResponse(dst[:0], st, 1234567, Success, remark, ext)
		if dst, err = EndFrame(dst, m, &lim); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResponseSuccess(b *testing.B)       { benchmarkResponse(b, SerializeJSON, "", nil) }
func BenchmarkResponseSuccessBinary(b *testing.B) { benchmarkResponse(b, SerializeRocketMQ, "", nil) }
func BenchmarkResponseExt(b *testing.B)           { benchmarkResponse(b, SerializeJSON, "", benchExt105) }
func BenchmarkResponseRemark(b *testing.B) {
	benchmarkResponse(b, SerializeJSON, "No topic route info in name server for the topic: T1", nil)
}
