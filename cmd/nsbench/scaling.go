package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/pharosmq/pharos/bench"
)

func defineScaling(fs *flag.FlagSet, e env) func(context.Context) error {
	dir := fs.String("out", "build/bench/full", "`folder` of nsbench compare -full")
	page := fs.String("page", "", "write the tables into this `file` in place of those it has (docs/scaling.md)")
	return func(context.Context) error {
		s, err := bench.ReadMeasured(*dir)
		if err != nil {
			return err
		}
		if *page == "" {
			fmt.Fprint(e.stdout, s)
			return nil
		}
		text, err := os.ReadFile(*page)
		if err != nil {
			return err
		}
		if text, err = s.Place(text); err != nil {
			return fmt.Errorf("%s: %w", *page, err)
		}
		return os.WriteFile(*page, text, 0o644)
	}
}
