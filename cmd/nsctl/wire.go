package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// errRefused is an answer other than SUCCESS.
var errRefused = errors.New("refused")

// ask sends one request on a connection of its own and returns the reply's body, which
// the caller owns.
func (s *session) ask(code int32, ext []codec.ExtField) ([]byte, error) {
	c, err := net.DialTimeout("tcp", s.server, s.timeout)
	if err != nil {
		return nil, fmt.Errorf("name server %s can't be reached: %w", s.server, err)
	}
	defer c.Close()
	return s.askOn(c, code, ext, nil)
}

// askOn is ask on a connection that stays.
func (s *session) askOn(c net.Conn, code int32, ext []codec.ExtField, body []byte) ([]byte, error) {
	_ = c.SetDeadline(time.Now().Add(s.timeout))
	h := codec.Header{Code: code, Version: codec.Version5_5_0, Opaque: 1, Ext: ext}
	if _, err := c.Write(codec.AppendCommand(nil, codec.SerializeJSON, &h, body)); err != nil {
		return nil, fmt.Errorf("send to %s: %w", s.server, err)
	}
	reply, err := readReply(c)
	if err != nil {
		return nil, fmt.Errorf("answer of %s: %w", s.server, err)
	}
	if reply.Code != codec.Success {
		return nil, fmt.Errorf("%s: %w with code %d: %s", s.server, errRefused, reply.Code, reply.Remark)
	}
	return reply.Body, nil
}

// limits bound what a name server may answer.
var limits = codec.DefaultLimits()

func readReply(c net.Conn) (*codec.Command, error) {
	prefix := make([]byte, codec.FramePrefixBytes)
	if _, err := io.ReadFull(c, prefix); err != nil {
		return nil, err
	}
	total, err := codec.FrameSize(prefix, &limits)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, total)
	copy(frame, prefix)
	if _, err := io.ReadFull(c, frame[len(prefix):]); err != nil {
		return nil, err
	}
	reply := &codec.Command{}
	return reply, reply.Decode(frame, &limits)
}
