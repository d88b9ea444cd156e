package faults

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// WriteCost writes the figures of the folder as a table, and leaves it there as cost.md.
func WriteCost(w io.Writer, o *Options) error {
	figures, err := readFigures(o.Dir)
	if err != nil {
		return err
	}
	if len(figures) == 0 {
		return fmt.Errorf("%s: no costs were measured yet", o.Dir)
	}
	table := costTable(figures)
	if err := os.WriteFile(filepath.Join(o.Dir, "cost.md"), []byte(table), 0o644); err != nil {
		return err
	}
	_, err = io.WriteString(w, table)
	return err
}

func costTable(figures []Figure) string {
	var b strings.Builder
	b.WriteString("| what | wanted | measured | |\n|---|---|---|---|\n")
	for i := range figures {
		f := &figures[i]
		wanted, met := "", ""
		if f.Limit != NoTarget {
			wanted, met = "<= "+number(f.Limit)+" "+f.Unit, "met"
			if !f.Met() {
				met = "NOT MET"
			}
		}
		measured := number(f.Value) + " " + f.Unit
		if f.Detail != "" {
			measured += " (" + f.Detail + ")"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.What, wanted, measured, met)
	}
	return b.String()
}

// number shows three digits, and no more behind the point than that takes.
func number(x float64) string {
	switch {
	case x >= 100 || x <= -100 || x == float64(int64(x)):
		return strconv.FormatFloat(x, 'f', 0, 64)
	default:
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
}
