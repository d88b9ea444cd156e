package kvconfig

import (
	"maps"

	"github.com/pharosmq/pharos/codec"
)

// OrderTopicNamespace holds the queue layout of ordered topics (Java:
// NamesrvUtil.NAMESPACE_ORDER_TOPIC_CONFIG): topic -> "broker-a:4;broker-b:4".
const OrderTopicNamespace = "ORDER_TOPIC_CONFIG"

// snapshot is one state of the table. It never changes.
type snapshot struct {
	namespaces map[string]*namespace
	order      *namespace // namespaces[OrderTopicNamespace]; nil when there is none
}

// namespace is one table and the body that lists it, encoded once.
type namespace struct {
	table map[string]string
	body  []byte
}

func newNamespace(table map[string]string) *namespace {
	return &namespace{table: table, body: codec.AppendKVTable(nil, table)}
}

func newSnapshot(namespaces map[string]*namespace) *snapshot {
	return &snapshot{namespaces: namespaces, order: namespaces[OrderTopicNamespace]}
}

func snapshotOf(tables map[string]map[string]string) *snapshot {
	namespaces := make(map[string]*namespace, len(tables))
	for name, table := range tables {
		namespaces[name] = newNamespace(table)
	}
	return newSnapshot(namespaces)
}

// tables returns the plain form, for the file. The inner maps are the snapshot's own.
func (s *snapshot) tables() map[string]map[string]string {
	t := make(map[string]map[string]string, len(s.namespaces))
	for name, ns := range s.namespaces {
		t[name] = ns.table
	}
	return t
}

// table returns a namespace; nil when there is none. It is the snapshot's own.
func (s *snapshot) table(name string) map[string]string {
	if ns := s.namespaces[name]; ns != nil {
		return ns.table
	}
	return nil
}

// with returns the snapshot in which the namespace is table, which it keeps.
func (s *snapshot) with(name string, table map[string]string) *snapshot {
	namespaces := maps.Clone(s.namespaces)
	namespaces[name] = newNamespace(table)
	return newSnapshot(namespaces)
}
