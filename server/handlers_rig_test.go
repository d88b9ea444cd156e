package server

import (
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/internal/kvconfig"
	"github.com/pharosmq/pharos/routetable"
)

// rig is a Server whose one event loop is the test's own goroutine and whose connections
// are buffers: requests go the whole way from frame to frame, through dispatch, handlers
// and lanes, and everything the loop does happens when the test says so.
type rig struct {
	*Server
	t     testing.TB
	loop  *loop
	tasks chan func() // what other goroutines want of the loop
	logs  *lineBuffer
	conf  *config.Namesrv
	dir   string
}

func newRig(t testing.TB, change func(*config.Settings, *config.Live)) *rig {
	dir := t.TempDir()
	settings, live := config.DefaultSettings(dir), config.DefaultLive()
	if change != nil {
		change(&settings, &live)
	}
	kv, err := kvconfig.Load(kvconfig.Options{Path: settings.KVConfigPath, NamespaceBytesMax: settings.KVNamespaceBytesMax})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, tasks: make(chan func(), 1<<16), logs: &lineBuffer{}, conf: config.New(settings, live), dir: dir}
	deps := Deps{Log: slog.New(slog.NewTextHandler(r.logs, nil)), Config: r.conf, KV: kv}
	s, err := New(Options{EventLoops: 1, Lanes: 2}, deps)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = s
	s.lanes = newLanes(s.o.Lanes, s.o.LaneBytesMax, &processors{}, s.log)
	r.loop = newLoop(s, rigEngine{r})
	s.handlers.notifier.start()
	t.Cleanup(func() {
		s.handlers.stopping()
		_ = s.lanes.stop(t.Context())
		r.loop.pump.timer.Stop()
	})
	return r
}

