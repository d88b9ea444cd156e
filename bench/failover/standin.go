package failover

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit/process"
)

// mood is what a stand-in does with answers.
type mood int32

const (
	well    mood = iota // passes them on
	late                // holds each of them back for a while
	garbage             // sends something else in their place
)

const (
	lateBy       = 2 * time.Second
	standinQueue = 4096 // answers held back on a connection
)

// standin stands between clients and a name server, on its host.
type standin struct {
	ns       process.Namespace
	to       string
	listener net.Listener
	mood     atomic.Int32
	replies  atomic.Int64 // in mood garbage: which kind is next

	mu      sync.Mutex
	conns   map[net.Conn]bool
	closed  bool
	running sync.WaitGroup
}

func startStandin(ns process.Namespace, listen, to string) (*standin, error) {
	s := &standin{ns: ns, to: to, conns: map[net.Conn]bool{}}
	err := ns.Do(func() (err error) {
		s.listener, err = net.Listen("tcp", listen)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the stand-in of %s: %w", to, err)
	}
	s.running.Go(s.accept)
	return s, nil
}

func (s *standin) set(m mood) { s.mood.Store(int32(m)) }

// close ends it and all its connections.
func (s *standin) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// keep takes note of a connection; false if the stand-in was closed meanwhile.
func (s *standin) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return false
	}
	s.conns[c] = true
	return true
}

func (s *standin) drop(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

func (s *standin) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if s.keep(c) {
			s.running.Go(func() { s.serve(c) })
		}
	}
}

// serve joins a client's connection to one of its own to the name server.
func (s *standin) serve(client net.Conn) {
	defer s.drop(client)
	var server net.Conn
	err := s.ns.Do(func() (err error) {
		server, err = net.DialTimeout("tcp", s.to, time.Second)
		return err
	})
	if err != nil || !s.keep(server) {
		return
	}
	defer s.drop(server)
	answers := make(chan answer, standinQueue)
	var parts sync.WaitGroup
	parts.Go(func() {
		_, _ = io.Copy(server, client) // until either ends
		_ = server.Close()
	})
	parts.Go(func() {
		s.read(server, answers)
		close(answers)
	})
	for a := range answers {
		time.Sleep(time.Until(a.due))
		if _, err := client.Write(a.bytes); err != nil {
			break
		}
	}
	_ = client.Close()
	_ = server.Close()
	for range answers { // what was read and can't be written
	}
	parts.Wait()
}

// answer is what a client gets, and when.
type answer struct {
	due   time.Time
	bytes []byte
}

// read takes the name server's answers frame by frame.
func (s *standin) read(server net.Conn, answers chan<- answer) {
	lim := codec.DefaultLimits()
	for {
		frame, err := readFrame(server, &lim)
		if err != nil {
			return
		}
		a := answer{time.Now(), frame}
		switch mood(s.mood.Load()) {
		case late:
			a.due = a.due.Add(lateBy)
		case garbage:
			a.bytes = spoil(frame, int(s.replies.Add(1)-1), &lim)
		}
		answers <- a
	}
}

func readFrame(in io.Reader, lim *codec.Limits) ([]byte, error) {
	prefix := make([]byte, codec.FramePrefixBytes)
	if _, err := io.ReadFull(in, prefix); err != nil {
		return nil, err
	}
	size, err := codec.FrameSize(prefix, lim)
	if err != nil {
		return nil, err
	}
	frame := append(make([]byte, 0, size), prefix...)[:size]
	_, err = io.ReadFull(in, frame[len(prefix):])
	return frame, err
}

// spoilKinds is how many ways of spoil there are.
const spoilKinds = 5

// spoil returns garbage instead of an answer, the kinds in turn: answers to the right request
// whose body is cut off or no JSON, a header that is no JSON, bytes that are no frame, the
// answer of a web server.
func spoil(frame []byte, kind int, lim *codec.Limits) []byte {
	var c codec.Command
	if err := c.Decode(frame, lim); err != nil {
		return frame // the name server's own garbage
	}
	reply := codec.Header{Code: codec.Success, Version: c.Version, Opaque: c.Opaque, Flag: c.Flag, Language: c.Language}
	switch kind % spoilKinds {
	case 0:
		return codec.AppendCommand(nil, c.Serialize, &reply, c.Body[:len(c.Body)*2/3])
	case 1:
		return codec.AppendCommand(nil, c.Serialize, &reply, []byte("\x00\xff<garbage>"))
	case 2:
		spoiled := append([]byte(nil), frame...)
		header := spoiled[codec.FramePrefixBytes:]
		header = header[:binary.BigEndian.Uint32(spoiled[4:])&0xFFFFFF]
		for i := range header {
			header[i] ^= 0x55
		}
		return spoiled
	case 3:
		noise := make([]byte, len(frame))
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
		return noise
	default:
		return []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	}
}
