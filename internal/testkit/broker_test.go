package testkit

import (
	"context"
	"errors"
	"hash/crc32"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pharosmq/pharos/codec"
)

// fakeNamesrv answers everything with code and hands over what it was asked.
func fakeNamesrv(t *testing.T, code int32) (addr string, asked chan *Message) {
	asked = make(chan *Message, 100)
	addr = serve(t, 1, func(got []*Message) []byte {
		asked <- got[0]
		h := codec.Header{Code: code, Opaque: got[0].Opaque, Flag: codec.FlagResponse, Ext: Ext("changed", "false")}
		return codec.AppendCommand(nil, codec.SerializeJSON, &h, nil)
	})
	return addr, asked
}

func dialBroker(t *testing.T, addr string, o BrokerOptions) *Broker {
	t.Helper()
	b, err := DialBroker(t.Context(), addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestBrokerRegistersWhatItHas(t *testing.T) {
	for _, o := range []BrokerOptions{
		{},
		{Compressed: true, ID: 1, ActingMaster: "true", Zone: "z1", TimeoutMillis: 10_000},
		{Client: ClientOptions{Serialize: codec.SerializeRocketMQ}},
		{Compressed: true, Client: ClientOptions{Version: codec.Version4_9_4}},
	} {
		addr, asked := fakeNamesrv(t, codec.Success)
		b := dialBroker(t, addr, o)
		b.SetTopics(Topic("T1", 4), Topic("T2", 8))
		if _, err := b.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := <-asked
		if sum := strconv.Itoa(int(crc32.ChecksumIEEE(m.Body) & 0x7FFFFFFF)); m.Ext["bodyCrc32"] != sum {
			t.Errorf("bodyCrc32 %s, want %s", m.Ext["bodyCrc32"], sum)
		}
		body, err := codec.ParseRegisterBody(m.Body, codec.RegisterBodyOptions{Version: m.Version, Compressed: o.Compressed})
		if err != nil {
			t.Fatal(err)
		}
		if len(body.Topics) != 2 || string(body.Topics[1].Name) != "T2" || body.Topics[1].WriteQueueNums != 8 {
			t.Errorf("topics %+v", body.Topics)
		}
		if body.DataVersion != b.Body().DataVersion || body.DataVersion.Counter != 1 {
			t.Errorf("data version %+v, want %+v with counter 1", body.DataVersion, b.Body().DataVersion)
		}
		delete(m.Ext, "bodyCrc32")
		want := map[string]string{
			"clusterName": "DefaultCluster", "brokerName": "broker-a", "brokerAddr": "127.0.0.1:10911",
			"haServerAddr": "127.0.0.1:10912", "brokerId": strconv.FormatInt(o.ID, 10),
			"compressed": strconv.FormatBool(o.Compressed),
		}
		if o.ActingMaster != "" {
			want["enableActingMaster"], want["__ZONE_NAME"], want["heartbeatTimeoutMillis"] = "true", "z1", "10000"
		}
		if diff := cmp.Diff(want, m.Ext); diff != "" {
			t.Errorf("ext fields (-want +got):\n%s", diff)
		}
	}
}

func TestBrokerRunsUntilToldToStop(t *testing.T) {
	addr, asked := fakeNamesrv(t, codec.Success)
	b := dialBroker(t, addr, BrokerOptions{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx, time.Millisecond) }()
	for range 3 {
		if m := <-asked; m.Code != codec.CodeRegisterBroker {
			t.Errorf("request %d, want a registration", m.Code)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	last := &Message{}
	for len(asked) > 0 {
		last = <-asked
	}
	if last.Code != codec.CodeUnregisterBroker {
		t.Errorf("the last request is %d, want the unregistration", last.Code)
	}
}

func TestBrokerSaysThatItWasRefused(t *testing.T) {
	addr, asked := fakeNamesrv(t, codec.SystemBusy)
	b := dialBroker(t, addr, BrokerOptions{})
	if m, err := b.Register(t.Context()); !errors.Is(err, ErrRefused) || m.Code != codec.SystemBusy {
		t.Errorf("Register: %v, %+v; want ErrRefused and the reply", err, m)
	}
	if err := b.Run(t.Context(), time.Hour); !errors.Is(err, ErrRefused) {
		t.Errorf("Run: %v, want ErrRefused", err)
	}
	if err := b.Unregister(t.Context()); !errors.Is(err, ErrRefused) {
		t.Errorf("Unregister: %v, want ErrRefused", err)
	}
	if _, err := b.QueryDataVersion(t.Context()); !errors.Is(err, ErrRefused) {
		t.Errorf("QueryDataVersion: %v, want ErrRefused", err)
	}
	if err := b.Heartbeat(t.Context()); err != nil {
		t.Errorf("Heartbeat: %v; it has no answer that could refuse", err)
	}
	for range 5 {
		<-asked
	}
}

func TestBrokerAsksForChanges(t *testing.T) {
	addr, asked := fakeNamesrv(t, codec.Success)
	b := dialBroker(t, addr, BrokerOptions{})
	changed, err := b.QueryDataVersion(t.Context())
	if err != nil || changed {
		t.Errorf("QueryDataVersion = %v, %v; the server said changed=false", changed, err)
	}
	v, _, err := codec.ParseDataVersion((<-asked).Body, 0)
	if err != nil || v != b.Body().DataVersion {
		t.Errorf("it sent the data version %+v (%v), want %+v", v, err, b.Body().DataVersion)
	}
}
