package hostile

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/pharosmq/pharos/codec"
)

const replyTimeout = 3 * time.Second

// peer is one connection that sends requests and reads replies, one at a time or pipelined.
type peer struct {
	net.Conn
	out []byte
	in  []byte
	cmd codec.Command
	lim codec.Limits
}

func dial(addr string) (*peer, error) {
	c, err := net.DialTimeout("tcp", addr, replyTimeout)
	if err != nil {
		return nil, err
	}
	return &peer{Conn: c, lim: codec.DefaultLimits()}, nil
}

// request appends one request's frame to dst.
func request(dst []byte, code, version, opaque int32, ext []codec.ExtField, body []byte) []byte {
	h := codec.Header{Code: code, Version: version, Opaque: opaque, Ext: ext}
	return codec.AppendCommand(dst, codec.SerializeJSON, &h, body)
}

func lookup(dst []byte, topic string, opaque int32) []byte {
	return request(dst, codec.CodeGetRouteInfoByTopic, codec.Version5_5_0, opaque, []codec.ExtField{{Key: "topic", Value: topic}}, nil)
}

// readReply reads one frame. The command it returns is valid until the next read.
func (p *peer) readReply() (*codec.Command, error) {
	var prefix [4]byte
	_ = p.SetReadDeadline(time.Now().Add(replyTimeout))
	if _, err := io.ReadFull(p, prefix[:]); err != nil {
		return nil, fmt.Errorf("read a reply's length: %w", err)
	}
	n := int(binary.BigEndian.Uint32(prefix[:]))
	if n < 4 || n > p.lim.FrameBytesMax {
		return nil, fmt.Errorf("reply of %d bytes", n)
	}
	if cap(p.in) < n+4 {
		p.in = make([]byte, n+4)
	}
	p.in = p.in[:n+4]
	copy(p.in, prefix[:])
	if _, err := io.ReadFull(p, p.in[4:]); err != nil {
		return nil, fmt.Errorf("read a reply: %w", err)
	}
	if err := p.cmd.Decode(p.in, &p.lim); err != nil {
		return nil, err
	}
	return &p.cmd, nil
}

// ask sends one frame and reads its reply.
func (p *peer) ask(frame []byte) (*codec.Command, error) {
	_ = p.SetWriteDeadline(time.Now().Add(replyTimeout))
	if _, err := p.Write(frame); err != nil {
		return nil, fmt.Errorf("send a request: %w", err)
	}
	return p.readReply()
}

// registration is a broker's REGISTER_BROKER frame.
func registration(dst []byte, broker, addr string, topics []string, counter int64) []byte {
	body := codec.RegisterBody{DataVersion: codec.DataVersion{Timestamp: 1, Counter: counter}}
	for _, topic := range topics {
		name := []byte(topic)
		body.Topics = append(body.Topics, codec.TopicConfig{Name: name, Key: name, ReadQueueNums: 4, WriteQueueNums: 4, Perm: codec.PermRead | codec.PermWrite})
	}
	return registrationOf(dst, broker, addr, codec.AppendRegisterBody(nil, &body, codec.Version5_5_0), false)
}

func registrationOf(dst []byte, broker, addr string, body []byte, compressed bool) []byte {
	return request(dst, codec.CodeRegisterBroker, codec.Version5_5_0, 1, []codec.ExtField{
		{Key: "brokerName", Value: broker},
		{Key: "brokerAddr", Value: addr},
		{Key: "clusterName", Value: "hostile-test"},
		{Key: "haServerAddr", Value: addr},
		{Key: "brokerId", Value: "0"},
		{Key: "compressed", Value: strconv.FormatBool(compressed)},
	}, body)
}
