package differential

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExceptionsAreDocumented: the list in the code and the one in docs/compatibility.md
// are the same.
func TestExceptionsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // number -> test
	_, section, _ := strings.Cut(string(text), "## Replies and state")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) == 5 {
			rows[strings.TrimSpace(cells[0])] = strings.TrimSpace(cells[4])
		}
	}
	for i := range Exceptions {
		e := &Exceptions[i]
		if e.Number != i+1 {
			t.Errorf("exception %d is entry %d of the list", e.Number, i+1)
		}
		if got := rows[fmt.Sprint(e.Number)]; got != e.Test {
			t.Errorf("exception %d: the document names the test %q, the code %q", e.Number, got, e.Test)
		}
		if e.Spec == "" || e.Reason == "" || (e.Match == nil) == (e.Around == "") {
			t.Errorf("exception %d lacks its reference, its reason, or how histories treat it", e.Number)
		}
		delete(rows, fmt.Sprint(e.Number))
	}
	delete(rows, "no.")
	delete(rows, "---")
	if len(rows) > 0 {
		t.Errorf("only in the document: %v", rows)
	}
}

// TestLimitsAreTested: each entry of the other lists of docs/compatibility.md names tests,
// and there are such tests.
func TestLimitsAreTested(t *testing.T) {
	const root = "../../../"
	text, err := os.ReadFile(root + "docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, heading := range []string{"## Limits", "## First bytes and damaged frames"} {
		_, section, found := strings.Cut(string(text), heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found {
			t.Errorf("no section %q", heading)
		}
		for line := range strings.Lines(section) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			if len(cells) < 4 || strings.HasPrefix(cells[0], " ---") || strings.TrimSpace(cells[0]) == "what" {
				continue
			}
			for _, test := range strings.Split(cells[len(cells)-1], ",") {
				folder, name, _ := strings.Cut(strings.TrimSpace(test), " ")
				if !hasTest(t, root+folder, name) {
					t.Errorf("%s: there is no test %q in %q", strings.TrimSpace(cells[0]), name, folder)
				}
				checked++
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d tests are named", checked)
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(folder + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(t *testing.T)") {
			return name != ""
		}
	}
	return false
}
