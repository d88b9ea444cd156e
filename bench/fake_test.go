package bench

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// fakeServer answers route lookups of a world, and everything else with success, from its
// own facts; it can be slow, wrong or rude.
type fakeServer struct {
	addr string
	open atomic.Int32 // connections

	mu            sync.Mutex
	registrations map[string][]int // broker -> topics of each frame
	world         *World
	code          int32         // instead of SUCCESS
	wrongBody     bool          // one queue too many
	stall         time.Duration // before the reply of the stallAt-th lookup
	stallAt       int
	held          chan struct{} // until it is closed, registrations are not answered
	closeAfter    int           // replies, then the connection ends
	lookups       int
	full          int // connections; at the next one it stops to listen
	accepted      int
}

func newFakeServer(t *testing.T, w *World) *fakeServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeServer{addr: l.Addr().String(), world: w, registrations: map[string][]int{}}
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if s.isFull() {
				c.Close()
				l.Close()
				return
			}
			serving.Go(func() { s.serve(c) })
		}
	})
	return s
}

func (s *fakeServer) isFull() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted++
	return s.full > 0 && s.accepted > s.full
}

func (s *fakeServer) serve(c net.Conn) {
	defer c.Close()
	s.open.Add(1)
	defer s.open.Add(-1)
	var cmd codec.Command
	limits := codec.DefaultLimits()
	served := 0
	for {
		head := make([]byte, 4)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		frame := append(head, make([]byte, binary.BigEndian.Uint32(head))...)
		if _, err := io.ReadFull(c, frame[4:]); err != nil {
			return
		}
		if err := cmd.Decode(frame, &limits); err != nil {
			return
		}
		reply, wait := s.answer(&cmd)
		if time.Sleep(wait); s.held != nil && cmd.Code == codec.CodeRegisterBroker {
			<-s.held
		}
		if _, err := c.Write(reply); err != nil {
			return
		}
		if served++; served == s.closeAfter {
			return
		}
	}
}

func (s *fakeServer) answer(cmd *codec.Command) (reply []byte, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := codec.Header{Code: s.code, Opaque: cmd.Opaque, Flag: codec.FlagResponse, Version: codec.Version5_5_0}
	var body []byte
	switch cmd.Code {
	case codec.CodeGetRouteInfoByTopic:
		if s.lookups++; s.lookups == s.stallAt {
			wait = s.stall
		}
		topic, _ := cmd.Ext("topic")
		if body = s.route(string(topic), cmd.Version); body == nil {
			h.Code = codec.TopicNotExist
		}
	case codec.CodeGetBrokerClusterInfo:
		info := codec.ClusterInfo{BrokerAddrTable: map[string]codec.BrokerData{}, ClusterAddrTable: map[string][]string{}}
		for _, b := range s.world.Route(0, 0).BrokerDatas {
			info.BrokerAddrTable[b.BrokerName] = b
			info.ClusterAddrTable[b.Cluster] = append(info.ClusterAddrTable[b.Cluster], b.BrokerName)
		}
		body = codec.AppendClusterInfo(nil, &info)
	case codec.CodeGetAllTopicListFromNameserver:
		var topics []string
		for i := range s.world.Topics {
			topics = append(topics, s.world.TopicName(i))
		}
		body = codec.AppendTopicList(nil, topics)
	case codec.CodeRegisterBroker:
		s.register(cmd, &h)
	}
	return codec.AppendCommand(nil, cmd.Serialize, &h, body), wait
}

func (s *fakeServer) route(topic string, version int32) []byte {
	for i := range s.world.Topics {
		if topic == s.world.TopicName(i) {
			r := s.world.Route(i, 0)
			if s.wrongBody {
				r.QueueDatas[0].ReadQueueNums++
			}
			d := codec.DialectStandard
			if version < codec.Version4_9_4 {
				d = codec.DialectPlain
			}
			return codec.AppendTopicRouteData(nil, &r, d)
		}
	}
	return nil
}

func (s *fakeServer) register(cmd *codec.Command, h *codec.Header) {
	limits := codec.DefaultLimits()
	name, _ := cmd.Ext("brokerName")
	body := append([]byte(nil), cmd.Body...)
	crc, _ := cmd.ExtInt32("bodyCrc32")
	parsed, err := codec.ParseRegisterBody(body, codec.RegisterBodyOptions{Version: cmd.Version, Limits: &limits})
	if err != nil || crc == 0 || int64(crc) != int64(bodyCRC(cmd.Body)) {
		h.Code = codec.SystemError
		return
	}
	s.registrations[string(name)] = append(s.registrations[string(name)], len(parsed.Topics))
}
