package hostile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// repeated is one topic string n times, as a compressed registration would carry it.
func repeated(n int) []byte {
	var plain bytes.Buffer
	version := []byte(`{"counter":1,"stateVersion":0,"timestamp":1}`)
	_ = binary.Write(&plain, binary.BigEndian, int32(len(version)))
	plain.Write(version)
	_ = binary.Write(&plain, binary.BigEndian, int32(n))
	topic := []byte("bomb 4 4 6 SINGLE_TAG {}")
	entry := append(binary.BigEndian.AppendUint32(nil, uint32(len(topic))), topic...)
	return deflate(func(w *zlib.Writer) {
		_, _ = w.Write(plain.Bytes())
		chunk := bytes.Repeat(entry, 1000)
		for range n / 1000 {
			_, _ = w.Write(chunk)
		}
	})
}

// zeros is n zero bytes, deflated about a thousandfold.
func zeros(n int) []byte {
	return deflate(func(w *zlib.Writer) {
		chunk := make([]byte, 1<<20)
		for range n >> 20 {
			_, _ = w.Write(chunk)
		}
	})
}

func deflate(write func(*zlib.Writer)) []byte {
	var out bytes.Buffer
	w, _ := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	write(w)
	_ = w.Close()
	return out.Bytes()
}

// bombs are made once a process: 20 million repeats of one topic, and 4 GB of zeros.
var bombs = sync.OnceValue(func() [][]byte {
	return [][]byte{repeated(20_000_000), zeros(4 << 30)}
})

func zipBombs(addr string, peer int) error {
	p, err := dial(addr)
	if err != nil {
		return err
	}
	defer p.Close()
	all := bombs()
	body := all[peer%len(all)]
	_, err = p.ask(registrationOf(nil, fmt.Sprintf("bomb-%d", peer), fmt.Sprintf("127.0.0.4:%d", 10000+peer), body, true))
	return err
}

// hugeRegistrations sends registrations close to the frame limit back to back: one peer
// changes each time, the other repeats itself.
func hugeRegistrations(addr string, peer int) error {
	c, err := net.DialTimeout("tcp", addr, replyTimeout)
	if err != nil {
		return err
	}
	p := &peerConn{c}
	defer p.Close()
	topics := names(90_000, func(i int) string { return fmt.Sprintf("huge-%d-topic-with-a-longer-name-%05d", peer, i) })
	for counter := int64(1); ; counter++ {
		version := counter
		if peer == 1 {
			version = 1
		}
		frame := registration(nil, fmt.Sprintf("huge-%d", peer), fmt.Sprintf("127.0.0.5:%d", 10000+peer), topics, version)
		if err := p.ask(frame); err != nil {
			return err
		}
	}
}

// peerConn is a peer whose replies may take long.
type peerConn struct{ net.Conn }

func (p *peerConn) ask(frame []byte) error {
	_ = p.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := p.Write(frame); err != nil {
		return err
	}
	reply := &peer{Conn: p, lim: codec.DefaultLimits()}
	_, err := reply.readReply()
	return err
}
