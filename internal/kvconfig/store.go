package kvconfig

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"sync/atomic"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/durable"
)

// ErrTooLarge: the namespace would grow beyond what a reply can carry. ORDER_TOPIC_CONFIG
// travels whole in every answer to a registering broker.
var ErrTooLarge = errors.New("the namespace would be too large")

// Options of a Store.
type Options struct {
	// Path of the file (Java: kvConfigPath).
	Path string
	// NamespaceBytesMax bounds the encoded table of one namespace, and eight times as much
	// all of them together; 0: no bound. A file that is beyond it is still read.
	NamespaceBytesMax int
	// Warn is told what an operator should know and no caller is: a backup that could
	// not be written, a file that had to be written in place. Nil: nobody is. It is
	// called with constant messages and alternating keys and values, as slog's.
	Warn func(msg string, args ...any)
}

// Store is the KV table and its file. It is safe for concurrent use.
type Store struct {
	opts Options
	snap atomic.Pointer[snapshot]

	mu    sync.Mutex // held by the writer, from reading the table until it is stored
	doubt bool       // guarded by mu: the file may have a table that snap never had

	writeFile func(path string, data []byte, o durable.Options) (durable.Outcome, error)
}

func newStore(o Options, s *snapshot) *Store {
	if o.Warn == nil {
		o.Warn = func(string, ...any) {}
	}
	st := &Store{opts: o, writeFile: durable.WriteFile}
	st.snap.Store(s)
	return st
}

// Path returns where the table is kept.
func (s *Store) Path() string { return s.opts.Path }

// Writable reports what would make every Put fail: for a warning at the start.
func (s *Store) Writable() error { return durable.CheckWritable(s.opts.Path) }

// Get returns a value (101); ok is false when namespace or key are absent.
func (s *Store) Get(namespace, key string) (value string, ok bool) {
	ns := s.snap.Load().namespaces[namespace]
	if ns == nil {
		return "", false
	}
	value, ok = ns.table[key]
	return value, ok
}

// List returns the body of 219, {"table":{...}}; ok is false when there is no such
// namespace. The bytes are shared: never write to them.
func (s *Store) List(namespace string) (body []byte, ok bool) {
	ns := s.snap.Load().namespaces[namespace]
	if ns == nil {
		return nil, false
	}
	return ns.body, true
}

// OrderTopicTable returns the body that a registering broker gets: ORDER_TOPIC_CONFIG as
// {"table":{...}}, nil when there is no such namespace. The bytes are shared: never write
// to them. It never blocks and allocates nothing.
func (s *Store) OrderTopicTable() []byte {
	if ns := s.snap.Load().order; ns != nil {
		return ns.body
	}
	return nil
}

// OrderTopicConf returns the order configuration of a topic. It never blocks and
// allocates nothing.
func (s *Store) OrderTopicConf(topic []byte) (conf string, ok bool) {
	ns := s.snap.Load().order
	if ns == nil {
		return "", false
	}
	conf, ok = ns.table[string(topic)]
	return conf, ok
}

// Sizes returns the number of namespaces and of keys in all of them.
func (s *Store) Sizes() (namespaces, keys int) {
	snap := s.snap.Load()
	for _, ns := range snap.namespaces {
		keys += len(ns.table)
	}
	return len(snap.namespaces), keys
}

// Put sets a value and returns when it is on the disk (100). A null value makes the
// namespace and takes the key away: Java stores a null that reads as absent. After an
// error nothing is changed; after durable.ErrUnsynced only the file may have the change
// already, until any later write. It waits for the disk: never call it on an event loop.
//
// Java: KVConfigManager#putKVConfig, which reports no failure of the file.
func (s *Store) Put(namespace, key string, value codec.NullString) error {
	return s.write(namespace, func(table map[string]string) map[string]string {
		old, had := table[key]
		if table != nil && had == value.Valid && old == value.String {
			return nil
		}
		next := maps.Clone(table)
		if next == nil {
			next = map[string]string{}
		}
		if value.Valid {
			next[key] = value.String
		} else {
			delete(next, key)
		}
		return next
	})
}

