package kvconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/durable"
)

// Load reads the file and returns the store. A file that is there but cannot be read, or
// is damaged, is an error that names it and its .bak: it is never an empty table. A file
// that is empty or `null` is an empty table only when the .bak has nothing to lose.
// A file that is missing is an empty table.
//
// Java: KVConfigManager#load, which starts empty from an unreadable or empty file, and
// names no file when it stops.
func Load(o Options) (*Store, error) {
	data, err := os.ReadFile(o.Path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		s := newStore(o, snapshotOf(nil))
		if n := backupSize(o.Path); n > 0 {
			s.opts.Warn("KV file: missing, so the table is empty; its .bak has namespaces",
				"file", o.Path, "backup", durable.BackupPath(o.Path), "namespaces", n)
		}
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("KV file (kvConfigPath): %w", err)
	}
	file, err := codec.ParseKVFile(data)
	if err != nil {
		return nil, fmt.Errorf("KV file %s is damaged (%w): %s", o.Path, err, restoreHint(o.Path))
	}
	if n := backupSize(o.Path); file.Blank && n > 0 {
		return nil, fmt.Errorf("KV file %s is empty, but %s has %d namespaces: copy it back, or delete both to start empty",
			o.Path, durable.BackupPath(o.Path), n)
	}
	return newStore(o, snapshotOf(file.ConfigTable)), nil
}

// backupSize returns the number of namespaces in the .bak; 0 when it cannot be used.
func backupSize(path string) int {
	data, err := os.ReadFile(durable.BackupPath(path))
	if err != nil {
		return 0
	}
	file, err := codec.ParseKVFile(data)
	if err != nil {
		return 0
	}
	return len(file.ConfigTable)
}

// restoreHint says what to do about a damaged file.
func restoreHint(path string) string {
	bak := durable.BackupPath(path)
	if n := backupSize(path); n > 0 {
		return fmt.Sprintf("%s is readable and has %d namespaces: copy it back", bak, n)
	}
	return fmt.Sprintf("there is no usable %s: repair the file, or delete it to start empty", bak)
}
