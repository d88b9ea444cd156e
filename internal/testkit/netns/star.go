package netns

import (
	"errors"
	"fmt"
	"net/netip"
)

// Star is a server and its peers, each in a namespace of its own, around one router. Faults
// belong into the router: dropping at a sender's own output would be seen by its TCP.
type Star struct {
	Server, Router *NS
	Peers          []*NS
	Line           *Line // nil unless made by NewDelayedStar
}

// NewStar makes the namespaces, links, addresses and routes for n peers.
func NewStar(n int) (*Star, error) {
	return newStar(n, func(s *Star) (err error) {
		s.Server, err = hostOn(s.Router, "server", 0)
		return err
	})
}

// newStar has addServer make the server and its link to the router.
func newStar(n int, addServer func(*Star) error) (s *Star, err error) {
	if n < 1 || n > 250 {
		return nil, fmt.Errorf("netns: %d peers, from 1 to 250 have addresses", n)
	}
	s = &Star{}
	defer func() {
		if err != nil {
			_ = s.Close()
			s = nil
		}
	}()
	if s.Router, err = New("router"); err != nil {
		return s, err
	}
	if err = s.Router.forward(); err != nil {
		return s, err
	}
	if err = s.Router.Nft("table inet faults {\n chain forward { type filter hook forward priority 0; }\n}"); err != nil {
		return s, err
	}
	if err = addServer(s); err != nil {
		return s, err
	}
	for i := 1; i <= n; i++ {
		peer, err := hostOn(s.Router, fmt.Sprintf("peer%d", i), i)
		if err != nil {
			return s, err
		}
		s.Peers = append(s.Peers, peer)
	}
	return s, nil
}

// forward makes the namespace a router.
func (ns *NS) forward() error {
	return errors.Join(ns.Sysctl("ipv4.ip_forward", "1"), ns.Sysctl("ipv6.conf.all.forwarding", "1"))
}

// hostOn makes a namespace on the i-th link of a router.
func hostOn(router *NS, label string, i int) (*NS, error) {
	ns, err := New(label)
	if err != nil {
		return nil, err
	}
	script := fmt.Sprintf("link add eth%[1]d type veth peer name eth0 netns %[2]s\n"+
		"addr add 10.77.%[1]d.1/24 dev eth%[1]d\n"+
		"addr add fd77:%[1]x::1/64 dev eth%[1]d nodad\n"+
		"link set eth%[1]d up\n", i, ns.Path())
	if err := router.IP(script); err != nil {
		return nil, errors.Join(err, ns.Close())
	}
	script = fmt.Sprintf("addr add 10.77.%[1]d.2/24 dev eth0\n"+
		"addr add fd77:%[1]x::2/64 dev eth0 nodad\n"+
		"link set eth0 up\n"+
		"route add default via 10.77.%[1]d.1\n"+
		"route add default via fd77:%[1]x::1\n", i)
	if err := ns.IP(script); err != nil {
		return nil, errors.Join(err, ns.Close())
	}
	return ns, nil
}

// ServerIP is the server's IPv4 address.
func (s *Star) ServerIP() netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, 2}) }

// PeerIP is the IPv4 address of Peers[i].
func (s *Star) PeerIP(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, byte(i + 1), 2}) }

// ServerIP6 is the server's IPv6 address.
func (s *Star) ServerIP6() netip.Addr { return netip.MustParseAddr("fd77::2") }

// PeerIP6 is the IPv6 address of Peers[i].
func (s *Star) PeerIP6(i int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf("fd77:%x::2", i+1))
}

// Fault adds a rule to what the router forwards, in nft's language: "ip saddr 10.77.0.2 drop".
func (s *Star) Fault(rule string) error {
	return s.Router.Nft("add rule inet faults forward " + rule)
}

// Heal removes all faults.
func (s *Star) Heal() error { return s.Router.Nft("flush chain inet faults forward") }

// Close gives up all namespaces.
func (s *Star) Close() error {
	var errs []error
	if s.Line != nil {
		errs = append(errs, s.Line.close())
	}
	for _, ns := range append([]*NS{s.Server, s.Router}, s.Peers...) {
		if ns != nil {
			errs = append(errs, ns.Close())
		}
	}
	return errors.Join(errs...)
}
