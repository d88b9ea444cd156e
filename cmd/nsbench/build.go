package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/pharosmq/pharos/bench"
)

// errOfAnother ends nsbench build -kept with exit code 1.
var errOfAnother = errors.New("there are no results of this build")

func defineBuild(fs *flag.FlagSet, e env) func(context.Context) error {
	pharos := fs.String("pharos", "build/namesrv", "Pharos' `binary`")
	commit := fs.String("commit", "", "`commit` that it was built from, should the binary not tell")
	kept := fs.String("kept", "", "print nothing: fail unless this `file` of Go's benchmarks is of that build")
	return func(context.Context) error {
		build, err := bench.BuildFrom(*pharos, *commit)
		switch {
		case err != nil:
			return err
		case *kept == "":
			fmt.Fprint(e.stdout, bench.BuildLine(build))
		case !bench.HasMicro(*kept, build):
			return fmt.Errorf("%s: %w", *kept, errOfAnother)
		}
		return nil
	}
}
