package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// fakeBroker answers on pipes as it is told.
type fakeBroker struct {
	name string

	mu      sync.Mutex
	latency time.Duration
	code    int32 // of answers; SUCCESS with the fields of a stored message
	refuse  bool  // connections are refused
	hang    bool  // it reads, and answers nothing
	deaf    bool  // it does not even read
	bare    bool  // answers have no fields
	stored  int64
	taken   map[string]int // UNIQ_KEY -> how often stored
	byQueue map[string]int // queue id -> messages
	last    *fakeRequest
	probes  int
	oneways int
	conns   map[net.Conn]bool
}

// fakeRequest is a copy of a request.
type fakeRequest struct {
	code, opaque, flag int32
	language           codec.LanguageCode
	ext                map[string]string
	body               string
}

// fakeCluster is some brokers, their route and what dials them.
type fakeCluster struct {
	t       *testing.T
	brokers map[string]*fakeBroker // by address
	lookup  *fakeLookup
	ends    sync.WaitGroup
}

func newFakeCluster(t *testing.T, names ...string) *fakeCluster {
	c := &fakeCluster{t: t, brokers: map[string]*fakeBroker{}, lookup: newFakeLookup(brokersAnswer(names...))}
	for _, name := range names {
		c.add(name, "h"+name)
	}
	t.Cleanup(c.ends.Wait)
	return c
}

func (c *fakeCluster) add(name, addr string) *fakeBroker {
	b := &fakeBroker{name: name, taken: map[string]int{}, byQueue: map[string]int{}, conns: map[net.Conn]bool{}}
	c.brokers[addr] = b
	return b
}

// producer returns a producer on the cluster that is closed with the test, and its routes.
func (c *fakeCluster) producer(o ProducerOptions) *Producer {
	c.t.Helper()
	routes := NewRoutes(c.lookup, RoutesOptions{})
	o.Dial = c.dial
	p, err := NewProducer(routes, o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		p.Close()
		routes.Close()
	})
	return p
}

func (c *fakeCluster) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	b := c.brokers[addr]
	if b == nil {
		return nil, fmt.Errorf("no broker at %q", addr)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse {
		return nil, errors.New("connection refused")
	}
	if b.deaf {
		b.mu.Unlock()
		<-ctx.Done()
		b.mu.Lock()
		return nil, ctx.Err()
	}
	ours, theirs := net.Pipe()
	b.conns[theirs] = true
	c.ends.Go(func() { b.serve(theirs) })
	return ours, nil
}

// set changes the broker's behaviour.
func (b *fakeBroker) set(change func(*fakeBroker)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

// kill refuses connections from now on and breaks those there are.
func (b *fakeBroker) kill() {
	b.set(func(b *fakeBroker) {
		b.refuse = true
		for conn := range b.conns {
			conn.Close()
		}
	})
}

// count is how many messages it stored.
func (b *fakeBroker) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.stored)
}

func (b *fakeBroker) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		b.set(func(b *fakeBroker) { delete(b.conns, conn) })
	}()
	var cmd codec.Command
	lim := codec.DefaultLimits()
	var writes sync.Mutex
	var answers sync.WaitGroup
	defer answers.Wait()
	for {
		frame := make([]byte, 4)
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		frame = append(frame, make([]byte, binary.BigEndian.Uint32(frame))...)
		if _, err := io.ReadFull(conn, frame[4:]); err != nil {
			return
		}
		if err := cmd.Decode(frame, &lim); err != nil {
			return
		}
		r := copyRequest(&cmd)
		answers.Go(func() {
			reply := b.answer(r)
			writes.Lock()
			defer writes.Unlock()
			if reply != nil {
				conn.Write(reply)
			}
		})
	}
}

func copyRequest(cmd *codec.Command) *fakeRequest {
	r := &fakeRequest{code: cmd.Code, opaque: cmd.Opaque, flag: cmd.Flag, language: cmd.Language, ext: map[string]string{}, body: string(cmd.Body)}
	for i := range cmd.NumExt() {
		k, v := cmd.ExtAt(i)
		r.ext[string(k)] = string(v)
	}
	return r
}

// answer makes the reply frame, nil for none.
func (b *fakeBroker) answer(r *fakeRequest) []byte {
	b.mu.Lock()
	latency := b.latency
	b.mu.Unlock()
	if latency > 0 {
		time.Sleep(latency)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hang || b.deaf {
		return nil
	}
	h := codec.Header{Code: b.code, Opaque: r.opaque, Flag: codec.FlagResponse, Version: codec.Version5_5_0}
	switch {
	case r.code == codeGetMaxOffset:
		b.probes++
	case b.code != codec.Success && b.code != codeFlushDiskTimeout && b.code != codeSlaveNotAvailable && b.code != codeFlushSlaveTimeout:
		h.Remark, h.HasRemark = "told to", true
	default:
		b.last = r
		b.stored++
		b.taken[property(r.ext["i"], propertyUniqID)]++
		b.byQueue[r.ext["e"]]++
		if !b.bare {
			h.Ext = []codec.ExtField{{Key: "msgId", Value: fmt.Sprintf("%s-%d", b.name, b.stored)}, {Key: "queueId", Value: r.ext["e"]}, {Key: "queueOffset", Value: fmt.Sprint(b.stored - 1)}}
		}
	}
	if r.flag&codec.FlagOneway != 0 {
		b.oneways++
		return nil
	}
	return codec.AppendCommand(nil, codec.SerializeJSON, &h, nil)
}

// property is one property of an encoded list, "" if it is not there.
func property(encoded, name string) string {
	for _, pair := range strings.Split(encoded, "\x02") {
		if k, v, _ := strings.Cut(pair, "\x01"); k == name {
			return v
		}
	}
	return ""
}
