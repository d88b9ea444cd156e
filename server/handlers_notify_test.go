package server

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/routetable"
)

// fakeBroker accepts connections and hands out the frames that come.
type fakeBroker struct {
	addr   string
	frames chan *answer
}

func newFakeBroker(t *testing.T) *fakeBroker {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	f := &fakeBroker{addr: l.Addr().String(), frames: make(chan *answer, 100)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.read(t, c)
		}
	}()
	return f
}

func (f *fakeBroker) read(t *testing.T, c net.Conn) {
	defer c.Close()
	for {
		var head [4]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		frame := append(head[:], make([]byte, binary.BigEndian.Uint32(head[:]))...)
		if _, err := io.ReadFull(c, frame[4:]); err != nil {
			return
		}
		lim, a := codec.DefaultLimits(), &answer{}
		if err := a.Decode(frame, &lim); err != nil {
			t.Error(err)
		}
		f.frames <- a
	}
}

func (f *fakeBroker) want(t *testing.T, ext map[string]string) {
	t.Helper()
	select {
	case a := <-f.frames:
		if a.Code != codec.CodeNotifyMinBrokerIDChange || !a.IsOneway() || a.IsResponse() || a.Version != codec.Version5_5_0 || len(a.Body) > 0 {
			t.Errorf("frame: %+v", a.Command)
		}
		a.wantExt(t, ext)
	case <-time.After(5 * time.Second):
		t.Fatal("no notification")
	}
}

func (f *fakeBroker) quiet(t *testing.T) {
	t.Helper()
	select {
	case a := <-f.frames:
		t.Errorf("unexpected notification: %d", a.Code)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestNotifyMinBrokerIDChange(t *testing.T) {
	r := newRig(t, func(_ *config.Settings, l *config.Live) { l.NotifyMinBrokerIDChanged = true })
	fakes := []*fakeBroker{newFakeBroker(t), newFakeBroker(t)}
	member := func(id int64) broker {
		b := newBroker("b1", id, "T1", "T2")
		b.addr, b.acting = fakes[id].addr, "true"
		return b
	}
	c0, c1 := r.dial(), r.dial()
	c1.mustRegister(member(1))
	fakes[1].quiet(t) // the first member of a group: prevMin is 0
	c0.mustRegister(member(0))
	fakes[1].want(t, map[string]string{"minBrokerId": "0", "minBrokerAddr": fakes[0].addr, "haBrokerAddr": "ha-" + fakes[0].addr})
	fakes[0].quiet(t)
	c0.hangUp()
	fakes[1].want(t, map[string]string{"minBrokerId": "1", "minBrokerAddr": fakes[1].addr, "offlineBrokerAddr": fakes[0].addr})
	eventually(t, "two are counted as sent", func() bool { return r.HandlerStats().NotifySent == 2 })

	r.setting("notifyMinBrokerIdChanged=false")
	c0 = r.dial()
	c0.mustRegister(member(0))
	fakes[1].quiet(t)
}

// Brokers that cannot be reached are counted and cost nobody anything; a queue that is
// full drops.
func TestNotifyUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	n := newMinBrokerNotifier(codec.SerializeJSON, 1000)
	change := &routetable.MinBrokerIDChange{MinBrokerAddr: "a:1", Targets: []string{closed}}
	for range notifyQueueMax + 10 {
		n.notify(change) // nobody works yet
	}
	if got := n.dropped.Load(); got != 10 {
		t.Errorf("%d dropped, want 10", got)
	}
	n.notify(&routetable.MinBrokerIDChange{Targets: []string{"not an address"}})
	n.start()
	defer n.stop()
	eventually(t, "all have failed", func() bool { return n.failed.Load() >= notifyQueueMax })
	if n.sent.Load() != 0 {
		t.Errorf("%d sent", n.sent.Load())
	}
}

// Stopping does not wait for a broker that does not answer.
func TestNotifyStop(t *testing.T) {
	n := newMinBrokerNotifier(codec.SerializeJSON, 60_000)
	n.start()
	n.notify(&routetable.MinBrokerIDChange{Targets: []string{"127.255.255.255:9"}})
	done := make(chan struct{})
	go func() { n.stop(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("stop waits for a connection")
	}
}
