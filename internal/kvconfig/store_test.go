package kvconfig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/durable"
)

func value(s string) codec.NullString { return codec.NullString{String: s, Valid: true} }

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Load(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, namespace, key, v string) {
	t.Helper()
	if err := s.Put(namespace, key, value(v)); err != nil {
		t.Fatal(err)
	}
}

func wantGet(t *testing.T, s *Store, namespace, key, want string, wantOK bool) {
	t.Helper()
	if got, ok := s.Get(namespace, key); got != want || ok != wantOK {
		t.Errorf("Get(%q, %q) = %q, %v; want %q, %v", namespace, key, got, ok, want, wantOK)
	}
}

func wantList(t *testing.T, s *Store, namespace, want string, wantOK bool) {
	t.Helper()
	if got, ok := s.List(namespace); string(got) != want || ok != wantOK {
		t.Errorf("List(%q) = %s, %v; want %s, %v", namespace, got, ok, want, wantOK)
	}
}

func tempPath(t *testing.T) string { return filepath.Join(t.TempDir(), "namesrv", "kvConfig.json") }

func TestPutGetDelete(t *testing.T) {
	path := tempPath(t)
	s := open(t, path)
	wantList(t, s, "ns", "", false)
	wantGet(t, s, "ns", "k", "", false)
	if err := s.Delete("ns", "k"); err != nil {
		t.Error(err)
	}
	wantList(t, s, "ns", "", false) // a delete makes no namespace

	put(t, s, "ns", "k", "v")
	put(t, s, "ns", "", "")
	put(t, s, "", "empty namespace", "x\n\"")
	for range 2 { // before and after a restart
		wantGet(t, s, "ns", "k", "v", true)
		wantGet(t, s, "ns", "", "", true)
		wantGet(t, s, "", "empty namespace", "x\n\"", true)
		wantList(t, s, "ns", `{"table":{"":"","k":"v"}}`, true)
		s = open(t, path)
	}

	for _, k := range []string{"k", "", "absent"} {
		if err := s.Delete("ns", k); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		wantGet(t, s, "ns", "k", "", false)
		wantList(t, s, "ns", `{"table":{}}`, true) // the namespace stays
		s = open(t, path)
	}
}

func TestNullValueReadsAsAbsent(t *testing.T) {
	s := open(t, tempPath(t))
	put(t, s, "ns", "k", "v")
	for _, ns := range []string{"ns", "new"} {
		if err := s.Put(ns, "k", codec.NullString{}); err != nil {
			t.Fatal(err)
		}
		wantGet(t, s, ns, "k", "", false)
		wantList(t, s, ns, `{"table":{}}`, true)
	}
}

