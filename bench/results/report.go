package results

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Table is a table of Markdown.
type Table struct {
	columns int
	text    strings.Builder
}

// NewTable begins a table.
func NewTable(head ...string) *Table {
	t := &Table{columns: len(head)}
	t.Row(head...)
	t.text.WriteString("|" + strings.Repeat("---|", t.columns) + "\n")
	return t
}

// oneCell keeps what somebody said within its cell.
var oneCell = strings.NewReplacer("|", "/", "\r", " ", "\n", " ")

// Row adds a row; the cells that it lacks are empty.
func (t *Table) Row(cells ...string) {
	t.text.WriteByte('|')
	for i := range t.columns {
		if i < len(cells) && cells[i] != "" {
			t.text.WriteString(" " + oneCell.Replace(cells[i]))
		}
		t.text.WriteString(" |")
	}
	t.text.WriteByte('\n')
}

// String is the table as it is written.
func (t *Table) String() string { return t.text.String() }

// WriteJSON writes a summary for other programs.
func WriteJSON(w io.Writer, summary any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(summary)
}

// Save writes a summary into the folder: as Markdown, report.md, and as JSON, report.json.
func Save(dir, markdown string, summary any) error {
	var text strings.Builder
	if err := WriteJSON(&text, summary); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), []byte(text.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.md"), []byte(markdown), 0o644)
}
