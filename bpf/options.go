package bpf

import "fmt"

// Mode is what the operator asked for.
type Mode string

// What can be asked for.
const (
	ModeAuto Mode = "auto" // trace if the kernel lets us, otherwise say why not
	ModeOn   Mode = "on"   // trace or fail
	ModeOff  Mode = "off"  // don't try
)

// What [Tracer.Mode] answers: where the evidence comes from.
const (
	RunningEBPF     = "ebpf"
	RunningSampling = "sampling"
)

const (
	ownPortsMax      = 8
	ringBytesDefault = 1 << 20
	ringBytesMax     = 64 << 20
)

// Options are what [Open] needs to know.
type Options struct {
	// Mode is ModeAuto if empty.
	Mode Mode
	// Ports are local TCP ports, at most eight, whose sockets in this network namespace count as
	// ours without a mark. They matter where the kernel has no socket storage for tracing (before
	// 5.11) and for sockets accepted before their listener was marked. Leave them empty when
	// another process may share a port (SO_REUSEPORT) and marks are enough.
	Ports []uint16
	// RingBytes is the size of the buffer between kernel and reader: a power of two of at least
	// a page, 1 MiB if 0, which holds 7,281 records. Half of it is kept for [RoleBroker].
	RingBytes int
}

func (o *Options) check() error {
	switch o.Mode {
	case "":
		o.Mode = ModeAuto
	case ModeAuto, ModeOn, ModeOff:
	default:
		return fmt.Errorf("bpf: mode %q: it is auto, on or off", o.Mode)
	}
	if len(o.Ports) > ownPortsMax {
		return fmt.Errorf("bpf: %d ports, at most %d can be traced by port", len(o.Ports), ownPortsMax)
	}
	if o.RingBytes == 0 {
		o.RingBytes = ringBytesDefault
	}
	if n := o.RingBytes; n < 4096 || n > ringBytesMax || n&(n-1) != 0 {
		return fmt.Errorf("bpf: a ring of %d bytes: it is a power of two from 4096 to %d", n, ringBytesMax)
	}
	return nil
}
