package interop

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports below Linux's range for outgoing connections (32768 and up): a port that a broker
// gives back while it restarts must not become the local end of somebody's connection.
const (
	portMin = 15000
	portMax = 32000
)

var ports struct {
	mu   sync.Mutex
	next int
	used map[int]bool
}

// freePort reserves a port of 127.0.0.1 nobody listens on, for the life of this process.
func freePort(tb testing.TB) int {
	tb.Helper()
	return freePorts(tb, 0)
}

// brokerPort reserves listenPort p with its companions: p-2, which a broker opens by
// itself (its VIP listener), and p+1 for high availability.
func brokerPort(tb testing.TB) int {
	tb.Helper()
	return freePorts(tb, -2, 0, 1)
}

func freePorts(tb testing.TB, offsets ...int) int {
	tb.Helper()
	ports.mu.Lock()
	defer ports.mu.Unlock()
	if ports.used == nil {
		ports.used = map[int]bool{}
		ports.next = portMin + rand.IntN(portMax-portMin)
	}
	for range portMax - portMin {
		ports.next++
		if ports.next >= portMax {
			ports.next = portMin + 2
		}
		if reserve(ports.next, offsets) {
			return ports.next
		}
	}
	tb.Fatalf("no free ports between %d and %d on 127.0.0.1", portMin, portMax)
	return 0
}

func reserve(port int, offsets []int) bool {
	for _, o := range offsets {
		if ports.used[port+o] || !canListen(port+o) {
			return false
		}
	}
	for _, o := range offsets {
		ports.used[port+o] = true
	}
	return true
}

func canListen(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
