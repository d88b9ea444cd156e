package routetable

import (
	"fmt"
	"testing"
)

// TestLastOfTopic: a broker must stay while a topic that producers use has nobody else, and
// may go when only what is its own would go with it.
func TestLastOfTopic(t *testing.T) {
	table := New(Options{})
	register := func(broker int, topics ...string) (RegistrationKey, Binding) {
		r := benchRegistration(broker, topicsBody(topics...))
		var res RegisterResult
		table.Update(Rules{}, func(x *Txn) { res = x.RegisterBroker(r) })
		info, ok := table.Snapshot().Live(r.Broker)
		if !ok {
			t.Fatalf("broker %d: %+v", broker, res)
		}
		return info.Key(), res.Binding
	}
	both, only := "orders", "invoices"
	first, _ := register(1, both, "%RETRY%group", "rmq_sys_x")
	second, binding := register(2, both, only)
	f := func(when string, key RegistrationKey, want bool) {
		t.Helper()
		if got := table.Snapshot().LastOfTopic(key); got != want {
			t.Errorf("%s: %v is the last of a topic: %v", when, key, got)
		}
	}
	f("two have orders, retries don't count", first, false)
	f("nobody else has invoices", second, true)
	f("nobody knows it", RegistrationKey{Broker: first.Broker, Name: "another"}, false)

	info, _ := table.Snapshot().Live(second.Broker)
	table.Update(Rules{}, func(x *Txn) {
		if !x.ParkNamed(second, info.Generation) {
			t.Error("not parked")
		}
	})
	f("it is hidden already", second, false)
	f("the other of orders is hidden", first, true)

	table.Update(Rules{}, func(x *Txn) {
		now, _ := table.Snapshot().Live(second.Broker)
		if !x.RestoreNamed(second, now.Generation, 1) {
			t.Error("not restored")
		}
	})
	f("both are back", first, false)
	table.Update(Rules{}, func(x *Txn) { x.RemoveBinding(binding, RemoveConnClosed) })
	f(fmt.Sprintf("%v is gone", second), first, true)
}
