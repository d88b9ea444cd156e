package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// store is the folder's file of records, one a line.
type store struct {
	mu     sync.Mutex
	file   *os.File
	done   map[string]bool
	builds map[string]string // by server
}

func storeKey(server string, mode Mode, rttMillis float64, name string, run int) string {
	if rttMillis > 0 {
		name = fmt.Sprintf("%s@%gms", name, rttMillis)
	}
	return fmt.Sprintf("%s %s %s %d", server, mode, name, run)
}

func storePath(dir string) string { return filepath.Join(dir, "results.jsonl") }

func openStore(dir string) (*store, error) {
	records, err := readRecords(dir)
	if err != nil {
		return nil, err
	}
	s := &store{done: map[string]bool{}, builds: map[string]string{}}
	for _, r := range records {
		s.builds[r.Server] = r.Build
		if r.Error == "" && r.Disturbed == "" {
			s.done[r.key()] = true
		}
	}
	s.file, err = os.OpenFile(storePath(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return s, err
}

// fits refuses to mix what two binaries did: their figures would be nobody's.
func (s *store) fits(o *Options) error {
	build, ok := s.builds[o.kind.Name]
	if !ok || build == o.build {
		return nil
	}
	return fmt.Errorf("%s has results of %s %s, and %s is %s: give another folder, or remove those lines",
		s.file.Name(), o.kind.Name, build, o.Pharos, o.build)
}

func (s *store) has(server string, j job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[storeKey(server, j.mode, float64(j.rtt)/1e6, j.c.Name, j.run)]
}

func (s *store) add(r *Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Error == "" && r.Disturbed == "" {
		s.done[r.key()] = true
	}
	_, err = s.file.Write(append(line, '\n'))
	return err
}

func (s *store) close() { _ = s.file.Close() }

// readRecords reads all records of a folder; none if there is no file. A run that was
// repeated counts once, as it went the last time.
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
	d := json.NewDecoder(f)
	for d.More() {
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
