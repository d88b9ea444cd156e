package hostile

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// attack is one way to be hostile. Its connect functions run side by side, each in a loop
// until the process is killed: an error (the server closed us) starts it again.
type attack struct {
	name  string
	peers int
	// pause between two tries of one peer.
	pause time.Duration
	run   func(addr string, peer int) error
	// prepare makes what takes long to make, before the attack begins.
	prepare func()
}

var attacks = []attack{
	{name: "random bytes on 200 connections", peers: 200, pause: 50 * time.Millisecond, run: randomBytes},
	{name: "2,000 half headers that stay", peers: 2000, pause: time.Second, run: halfHeader},
	{name: "500 stalled frames of 15 MB", peers: 500, pause: time.Second, run: stalledFrame},
	{name: "overlong, negative and zero lengths", peers: 20, pause: 10 * time.Millisecond, run: badLengths},
	{name: "headers 10,000 deep, of 1 MB, with 100,000 ext fields, with lists", peers: 20, pause: 20 * time.Millisecond, run: badHeaders},
	{name: "zip bombs", peers: 4, pause: 100 * time.Millisecond, run: zipBombs, prepare: func() { bombs() }},
	{name: "2,000 connects a second", peers: 20, pause: 0, run: connectFlood},
	{name: "50 clients pipeline 5,000 wide routes and do not read", peers: 50, pause: time.Second, run: deafClient},
	{name: "one connection at depth 1,000", peers: 1, pause: 0, run: deepPipeline},
	{name: "registrations of 16 MB back to back", peers: 2, pause: 0, run: hugeRegistrations},
	{name: "unknown codes and topics, unsolicited replies", peers: 20, pause: 0, run: unknowns},
	{name: "lists of 20,000 topics, pipelined on 50 connections", peers: 51, pause: 100 * time.Millisecond, run: listPoller},
	{name: "streams: 200 that do not end, and 3 that send 720 kB and hang up", peers: 203, pause: 0, run: streams},
	{name: "200 connections register changed tables", peers: 200, pause: 0, run: changingBrokers},
}

// runAttack is the attackers' process: it runs until it is killed.
func runAttack(name, addr string) error {
	for _, a := range attacks {
		if a.name != name {
			continue
		}
		if a.prepare != nil {
			a.prepare()
		}
		fmt.Println("ready")
		var wg sync.WaitGroup
		for i := range a.peers {
			wg.Go(func() {
				for {
					_ = a.run(addr, i) // the server closes hostile peers: that's its right
					time.Sleep(a.pause)
				}
			})
		}
		wg.Wait()
	}
	return fmt.Errorf("there is no attack %q", name)
}

// send writes raw bytes and then reads until the server closes or patience ends.
func send(addr string, data []byte, patience time.Duration) error {
	c, err := net.DialTimeout("tcp", addr, replyTimeout)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(data); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, c)
	return err
}

func randomBytes(addr string, _ int) error {
	junk := make([]byte, 4096)
	_, _ = rand.Read(junk)
	if mathrand.IntN(2) == 0 { // half of them with a plausible frame around
		binary.BigEndian.PutUint32(junk, uint32(len(junk)-4))
		binary.BigEndian.PutUint32(junk[4:], uint32(mathrand.IntN(2))<<24|uint32(mathrand.IntN(4000)))
	}
	return send(addr, junk, time.Second)
}

func halfHeader(addr string, _ int) error {
	frame := lookup(nil, "T", 1)
	return send(addr, frame[:len(frame)/2], time.Hour)
}

func stalledFrame(addr string, _ int) error {
	frame := make([]byte, 1<<20)
	copy(frame, registrationOf(nil, "stalled", "127.0.0.9:1", []byte("{"), false))
	binary.BigEndian.PutUint32(frame, 15<<20)
	return send(addr, frame, time.Hour)
}

func badLengths(addr string, peer int) error {
	switch peer % 3 {
	case 0:
		return send(addr, bytes.Repeat([]byte{0xff}, 64), time.Second)
	case 1:
		return send(addr, append([]byte{0x01, 0, 0, 0, 0, 0, 0, 100}, make([]byte, 64)...), time.Second)
	default:
		return send(addr, make([]byte, 64<<10), time.Second)
	}
}

// rawFrame is a frame around any header text.
func rawFrame(header, body []byte) []byte {
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)+len(body)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(header)))
	return append(append(frame, header...), body...)
}

func badHeaders(addr string, peer int) error {
	var header string
	switch peer % 4 {
	case 0:
		header = `{"code":105,"extFields":` + strings.Repeat(`{"a":`, 10_000) + `1` + strings.Repeat("}", 10_001)
	case 1:
		header = `{"code":105,"remark":"` + strings.Repeat("x", 1<<20) + `","opaque":1}`
	case 2: // Java writes the list again, as the field's text
		header = `{"code":105,"extFields":{"topic":[` + strings.Repeat("1,", 30_000) + `1]},"opaque":1}`
	default:
		var b strings.Builder
		b.WriteString(`{"code":105,"extFields":{`)
		for i := range 100_000 {
			fmt.Fprintf(&b, `"k%d":"v",`, i)
		}
		b.WriteString(`"topic":"T"},"opaque":1}`)
		header = b.String()
	}
	return send(addr, rawFrame([]byte(header), nil), time.Second)
}

