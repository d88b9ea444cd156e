package connwatch

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
	"github.com/pharosmq/pharos/internal/testkit"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

const (
	takenTopic = "orders"
	oldMaster  = "127.0.0.1:10911"
	newMaster  = "127.0.0.1:10921"
)

// takeover is a server with its watch, a master, and its slave, which is to take the master's
// id, as controllers have it.
type takeover struct {
	t          *testing.T
	w          *Watch
	old, slave *testkit.Broker
	client     *testkit.Client
}

func newTakeover(t *testing.T, holdMillis int64) *takeover {
	t.Helper()
	p := connhealth.DefaultParams()
	p.DialBack, p.HoldMillis, p.MassHoldMillis = false, holdMillis, 0
	log := slog.New(discard)
	x := &takeover{t: t, w: New(Options{Mode: Evict, Params: p, Log: log})}
	table := routetable.New(routetable.Options{})
	srv, err := server.New(server.Options{BindAddress: "127.0.0.1"}, server.Deps{Log: log, Table: table, Watcher: x.w})
	x.must(err)
	x.must(srv.Start())
	x.w.Start(srv, table)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = srv.Stop(ctx)
		x.w.Stop()
	})
	addr := srv.Addr().String()
	x.old = x.registers(addr, "group", oldMaster, 0)
	x.slave = x.registers(addr, "group", newMaster, 1)
	x.registers(addr, "other", "127.0.0.1:10931", 0)
	x.client, err = testkit.Dial(t.Context(), addr, testkit.ClientOptions{})
	x.must(err)
	t.Cleanup(func() { _ = x.client.Close() })
	x.shows("0 " + oldMaster + ", 1 " + newMaster)
	return x
}

func (x *takeover) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *takeover) registers(server, name, addr string, id int64) *testkit.Broker {
	x.t.Helper()
	b, err := testkit.DialBroker(x.t.Context(), server, testkit.BrokerOptions{Name: name, Addr: addr, ID: id})
	x.must(err)
	x.t.Cleanup(func() { _ = b.Close() })
	b.SetTopics(testkit.Topic(takenTopic, 4), testkit.Topic("TBW102", 8))
	_, err = b.Register(x.t.Context())
	x.must(err)
	return b
}

// takes has the slave register as the master, on the connection that it has.
func (x *takeover) takes() {
	x.t.Helper()
	ext, body := x.slave.Registration()
	for i := range ext {
		if ext[i].Key == "brokerId" {
			ext[i].Value = "0"
		}
	}
	reply, err := x.slave.Call(x.t.Context(), codec.CodeRegisterBroker, ext, body)
	if err == nil && reply.Code != codec.Success {
		err = fmt.Errorf("code %d: %s", reply.Code, reply.Remark)
	}
	x.must(err)
}

// shows checks what clients are told of the group right now.
func (x *takeover) shows(want string) {
	x.t.Helper()
	reply, err := x.client.Call(x.t.Context(), codec.CodeGetRouteInfoByTopic, testkit.Ext("topic", takenTopic), nil)
	x.must(err)
	route, err := codec.ParseTopicRouteData(reply.Body, nil)
	x.must(err)
	var got []string
	for i := range route.BrokerDatas {
		b := &route.BrokerDatas[i]
		for _, id := range slices.Sorted(maps.Keys(b.BrokerAddrs)) {
			if b.BrokerName == "group" {
				got = append(got, fmt.Sprintf("%d %s", id, b.BrokerAddrs[id]))
			}
		}
	}
	if list := strings.Join(got, ", "); list != want {
		x.t.Errorf("clients are told %q, want %q", list, want)
	}
}

// judged waits until the watch has it that the broker of an address is in a state, "" for not
// known.
func (x *takeover) judged(addr, state string) {
	x.t.Helper()
	eventually(x.t, addr+" is judged "+state, func() bool {
		list, err := x.w.Brokers(x.t.Context())
		x.must(err)
		i := slices.IndexFunc(list, func(b diag.BrokerState) bool { return b.Broker.Addr == addr })
		return i < 0 && state == "" || i >= 0 && list[i].Judged == state
	})
}

// closes ends the old master's connection, out of trouble if the server stood still before.
func (x *takeover) closes(stallMillis int64) {
	x.t.Helper()
	if stallMillis > 0 {
		x.w.box.put(&note{kind: noteStalled, atMillis: x.w.now(), forMillis: stallMillis})
	}
	x.must(x.old.Close())
}

// decided checks what was decided about brokers.
func (x *takeover) decided(want ...string) {
	x.t.Helper()
	var got []string
	for _, e := range x.w.Evidence(0).Entries {
		if e.Broker != nil {
			got = append(got, e.Broker.Addr+" "+e.Action)
		}
	}
	if !slices.Equal(got, want) {
		x.t.Errorf("decided %q, want %q", got, want)
	}
}

// Goal: a new address for an id counts at once, whatever the watch thinks of the old one, and
// nobody is held for it.
func TestNewAddressForAnID(t *testing.T) {
	const never = 3_600_000
	t.Run("while the old master is well", func(t *testing.T) {
		x := newTakeover(t, never)
		x.takes()
		x.shows("0 " + newMaster)
		x.judged(oldMaster, "")
		x.closes(3000)
		eventually(t, "the close is known", func() bool {
			n := 0
			x.must(x.w.Conns(t.Context(), &diag.ConnFilter{Role: diag.RoleClient}, func(*diag.Conn) error { n++; return nil }))
			return n == 1 // the one that asks for routes
		})
		x.judged(newMaster, "live")
		x.shows("0 " + newMaster)
		x.decided()
	})
	t.Run("while the old master is held", func(t *testing.T) {
		x := newTakeover(t, never)
		x.closes(3000)
		x.judged(oldMaster, "held")
		x.shows("0 " + oldMaster + ", 1 " + newMaster)
		x.takes()
		x.shows("0 " + newMaster)
		x.judged(oldMaster, "")
		x.judged(newMaster, "live")
		x.decided(oldMaster + " hold")
	})
	t.Run("while the old master is hidden", func(t *testing.T) {
		x := newTakeover(t, 100)
		x.closes(3000)
		x.judged(oldMaster, "parked")
		x.takes()
		x.shows("0 " + newMaster)
		x.judged(oldMaster, "")
		x.judged(newMaster, "live")
		x.decided(oldMaster+" hold", oldMaster+" park")
	})
}
