package server

import "github.com/pharosmq/pharos/routetable"

// addWritePermOfBroker answers ADD_WRITE_PERM_OF_BROKER (327): every topic of the broker
// group gets the permission to read and write; other bits are lost, as in Java.
// addTopicCount is the number of topics the group has.
//
// Java: DefaultRequestProcessor#addWritePermOfBroker.
func addWritePermOfBroker(h *handlers, rq *Request) {
	h.changeWritePerm(rq, "write permission added", "addTopicCount", (*routetable.Txn).AddWritePerm)
}
