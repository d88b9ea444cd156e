package bpf

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// broken is a helper number that no kernel has.
const broken = asm.BuiltinFunc(100_000)

// sabotage returns the programs as change leaves them.
func sabotage(change func(*ebpf.CollectionSpec)) func() (*ebpf.CollectionSpec, error) {
	return func() (*ebpf.CollectionSpec, error) {
		spec, err := loadTcphealth()
		if err == nil {
			change(spec)
		}
		return spec, err
	}
}

// replaceHelper makes every call of a helper one that the kernel refuses, as an old one would.
func replaceHelper(p *ebpf.ProgramSpec, helper asm.BuiltinFunc) (replaced int) {
	for i := range p.Instructions {
		if ins := &p.Instructions[i]; ins.IsBuiltinCall() && ins.Constant == int64(helper) {
			ins.Constant = int64(broken)
			replaced++
		}
	}
	return replaced
}

// TestPrivilegedMissingHook: without one tracepoint, and with one program that the verifier
// refuses, everything else works, and it is said what is lost.
func TestPrivilegedMissingHook(t *testing.T) {
	l := newLabOf(t, Options{}, sabotage(func(spec *ebpf.CollectionSpec) {
		spec.Programs["tcp_receive_reset"].AttachTo = "tcp_receive_nothing"
		if replaceHelper(spec.Programs["inet_sk_error_report"], asm.FnKtimeGetNs) == 0 {
			t.Error("nothing was replaced") // not on the test's goroutine
		}
		replaceHelper(spec.Programs[progDump], asm.FnSeqWrite)
	}))
	got := fmt.Sprint(l.tracer.Missing())
	for _, want := range []string{
		"tcp_receive_reset: no resets by the peer: this kernel has no tracepoint tcp_receive_nothing",
		"inet_sk_error_report: no the moment", "iter/tcp: no dump of all sockets",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in what is missing: %s", want, got)
		}
	}
	if len(l.tracer.Missing()) != 3 || l.tracer.Mode() != RunningEBPF || l.tracer.Reason() != "" {
		t.Errorf("%d missing, mode %s, reason %q", len(l.tracer.Missing()), l.tracer.Mode(), l.tracer.Reason())
	}
	if strings.Contains(got, "\n") {
		t.Errorf("more than a line: %q", got)
	}
	if err := l.tracer.DumpSockets(func(*Socket) error { return nil }); !errors.Is(err, ErrSampling) {
		t.Errorf("dump: %v", err)
	}
	p := l.connect(l.ServerIP(), 1, RoleBroker)
	l.must(p.peer.SetLinger(0))
	l.must(p.peer.Close())
	l.await("close", 1, 5*time.Second, func(e *Event) bool { return e.Kind == KindState && e.State == StateClose })
	if n := len(l.seen(kindIs(KindResetReceived))) + len(l.seen(kindIs(KindError))); n > 0 {
		t.Errorf("%d records of hooks that are missing", n)
	}
}

// TestPrivilegedNothingLoads: if no program is accepted, auto samples and on fails.
func TestPrivilegedNothingLoads(t *testing.T) {
	needsKernel(t)
	objects := sabotage(func(spec *ebpf.CollectionSpec) {
		for _, p := range spec.Programs {
			replaceHelper(p, asm.FnSkcToTcpSock)
			replaceHelper(p, asm.FnRingbufReserve)
		}
	})
	for _, ports := range [][]uint16{nil, {9876}} {
		o := Options{Ports: ports}
		if err := o.check(); err != nil {
			t.Fatal(err)
		}
		tracer, err := open(o, objects)
		if err == nil || tracer != nil {
			t.Fatalf("ports %v: %v, %v", ports, tracer, err)
		}
		if reason := explain(err); strings.Contains(reason, "\n") || !strings.Contains(reason, "invalid func") {
			t.Errorf("reason: %q", reason)
		}
	}
}

