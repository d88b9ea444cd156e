package routetable

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// fleet is a table with many topics, and what its brokers said.
type fleet struct {
	*Table
	names [][]byte
}

func topicNames(n int) [][]byte {
	names := make([][]byte, n)
	for i := range names {
		names[i] = fmt.Appendf(nil, "bench-topic-%07d-abcdefgh", i)
	}
	return names
}

// partTopics is what a broker with split registration puts into one registration.
const partTopics = 800

// parts returns the registrations of one broker with the topics, in parts. queues gives the
// number of queues of the i-th topic.
func (f *fleet) parts(broker int, version int64, queues func(i int) int32) []*Registration {
	var list []*Registration
	for first := 0; first < len(f.names); first += partTopics {
		body := &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: version, Timestamp: 1}}
		for i := first; i < min(first+partTopics, len(f.names)); i++ {
			q := queues(i)
			body.Topics = append(body.Topics, codec.TopicConfig{Name: f.names[i], Key: f.names[i], ReadQueueNums: q, WriteQueueNums: q, Perm: 6})
		}
		list = append(list, benchRegistration(broker, body))
	}
	return list
}

func benchRegistration(broker int, body *codec.RegisterBody) *Registration {
	addr := fmt.Sprintf("10.0.%d.%d:10911", broker/250, broker%250)
	return &Registration{
		Broker: BrokerKey{"DefaultCluster", addr}, Name: fmt.Sprintf("broker-%04d", broker),
		HAServerAddr: codec.NullString{String: addr, Valid: true}, Body: body, Conn: ConnID(broker + 1), NowMillis: 1,
	}
}

// measureCPU reports the processor time of the loop beside its duration: on a busy machine
// that is the number to compare. Call it right before the loop, and its result right after.
func measureCPU(b *testing.B) func() {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

func alike(int) int32       { return 8 }
func different(i int) int32 { return int32(i + 1) }

// ingest registers a number of brokers with all topics.
func (f *fleet) ingest(brokers int, queues func(int) int32) {
	for b := range brokers {
		for _, r := range f.parts(b, 1, queues) {
			f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
		}
	}
}

func newFleet(topics, brokers int, queues func(int) int32) *fleet {
	f := &fleet{New(Options{}), topicNames(topics)}
	f.ingest(brokers, queues)
	return f
}

func BenchmarkLookup(b *testing.B) {
	for _, c := range []struct {
		name    string
		topics  int
		brokers int
		queues  func(int) int32
	}{
		{"1k-alike-4", 1000, 4, alike},
		{"1k-different-4", 1000, 4, different},
		{"1M-alike-4", 1_000_000, 4, alike},
		{"1M-different-4", 1_000_000, 4, different},
		{"10k-alike-300", 10_000, 300, alike},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := newFleet(c.topics, c.brokers, c.queues)
			dst := make([]byte, 0, 128<<10)
			o := RouteOptions{Dialect: codec.DialectStandard, SupportActingMaster: true}
			i, n := 0, 0
			b.ReportAllocs()
			done := measureCPU(b)
			for b.Loop() {
				// A step that is coprime to the count visits all topics in no order.
				i = (i + 7919*31) % len(f.names)
				r, ok := f.Snapshot().Route(f.names[i])
				if !ok {
					b.Fatal("not found")
				}
				n = len(r.AppendBody(dst, o))
			}
			done()
			b.ReportMetric(float64(n), "bytes/body")
		})
	}
}

func BenchmarkLookupMissing(b *testing.B) {
	f := newFleet(1_000_000, 1, alike)
	name := []byte("%RETRY%nobody-knows-this-group")
	b.ReportAllocs()
	done := measureCPU(b)
	for b.Loop() {
		if _, ok := f.Snapshot().Route(name); ok {
			b.Fatal("found")
		}
	}
	done()
}

// BenchmarkIngest is a whole fleet registering with an empty server.
func BenchmarkIngest(b *testing.B) {
	for _, c := range []struct {
		name            string
		topics, brokers int
		queues          func(int) int32
	}{
		{"1M-topics-4-brokers-alike", 1_000_000, 4, alike},
		{"1M-topics-4-brokers-different", 1_000_000, 4, different},
		{"10k-topics-300-brokers-alike", 10_000, 300, alike},
		{"10k-topics-300-brokers-different", 10_000, 300, different},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := &fleet{nil, topicNames(c.topics)}
			regs := make([][]*Registration, c.brokers)
			for i := range regs {
				regs[i] = f.parts(i, 1, c.queues)
			}
			b.ReportAllocs()
			done := measureCPU(b)
			for b.Loop() {
				f.Table = New(Options{})
				for _, list := range regs {
					for _, r := range list {
						f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
					}
				}
			}
			done()
			if st := f.Snapshot().Stats(); st.Topics != c.topics || st.Groups != c.brokers {
				b.Fatalf("%+v", st)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.topics*c.brokers), "ns/topic")
		})
	}
}

