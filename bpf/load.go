package bpf

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// open does what Open promises. objects is where the compiled programs come from.
func open(o Options, objects func() (*ebpf.CollectionSpec, error)) (*Tracer, error) {
	if lacking := lackingCapabilities(); lacking != "" {
		return nil, fmt.Errorf("no capability for it: %w", unix.EPERM)
	}
	l := &loader{cache: btf.NewCache()}
	kernel, err := l.cache.Kernel()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoBTF, err)
	}
	if l.spec, err = objects(); err != nil {
		return nil, err
	}
	if err := l.configure(o, kernel); err != nil {
		return nil, err
	}
	t, err := l.load(true)
	if err != nil && len(o.Ports) > 0 {
		// Before Linux 5.11 tracing programs can't use socket storage.
		var second error
		if t, second = l.load(false); second == nil {
			t.missing = append(t.missing, Missing{"sk_storage", "connection id and role in records; sockets are known by port", oneLine(err)})
			err = nil
		}
	}
	return t, err
}

// loader is the work of one Open. Nothing of it is kept: it holds the kernel's types.
type loader struct {
	spec   *ebpf.CollectionSpec
	cache  *btf.Cache
	absent []Missing // tracepoints that this kernel doesn't have
	hooks  []hook    // those it has
}

// configure sets the constants that the verifier sees, from the kernel's types and the options.
func (l *loader) configure(o Options, kernel *btf.Spec) error {
	netns, err := ownNamespace()
	if err != nil {
		return err
	}
	var ports [ownPortsMax]uint16
	copy(ports[:], o.Ports)
	constants := map[string]any{
		tcphealthVarOwnNetns: netns,
		tcphealthVarOwnPorts: ports,
		tcphealthVarRingHalf: uint32(o.RingBytes / 2),
	}
	for _, h := range hooks {
		n, err := parameters(kernel, l.spec.Programs[h.name].AttachTo)
		if err != nil {
			l.absent = append(l.absent, Missing{h.name, h.feature, err.Error()})
			continue
		}
		l.hooks = append(l.hooks, h)
		switch h.name {
		case hookRetransmit:
			constants[tcphealthVarHasErr] = n >= 3
		case hookSendReset:
			constants[tcphealthVarHasReason] = n >= 3
		}
	}
	l.spec.Maps[tcphealthMapEvents].MaxEntries = uint32(o.RingBytes)
	for name, value := range constants {
		if err := l.spec.Variables[name].Set(value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

// load creates the maps and then each program on its own, so that one that this kernel refuses
// takes only its own feature with it.
func (l *loader) load(useMarks bool) (t *Tracer, err error) {
	if err := l.spec.Variables[tcphealthVarUseMarks].Set(useMarks); err != nil {
		return nil, err
	}
	t = &Tracer{mode: RunningEBPF, useMarks: useMarks, programs: map[string]*ebpf.Program{}}
	defer func() {
		if err != nil {
			_ = t.Close()
			t = nil
		}
	}()
	if t.tickNanos, err = tickNanos(); err != nil {
		return t, err
	}
	if err := l.loadMaps(t); err != nil {
		return t, err
	}
	t.missing = append(t.missing, l.absent...)
	var first error
	for _, h := range l.hooks {
		if err := l.attach(t, h.name); err != nil {
			t.missing = append(t.missing, Missing{h.name, h.feature, oneLine(err)})
			if first == nil {
				first = err
			}
		}
	}
	if len(t.links) == 0 {
		if first == nil {
			first = errors.New("this kernel has none of the tracepoints")
		}
		return t, first
	}
	if err := l.attachDump(t); err != nil {
		t.missing = append(t.missing, Missing{"iter/tcp", "dump of all sockets", oneLine(err)})
	}
	t.ring, err = ringbuf.NewReader(t.maps[tcphealthMapEvents])
	return t, err
}

// loadMaps creates the maps alone, and finds counters and slots in their memory.
func (l *loader) loadMaps(t *Tracer) error {
	spec := l.spec.Copy()
	spec.Programs = nil
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: l.cache})
	if err != nil {
		return err
	}
	t.totals = c.Variables[tcphealthVarTotals]
	t.maps, c.Maps = c.Maps, nil
	c.Close()
	if t.useMarks {
		t.slots, err = t.maps[tcphealthMapSlots].Memory()
	}
	return err
}

// program loads one program that shares the maps of the others.
func (l *loader) program(t *Tracer, name string) (*ebpf.Program, error) {
	spec := l.spec.Copy()
	spec.Programs = map[string]*ebpf.ProgramSpec{name: spec.Programs[name]}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: l.cache, MapReplacements: t.maps})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	p := c.DetachProgram(name)
	t.programs[name] = p
	return p, nil
}

func (l *loader) attach(t *Tracer, name string) error {
	p, err := l.program(t, name)
	if err != nil {
		return err
	}
	attached, err := link.AttachTracing(link.TracingOptions{Program: p})
	if err != nil {
		return err
	}
	t.links = append(t.links, attached)
	return nil
}

func (l *loader) attachDump(t *Tracer) error {
	p, err := l.program(t, progDump)
	if err != nil {
		return err
	}
	t.dump, err = link.AttachIter(link.IterOptions{Program: p})
	return err
}

// ownNamespace is the number of the network namespace that the calling thread is in.
func ownNamespace() (uint32, error) {
	fi, err := os.Stat("/proc/thread-self/ns/net")
	if err != nil {
		return 0, fmt.Errorf("own network namespace: %w", err)
	}
	return uint32(fi.Sys().(*syscall.Stat_t).Ino), nil
}

// tickNanos is the length of the kernel's jiffy, the unit of some of its fields: what the
// coarse clocks advance by.
func tickNanos() (uint64, error) {
	var ts unix.Timespec
	if err := unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &ts); err != nil {
		return 0, fmt.Errorf("length of a tick: %w", err)
	}
	return uint64(ts.Nano()), nil
}
