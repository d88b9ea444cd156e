package results

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type run struct {
	Name, Build string
	Run         int
	Seen        int    `json:",omitempty"`
	Error       string `json:",omitempty"`
}

func (r *run) Key() string          { return r.Name + string(rune('0'+r.Run)) }
func (r *run) Counts() bool         { return r.Error == "" }
func (r *run) Of() (string, string) { return r.Name, r.Build }

func open(t *testing.T, dir string) *Store[*run] {
	t.Helper()
	s, err := Open[*run](dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A folder goes on where it was: what failed is done again, and counts as it went then.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, r := range []*run{{"a", "v1", 1, 0, "no"}, {"b", "", 1, 2, ""}, {"a", "v1", 1, 7, ""}, {"a", "v1", 2, 0, "busy"}} {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []*Store[*run]{s, open(t, dir)} {
		if !s.Has("a1") || !s.Has("b1") || s.Has("a2") || s.Has("a3") {
			t.Error("what was measured is to be done again, or what was not isn't")
		}
	}
	s = open(t, dir)
	for build, fits := range map[string]bool{"v1": true, "v2": false} {
		if err := s.Fits("a", build); (err == nil) != fits {
			t.Errorf("build %s: %v", build, err)
		}
	}
	if err := s.Fits("c", "v3"); err != nil {
		t.Errorf("of what was never measured: %v", err)
	}
	records, err := Read[*run](dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*run{{"a", "v1", 1, 7, ""}, {"b", "", 1, 2, ""}, {"a", "v1", 2, 0, "busy"}}, records); diff != "" {
		t.Error(diff)
	}
	if repeated, err := Repeated[*run](dir); err != nil || !cmp.Equal(repeated, map[string]int{"a1": 1}) {
		t.Errorf("repeated were %v, %v", repeated, err)
	}
	if diff := cmp.Diff(map[string]string{"a": "v1"}, Builds(records)); diff != "" {
		t.Error(diff)
	}
}

// A commit that changed nothing of what was built is none to whoever measures it.
func TestSameBuild(t *testing.T) {
	f := func(want bool, a, b string) {
		t.Helper()
		if SameBuild(a, b) != want || SameBuild(b, a) != want {
			t.Errorf("%q and %q: %v, want %v", a, b, !want, want)
		}
	}
	f(true, "", "")
	f(false, "", "0123456789ab (sha256:aa)")
	f(true, "0123456789ab (sha256:aa)", "ba9876543210-dirty (sha256:aa)")
	f(true, "0123456789ab (sha256:aa)", "sha256:aa")
	f(false, "0123456789ab (sha256:aa)", "0123456789ab (sha256:bb)")
	f(true, "0123456789ab", "0123456789ab (sha256:aa)") // as records had it before
	f(false, "0123456789ab", "ba9876543210 (sha256:aa)")
	f(true, "servers 0123456789ab (sha256:aa), client 0123456789ab (sha256:cc)", "servers sha256:aa, client ba9876543210 (sha256:cc)")
	f(false, "servers 0123456789ab (sha256:aa), client 0123456789ab (sha256:cc)", "servers 0123456789ab (sha256:aa), client 0123456789ab (sha256:dd)")
}

func TestReadOfWhatIsNoRecord(t *testing.T) {
	dir := t.TempDir()
	if records, err := Read[*run](dir); err != nil || len(records) != 0 {
		t.Errorf("of an empty folder: %v, %v", records, err)
	}
	if err := os.WriteFile(path(dir), []byte("{\"Name\":\"a\"}\n{\"Na"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{func() error { _, err := Read[*run](dir); return err }(), func() error { _, err := Open[*run](dir); return err }()} {
		if err == nil || !strings.Contains(err.Error(), "record 2") || !strings.Contains(err.Error(), "remove the line") {
			t.Errorf("a line that was cut: %v", err)
		}
	}
}

// What does not count is repeated, a few times; a budget ends it.
func TestWork(t *testing.T) {
	var lines []string
	todo := []int{1, 2, 3}
	tries := 0
	w := Work[int]{
		Missing:  func() []int { return todo },
		Lasts:    func(jobs []int) time.Duration { return time.Duration(len(jobs)) * time.Minute },
		Progress: func(line string) { lines = append(lines, line) },
		Do: func(jobs []int, over func() bool) (int, error) {
			if over() {
				return len(jobs), nil
			}
			tries++
			todo = jobs[:1] // the first never counts
			return 0, nil
		},
	}
	if err := w.Complete(); err != nil || tries != attempts {
		t.Errorf("%d tries, %v", tries, err)
	}
	if diff := cmp.Diff([]string{"3 runs to do, about 3m0s", "1 runs to do, about 1m0s", "1 runs to do, about 1m0s"}, lines); diff != "" {
		t.Error(diff)
	}
	lines, w.Budget = nil, 1 // a nanosecond
	if err := w.Complete(); err != nil || tries != attempts || !strings.Contains(lines[len(lines)-1], "used up with 1 runs") {
		t.Errorf("%d tries, %v, %q", tries, err, lines)
	}
	broken := errors.New("broken")
	w.Do = func([]int, func() bool) (int, error) { return 0, broken }
	if err := w.Complete(); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestReport(t *testing.T) {
	table := NewTable("what", "seconds", "")
	table.Row("a|b\nc", "", "met")
	table.Row("d")
	const want = "| what | seconds | |\n|---|---|---|\n| a/b c | | met |\n| d | | |\n"
	if diff := cmp.Diff(want, table.String()); diff != "" {
		t.Error(diff)
	}
	dir := t.TempDir()
	if err := Save(dir, table.String(), map[string]int{"runs": 3}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"report.md": want, "report.json": "{\n \"runs\": 3\n}\n"} {
		if text, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
}
