package interop

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// Recorder stands between peers and a name server, passes everything on, and remembers the
// bodies of registrations.
type Recorder struct {
	Addr    string
	backend string

	mu     sync.Mutex
	bodies [][]byte
	err    error // what could not be read as a frame
}

// StartRecorder listens in front of a name server.
func StartRecorder(tb testing.TB, n *Namesrv) *Recorder {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	r := &Recorder{Addr: l.Addr().String(), backend: n.Addr()}
	go func() {
		for {
			peer, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(peer)
		}
	}()
	return r
}

// Bodies is what registrations have brought so far, in order.
func (r *Recorder) Bodies(tb testing.TB) [][]byte {
	tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		tb.Fatalf("recorder: %v", r.err)
	}
	return append([][]byte{}, r.bodies...)
}

func (r *Recorder) pass(peer net.Conn) {
	defer peer.Close()
	server, err := net.Dial("tcp", r.backend)
	if err != nil {
		return // the peer sees its connection close
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(peer, server)
		peer.Close()
	}()
	in := bufio.NewReaderSize(peer, 64<<10)
	lim := codec.DefaultLimits()
	for {
		frame, err := readFrame(in, &lim)
		if err != nil {
			r.failed(err)
			return
		}
		if err := r.remember(frame, &lim); err != nil {
			r.failed(err)
			return
		}
		if _, err := server.Write(frame); err != nil {
			return
		}
	}
}

func readFrame(in *bufio.Reader, lim *codec.Limits) ([]byte, error) {
	prefix, err := in.Peek(codec.FramePrefixBytes)
	if err != nil {
		return nil, io.EOF // a peer may close whenever it likes
	}
	size, err := codec.FrameSize(prefix, lim)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, size)
	if _, err = io.ReadFull(in, frame); err != nil {
		return nil, io.EOF
	}
	return frame, nil
}

func (r *Recorder) remember(frame []byte, lim *codec.Limits) error {
	var cmd codec.Command
	if err := cmd.Decode(frame, lim); err != nil {
		return err
	}
	if cmd.Code == codec.CodeRegisterBroker && !cmd.IsResponse() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, append([]byte{}, cmd.Body...))
	}
	return nil
}

func (r *Recorder) failed(err error) {
	if err == io.EOF {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}
