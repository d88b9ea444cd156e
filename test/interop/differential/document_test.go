package differential

import (
	"fmt"
	"os"
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
