package server

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pharosmq/pharos/routetable"
)

// Bindings is what a connection knows of the brokers that spoke on it. Loops, lanes and
// the closing of the connection use it at once; it is safe for all of them. It is found by
// key, so that a peer which claims to be ever more brokers slows nobody down.
//
// A handler Notes a broker when its request is dispatched and Binds it when the
// registration is published. What is unregistered on close is read in the broker's lane,
// behind every registration that was queued there before: so a close that overtakes a
// queued registration still finds it.
type Bindings struct {
	mu      sync.Mutex
	brokers map[routetable.BrokerKey]boundBroker // nil: a client's connection
	closed  bool
	reason  CloseReason // why, once closed
}

// boundBroker is what one broker registered, by the group's name; nil when it is noted,
// not (yet) registered. Nearly always it is one: a broker has one name.
type boundBroker map[string]routetable.Binding

// Note remembers that a request of this broker was accepted from the connection.
func (b *Bindings) Note(key routetable.BrokerKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(key)
}

// Bind remembers what a registration made from this connection, instead of what the same
// broker made under the same name before: with another id, too, that is void by now. Once the
// connection has closed there is nothing to remember. It reports false when that close takes
// the connection's brokers with it: then the caller undoes the registration, since nobody
// else will. A close that unregisters nobody leaves the registration in place.
//
// tell, if it is not nil, is called when the connection is open, and nobody can close it
// meanwhile: whoever is told there is told before the close. It must not use the Bindings.
func (b *Bindings) Bind(binding routetable.Binding, tell func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return !unregisters(b.reason)
	}
	if tell != nil {
		tell()
	}
	b.note(binding.Broker)
	bound := b.brokers[binding.Broker]
	if bound == nil {
		bound = boundBroker{}
		b.brokers[binding.Broker] = bound
	}
	bound[binding.Name] = binding
	return true
}

// Unbind forgets what is known of this broker, after it unregistered.
func (b *Bindings) Unbind(key routetable.BrokerKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.brokers, key)
}

// Forget forgets a broker that was noted and did not register after all.
func (b *Bindings) Forget(key routetable.BrokerKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.brokers[key] == nil {
		delete(b.brokers, key)
	}
}

// Keys returns the brokers noted or bound here. The slice is the caller's.
func (b *Bindings) Keys() []routetable.BrokerKey {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.brokers) == 0 {
		return nil
	}
	return slices.Collect(maps.Keys(b.brokers))
}

// Of returns what this broker registered from here, by name. The slice is the caller's.
func (b *Bindings) Of(key routetable.BrokerKey) []routetable.Binding {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Values(b.brokers[key]), func(x, y routetable.Binding) int {
		return strings.Compare(x.Name, y.Name)
	})
}

// Any reports whether the connection carries a broker.
func (b *Bindings) Any() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.brokers) > 0
}

// Reason returns why the connection closed, if it has.
func (b *Bindings) Reason() CloseReason {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reason
}

// close ends the binding, for the reason the connection ends for. What is bound stays
// readable for the close handler.
func (b *Bindings) close(reason CloseReason) {
	b.mu.Lock()
	b.closed, b.reason = true, reason
	b.mu.Unlock()
}

// note makes an entry for key if there is none. The caller holds mu.
func (b *Bindings) note(key routetable.BrokerKey) {
	if b.brokers == nil {
		b.brokers = map[routetable.BrokerKey]boundBroker{}
	}
	if _, known := b.brokers[key]; !known {
		b.brokers[key] = nil
	}
}
