package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"regexp"
)

// measurement is what nsbench faults and nsbench failover have in common: runs that are kept in a
// folder, and reports of it.
type measurement struct {
	pattern              string
	list, report, asJSON bool
}

// define defines the flags; names of what -run picks, and what -list lists.
func (m *measurement) define(fs *flag.FlagSet, names, listed string) {
	fs.StringVar(&m.pattern, "run", "", "only "+names+" whose name matches this `regexp`")
	fs.BoolVar(&m.list, "list", false, "list "+listed)
	fs.BoolVar(&m.report, "report", false, "measure nothing: report what is in the folder")
	fs.BoolVar(&m.asJSON, "json", false, "print JSON instead of a table")
}

func (m *measurement) match() (*regexp.Regexp, error) {
	match, err := regexp.Compile(m.pattern)
	if err != nil {
		return nil, usagef("-run: %v", err)
	}
	return match, nil
}

// do measures what is missing, unless only a report is wanted, and reports with O's functions.
func do[O any](ctx context.Context, m *measurement, o *O, stdout io.Writer, run func(context.Context, *O) error,
	save func(*O) error, writeJSON, writeMarkdown func(io.Writer, *O) error) error {
	if !m.report {
		if err := run(ctx, o); err != nil {
			return err
		}
	}
	if m.asJSON {
		return writeJSON(stdout, o)
	}
	if err := save(o); err != nil {
		return err
	}
	return writeMarkdown(stdout, o)
}

// progress tells how it goes.
func (e *env) progress(line string) { fmt.Fprintln(e.stderr, line) }
