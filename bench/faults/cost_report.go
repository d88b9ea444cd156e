package faults

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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
	table := costBuilds(figures) + costTable(figures)
	if err := os.WriteFile(filepath.Join(o.Dir, "cost.md"), []byte(table), 0o644); err != nil {
		return err
	}
	_, err = io.WriteString(w, table)
	return err
}

// costBuilds says which builds figures are of, and which parts if there are several: a part that
// is measured anew may be of another one.
func costBuilds(figures []Figure) string {
	var builds []string
	parts := map[string][]string{}
	for i := range figures {
		build, part := figures[i].Build, figures[i].Part
		if build == "" {
			continue
		}
		if !slices.Contains(builds, build) {
			builds = append(builds, build)
		}
		if !slices.Contains(parts[build], part) {
			parts[build] = append(parts[build], part)
		}
	}
	var b strings.Builder
	for _, build := range builds {
		b.WriteString("pharos: " + build)
		if len(builds) > 1 {
			b.WriteString(" (" + strings.Join(parts[build], ", ") + ")")
		}
		b.WriteString("\n\n")
	}
	return b.String()
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
