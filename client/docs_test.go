package client

import (
	"go/format"
	"os"
	"strings"
	"testing"
)

// Goal: the program in docs/client.md is Example, which runs.
func TestDocumentedProgram(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	between := func(text, from, to string) string {
		t.Helper()
		_, text, found := strings.Cut(text, from)
		text, _, ended := strings.Cut(text, to)
		if !found || !ended {
			t.Fatalf("nothing from %q to %q", from, to)
		}
		return text
	}
	program := between(read("../docs/client.md"), "```go\n", "```\n")
	if formatted, err := format.Source([]byte(program)); err != nil || string(formatted) != program {
		t.Errorf("it is not formatted, or no program: %v", err)
	}
	want := between(read("example_test.go"), "\nfunc Example() {\n", "\t// Output:\n")
	if got := between(program, "\nfunc main() {\n", "\n}\n") + "\n"; got != want {
		t.Errorf("the program is\n%s\nand Example is\n%s", got, want)
	}
}
