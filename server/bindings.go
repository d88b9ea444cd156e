package server

import (
	"sync"

	"github.com/pharosmq/pharos/routetable"
)

// Bindings is what a connection knows of the brokers that spoke on it. Loops, lanes and
// the closing of the connection use it at once; it is safe for all of them.
//
// A handler Notes a broker when its request is dispatched and Binds it when the
// registration is published. What is unregistered on close is read in the broker's lane,
// behind every registration that was queued there before: so a close that overtakes a
// queued registration still finds it.
type Bindings struct {
	mu     sync.Mutex
	list   []boundBroker // a handful: a broker, perhaps split into a few groups
	closed bool
}

type boundBroker struct {
	key      routetable.BrokerKey
	bindings []routetable.Binding // empty: noted, not (yet) registered
}

// Note remembers that a request of this broker was accepted from the connection.
func (b *Bindings) Note(key routetable.BrokerKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entry(key)
}

// Bind remembers what a registration made from this connection; a binding of the same
// broker, name and id is replaced. It reports false, and remembers nothing, when the
// connection has closed meanwhile: then the caller undoes the registration, since nobody
// else will.
func (b *Bindings) Bind(binding routetable.Binding) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	e := b.entry(binding.Broker)
	for i := range e.bindings {
		if e.bindings[i].Name == binding.Name && e.bindings[i].ID == binding.ID {
			e.bindings[i] = binding
			return true
		}
	}
	e.bindings = append(e.bindings, binding)
	return true
}

// Unbind forgets what is known of this broker, after it unregistered.
func (b *Bindings) Unbind(key routetable.BrokerKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.list {
		if b.list[i].key == key {
			b.list = append(b.list[:i], b.list[i+1:]...)
			return
		}
	}
}

// Keys returns the brokers noted or bound here. The slice is the caller's.
func (b *Bindings) Keys() []routetable.BrokerKey {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) == 0 {
		return nil
	}
	keys := make([]routetable.BrokerKey, len(b.list))
	for i := range b.list {
		keys[i] = b.list[i].key
	}
	return keys
}

// Of returns what this broker registered from here. The slice is the caller's.
func (b *Bindings) Of(key routetable.BrokerKey) []routetable.Binding {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.list {
		if b.list[i].key == key {
			return append([]routetable.Binding(nil), b.list[i].bindings...)
		}
	}
	return nil
}

// Any reports whether the connection carries a broker.
func (b *Bindings) Any() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.list) > 0
}

// close makes later Binds fail. What is bound stays readable for the close handler.
func (b *Bindings) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
}

// entry returns the entry of key, new if need be. The caller holds mu.
func (b *Bindings) entry(key routetable.BrokerKey) *boundBroker {
	for i := range b.list {
		if b.list[i].key == key {
			return &b.list[i]
		}
	}
	b.list = append(b.list, boundBroker{key: key})
	return &b.list[len(b.list)-1]
}
