package server

import (
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// closesLate is a connection that has closed and does not say so yet: its close came in
// between the look at it and what is done then.
type closesLate struct{ *connection }

func (closesLate) Closed() bool { return false }

// Goal: a registration that was published while its connection closed goes with it only if
// that close takes brokers with it; a close of ours (another broker of the connection
// expired, memory ran out) does not remove a broker that was heard of a moment ago. Method:
// for each reason, and each of the three ways to bind, the connection closes between the
// publication and the binding, and nothing else tells the table of the close.
func TestCloseBetweenPublicationAndBinding(t *testing.T) {
	ways := map[string]func(r *rig, c *client, b broker){
		"unchanged registration": func(r *rig, c *client, b broker) {
			info, _ := r.handlers.table.Snapshot().Live(b.key())
			cmd := new(codec.Command)
			if err := cmd.Decode(c.frame(codec.CodeRegisterBroker, nil), &r.o.Limits); err != nil {
				r.t.Fatal(err)
			}
			rq := &Request{Cmd: cmd, Conn: c.conn, conn: c.conn, srv: r.Server}
			rq.prepare(nil)
			r.handlers.renewed(rq, routetable.RegisterResult{Binding: info.Binding()})
		},
		"changed registration": func(r *rig, c *client, b broker) {
			body, err := codec.ParseRegisterBody(b.body(c.version), codec.RegisterBodyOptions{Version: c.version, Limits: &r.o.Limits})
			if err != nil {
				r.t.Fatal(err)
			}
			r.handlers.applyRegistration(closesLate{c.conn}, &routetable.Registration{
				Broker: b.key(), Name: b.name, ID: b.id, Body: body, Conn: c.conn.id, NowMillis: r.clock.Millis()})
		},
		"heartbeat": func(r *rig, c *client, b broker) {
			info, _ := r.handlers.table.Snapshot().Live(b.key())
			info.Conn = r.reboundFrom(&info)
			r.handlers.rebind(c.conn, &info)
			if r.HandlerStats().Rebound != 1 {
				r.t.Error("not rebound")
			}
		},
	}
	for name, bind := range ways {
		for reason := range CloseReason(closeReasons) {
			t.Run(name+"/"+reason.String(), func(t *testing.T) {
				r := newRig(t, nil)
				c := r.dial()
				b := newBroker("b1", 0, "T1", "T2")
				c.mustRegister(b)
				c.conn.askClose(reason)
				bind(r, c, b)
				r.settle()
				if want := !unregisters(reason); r.live(b) != want {
					t.Errorf("the broker is live: %v, want %v", r.live(b), want)
				}
			})
		}
	}
}

// reboundFrom binds a registration to a connection that is no more, and returns that.
func (r *rig) reboundFrom(info *routetable.BrokerInfo) routetable.ConnID {
	r.t.Helper()
	gone := r.dial()
	binding, ok := r.handlers.table.Rebind(info.Binding(), gone.conn.id)
	if !ok {
		r.t.Fatal("not bound")
	}
	gone.close(CloseEngine)
	info.Generation = binding.Generation
	return binding.Conn
}