func TestFileIsJavas(t *testing.T) {
	path := tempPath(t)
	s := open(t, path)
	put(t, s, OrderTopicNamespace, "TopicTest", "broker-a:4")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"configTable":{"ORDER_TOPIC_CONFIG":{"TopicTest":"broker-a:4"}}}`
	if string(data) != want {
		t.Errorf("the file has %s, want %s", data, want)
	}
}

func TestOrderTopic(t *testing.T) {
	s := open(t, tempPath(t))
	if b := s.OrderTopicTable(); b != nil {
		t.Errorf("without the namespace: %s", b)
	}
	put(t, s, OrderTopicNamespace, "T", "broker-a:4")
	if got := string(s.OrderTopicTable()); got != `{"table":{"T":"broker-a:4"}}` {
		t.Errorf("table %s", got)
	}
	topic := []byte("T")
	if got, ok := s.OrderTopicConf(topic); got != "broker-a:4" || !ok {
		t.Errorf("conf %q, %v", got, ok)
	}
	if _, ok := s.OrderTopicConf([]byte("other")); ok {
		t.Error("a topic without configuration has one")
	}
	if n := testing.AllocsPerRun(100, func() { s.OrderTopicConf(topic); s.OrderTopicTable() }); n != 0 {
		t.Errorf("%v allocations in reads of the event loop", n)
	}
	if err := s.Delete(OrderTopicNamespace, "T"); err != nil {
		t.Fatal(err)
	}
	if got := string(s.OrderTopicTable()); got != `{"table":{}}` {
		t.Errorf("emptied: %q, which is not the same as none", got)
	}
}

func TestLoad(t *testing.T) {
	const good = `{"configTable":{"ns":{"k":"v"}}}`
	tests := []struct {
		name      string
		file, bak string // "-": there is none
		err       string // parts of it, separated by |
		want      string // of List("ns"), "" for none
		warn      bool
	}{
		{name: "missing", file: "-", bak: "-"},
		{name: "missing with backup", file: "-", bak: good, warn: true},
		{name: "empty", file: "", bak: "-"},
		{name: "empty with empty backup", file: "", bak: `{"configTable":{}}`},
		{name: "empty with good backup", file: "", bak: good, err: "kv.json is empty|kv.json.bak has 1 namespaces"},
		{name: "null with good backup", file: "null", bak: good, err: "kv.json is empty|copy it back"},
		{name: "null", file: "null", bak: "-"},
		{name: "good", file: good, bak: "garbage", want: `{"table":{"k":"v"}}`},
		{name: "byte-order mark", file: "\ufeff" + good, bak: "-", want: `{"table":{"k":"v"}}`},
		{name: "null namespace", file: `{"configTable":{"ns":null,"m":{}}}`, bak: "-"},
		{name: "number", file: `{"configTable":{"ns":{"k":7}}}`, bak: "-", want: `{"table":{"k":"7"}}`},
		{name: "truncated", file: good[:20], bak: good, err: "kv.json is damaged|kv.json.bak is readable and has 1 namespaces"},
		{name: "truncated, no backup", file: good[:20], bak: "-", err: "kv.json is damaged|no usable"},
		{name: "truncated, bad backup", file: good[:20], bak: "x", err: "kv.json is damaged|no usable"},
		{name: "garbage", file: "hello", bak: "-", err: "is damaged"},
		{name: "zeros", file: "\x00\x00\x00\x00", bak: "-", err: "is damaged"},
		{name: "array", file: "[]", bak: "-", err: "is damaged"},
		{name: "trailing text", file: good + "x", bak: "-", err: "is damaged"},
		{name: "blanks", file: "  \n", bak: "-", err: "is damaged"},
		{name: "no table", file: "{}", bak: "-", err: "is damaged"},
		{name: "null table", file: `{"configTable":null}`, bak: "-", err: "is damaged"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		path := filepath.Join(dir, "kv.json")
		for p, content := range map[string]string{path: tt.file, path + ".bak": tt.bak} {
			if content == "-" {
				continue
			}
			if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		warned := false
		s, err := Load(Options{Path: path, Warn: func(string, ...any) { warned = true }})
		if warned != tt.warn {
			t.Errorf("%s: warned %v, want %v", tt.name, warned, tt.warn)
		}
		if tt.err == "" && err != nil || tt.err != "" && err == nil {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
			continue
		}
		if err != nil {
			for _, part := range strings.Split(tt.err, "|") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: error %q lacks %q", tt.name, err, part)
				}
			}
			if got, _ := os.ReadFile(path); string(got) != tt.file {
				t.Errorf("%s: the damaged file became %q", tt.name, got)
			}
			continue
		}
		wantList(t, s, "ns", tt.want, tt.want != "")
	}
	if _, err := Load(Options{Path: t.TempDir()}); err == nil {
		t.Error("a directory is an empty table")
	}
}

func TestUnwritablePathIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file", "kv.json")
	if err := os.WriteFile(filepath.Dir(path), nil, 0o644); err != nil { // a file where a directory has to be
		t.Fatal(err)
	}
	s := newStore(Options{Path: path}, snapshotOf(nil))
	for range 2 {
		err := s.Put("ns", "k", value("v"))
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
		wantGet(t, s, "ns", "k", "", false)
	}
	if err := s.Delete("ns", "k"); err != nil {
		t.Errorf("deleting nothing from nothing: %v", err)
	}
}

func TestReadOnlyFileChangesNothing(t *testing.T) {
	path := tempPath(t)
	s := open(t, path)
	put(t, s, "ns", "k", "v")
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := s.Put("ns", "k", value("w")); err == nil {
		t.Error("a read-only file was written")
	}
	if err := s.Delete("ns", "k"); err == nil {
		t.Error("a read-only file was written")
	}
	wantGet(t, s, "ns", "k", "v", true)
}

func TestUnchangedWriteTouchesNothing(t *testing.T) {
	path := tempPath(t)
	s := open(t, path)
	put(t, s, "ns", "k", "v1")
	put(t, s, "ns", "k", "v2")
	put(t, s, "ns", "k", "v2")
	bak, err := os.ReadFile(path + ".bak")
	if err != nil || !strings.Contains(string(bak), "v1") {
		t.Errorf("the .bak has %s, %v: not the version before", bak, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	put(t, s, "ns", "k", "v2") // somebody took the file away
	wantGet(t, open(t, path), "ns", "k", "v2", true)
}

// Many namespaces, each within its bound, have a bound together: for growth only.
func TestTableBytesMax(t *testing.T) {
	const limit = 16 << 10
	path := tempPath(t)
	s := newStore(Options{Path: path, NamespaceBytesMax: limit}, snapshotOf(nil))
	value, stored := codec.NullString{String: strings.Repeat("v", limit/2), Valid: true}, 0
	for ; ; stored++ {
		err := s.Put("namespace"+strconv.Itoa(stored), "k", value)
		if errors.Is(err, ErrTooLarge) {
			break
		}
		if err != nil || stored > 2*tableNamespaces {
			t.Fatalf("namespace %d: %v", stored, err)
		}
	}
	if stored < tableNamespaces {
		t.Errorf("full with %d half full namespaces", stored)
	}
	if namespaces, _ := s.Sizes(); namespaces != stored {
		t.Errorf("%d namespaces, %d were stored", namespaces, stored)
	}
	if err := s.Put("namespace0", "k", codec.NullString{String: "small", Valid: true}); err != nil {
		t.Errorf("a smaller value: %v", err)
	}
	// A table that is larger already, from a file, can still shrink.
	smaller := newStore(Options{Path: path, NamespaceBytesMax: limit / 4}, s.snap.Load())
	if err := smaller.Delete("namespace1", "k"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if err := smaller.Put("new", "k", codec.NullString{String: "x", Valid: true}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("grown beyond the bound: %v", err)
	}
}

func TestNamespaceBytesMax(t *testing.T) {
	s := newStore(Options{Path: tempPath(t), NamespaceBytesMax: 64}, snapshotOf(map[string]map[string]string{
		"big": {"k": strings.Repeat("x", 100), "l": "x"}, // from a file, before there was a bound
	}))
	put(t, s, "ns", "k", "v")
	if err := s.Put("ns", "l", value(strings.Repeat("x", 64))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	wantList(t, s, "ns", `{"table":{"k":"v"}}`, true)
	if err := s.Put("big", "m", value("y")); !errors.Is(err, ErrTooLarge) {
		t.Errorf("growing what is too large: %v", err)
	}
	if err := s.Delete("big", "l"); err != nil {
		t.Errorf("shrinking what is too large: %v", err)
	}
}

// Many writers at once: each reads its own write back when Put returns, and everything is
// on the disk.
func TestConcurrentWriters(t *testing.T) {
	path := tempPath(t)
	s := open(t, path)
	var wg sync.WaitGroup
	for w := range 20 {
		wg.Go(func() {
			for i := range 10 {
				ns, key, v := fmt.Sprintf("ns%d", w%3), fmt.Sprintf("%d", w), fmt.Sprintf("%d.%d", w, i)
				if err := s.Put(ns, key, value(v)); err != nil {
					t.Error(err)
				}
				wantGet(t, s, ns, key, v, true)
				if i == 7 {
					wantGet(t, open(t, path), ns, key, v, true)
				}
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(s.snap.Load().tables(), open(t, path).snap.Load().tables()); diff != "" {
		t.Errorf("(-memory +file)\n%s", diff)
	}
	if ns, keys := s.Sizes(); ns != 3 || keys != 20 {
		t.Errorf("%d namespaces, %d keys", ns, keys)
	}
}

// The file may be new though its directory could not be synced. The table stays as it was,
// and the next write puts the file right, even one that changes nothing: an operator who
// takes back what was answered with an error must not find it again after a restart.
func TestUnsyncedFileIsPutRight(t *testing.T) {
	path := tempPath(t)
	s := open(t, path)
	put(t, s, "ns", "k", "v")
	s.writeFile = func(path string, data []byte, o durable.Options) (durable.Outcome, error) {
		out, err := durable.WriteFile(path, data, o)
		return out, errors.Join(err, durable.ErrUnsynced)
	}
	err := s.Put("ns", "new", value("x"))
	if !errors.Is(err, durable.ErrUnsynced) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want ErrUnsynced and %s", err, path)
	}
	wantGet(t, s, "ns", "new", "", false)
	wantGet(t, open(t, path), "ns", "new", "x", true)

	s.writeFile = durable.WriteFile
	if err := s.Delete("ns", "new"); err != nil {
		t.Error(err)
	}
	wantList(t, open(t, path), "ns", `{"table":{"k":"v"}}`, true)
}

func BenchmarkOrderTopicConf(b *testing.B) {
	tables := map[string]map[string]string{OrderTopicNamespace: {}}
	for i := range 10_000 {
		tables[OrderTopicNamespace][fmt.Sprintf("Topic%d", i)] = "broker-a:4"
	}
	s := newStore(Options{}, snapshotOf(tables))
	topic := []byte("Topic4711")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.OrderTopicConf(topic); !ok {
			b.Fatal("absent")
		}
	}
}
