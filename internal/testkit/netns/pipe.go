package netns

import (
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	packetBytesMax = 65536 // what one read of a TUN device can return
	// linePackets bounds what is on its way in one direction: at 100 ms, 40,000 packets a second.
	linePackets = 4096
)

// pipe is one direction of a delay line: packets leave in their order, each the delay after it
// came.
type pipe struct {
	delay  atomic.Int64             // nanoseconds
	exempt func(packet []byte) bool // such a packet leaves at once
	queue  chan waiting

	dropped atomic.Int64
	late    atomic.Int64 // worst, in nanoseconds
}

// waiting is a packet on its way.
type waiting struct {
	due    time.Time
	packet []byte
}

func newPipe(delay time.Duration, exempt func([]byte) bool) *pipe {
	p := &pipe{exempt: exempt, queue: make(chan waiting, linePackets)}
	p.delay.Store(int64(delay))
	return p
}

// run moves packets from in to out until in ends. What is on its way then is given up.
func (p *pipe) run(in io.Reader, out io.Writer) {
	var writer sync.WaitGroup
	ended := make(chan struct{})
	writer.Go(func() { p.deliver(out, ended) })
	p.receive(in, out)
	close(ended)
	writer.Wait()
}

// receive queues what arrives; what finds the queue full is lost, as in a router.
func (p *pipe) receive(in io.Reader, out io.Writer) {
	buf := make([]byte, packetBytesMax)
	for {
		n, err := in.Read(buf)
		if err != nil {
			return // the device is gone, or was closed
		}
		if p.exempt != nil && p.exempt(buf[:n]) {
			_, _ = out.Write(buf[:n]) // a device that takes nothing loses the packet
			continue
		}
		select {
		case p.queue <- waiting{time.Now().Add(time.Duration(p.delay.Load())), append([]byte(nil), buf[:n]...)}:
		default:
			p.dropped.Add(1)
		}
	}
}

// deliver hands packets on when they are due. Go's timers are exact to a millisecond, the
// kernel's sleep to a tenth of one, so this has a thread of its own, ahead of others.
func (p *pipe) deliver(out io.Writer, ended <-chan struct{}) {
	runtime.LockOSThread() // and never unlocked: the thread ends with its priority
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -10)
	for {
		var w waiting
		select {
		case <-ended:
			return
		case w = <-p.queue:
		}
		if !p.await(w.due, ended) {
			return
		}
		p.late.Store(max(p.late.Load(), int64(time.Since(w.due))))
		_, _ = out.Write(w.packet) // as above
	}
}

// sleepMax bounds one sleep, so that a line can be closed while a packet is on its way.
const sleepMax = 50 * time.Millisecond

// await sleeps until due; false if the line ended before.
func (p *pipe) await(due time.Time, ended <-chan struct{}) bool {
	for {
		select {
		case <-ended:
			return false
		default:
		}
		left := min(time.Until(due), sleepMax)
		if left <= 0 {
			return true
		}
		t := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&t, nil) // a signal that ends it early is no harm: the loop looks again
	}
}
