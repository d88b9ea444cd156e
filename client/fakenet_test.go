package client

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// manner is how a simulated server behaves.
type manner int

const (
	answering  manner = iota
	refused           // its process is gone: connections end, new ones are refused
	frozen            // it accepts and reads nothing any more; what it owes comes when it thaws
	unheard           // packets vanish: nothing arrives, no connection comes about
	slowly            // answers after 2 s
	babbling          // answers are no frames
	overloaded        // answers are code 2
	starting          // answers are code 1, name server not ready
	going             // answers are code 1500
	empty             // it knows no topic
	mad               // the frames are fine, the routes are not
	hollow            // routes have nothing in them
	bloated           // routes have 10,001 brokers
	stranger          // it is a broker
)

// fakeNet is a network of name servers over net.Pipe, for use in a bubble.
type fakeNet struct {
	t       *testing.T
	mu      sync.Mutex
	servers map[string]*fakeServer
	conns   sync.WaitGroup
}

type fakeServer struct {
	manner  manner
	changed chan struct{}
	conns   map[net.Conn]bool
	dials   int
	asked   map[string]int // topic -> requests
	joined  int            // requests that came in one write with the one before them
}

func newFakeNet(t *testing.T, addrs ...string) *fakeNet {
	n := &fakeNet{t: t, servers: map[string]*fakeServer{}}
	for _, a := range addrs {
		n.servers[a] = &fakeServer{changed: make(chan struct{}), conns: map[net.Conn]bool{}, asked: map[string]int{}}
	}
	return n
}

// become changes a server's behaviour.
func (n *fakeNet) become(addr string, m manner) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.servers[addr]
	s.manner = m
	close(s.changed)
	s.changed = make(chan struct{})
	if m == refused {
		for c := range s.conns {
			c.Close()
		}
		clear(s.conns)
	}
}

// now is how a server behaves, and what is closed when that changes.
func (n *fakeNet) now(addr string) (manner, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.servers[addr]
	return s.manner, s.changed
}

func (n *fakeNet) dials(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.servers[addr].dials
}

func (n *fakeNet) asked(addr, topic string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.servers[addr].asked[topic]
}

// joined is how many requests came in one write with the one before them.
func (n *fakeNet) joined(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.servers[addr].joined
}

var errFakeRefused = errors.New("connection refused")

func (n *fakeNet) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	n.mu.Lock()
	s := n.servers[addr]
	if s == nil {
		n.mu.Unlock()
		return nil, errFakeRefused
	}
	s.dials++
	m := s.manner
	n.mu.Unlock()
	switch m {
	case refused:
		return nil, errFakeRefused
	case unheard:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	near, far := net.Pipe()
	n.mu.Lock()
	s.conns[far] = true
	n.mu.Unlock()
	n.conns.Go(func() { n.serve(addr, s, far) })
	return near, nil
}

// serve answers requests on one connection, each on a goroutine of its own.
func (n *fakeNet) serve(addr string, s *fakeServer, c net.Conn) {
	var answers sync.WaitGroup
	defer answers.Wait()
	defer c.Close()
	ended := make(chan struct{})
	defer close(ended)
	in := bufio.NewReader(c)
	lim := codec.DefaultLimits()
	var writing sync.Mutex
	for {
		joined := in.Buffered() > 0
		prefix, err := in.Peek(codec.FramePrefixBytes)
		if err != nil {
			return
		}
		size, err := codec.FrameSize(prefix, &lim)
		if err != nil {
			n.t.Errorf("our request: %v", err)
			return
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(in, frame); err != nil {
			return
		}
		var cmd codec.Command
		if err := cmd.Decode(frame, &lim); err != nil {
			n.t.Errorf("our request: %v", err)
			return
		}
		topic, _ := cmd.Ext("topic")
		n.mu.Lock()
		s.asked[string(topic)]++
		if joined {
			s.joined++
		}
		n.mu.Unlock()
		answers.Go(func() { n.answer(addr, c, &writing, ended, cmd.Opaque, string(topic)) })
	}
}

func (n *fakeNet) answer(addr string, c net.Conn, writing *sync.Mutex, ended <-chan struct{}, opaque int32, topic string) {
	m, changed := n.now(addr)
	for m == frozen {
		select {
		case <-changed:
			m, changed = n.now(addr)
		case <-ended:
			return
		}
	}
	switch m {
	case unheard, refused:
		return
	case slowly:
		time.Sleep(2 * time.Second)
	default:
		time.Sleep(time.Millisecond)
	}
	frame := replyOf(m, opaque, addr, topic)
	writing.Lock()
	defer writing.Unlock()
	_, _ = c.Write(frame)
}

// replyOf is a server's answer to a question for a topic. The route names the server, so that
// a test sees who answered.
func replyOf(m manner, opaque int32, addr, topic string) []byte {
	reply := func(code int32, remark, body string) []byte {
		h := codec.Header{Code: code, Opaque: opaque, Flag: codec.FlagResponse, Version: 513, Remark: remark, HasRemark: remark != ""}
		return codec.AppendCommand(nil, codec.SerializeJSON, &h, []byte(body))
	}
	switch {
	case m == babbling:
		return []byte("SSH-2.0-OpenSSH_9.6\r\n")
	case m == overloaded:
		return reply(codec.SystemBusy, "busy", "")
	case m == starting:
		return reply(codec.SystemError, "name server not ready", "")
	case m == going:
		return reply(codec.GoAway, "please go away", "")
	case m == stranger:
		return reply(codec.RequestCodeNotSupported, " request type 105 not supported", "")
	case m == empty || topic == probeTopic || topic == "none":
		return reply(codec.TopicNotExist, "No topic route info in name server for the topic: "+topic, "")
	case m == mad:
		return reply(codec.Success, "", `{"brokerDatas":17}`)
	}
	if m == bloated {
		return reply(codec.Success, "", `{"brokerDatas":[`+strings.Repeat(`{"brokerAddrs":{"0":"h"},"brokerName":"b"},`, brokersMax)+`{}]}`)
	}
	if m == hollow {
		return reply(codec.Success, "", "{}")
	}
	return reply(codec.Success, "", `{"brokerDatas":[{"brokerAddrs":{"0":"`+addr+`"},"brokerName":"b","cluster":"c"}],"queueDatas":[]}`)
}
