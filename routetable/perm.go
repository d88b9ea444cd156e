package routetable

import "github.com/pharosmq/pharos/codec"

// WipeWritePerm takes the write bit from every topic of the broker group and returns the
// number of topics that the group has. It lasts until the broker registers with another
// data version, or for the first time. Java: RouteInfoManager#wipeWritePermOfBrokerByLock.
func (x *Txn) WipeWritePerm(name string) (topics int) {
	return x.setPerm(name, func(perm int32) int32 { return perm &^ codec.PermWrite })
}

// AddWritePerm sets the permission of every topic of the broker group to read and write
// and returns the number of topics that the group has. Other bits are lost, and an acting
// group becomes writable, as in Java: RouteInfoManager#addWritePermOfBrokerByLock.
func (x *Txn) AddWritePerm(name string) (topics int) {
	return x.setPerm(name, func(int32) int32 { return codec.PermRead | codec.PermWrite })
}

func (x *Txn) setPerm(name string, perm func(int32) int32) int {
	x.flush()
	g := x.view.named(name)
	if g == nil {
		return 0
	}
	topics := x.countTopics(g.index)
	x.work += topics
	x.transform(func(next, old []member) []member {
		next = append(next, old...)
		if i := findMember(next, g.index); i >= 0 {
			next[i].perm = perm(next[i].perm)
		}
		return next
	})
	return topics
}
