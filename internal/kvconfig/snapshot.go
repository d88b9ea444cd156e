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

// draft is the next snapshot in the making; it copies only what it touches.
type draft struct {
	base    *snapshot
	touched map[string]map[string]string
}

func newDraft(base *snapshot) *draft {
	return &draft{base: base, touched: map[string]map[string]string{}}
}

// current returns the table of a namespace as the draft has it; nil when there is none.
func (d *draft) current(name string) map[string]string {
	if t, ok := d.touched[name]; ok {
		return t
	}
	if ns := d.base.namespaces[name]; ns != nil {
		return ns.table
	}
	return nil
}

// own returns a table that the draft may write to.
func (d *draft) own(name string) map[string]string {
	t, ok := d.touched[name]
	if !ok {
		if t = maps.Clone(d.current(name)); t == nil {
			t = map[string]string{}
		}
		d.touched[name] = t
	}
	return t
}

// finish returns the next snapshot.
func (d *draft) finish() *snapshot {
	namespaces := maps.Clone(d.base.namespaces)
	if namespaces == nil {
		namespaces = map[string]*namespace{}
	}
	for name, table := range d.touched {
		namespaces[name] = newNamespace(table)
	}
	return newSnapshot(namespaces)
}
