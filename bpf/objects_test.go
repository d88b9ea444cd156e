package bpf

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
)

// TestLicence: the kernel gives GPL-only helpers only to programs that say so.
func TestLicence(t *testing.T) {
	spec, err := loadTcphealth()
	if err != nil {
		t.Fatal(err)
	}
	if len(spec.Programs) != len(hooks)+1 {
		t.Errorf("%d programs, %d hooks and the dump are known", len(spec.Programs), len(hooks))
	}
	for name, p := range spec.Programs {
		if p.License != "Dual MIT/GPL" {
			t.Errorf("%s: licence %q", name, p.License)
		}
	}
	for _, file := range []string{"LICENSE", "LICENSE.GPL-2.0"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	for _, file := range []string{"kernel.h", "tcphealth.bpf.c"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte("SPDX-License-Identifier: MIT OR GPL-2.0-only")) {
			t.Errorf("%s has no SPDX line", file)
		}
	}
}

// TestDecode fills every field of the C struct with another value and looks where it went.
func TestDecode(t *testing.T) {
	var raw tcphealthRow
	b := unsafe.Slice((*byte)(unsafe.Pointer(&raw)), unsafe.Sizeof(raw))
	if len(b) != rowBytes || unsafe.Sizeof(raw.E) != eventBytes {
		t.Fatalf("the C structs have %d and %d bytes, Go thinks %d and %d", len(b), unsafe.Sizeof(raw.E), rowBytes, eventBytes)
	}
	for i := range b {
		b[i] = byte(i*7 + 1)
	}
	raw.E.Family = addressFamilyIPv6
	const tick = 4_000_000
	var s Socket
	if !s.decode(b, tick) {
		t.Fatal("refused")
	}
	e, ms := raw.E, func(ticks uint32) uint32 { return uint32(uint64(ticks) * tick / 1e6) }
	got := fmt.Sprint(s.TimeNanos, s.ConnID, s.Cookie, uint8(s.Kind), uint8(s.Class), uint8(s.Role), uint8(s.State),
		uint8(s.OldState), uint8(s.CAState), s.Pending, s.Retransmits, s.Backoff, s.ProbesOut, s.TCPFlags, s.Err, s.SoftErr,
		s.RTOMillis, s.Seq, s.EndSeq, s.SndUna, s.SndNxt, s.WriteSeq, s.PacketsOut, s.SndWnd, s.SRTTMicros, s.AckAgeMillis,
		s.DataAgeMillis, s.TotalRetrans, s.LostOut, s.ResetReason, s.Local.Port(), s.Remote.Port())
	want := fmt.Sprint(int64(e.TimeNs), e.ConnId, e.Cookie, e.Kind, e.Class, e.Role, e.State,
		e.OldState, e.CaState, e.Pending, e.Retransmits, e.Backoff, e.ProbesOut, e.TcpFlags, e.Err, e.SoftErr,
		ms(e.RtoTicks), e.Seq, e.EndSeq, e.SndUna, e.SndNxt, e.WriteSeq, e.PacketsOut, e.SndWnd, e.SrttUs, ms(e.AckAgeTicks),
		ms(e.DataAgeTicks), e.TotalRetrans, e.LostOut, e.ResetReason, e.LocalPort, e.RemotePort)
	if got != want {
		t.Errorf("event\n got %s\nwant %s", got, want)
	}
	got = fmt.Sprint(s.BytesAcked, s.BytesReceived, s.RcvNxt, s.CopiedSeq, s.RcvWnd, s.SndCwnd, s.MSS, s.RTTVarMicros,
		s.RetransOut, s.SackedOut, s.AcceptQueue, s.AcceptMax, s.UID, s.Orphan)
	want = fmt.Sprint(raw.BytesAcked, raw.BytesReceived, raw.RcvNxt, raw.CopiedSeq, raw.RcvWnd, raw.SndCwnd, raw.Mss, raw.RttvarUs,
		raw.RetransOut, raw.SackedOut, raw.AcceptQueue, raw.AcceptQueueMax, raw.Uid, true)
	if got != want {
		t.Errorf("row\n got %s\nwant %s", got, want)
	}
	local := [16]byte(unsafe.Slice((*byte)(unsafe.Pointer(&raw.E.LocalAddr)), 16))
	remote := [16]byte(unsafe.Slice((*byte)(unsafe.Pointer(&raw.E.RemoteAddr)), 16))
	if s.Local.Addr().As16() != local || s.Remote.Addr().As16() != remote {
		t.Errorf("addresses %v, %v; want %x, %x", s.Local, s.Remote, local, remote)
	}
	if s.decode(b[:rowBytes-1], tick) || s.Event.decode(b[:eventBytes-1], tick) {
		t.Error("a short record was taken")
	}
}

