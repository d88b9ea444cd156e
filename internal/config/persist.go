package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"github.com/pharosmq/pharos/internal/durable"
)

// storeMarker is the first line of a store file that Pharos created. Without -c such a
// file is read at the next start; one that Java wrote is not, since Java never does.
const storeMarker = "# Settings changed while Pharos was running (started without -c). Read at the next start.\n"

// persist writes the changes into the store file. An operator's -c file keeps its
// comments and layout.
func (c *Namesrv) persist(changes []Change) error {
	path := c.ConfigStorePath
	data, err := os.ReadFile(path)
	// Without -c the first change makes the file. A -c file that has gone is an error: a
	// new one would lack everything else the operator wrote in it.
	if err != nil && (c.file != "" || !errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	next := data
	if c.file == "" && !bytes.HasPrefix(data, []byte(storeMarker)) {
		next = []byte(storeMarker) // what Java left there was never read; it stays in the .bak
	}
	if next, err = setProperties(next, changes); err != nil {
		return err
	}
	if bytes.Equal(next, data) {
		return nil
	}
	_, err = durable.WriteFile(path, next, durable.Options{Perm: 0o644, Backup: true})
	return err
}