// Delete takes a key away and returns when that is on the disk (102). Absent keys and
// namespaces are no error, and the namespace stays. Errors are those of Put. It waits for
// the disk.
func (s *Store) Delete(namespace, key string) error {
	return s.write(namespace, func(table map[string]string) map[string]string {
		if _, had := table[key]; !had {
			return nil
		}
		next := maps.Clone(table)
		delete(next, key)
		return next
	})
}

// write changes one namespace, one writer after the other: change returns a changed copy of
// the table it is given, which is nil without the namespace, or nil to leave it as it is.
// Only a table that is on the disk is published.
func (s *Store) write(namespace string, change func(table map[string]string) map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.snap.Load()
	if table := change(next.table(namespace)); table != nil {
		before := next
		next = before.with(namespace, table)
		if err := s.checkSize(before, next, namespace); err != nil {
			return err
		}
	} else if s.onDisk() {
		return nil
	}
	if err := s.store(next); err != nil {
		return err
	}
	s.snap.Store(next)
	return nil
}

// checkSize refuses growth beyond the bound, never a change that shrinks.
func (s *Store) checkSize(before, after *snapshot, name string) error {
	limit := s.opts.NamespaceBytesMax
	if limit <= 0 {
		return nil
	}
	size, old := len(after.namespaces[name].body), 0
	if ns := before.namespaces[name]; ns != nil {
		old = len(ns.body)
	}
	if size > limit && size > old {
		return fmt.Errorf("%w: %d bytes, and kvNamespaceBytesMax is %d", ErrTooLarge, size, limit)
	}
	tableMax := max(tableNamespaces*limit, tableBytesLeast)
	if total := after.bytes(); total > tableMax && total > before.bytes() {
		return fmt.Errorf("%w: all namespaces together would have %d bytes, and may have %d: %d times kvNamespaceBytesMax",
			ErrTooLarge, total, tableMax, tableNamespaces)
	}
	return nil
}

const (
	// tableNamespaces is how many namespaces of the largest size the table may hold: every
	// change writes all of it, anybody can make namespaces, and they come back at the next
	// start.
	tableNamespaces = 8
	// tableBytesLeast may be held whatever the size of a namespace.
	tableBytesLeast = 64 << 10
	// namespaceBytes is what a namespace costs beside its body and its name.
	namespaceBytes = 256
)

// bytes is what the table weighs.
func (s *snapshot) bytes() int {
	total := 0
	for name, ns := range s.namespaces {
		total += namespaceBytes + len(name) + len(ns.body)
	}
	return total
}

// onDisk reports that the file needs no writing when nothing has changed: it is there and
// what it should be, or there is nothing to keep. Somebody may have taken it away. The
// caller holds mu.
func (s *Store) onDisk() bool {
	if s.doubt {
		return false
	}
	if _, err := os.Stat(s.opts.Path); err == nil {
		return true
	}
	namespaces, _ := s.Sizes()
	return namespaces == 0
}

// store replaces the file, keeping the old content in the .bak. The caller holds mu.
func (s *Store) store(snap *snapshot) error {
	data := codec.AppendKVFile(nil, snap.tables())
	out, err := s.writeFile(s.opts.Path, data, durable.Options{Perm: 0o644, Backup: true})
	if out.BackupError != nil {
		s.opts.Warn("KV file: the old content could not be kept in the .bak", "file", s.opts.Path, "error", out.BackupError)
	}
	switch {
	case errors.Is(err, durable.ErrUnsynced):
		s.doubt = true
		return fmt.Errorf("not changed; %s: %w", s.opts.Path, err)
	case err != nil:
		return fmt.Errorf("not stored in %s: %w", s.opts.Path, err)
	}
	s.doubt = false
	if out.InPlace {
		s.opts.Warn("KV file: written in place, since it cannot be replaced by a rename: a crash during a write damages it (the .bak stays whole)", "file", s.opts.Path)
	}
	return nil
}
