package failover

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// store is the folder's file of records, one a line.
type store struct {
	file   *os.File
	done   map[string]bool
	builds map[string]string // by client
}

func storeKey(client, name string, run int) string { return fmt.Sprintf("%s %s %d", name, client, run) }

func storePath(dir string) string { return filepath.Join(dir, "results.jsonl") }

func openStore(dir string) (*store, error) {
	records, err := readRecords(dir)
	if err != nil {
		return nil, err
	}
	s := &store{done: map[string]bool{}, builds: map[string]string{}}
	for _, r := range records {
		s.builds[r.Client] = r.Build
		s.done[r.key()] = r.counts()
	}
	s.file, err = os.OpenFile(storePath(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return s, err
}

// counts says whether the run was measured.
func (r *Record) counts() bool { return r.Error == "" && r.Disturbed == "" }

// fits refuses to mix what different binaries did: their figures would be nobody's.
func (s *store) fits(o *Options) error {
	for client, build := range o.builds {
		if before, ok := s.builds[client]; ok && before != build {
			return fmt.Errorf("%s has results of %s with %s, and this is %s: give another folder, or remove those lines",
				s.file.Name(), client, before, build)
		}
	}
	return nil
}

func (s *store) add(r *Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	s.done[r.key()] = r.counts()
	_, err = s.file.Write(append(line, '\n'))
	return err
}

func (s *store) close() { _ = s.file.Close() }

// readRecords reads all records of a folder; none if there is no file. A run that was repeated
// counts once, as it went the last time.
func readRecords(dir string) ([]*Record, error) {
	f, err := os.Open(storePath(dir))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []*Record
	at := map[string]int{}
	for d := json.NewDecoder(f); d.More(); {
		r := &Record{}
		if err := d.Decode(r); err != nil {
			return nil, fmt.Errorf("%s: record %d: %w; remove the line", storePath(dir), len(all)+1, err)
		}
		if i, again := at[r.key()]; again {
			all[i] = r
			continue
		}
		at[r.key()], all = len(all), append(all, r)
	}
	return all, nil
}