// BenchmarkRegisterWhole is one broker of 300 registering 10,000 topics in one body.
func BenchmarkRegisterWhole(b *testing.B) {
	for _, what := range []string{"changed", "unchanged"} {
		b.Run(what, func(b *testing.B) {
			f := newFleet(10_000, 300, alike)
			body := &codec.RegisterBody{}
			for _, r := range f.parts(7, 1, alike) {
				body.Topics = append(body.Topics, r.Body.Topics...)
			}
			r := benchRegistration(7, body)
			b.ReportAllocs()
			done := measureCPU(b)
			for b.Loop() {
				if what == "changed" {
					body.DataVersion.Counter++
					for i := range body.Topics {
						body.Topics[i].ReadQueueNums = int32(body.DataVersion.Counter)
					}
				}
				f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
			}
			done()
		})
	}
}

// BenchmarkOneTopicChanged is an incremental registration at a million topics.
func BenchmarkOneTopicChanged(b *testing.B) {
	for _, c := range []struct {
		name   string
		queues func(int) int32
	}{{"alike", alike}, {"different", different}} {
		b.Run(c.name, func(b *testing.B) {
			f := newFleet(1_000_000, 4, c.queues)
			body := &codec.RegisterBody{Topics: []codec.TopicConfig{{Perm: 6}}}
			r := benchRegistration(2, body)
			i := 0
			b.ReportAllocs()
			done := measureCPU(b)
			for b.Loop() {
				i = (i + 7919*31) % len(f.names)
				body.DataVersion.Counter++
				t := &body.Topics[0]
				t.Name, t.Key, t.ReadQueueNums = f.names[i], f.names[i], int32(body.DataVersion.Counter&3+20)
				f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
			}
			done()
		})
	}
}

// BenchmarkUnregister is one broker of 300 leaving 10,000 topics, and (not timed) coming
// back.
func BenchmarkUnregister(b *testing.B) {
	for _, c := range []struct {
		name            string
		topics, brokers int
		queues          func(int) int32
	}{
		{"10k-topics-300-brokers", 10_000, 300, alike},
		{"10k-topics-300-brokers-different", 10_000, 300, different},
		{"1M-topics-4-brokers", 1_000_000, 4, alike},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := newFleet(c.topics, c.brokers, c.queues)
			parts := f.parts(3, 1, c.queues)
			r := parts[0]
			done := measureCPU(b)
			for b.Loop() {
				f.Update(Rules{}, func(x *Txn) { x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name}) })
				b.StopTimer()
				for _, r := range parts {
					f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
				}
				b.StartTimer()
			}
			done()
		})
	}
}

func BenchmarkWipeWritePerm(b *testing.B) {
	f := newFleet(10_000, 300, alike)
	n := 0
	done := measureCPU(b)
	for b.Loop() {
		f.Update(Rules{}, func(x *Txn) {
			if n++; n%2 == 0 {
				x.WipeWritePerm("broker-0003")
			} else {
				x.AddWritePerm("broker-0003")
			}
		})
	}
	done()
}

// BenchmarkRenewUnchanged is the 30 s registration of a broker, once the digest is known:
// the renewal alone, and with hashing a body of 10,000 topics.
func BenchmarkRenewUnchanged(b *testing.B) {
	f := newFleet(10_000, 300, alike)
	r := f.parts(7, 1, alike)[0]
	h := header(r)
	raw := make([]byte, 1_700_000)
	d := f.NewDigester()
	sum := func() Digest {
		d.Reset()
		d.WriteHeader(h)
		d.Write(raw)
		return d.Sum()
	}
	r.Digest = sum()
	f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
	b.Run("renewal", func(b *testing.B) {
		b.ReportAllocs()
		done := measureCPU(b)
		for b.Loop() {
			if _, ok := f.RenewUnchanged(h, r.Digest, 1, 2, Rules{}); !ok {
				b.Fatal("not remembered")
			}
		}
		done()
	})
	b.Run("digest-1.7MB", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		done := measureCPU(b)
		for b.Loop() {
			if sum() != r.Digest {
				b.Fatal("another digest")
			}
		}
		done()
	})
}

func BenchmarkHeartbeat(b *testing.B) {
	f := newFleet(10, 300, alike)
	cluster, addr := []byte("DefaultCluster"), []byte("10.0.0.7:10911")
	b.ReportAllocs()
	done := measureCPU(b)
	for b.Loop() {
		if _, s := f.Heartbeat(cluster, addr, 5); s != HeartbeatRenewed {
			b.Fatal(s)
		}
	}
	done()
}

func BenchmarkClusterInfo(b *testing.B) {
	f := newFleet(10, 300, alike)
	dst := make([]byte, 0, 1<<20)
	b.ReportAllocs()
	done := measureCPU(b)
	for b.Loop() {
		f.Snapshot().AppendClusterInfo(dst)
	}
	done()
}

// BenchmarkGroupChange is a broker's new data version (same topics) with the first lookup
// after it, at 300 brokers.
func BenchmarkGroupChange(b *testing.B) {
	f := newFleet(10_000, 300, alike)
	r := benchRegistration(7, &codec.RegisterBody{})
	dst := make([]byte, 0, 128<<10)
	done := measureCPU(b)
	for b.Loop() {
		r.Zone.Valid = !r.Zone.Valid
		f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
		route, _ := f.Snapshot().Route(f.names[5])
		route.AppendBody(dst, RouteOptions{})
	}
	done()
}
