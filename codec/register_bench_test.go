package codec

import (
	"fmt"
	"testing"
)

// benchTopics is about what fills a frame of 16 MB.
const benchTopics = 95_000

// benchRegistration makes the registration of a broker with n topics.
func benchRegistration(n int) *RegisterBody {
	b := &RegisterBody{DataVersion: DataVersion{Timestamp: 1700000000000, Counter: 7}, FilterServers: []string{}}
	for i := range n {
		name := fmt.Appendf(nil, "order-service-topic-%06d", i)
		b.Topics = append(b.Topics, TopicConfig{Name: name, Key: name, ReadQueueNums: 16, WriteQueueNums: 16, Perm: 6})
	}
	return b
}

func benchParse(b *testing.B, body []byte, o RegisterBodyOptions, topics int) {
	lim := DefaultLimits()
	o.Limits = &lim
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		rb, err := ParseRegisterBody(body, o)
		if err != nil || len(rb.Topics) != topics {
			b.Fatal(len(rb.Topics), err)
		}
	}
}

func BenchmarkParseRegisterBody(b *testing.B) {
	large := benchRegistration(benchTopics)
	chinese := benchRegistration(1000)
	for i := range chinese.Topics {
		name := fmt.Appendf(nil, "订单服务主题-%06d", i)
		chinese.Topics[i].Name, chinese.Topics[i].Key = name, name
	}
	for _, c := range []struct {
		name    string
		rb      *RegisterBody
		version int32
	}{
		{"5.x/topics=95000", large, 513},
		{"5.x/topics=1000", benchRegistration(1000), 513},
		{"4.x/topics=1000", benchRegistration(1000), 409},
		{"5.x/nonASCII/topics=1000", chinese, 513},
	} {
		body := AppendRegisterBody(nil, c.rb, c.version)
		b.Run(c.name, func(b *testing.B) {
			benchParse(b, body, RegisterBodyOptions{Version: c.version, Yield: func() {}}, len(c.rb.Topics))
		})
	}
	b.Run("5.x/general/topics=1000", func(b *testing.B) {
		// A blank in each topic keeps the fast way out.
		rb := benchRegistration(1000)
		body := []byte(`{"topicConfigSerializeWrapper":{"dataVersion":{"timestamp":1},"topicConfigTable":{`)
		for i := range rb.Topics {
			body = appendComma(body, i)
			t := appendTopicConfig(nil, &rb.Topics[i], 513)
			body = append(append(body, t[:len(t)-1]...), ' ', '}')
		}
		benchParse(b, append(body, "}}}"...), RegisterBodyOptions{Version: 513}, 1000)
	})
	for _, n := range []int{1000, benchTopics} {
		b.Run(fmt.Sprintf("compressed/topics=%d", n), func(b *testing.B) {
			body := AppendRegisterBodyCompressed(nil, benchRegistration(n), 513)
			benchParse(b, body, RegisterBodyOptions{Version: 513, Compressed: true}, n)
			inflated := len(appendRegisterParts(nil, benchRegistration(n), 513))
			b.ReportMetric(float64(inflated)*float64(b.N)/b.Elapsed().Seconds()/1e6, "inflatedMB/s")
		})
	}
}

func BenchmarkAppendBrokerData(b *testing.B) {
	bd := BrokerData{Cluster: "DefaultCluster", BrokerName: "broker-a", BrokerAddrs: map[int64]string{0: "10.0.0.1:10911", 1: "10.0.0.2:10911", 2: "10.0.0.3:10911"}}
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendBrokerData(dst[:0], &bd, DialectStandard)
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkAppendQueueData(b *testing.B) {
	q := QueueData{BrokerName: "broker-a", ReadQueueNums: 16, WriteQueueNums: 16, Perm: 6}
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendQueueData(dst[:0], &q)
	}
	b.SetBytes(int64(len(dst)))
}
