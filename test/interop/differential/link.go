package differential

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const (
	replyTimeout = 10 * time.Second
	// A frame that is wrong may be answered, may close the connection, or neither. This
	// long nothing happened means neither; a probe then shows whether the connection lives.
	silenceTime = 25 * time.Millisecond
)

// Outcome is what one step got out of one server.
type Outcome struct {
	Replies map[int32]*Reply // by opaque
	Stray   []*Reply         // replies with an opaque nobody sent
	Closed  bool             // the server closed the connection
	Silent  bool             // a wrong frame had no effect that shows
}

// link is one connection to one server.
type link struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(addr string) (*link, error) {
	c, err := net.DialTimeout("tcp", addr, replyTimeout)
	if err != nil {
		return nil, err
	}
	return &link{conn: c, in: bufio.NewReaderSize(c, 64<<10)}, nil
}

// close ends the connection and waits until the server has closed its side too, so that
// the server knows.
func (l *link) close() error {
	defer l.conn.Close()
	if err := l.conn.(*net.TCPConn).CloseWrite(); err != nil {
		return nil // the server was first
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(replyTimeout)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, l.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the server keeps %v open %v after our end of it was closed", l.conn.LocalAddr(), replyTimeout)
	}
	return nil // end of stream or a reset: closed either way
}

// exchange sends the requests in one write and collects what they are due.
func (l *link) exchange(requests []Request) (*Outcome, error) {
	out := &Outcome{Replies: map[int32]*Reply{}}
	var all []byte
	due := 0
	broken := false
	for i := range requests {
		all = append(all, requests[i].Frame...)
		switch requests[i].Expect {
		case ExpectReply:
			due++
		case ExpectAny:
			broken = true
		}
	}
	if _, err := l.conn.Write(all); err != nil {
		out.Closed = true
		return out, nil
	}
	if broken {
		return out, l.awaitAnything(out)
	}
	return out, l.awaitReplies(out, due)
}

func (l *link) awaitReplies(out *Outcome, due int) error {
	if err := l.conn.SetReadDeadline(time.Now().Add(replyTimeout)); err != nil {
		return err
	}
	for len(out.Replies) < due {
		r, err := ReadReply(l.in)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("%d of %d replies after %v", len(out.Replies), due, replyTimeout)
		}
		if err != nil {
			out.Closed = true
			return closeError(err)
		}
		if _, dup := out.Replies[r.Opaque]; dup {
			return fmt.Errorf("two replies with opaque %d", r.Opaque)
		}
		out.Replies[r.Opaque] = r
	}
	return nil
}

// closeError is nil for the ways a connection ends and the error for everything else.
func closeError(err error) error {
	var op *net.OpError
	if errors.Is(err, io.EOF) || errors.As(err, &op) {
		return nil
	}
	return err
}

// probeOpaque is the opaque of the probe after a silent wrong frame. Requests of
// histories count up from 1 and stay far below.
const probeOpaque = 2_000_000_001

func (l *link) awaitAnything(out *Outcome) error {
	r, err := l.readFor(silenceTime)
	switch {
	case err == nil:
		out.Stray = append(out.Stray, r)
		return nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		out.Closed = true
		return closeError(err)
	}
	probe := call{code: 224, version: 513, opaque: probeOpaque, ext: []Ext{{Key: "cluster", Value: ""}}}
	if _, err := l.conn.Write(probe.frame(nil)); err != nil {
		out.Closed = true
		return nil
	}
	for {
		r, err := l.readFor(replyTimeout)
		if err != nil {
			out.Closed = true
			return closeError(err)
		}
		if r.Opaque != probeOpaque {
			out.Stray = append(out.Stray, r)
			continue
		}
		// Java has two pools of threads: what the frame led to may still come.
		if len(out.Stray) == 0 {
			if late, err := l.readFor(4 * silenceTime); err == nil {
				out.Stray = append(out.Stray, late)
			}
		}
		out.Silent = len(out.Stray) == 0
		return nil
	}
}

func (l *link) readFor(d time.Duration) (*Reply, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return nil, err
	}
	// Nothing is consumed when the wait runs out before the first byte.
	if _, err := l.in.Peek(4); err != nil {
		return nil, err
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(replyTimeout)); err != nil {
		return nil, err
	}
	return ReadReply(l.in)
}

// one sends a single well-formed request and returns its reply.
func (l *link) one(c call) (*Reply, error) {
	out, err := l.exchange([]Request{{Code: c.code, Opaque: c.opaque, Frame: c.frame(nil)}})
	if err != nil {
		return nil, err
	}
	if r := out.Replies[c.opaque]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("request %d: connection closed without a reply", c.code)
}
