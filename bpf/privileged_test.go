package bpf

import (
	"testing"
	"time"
)

// TestPrivilegedRetransmit is a broker's path that goes silent with data in flight.
func TestPrivilegedRetransmit(t *testing.T) {
	l := newLab(t, nil)
	if m := l.tracer.Missing(); len(m) > 0 {
		t.Errorf("missing: %v", m)
	}
	p := l.connect(l.ServerIP(), 42, RoleBroker)
	l.must(l.Fault("drop"))
	began := MonotonicNanos()
	if _, err := p.server.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	events := l.await("timeouts", 3, 5*time.Second, classIs(ClassTimeout))
	for _, e := range events {
		t.Logf("%+v", e)
	}
	_ = began
}
