package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/pharosmq/pharos/bench"
)

// stayMax is how long brokers stay at most: nsbench fill is ended by a signal.
const stayMax = 365 * 24 * time.Hour

func defineFill(fs *flag.FlagSet, e env) func(context.Context) error {
	f := &loadFlags{}
	fs.StringVar(&f.plan.To, "to", "127.0.0.1:9876", "name server `address`")
	f.defineWorld(fs)
	renew := fs.Duration("renew", 30*time.Second, "every broker registers again, unchanged, in this period; 0: it only stays")
	return func(ctx context.Context) error {
		w := &f.world
		p := bench.Plan{To: f.plan.To, Fill: []*bench.World{w}}
		if *renew > 0 {
			p.Renew = []bench.Renewal{{World: w, Rate: float64(w.Brokers) / renew.Seconds()}}
		}
		s, err := bench.Open(ctx, p)
		if err != nil {
			return err
		}
		defer s.Close()
		filled := s.Result().Fill[0]
		fmt.Fprintf(e.stdout, "filled: %d topics on %d brokers in %.3f s; they stay until this is interrupted\n", w.Topics, w.Brokers, filled.Seconds)
		if _, err = s.Measure(stayMax, "brokers stay"); errors.Is(err, context.Canceled) {
			return nil // which is how it is meant to end
		}
		return err
	}
}
