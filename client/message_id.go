package client

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// idMaker makes message ids that no other producer makes, in the form Java's tools take
// apart: 32 hex digits that say which host and process sent the message, and when in the
// month.
//
// Java: MessageClientIDSetter. Where Java has the hash of a class loader, 32 random bits tell
// the producers of a process apart.
type idMaker struct {
	prefix  [10]byte // address, process, random
	counter atomic.Uint32
}

func newIDMaker() *idMaker {
	m := &idMaker{}
	copy(m.prefix[:4], localIPv4())
	binary.BigEndian.PutUint16(m.prefix[4:], uint16(os.Getpid()))
	rand.Read(m.prefix[6:]) // never fails
	return m
}

// localIPv4 is this host's first address of its own, random bytes if it has none.
func localIPv4() []byte {
	addrs, _ := net.InterfaceAddrs() // no addresses on error: the id stays unique
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.To4()
		}
	}
	ip := make([]byte, 4)
	rand.Read(ip)
	return ip
}

// next makes an id. The counter has 16 bits in Java's form: 65,536 ids a millisecond.
func (m *idMaker) next(now time.Time) string {
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	var b [16]byte
	copy(b[:], m.prefix[:])
	binary.BigEndian.PutUint32(b[10:], uint32(now.Sub(month).Milliseconds()))
	binary.BigEndian.PutUint16(b[14:], uint16(m.counter.Add(1)))
	return fmt.Sprintf("%X", b)
}
