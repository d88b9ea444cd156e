// Package results keeps what repeated runs showed, as one record a line in a folder, and writes
// the reports about them: a measurement that was interrupted goes on where it was.
package results

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// Record is what one run showed: a pointer to what is written as JSON.
type Record interface {
	// Key is what makes the run one of its own: one that is repeated has the same.
	Key() string
	// Counts says whether the run was measured; one that was not is to be done again.
	Counts() bool
	// Of is what ran, a server or a client, and which build of it.
	Of() (name, build string)
}

// Store is a folder's file of records, which is only appended to.
type Store[R Record] struct {
	mu     sync.Mutex
	file   *os.File
	done   map[string]bool
	builds map[string]string // by name
}

func path(dir string) string { return filepath.Join(dir, "results.jsonl") }

// Open reads what the folder has and goes on behind it.
func Open[R Record](dir string) (*Store[R], error) {
	records, err := Read[R](dir)
	if err != nil {
		return nil, err
	}
	s := &Store[R]{done: map[string]bool{}, builds: map[string]string{}}
	for _, r := range records {
		name, build := r.Of()
		s.builds[name] = build
		s.done[r.Key()] = r.Counts()
	}
	s.file, err = os.OpenFile(path(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return s, err
}

// Fits refuses to mix what different builds of name did: their figures would be nobody's.
func (s *Store[R]) Fits(name, build string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.builds[name]; ok && !SameBuild(before, build) {
		return fmt.Errorf("%s has results of %s with %q, and this is %q: give another folder, or remove those lines", s.file.Name(), name, before, build)
	}
	return nil
}

// commitAndSum is how builds are named: the commit, if it is known, and what was built.
var commitAndSum = regexp.MustCompile(`([0-9a-f]{7,40}(?:-dirty)?) \((sha256:[0-9a-f]+)\)`)

// SameBuild says whether two names, or texts with names in them, are of the same builds: what was
// built counts, whatever the commit. Of a name without a checksum the commit has to be the same.
func SameBuild(a, b string) bool {
	part := "$1"
	if strings.Contains(a, "sha256:") && strings.Contains(b, "sha256:") {
		part = "$2"
	}
	return commitAndSum.ReplaceAllString(a, part) == commitAndSum.ReplaceAllString(b, part)
}

// Has says whether the run of that key was measured.
func (s *Store[R]) Has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[key]
}

// Add keeps a record.
func (s *Store[R]) Add(r R) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[r.Key()] = r.Counts()
	_, err = s.file.Write(append(line, '\n'))
	return err
}

// Close closes the file; what was added is in it.
func (s *Store[R]) Close() { _ = s.file.Close() }

// Read reads all records of a folder; none if there is no file. A run that was repeated is there
// once, as it went the last time.
func Read[R Record](dir string) ([]R, error) {
	var all []R
	at := map[string]int{}
	err := each(dir, func(r R) {
		if i, again := at[r.Key()]; again {
			all[i] = r
			return
		}
		at[r.Key()], all = len(all), append(all, r)
	})
	return all, err
}

// Repeated is how often a run was done again, by its key; those that were not are left out.
func Repeated[R Record](dir string) (map[string]int, error) {
	seen, repeated := map[string]bool{}, map[string]int{}
	err := each(dir, func(r R) {
		if seen[r.Key()] {
			repeated[r.Key()]++
		}
		seen[r.Key()] = true
	})
	return repeated, err
}

// each reads the records of a folder in their order.
func each[R Record](dir string, do func(R)) error {
	f, err := os.Open(path(dir))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	for line := 1; d.More(); line++ {
		var r R
		if err := d.Decode(&r); err != nil {
			return fmt.Errorf("%s: record %d: %w; remove the line", path(dir), line, err)
		}
		do(r)
	}
	return nil
}

// Builds are the builds that records are of, by what ran; those that do not tell are left out.
func Builds[R Record](records []R) map[string]string {
	builds := map[string]string{}
	for _, r := range records {
		if name, build := r.Of(); build != "" {
			builds[name] = build
		}
	}
	return builds
}
