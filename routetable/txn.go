package routetable

import "github.com/pharosmq/pharos/codec"

// Txn is a transaction: the next Snapshot while it is being built. It is valid during the
// function given to Table.Update. Each operation sees what those before it did.
type Txn struct{}

// UnregisterRequest is one UNREGISTER_BROKER request.
type UnregisterRequest struct {
	Broker BrokerKey
	Name   string
	ID     int64
	Conn   ConnID // the connection it came from; 0 when unknown
}

// RegisterBroker applies one REGISTER_BROKER request. Java:
// RouteInfoManager#registerBroker.
func (x *Txn) RegisterBroker(r *Registration) RegisterResult { return RegisterResult{} }

// UnregisterBroker applies one UNREGISTER_BROKER request and reports whether it counted.
// It counts from any connection except one that was accepted before the connection the
// broker is bound to now. Java: RouteInfoManager#unRegisterBroker.
func (x *Txn) UnregisterBroker(r UnregisterRequest) bool { return false }

// RemoveBinding removes exactly the registration that b was handed out for, because its
// connection closed (or for another reason of the caller's). It is void, and returns false,
// when the broker has registered again since.
func (x *Txn) RemoveBinding(b Binding, reason RemoveReason) bool { return false }

// ExpireBroker removes a registration that Snapshot.ScanNotActive found silent, unless it
// was heard of since. It emits EffectCloseConn for its connection, as Java closes it.
func (x *Txn) ExpireBroker(e ExpiredBroker) bool { return false }

// WipeWritePerm takes the write bit from every topic of the broker group and returns the
// number of topics that the group has. Java: RouteInfoManager#wipeWritePermOfBrokerByLock.
func (x *Txn) WipeWritePerm(name string) (topics int) { return 0 }

// AddWritePerm sets the permission of every topic of the broker group to read and write
// and returns the number of topics that the group has. Other bits are lost, as in Java:
// RouteInfoManager#addWritePermOfBrokerByLock.
func (x *Txn) AddWritePerm(name string) (topics int) { return 0 }

// DeleteTopic removes the topic from the brokers that are listed under cluster, or
// everywhere when cluster is empty, and reports whether anything was removed. Java:
// RouteInfoManager#deleteTopic.
func (x *Txn) DeleteTopic(topic, cluster string) bool { return false }

// RegisterTopic adds the topic to the groups that queues name, in order, and stops at the
// first unknown group: a topic unknown so far is then not stored at all, of a known one
// the queues before it are kept. It reports whether all were stored. Java:
// RouteInfoManager#registerTopic.
func (x *Txn) RegisterTopic(topic string, queues []codec.QueueData) bool { return false }

// Hold moves a LIVE registration to HELD: routes still show it. Like Park and Restore it
// is void, and returns false, when generation is neither 0 nor the present one, or the
// registration is gone or not in the state it starts from.
func (x *Txn) Hold(key BrokerKey, generation uint32) bool { return false }

// Park hides a LIVE or HELD registration from routes and lists: they look as if it had
// been unregistered, but its data stays until it is restored, replaced, or expires.
func (x *Txn) Park(key BrokerKey, generation uint32) bool { return false }

// Restore makes a HELD or PARKED registration LIVE again, with everything it had.
func (x *Txn) Restore(key BrokerKey, generation uint32, nowMillis int64) bool { return false }