func deepPipeline(addr string, _ int) error {
	p, err := dial(addr)
	if err != nil {
		return err
	}
	defer p.Close()
	const depth = 1000
	var batch []byte
	for i := range int32(depth) {
		batch = lookup(batch, topicName(int(i)%innocentTopics), i)
	}
	for {
		_ = p.SetWriteDeadline(time.Now().Add(10 * time.Second))
		sent := make(chan error, 1)
		go func() {
			_, err := p.Write(batch)
			sent <- err
		}()
		for range depth {
			if _, err := p.readReply(); err != nil {
				return err
			}
		}
		if err := <-sent; err != nil {
			return err
		}
	}
}

func deafClient(addr string, _ int) error {
	c, err := net.DialTimeout("tcp", addr, replyTimeout)
	if err != nil {
		return err
	}
	defer c.Close()
	var batch []byte
	for i := range int32(5000) {
		batch = lookup(batch, fatTopic, i)
	}
	_ = c.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := c.Write(batch); err != nil {
		return err
	}
	time.Sleep(60 * time.Second) // never reads
	return nil
}

func connectFlood(addr string, _ int) error {
	tick := time.NewTicker(10 * time.Millisecond) // 20 peers x 100 a second
	defer tick.Stop()
	for range tick.C {
		if c, err := net.DialTimeout("tcp", addr, replyTimeout); err == nil {
			_ = c.(*net.TCPConn).SetLinger(0) // leave no TIME_WAIT behind: ports are finite
			c.Close()
		}
	}
	return nil
}

func unknowns(addr string, peer int) error {
	p, err := dial(addr)
	if err != nil {
		return err
	}
	defer p.Close()
	for i := int32(0); ; i++ {
		switch peer % 3 {
		case 0:
			p.out = request(p.out[:0], mathrand.Int32(), codec.Version5_5_0, i, nil, nil)
		case 1:
			p.out = lookup(p.out[:0], fmt.Sprintf("unknown-%d", mathrand.Int64()), i)
		default: // a reply nobody asked for, then something that is answered
			h := codec.Header{Code: codec.Success, Opaque: i, Flag: 1}
			p.out = codec.AppendCommand(p.out[:0], codec.SerializeJSON, &h, []byte("unsolicited"))
			p.out = lookup(p.out, "unknown", i)
		}
		if _, err := p.ask(p.out); err != nil {
			return err
		}
	}
}

// streams sends replies that nobody asked for as fast as the server takes them: without end,
// or, the last peers, 720 kB of them on one connection after the other.
func streams(addr string, peer int) error {
	c, err := net.DialTimeout("tcp", addr, replyTimeout)
	if err != nil {
		return err
	}
	defer c.Close()
	var batch []byte
	for i := int32(0); len(batch) < 36_000; i++ {
		h := codec.Header{Code: codec.Success, Opaque: i, Flag: 1, Ext: []codec.ExtField{{Key: "topic", Value: topicName(0)}}}
		batch = codec.AppendCommand(batch, codec.SerializeJSON, &h, nil)
	}
	for i := 0; peer < 200 || i < 20; i++ {
		_ = c.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write(batch); err != nil {
			return err
		}
	}
	return nil
}

// listPoller asks for all topics, ten at a time. Its first peer is the broker that has them.
func listPoller(addr string, peer int) error {
	p, err := dial(addr)
	if err != nil {
		return err
	}
	defer p.Close()
	if peer == 0 {
		topics := names(20_000, func(i int) string { return fmt.Sprintf("listed-topic-with-a-longer-name-%05d", i) })
		if _, err := p.ask(registration(nil, "listed", "127.0.0.6:10000", topics, 1)); err != nil {
			return err
		}
		time.Sleep(time.Hour) // killed before
	}
	const depth = 10
	for {
		p.out = p.out[:0]
		for i := range int32(depth) {
			code := codec.CodeGetAllTopicListFromNameserver
			if i%2 == 1 {
				code = codec.CodeGetBrokerClusterInfo
			}
			p.out = request(p.out, code, codec.Version5_5_0, i, nil, nil)
		}
		_ = p.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := p.Write(p.out); err != nil {
			return err
		}
		for range depth {
			if _, err := p.readReply(); err != nil {
				return err
			}
		}
	}
}

var errRefused = errors.New("refused")

func changingBrokers(addr string, peer int) error {
	p, err := dial(addr)
	if err != nil {
		return err
	}
	defer p.Close()
	topics := names(100, func(i int) string { return fmt.Sprintf("changing-%d-%d", peer, i) })
	for counter := int64(1); ; counter++ {
		topics[int(counter)%len(topics)] = fmt.Sprintf("changing-%d-%d", peer, mathrand.IntN(1000))
		p.out = registration(p.out[:0], fmt.Sprintf("changing-%d", peer), fmt.Sprintf("127.0.0.3:%d", 10000+peer), topics, counter)
		reply, err := p.ask(p.out)
		if err != nil {
			return err
		}
		if reply.Code != codec.Success {
			return errRefused
		}
	}
}
