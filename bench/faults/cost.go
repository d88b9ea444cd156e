package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Figure is one cost of watching over connections.
type Figure struct {
	Part   string // of the measurement, and of the key
	What   string
	Value  float64
	Unit   string
	Limit  float64 // at most; NoTarget: only reported
	Detail string  `json:",omitempty"`
	Build  string  `json:",omitempty"` // of the server
	Taken  time.Time
}

// Met says whether the figure is what is wanted of it.
func (f *Figure) Met() bool { return f.Limit == NoTarget || f.Value <= f.Limit }

// costParts are measured one after the other.
var costParts = []struct {
	name    string
	help    string
	measure func(ctx context.Context, o *Options) ([]Figure, error)
}{
	{"memory", "resident, 10 s after the start", costOfMemory},
	{"brokers", "processor time for 1,000 registered brokers that say nothing", costOfBrokers},
	{"connections", "processor time for a connection that asks once", costOfConnections},
	{"programs", "run time of BPF programs at about 1,000 retransmissions a second, and of healthy requests", costOfPrograms},
	{"lookups", "route lookups end to end, with BPF and without, quiet and beside retransmissions", costOfLookups},
}

// ListCost names the parts of the measurement of costs.
func ListCost(line func(string)) {
	for _, p := range costParts {
		line(fmt.Sprintf("%-12s %s", p.name, p.help))
	}
}

// Cost measures the parts that match, and keeps each in the folder as soon as it is there.
func Cost(ctx context.Context, o *Options) error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root")
	}
	if err := o.findServer(ctx); err != nil {
		return err
	}
	if o.kind.Name != "pharos" {
		return fmt.Errorf("-server %s: only Pharos watches over its connections", o.kind.Name)
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	for _, p := range costParts {
		if o.Match != nil && !o.Match.MatchString(p.name) {
			continue
		}
		o.Progress("cost: " + p.name + ": " + p.help)
		figures, err := p.measure(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for i := range figures {
			f := &figures[i]
			f.Part, f.Build, f.Taken = p.name, o.build, time.Now().UTC().Truncate(time.Second)
		}
		if err := keepFigures(o.Dir, p.name, figures); err != nil {
			return err
		}
	}
	return nil
}

func costPath(dir string) string { return filepath.Join(dir, "cost.json") }

// readFigures returns what the folder has of all parts, in their order.
func readFigures(dir string) ([]Figure, error) {
	text, err := os.ReadFile(costPath(dir))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Figure
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w; remove it", costPath(dir), err)
	}
	return all, nil
}

// keepFigures replaces one part.
func keepFigures(dir, part string, figures []Figure) error {
	old, err := readFigures(dir)
	if err != nil {
		return err
	}
	var all []Figure
	for _, p := range costParts {
		if p.name == part {
			all = append(all, figures...)
			continue
		}
		for _, f := range old {
			if f.Part == p.name {
				all = append(all, f)
			}
		}
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(costPath(dir), append(text, '\n'), 0o644)
}
