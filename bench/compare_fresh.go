package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// freshStage gives every sample a server of its own.
func (c *Comparison) freshStage(ctx context.Context, s *Stage, servers []Server) error {
	for i := range s.Scenarios {
		sc := &s.Scenarios[i]
		c.say("  scenario %s: %s", sc.Name, sc.About)
		if c.over() {
			c.left++
			continue
		}
		var turn []*Record
		byName := map[string]*Server{}
		for j := range servers {
			if !sc.measures(&servers[j], c.short()) {
				continue
			}
			r := &Record{Scenario: sc.Name, Server: servers[j].Name, Build: servers[j].Build, Warm: !servers[j].Warms}
			turn, byName[servers[j].Name] = append(turn, r), &servers[j]
			c.keep(r)
		}
		for round := range c.pairs(sc) {
			for _, r := range turn {
				if r.Missing != "" {
					continue
				}
				server := byName[r.Server]
				sample, err := c.undisturbed(ctx, sc, server, func() (Sample, error) { return c.fresh(ctx, s, sc, server, round) })
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					r.Missing = err.Error()
					continue
				}
				r.Samples = append(r.Samples, sample)
			}
			slices.Reverse(turn)
		}
		for _, r := range turn {
			if err := r.save(c.Dir); err != nil {
				return err
			}
			c.say("    %s", r.freshLine())
		}
	}
	return nil
}

// fresh starts a server for one sample, fills it, loads it, lets it idle, and stops it.
func (c *Comparison) fresh(ctx context.Context, s *Stage, sc *Scenario, server *Server, round int) (sample Sample, err error) {
	if server.Yardstick && len(s.Worlds) > 0 {
		return sample, fmt.Errorf("a yardstick keeps nothing")
	}
	process, err := server.Start(ctx, filepath.Join(c.Dir, "homes"), c.ServerCore)
	if err != nil {
		return sample, err
	}
	defer func() {
		process.Kill()
		_ = os.RemoveAll(process.Home)
	}()
	sample.Round, sample.StartMillis = round, process.StartMillis
	if len(s.Worlds) > 0 {
		if err := c.freshLoad(ctx, s, sc, server, process, &sample); err != nil {
			return sample, err
		}
	} else if err := sleep(ctx, c.idle(sc)); err != nil {
		return sample, err
	}
	if sc.Idle > 0 && sample.IdleBytes == 0 {
		use, err := readUsage(process.Pid())
		if err != nil {
			return sample, err
		}
		sample.IdleBytes = use.rssBytes
	}
	stop, err := process.Stop()
	sample.StopMillis = float64(stop) / 1e6
	return sample, err
}

func (c *Comparison) freshLoad(ctx context.Context, s *Stage, sc *Scenario, server *Server, process *Process, sample *Sample) error {
	session, err := Open(ctx, Plan{
		To: process.Addr, Fill: s.Worlds, Renew: s.Renew, Groups: sc.Groups, UntilDone: sc.UntilDone,
		Spin: c.LoadCore >= 0, PID: process.Pid(), FillTimeout: c.FillMax, Progress: c.progress(server),
	})
	if err != nil {
		return err
	}
	defer session.Close()
	sample.Fill = session.Result().Fill
	if len(sc.Groups) > 0 {
		w, err := session.Measure(c.window(sc), sc.Name)
		if err != nil {
			return err
		}
		if w.Server != nil {
			w.Server.Stops = process.stops.read()
		}
		sample.Window = &w
	}
	if sc.Idle > 0 { // while the brokers are still there
		if err := sleep(ctx, c.idle(sc)); err != nil {
			return err
		}
		use, err := readUsage(process.Pid())
		if err != nil {
			return err
		}
		sample.IdleBytes = use.rssBytes
	}
	return nil
}

func (c *Comparison) idle(sc *Scenario) time.Duration {
	if c.IdleMax > 0 {
		return min(sc.Idle, c.IdleMax)
	}
	return sc.Idle
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (r *Record) freshLine() string {
	if r.Missing != "" {
		return fmt.Sprintf("%s: %s", r.Server, r.Missing)
	}
	line := r.Server + ":"
	for _, metric := range []string{"start_ms", "fill_s", "elapsed_s", "p99_us", "peak_mb", "idle_mb", "stop_ms", "failed"} {
		if m := r.Spread(metric); m.Count > 0 {
			line += fmt.Sprintf(" %s %.4g", metric, m.Median)
		}
	}
	return line
}