// TestAddresses: IPv4 and IPv4 within IPv6 look the same.
func TestAddresses(t *testing.T) {
	var raw tcphealthEvent
	b := unsafe.Slice((*byte)(unsafe.Pointer(&raw)), unsafe.Sizeof(raw))
	raw.LocalPort = 9876
	for family, address := range map[uint8][16]byte{
		2:                 {10, 1, 2, 3},
		addressFamilyIPv6: {10: 0xff, 11: 0xff, 12: 10, 13: 1, 14: 2, 15: 3},
	} {
		raw.Family = family
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&raw.LocalAddr)), 16), address[:])
		var e Event
		if e.decode(b, 1); e.Local.String() != "10.1.2.3:9876" {
			t.Errorf("family %d: %v", family, e.Local)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	b := make([]byte, rowBytes)
	b[35] = addressFamilyIPv6
	var s Socket
	if n := testing.AllocsPerRun(100, func() { s.decode(b, 4_000_000) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestEnumerations holds Go's numbers to those of the C file.
func TestEnumerations(t *testing.T) {
	text, err := os.ReadFile("tcphealth.bpf.c")
	if err != nil {
		t.Fatal(err)
	}
	for prefix, names := range map[string][]string{
		"KIND":  {KindRetransmit: "RETRANSMIT", KindSynAck: "SYNACK", KindError: "ERROR", KindState: "STATE", KindResetReceived: "RESET_RECEIVED", KindResetSent: "RESET_SENT", KindSocket: "SOCKET"},
		"CLASS": {ClassNone: "NONE", ClassTimeout: "TIMEOUT", ClassTailLossProbe: "TAIL_LOSS_PROBE", ClassFast: "FAST", ClassSlowStart: "SLOW_START", ClassLocalFailure: "LOCAL_FAILURE", ClassWindow: "WINDOW", ClassHandshake: "HANDSHAKE", ClassDeferred: "DEFERRED", classCount: "MAX"},
		"ROLE":  {RoleNone: "NONE", RoleClient: "CLIENT", RoleBroker: "BROKER", RoleListener: "LISTENER", roleCount: "MAX"},
	} {
		// The C enumerators are consecutive, from 0 or from 1 where 0 has no name.
		found := []string{}
		if names[0] == "" {
			found = append(found, "")
		}
		for _, m := range regexp.MustCompile(`(?m)^\t`+prefix+`_(\w+)( = \d)?,`).FindAllStringSubmatch(string(text), -1) {
			found = append(found, m[1])
		}
		if !slices.Equal(found, names) {
			t.Errorf("%s: C has %q, Go %q", prefix, found, names)
		}
	}
	for i := range classCount {
		if strings.Trim(Class(i).String(), "0123456789") == "" {
			t.Errorf("class %d has no name", i)
		}
	}
	if Class(200).String() != "200" {
		t.Error("an unknown class must show its number")
	}
}

// compilers returns the installed versions of clang, the command by its version.
func compilers(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	names := []string{"clang"}
	for v := 13; v < 30; v++ {
		names = append(names, fmt.Sprint("clang-", v))
	}
	pattern := regexp.MustCompile(`clang version ([0-9.]+)`)
	for _, name := range names {
		out, err := exec.Command(name, "--version").Output()
		if err != nil {
			continue
		}
		if m := pattern.FindSubmatch(out); m != nil {
			found[string(m[1])] = name
		}
	}
	return found
}

// compile runs generate.sh with a compiler and returns the object.
func compile(t *testing.T, clang string) []byte {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("sh", "generate.sh")
	cmd.Env = append(os.Environ(), "CLANG="+clang, "ANY_CLANG=1", "OUT="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", clang, err, out)
	}
	object, err := os.ReadFile(filepath.Join(dir, "tcphealth_bpfel.o"))
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// TestPrivilegedRebuild compiles the programs again with every clang that is installed. The
// recorded version must give the committed object, byte for byte; every version an object that
// loads and works.
func TestPrivilegedRebuild(t *testing.T) {
	needsKernel(t)
	recorded, err := os.ReadFile("clang-version")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(string(recorded))
	found := compilers(t)
	if len(found) == 0 {
		t.Fatal("clang is not installed (Debian packages clang and llvm): the committed object can't be checked")
	}
	if found[want] == "" {
		t.Logf("NOT TESTED: clang %s, which built the committed object, is not installed; others are", want)
	}
	for version, clang := range found {
		t.Run(version, func(t *testing.T) {
			object := compile(t, clang)
			if same := bytes.Equal(object, _TcphealthBytes); version == want && !same {
				t.Error("the committed object is not what the sources give: run make generate and commit")
			} else {
				t.Logf("%d bytes, the same as the committed object: %v", len(object), same)
			}
			works(t, func() (*ebpf.CollectionSpec, error) {
				return ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
			})
		})
	}
}

// works loads objects and sees a tail loss probe, a time-out and a dump.
func works(t *testing.T, objects func() (*ebpf.CollectionSpec, error)) {
	t.Helper()
	l := newLabOf(t, Options{}, objects)
	if m := l.tracer.Missing(); len(m) > 0 {
		t.Errorf("missing: %v", m)
	}
	p := l.connect(l.ServerIP(), 42, RoleBroker)
	l.must(l.Fault("drop"))
	if _, err := p.server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, class := range []Class{ClassTailLossProbe, ClassTimeout} {
		e := l.await(class.String(), 1, 5*time.Second, classIs(class))[0]
		if e.ConnID != 42 || e.Remote.String() != p.server.RemoteAddr().String() || e.TCPFlags != 24 || e.EndSeq-e.Seq != 1 {
			t.Errorf("%+v", e)
		}
	}
	rows := 0
	l.in(l.Server, func() error { return l.tracer.DumpSockets(func(*Socket) error { rows++; return nil }) })
	if rows != 1 {
		t.Errorf("%d sockets in the dump", rows)
	}
}