// setting changes a live setting, as 318 does.
func (r *rig) setting(line string) {
	r.t.Helper()
	if _, err := r.conf.Update([]byte(line)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) kvFile() string { return filepath.Join(r.dir, "namesrv", "kvConfig.json") }

// rigEngine implements loopEngine.
type rigEngine struct{ r *rig }

func (e rigEngine) run(f func()) bool             { e.r.tasks <- f; return true }
func (e rigEngine) acked(w wire) uint64           { return 0 }
func (e rigEngine) unread(w wire) int             { return 0 }
func (e rigEngine) readInto(w wire, p []byte) int { return 0 }
func (e rigEngine) setReading(wire, bool)         {}
func (e rigEngine) close(w wire)                  { w.(*rigWire).close(e.r.endReason()) }

// rigWire implements wire.
type rigWire struct {
	r       *rig
	conn    *connection
	in, out []byte
	isOpen  bool
}

func (w *rigWire) Peek(n int) ([]byte, error) {
	if n > len(w.in) {
		return nil, io.ErrShortBuffer
	}
	return w.in[:n], nil
}
func (w *rigWire) Discard(n int) (int, error)          { w.in = w.in[n:]; return n, nil }
func (w *rigWire) InboundBuffered() int                { return len(w.in) }
func (w *rigWire) OutboundBuffered() int               { return 0 }
func (w *rigWire) Fd() int                             { return -1 }
func (w *rigWire) Write(p []byte) (int, error)         { w.out = append(w.out, p...); return len(p), nil }
func (w *rigWire) Writev(pieces [][]byte) (int, error) { return writeEach(w, pieces) }

func (w *rigWire) close(reason CloseReason) {
	if w.isOpen {
		w.isOpen = false
		w.r.loop.ended(w.conn, reason, 0)
	}
}

// client is one connection to a rig.
type client struct {
	*rigWire
	opaque int32
	// what its requests say, unless they say otherwise
	version   int32
	serialize codec.SerializeType
}

func (r *rig) dial() *client {
	w := &rigWire{r: r, isOpen: true}
	w.conn = r.newConnection(r.conns.nextID(), r.loop, w, "10.1.2.3:"+strconv.Itoa(int(r.conns.last.Load())+40001))
	r.loop.opened(w.conn)
	return &client{rigWire: w, version: codec.Version5_5_0}
}

// hangUp is the peer closing the connection.
func (c *client) hangUp() { c.close(ClosePeer) }

// frame makes a request frame. ext are keys and values in turn.
func (c *client) frame(code int32, body []byte, ext ...string) []byte {
	c.opaque++
	h := codec.Header{Code: code, Version: c.version, Opaque: c.opaque, Language: codec.LanguageJava}
	for i := 0; i < len(ext); i += 2 {
		h.Ext = append(h.Ext, codec.ExtField{Key: ext[i], Value: ext[i+1]})
	}
	return codec.AppendCommand(nil, c.serialize, &h, body)
}

// push has the loop read a frame; answers may come now or later.
func (c *client) push(frame []byte) {
	c.in = append(c.in, frame...)
	c.r.loop.traffic(c.conn)
	for len(c.in) > 0 && c.isOpen { // a large frame takes more than one callback
		before := len(c.in)
		c.r.loop.traffic(c.conn)
		if len(c.in) == before {
			c.r.runOne(time.Second)
		}
	}
}

// call sends a request and returns its answer.
func (c *client) call(code int32, body []byte, ext ...string) *answer {
	c.r.t.Helper()
	c.push(c.frame(code, body, ext...))
	return c.answer()
}

// serve has the loop read whole frames as if they had just come in, with room for the answers.
func (c *client) serve(frames []byte) {
	if cap(c.out) == 0 {
		c.out = make([]byte, 0, 1<<20)
	}
	c.in, c.out = frames, c.out[:0]
	c.r.loop.traffic(c.conn)
}

// benchmark measures serve, without what it allocates at first.
func (c *client) benchmark(b *testing.B, frames []byte) {
	c.serve(frames)
	b.ReportAllocs()
	for b.Loop() {
		c.serve(frames)
	}
}

// answer runs the loop until there is an answer.
func (c *client) answer() *answer {
	c.r.t.Helper()
	for end := time.Now().Add(10 * time.Second); len(c.out) == 0; {
		if time.Now().After(end) {
			c.r.t.Fatal("no answer")
		}
		c.r.runOne(100 * time.Millisecond)
	}
	n, err := codec.FrameSize(c.out, &c.r.o.Limits)
	if err != nil {
		c.r.t.Fatal(err)
	}
	a := decode(c.r.t, append([]byte(nil), c.out[:n]...))
	c.out = append([]byte(nil), c.out[n:]...)
	if !a.IsResponse() {
		c.r.t.Fatalf("not a response: flag %d", a.Flag)
	}
	return a
}

// runOne runs a task of the loop if one comes in time.
func (r *rig) runOne(patience time.Duration) bool {
	select {
	case f := <-r.tasks:
		f()
		return true
	case <-time.After(patience):
		return false
	}
}

// settle waits until the lanes are idle and the loop has done what they wanted.
func (r *rig) settle() {
	for r.lanes.Depth() > 0 {
		r.runOne(time.Millisecond)
	}
	for r.runOne(0) {
	}
}

// want fails unless the answer has this code, remark ("" is none) and body.
func (a *answer) want(t *testing.T, code int32, remark, body string) {
	t.Helper()
	if a.Code != code || string(a.Remark) != remark || string(a.Body) != body {
		t.Errorf("answer %d %q %q\n   want %d %q %q", a.Code, a.Remark, a.Body, code, remark, body)
	}
}

// wantExt fails unless the ext fields are exactly these; nil means there are none at all.
func (a *answer) wantExt(t *testing.T, want map[string]string) {
	t.Helper()
	if a.HasExt != (want != nil) {
		t.Errorf("the answer has ext fields: %v, want %v", a.HasExt, want != nil)
	}
	if a.NumExt() != len(want) {
		t.Errorf("%d ext fields, want %d", a.NumExt(), len(want))
	}
	for k, v := range want {
		if got, ok := a.Ext(k); !ok || string(got) != v {
			t.Errorf("ext field %s is %q (%v), want %q", k, got, ok, v)
		}
	}
}

// broker is what a broker says when it registers.
type broker struct {
	cluster, name, addr string
	id                  int64
	topics              []string
	version             codec.DataVersion
	perm                int32
	sysFlag             int32
	queues              int32
	acting              string // header field enableActingMaster, if not empty
	extra               []string
	mappings            []codec.TopicQueueMapping
	filterServers       []string
}

func newBroker(name string, id int64, topics ...string) broker {
	return broker{cluster: "c1", name: name, addr: fmt.Sprintf("10.0.0.1:%d", 10911+10*id), id: id, topics: topics,
		version: codec.DataVersion{Timestamp: 1700000000000, Counter: 1}, perm: 6, queues: 4}
}

func (b *broker) body(version int32) []byte {
	rb := codec.RegisterBody{DataVersion: b.version, Mappings: b.mappings, FilterServers: b.filterServers}
	for _, name := range b.topics {
		rb.Topics = append(rb.Topics, codec.TopicConfig{Name: []byte(name), Key: []byte(name),
			ReadQueueNums: b.queues, WriteQueueNums: b.queues, Perm: b.perm, TopicSysFlag: b.sysFlag})
	}
	return codec.AppendRegisterBody(nil, &rb, version)
}

func (b *broker) ext(body []byte) []string {
	ext := []string{"clusterName", b.cluster, "brokerName", b.name, "brokerAddr", b.addr,
		"brokerId", strconv.FormatInt(b.id, 10), "haServerAddr", b.haAddr(),
		"bodyCrc32", strconv.Itoa(int(crc32.ChecksumIEEE(body) & 0x7FFFFFFF))}
	if b.acting != "" {
		ext = append(ext, "enableActingMaster", b.acting)
	}
	return append(ext, b.extra...)
}

func (b *broker) haAddr() string { return "ha-" + b.addr }

func (b *broker) key() routetable.BrokerKey {
	return routetable.BrokerKey{Cluster: b.cluster, Addr: b.addr}
}

// register sends the broker's registration and returns the answer, once its lane is idle
// again: the answer is sent a moment before that.
func (c *client) register(b broker) *answer {
	c.r.t.Helper()
	body := b.body(c.version)
	a := c.call(codec.CodeRegisterBroker, body, b.ext(body)...)
	c.r.settle()
	return a
}

// mustRegister is register for set-ups.
func (c *client) mustRegister(b broker) *answer {
	c.r.t.Helper()
	a := c.register(b)
	if a.Code != codec.Success {
		c.r.t.Fatalf("registration of %s: %d %s", b.addr, a.Code, a.Remark)
	}
	return a
}

func (c *client) unregister(b broker) *answer {
	c.r.t.Helper()
	return c.call(codec.CodeUnregisterBroker, nil, "clusterName", b.cluster, "brokerName", b.name,
		"brokerAddr", b.addr, "brokerId", strconv.FormatInt(b.id, 10))
}

// live reports whether the broker is in the table.
func (r *rig) live(b broker) bool {
	_, ok := r.handlers.table.Snapshot().Live(b.key())
	return ok
}

// route returns the route of a topic, decoded; ok is false when there is none.
func (r *rig) route(topic string) (codec.TopicRouteData, bool) {
	route, ok := r.handlers.table.Snapshot().Route([]byte(topic))
	if !ok {
		return codec.TopicRouteData{}, false
	}
	return route.TopicRouteData(routetable.RouteOptions{}), true
}

func (r *rig) registrations(o RegistrationOutcome) uint64 { return r.HandlerStats().Registrations[o] }
