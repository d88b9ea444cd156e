package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Line is a delay line on the way of the star's server: a namespace between it and the router,
// joined to the router by two TUN devices and a forwarder in this process. It stands in for
// netem, which not every kernel has.
type Line struct {
	ns       *NS
	near     *os.File // TUN device of the line's namespace: the server's side
	far      *os.File // TUN device of the router
	to, from *pipe    // towards the server, and from it
	running  sync.WaitGroup
}

// NewDelayedStar is NewStar with a round trip of rtt between the server and all peers but those
// of exempt, given as indexes of Peers: half of it in each direction, exact to about 1 ms. The
// router's link to the server is called eth0 as without a line.
func NewDelayedStar(n int, rtt time.Duration, exempt ...int) (*Star, error) {
	return newStar(n, func(s *Star) error { return s.drawLine(rtt, exempt) })
}

// SetRTT changes the round trip of the line for packets that come from now on. They do not
// overtake those that are on their way.
func (l *Line) SetRTT(rtt time.Duration) {
	l.to.delay.Store(int64(rtt / 2))
	l.from.delay.Store(int64(rtt / 2))
}

// Dropped counts packets that found the line full.
func (l *Line) Dropped() int64 { return l.to.dropped.Load() + l.from.dropped.Load() }

// Late is how late a packet was delivered at worst: what the machine was too busy for.
func (l *Line) Late() time.Duration { return time.Duration(max(l.to.late.Load(), l.from.late.Load())) }

// drawLine makes the server, the line and the devices between.
func (s *Star) drawLine(rtt time.Duration, exempt []int) (err error) {
	l := &Line{}
	s.Line = l
	if l.ns, err = New("line"); err != nil {
		return err
	}
	if err := l.ns.forward(); err != nil {
		return err
	}
	if s.Server, err = hostOn(l.ns, "server", 0); err != nil {
		return err
	}
	if l.near, err = l.ns.tun("tun0"); err != nil {
		return err
	}
	if l.far, err = s.Router.tun("eth0"); err != nil {
		return err
	}
	if err := l.ns.IP("link set tun0 up\nroute add 10.77.0.0/16 dev tun0\nroute add fd77::/16 dev tun0\n"); err != nil {
		return err
	}
	if err := s.Router.IP("link set eth0 up\nroute add 10.77.0.0/24 dev eth0\nroute add fd77::/64 dev eth0\n"); err != nil {
		return err
	}
	direct := map[netip.Addr]bool{}
	for _, i := range exempt {
		direct[s.PeerIP(i)], direct[s.PeerIP6(i)] = true, true
	}
	passes := func(packet []byte) bool {
		source, destination := ends(packet)
		return direct[source] || direct[destination]
	}
	l.to, l.from = newPipe(rtt/2, passes), newPipe(rtt/2, passes)
	l.running.Go(func() { l.to.run(l.far, l.near) })
	l.running.Go(func() { l.from.run(l.near, l.far) })
	return nil
}

// ends returns the addresses of an IP packet; invalid ones if it is none.
func ends(packet []byte) (source, destination netip.Addr) {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20]))
	case len(packet) >= 40 && packet[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40]))
	}
	return netip.Addr{}, netip.Addr{}
}

// close ends the forwarder and gives up the namespace.
func (l *Line) close() error {
	var errs []error
	for _, f := range []*os.File{l.near, l.far} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	l.running.Wait()
	if l.ns != nil {
		errs = append(errs, l.ns.Close())
	}
	return errors.Join(errs...)
}

// tun makes a TUN device in the namespace: what is routed to it is read from the file, one IP
// packet a read, and what is written to the file arrives from it.
func (ns *NS) tun(name string) (f *os.File, err error) {
	err = ns.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("netns %s: /dev/net/tun: %w; load the module tun", ns, err)
		}
		request, err := unix.NewIfreq(name)
		if err == nil {
			request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("netns %s: make device %s: %w", ns, name, err), unix.Close(fd))
		}
		f = os.NewFile(uintptr(fd), name)
		return nil
	})
	return f, err
}