// TestPrivilegedWithoutSocketStorage is a kernel before 5.11: sockets are known by port and
// network namespace, records carry no connection id.
func TestPrivilegedWithoutSocketStorage(t *testing.T) {
	const port = 19876
	l := newLabOf(t, Options{Ports: []uint16{1, port}}, sabotage(func(spec *ebpf.CollectionSpec) {
		for _, p := range spec.Programs {
			replaceHelper(p, asm.FnSkStorageGet)
		}
	}))
	if m := l.tracer.Missing(); len(m) != 1 || m[0].Hook != "sk_storage" {
		t.Errorf("missing: %v", m)
	}
	ours := l.listen(l.Server, netip.AddrPortFrom(l.ServerIP(), port).String())
	other := l.listen(l.Server, netip.AddrPortFrom(l.ServerIP(), port+1).String())
	elsewhere := l.listen(l.Router, netip.AddrPortFrom(netip.MustParseAddr("10.77.1.1"), port).String())
	for _, listener := range []*net.TCPListener{ours, other, elsewhere} {
		c, err := l.dial(l.Peers[0], listener.Addr().String(), 5*time.Second)
		l.must(err)
		s, err := listener.AcceptTCP()
		l.must(err)
		if err := markAs(l.tracer, s, 1, RoleBroker); !errors.Is(err, ErrSampling) {
			t.Errorf("mark: %v", err)
		}
		l.must(c.SetLinger(0))
		l.must(c.Close())
		defer s.Close()
	}
	l.await("reset", 1, 5*time.Second, kindIs(KindResetReceived))
	time.Sleep(50 * time.Millisecond)
	resets := l.seen(kindIs(KindResetReceived))
	if len(resets) != 1 || resets[0].Local.String() != ours.Addr().String() || resets[0].ConnID != 0 || resets[0].Role != RoleNone {
		t.Errorf("resets: %+v", resets)
	}
	c, err := l.tracer.Counters()
	l.must(err)
	if c.States == 0 || c.ResetsReceived != 1 {
		t.Errorf("counters: %+v", c)
	}
}

func TestModes(t *testing.T) {
	tracer, err := Open(Options{Mode: ModeOff})
	if err != nil {
		t.Fatal(err)
	}
	if tracer.Mode() != RunningSampling || tracer.Reason() != "turned off" || len(tracer.Missing()) != 0 {
		t.Errorf("%s, %q, %v", tracer.Mode(), tracer.Reason(), tracer.Missing())
	}
	_, counters := tracer.Counters()
	_, stats := tracer.ProgramStats()
	for i, err := range []error{
		tracer.MarkSocket(0, 1, RoleBroker), tracer.Read(t.Context(), nil),
		tracer.DumpSockets(nil), counters, stats,
	} {
		if err != ErrSampling {
			t.Errorf("%d: %v", i, err)
		}
	}
	for range 2 {
		if err := tracer.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestInvalidOptions(t *testing.T) {
	for _, o := range []Options{
		{Mode: "maybe"}, {Ports: make([]uint16, 9)}, {RingBytes: 4095}, {RingBytes: 5000}, {RingBytes: 1 << 30}, {RingBytes: -4096},
	} {
		if o.Mode == "" {
			o.Mode = ModeOff
		}
		if tracer, err := Open(o); err == nil || tracer != nil {
			t.Errorf("%+v: %v, %v", o, tracer, err)
		}
	}
}

func TestReasons(t *testing.T) {
	for text, want := range map[string]string{
		"none [integrity] confidentiality\n": "integrity", "none integrity [confidentiality]\n": "confidentiality",
		"[none] integrity confidentiality\n": "none", "": "",
	} {
		if got := lockdownMode(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for text, want := range map[string]bool{
		"         0          0 4294967295\n": true, "         0     100000      65536\n": false, "         0          0          1\n": false, "": false,
	} {
		if got := allUsers(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	for err, want := range map[error]string{
		unix.ENOSYS: "this kernel has no bpf(2)",
		fmt.Errorf("%w: %w", errNoBTF, unix.ENOENT): "no type information in /sys/kernel/btf/vmlinux",
		errors.New("two\nlines"):                    "two lines",
	} {
		if got := explain(err); !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%v: %q", err, got)
		}
	}
}
