package connhealth

import "net/netip"

// acceptedLen is how many recent connections of a host are candidates for a lost broker's
// new one.
const acceptedLen = 4

// host is a remote address, with all its connections.
type host struct {
	addr  netip.Addr
	local bool // our own machine
	conns int
	loss  loss

	heardMillis  int64
	nudgedMillis int64 // since when it is made to speak; never: it is not
	accepted     [acceptedLen]*conn
	acceptedNext int

	// marked and markedSuspect belong to one pass of the freeze (freeze.go).
	marked        uint64
	markedSuspect bool
}

func (h *host) heard(atMillis int64) { h.heardMillis = max(h.heardMillis, atMillis) }

// hostOf returns the host of a new connection.
func (d *Detector) hostOf(addr, local netip.Addr) *host {
	h := d.hosts[addr]
	if h == nil {
		h = &host{addr: addr, local: addr.IsLoopback() || addr == local, heardMillis: never, nudgedMillis: never}
		d.hosts[addr] = h
	}
	return h
}

// leave forgets a host with its last connection, unless a broker of it may come back: its
// loss estimate and its memory of new connections are still needed then.
func (d *Detector) leave(h *host) {
	if h.conns > 0 {
		return
	}
	for _, b := range d.brokers {
		if b.host == h.addr {
			return
		}
	}
	d.forgetHost(h)
}

func (d *Detector) forgetHost(h *host) {
	delete(d.hosts, h.addr)
}
