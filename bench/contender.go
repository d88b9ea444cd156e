package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// contender is a server of a stage, filled and warm.
type contender struct {
	server  *Server
	process *Process
	session *Session
	world   *World // its own instead of the stage's, if not nil
	warm    bool
	fill    []Filled
	paused  time.Time // zero: it runs
}

func (l *contender) end() {
	if l.session != nil {
		l.session.Close()
	}
	l.process.Kill()
	_ = os.RemoveAll(l.process.Home)
}

// pause stops the process where it is; resume lets it go on. A server that rests would otherwise
// take time from the one that is measured: a JVM goes on compiling.
func (l *contender) pause() {
	_ = l.process.Freeze() // one that has ended shows elsewhere
	l.paused = time.Now()
}

// resume undoes pause.
func (l *contender) resume() {
	if !l.paused.IsZero() {
		l.process.stops.rested(time.Since(l.paused))
		l.paused = time.Time{}
	}
	_ = l.process.Thaw()
}

// enter starts, fills and warms one server of a stage.
func (c *Comparison) enter(ctx context.Context, s *Stage, server *Server) (*contender, error) {
	if why, left := s.Not[server.Name]; left {
		return nil, fmt.Errorf("left out: %s", why)
	}
	process, err := server.Start(ctx, filepath.Join(c.Dir, "homes"), c.core(server))
	if err != nil {
		return nil, err
	}
	l := &contender{server: server, process: process, world: s.Beside[server.Name]}
	p := Plan{To: process.Addr, Spin: c.LoadCore >= 0 && !s.Sleeps, PID: process.Pid(), FillTimeout: c.FillMax, Progress: c.progress(server)}
	switch {
	case l.world != nil:
		p.Fill = []*World{l.world}
	case !server.Yardstick:
		p.Fill, p.Renew = s.Worlds, s.Renew
	}
	if l.session, err = Open(ctx, p); err != nil {
		l.end()
		return nil, err
	}
	if l.fill = l.session.Result().Fill; len(l.fill) > 0 {
		c.say("  %s: started in %.0f ms, filled in %.2f s", server.Name, process.StartMillis, l.fill[len(l.fill)-1].Seconds)
	}
	if server.Warms && c.WarmMax > 0 {
		if err = l.session.Switch(closedLoop(s.Worlds[0], 4), 0); err == nil {
			l.warm, err = l.session.Stable(c.WarmStep, c.WarmMax)
		}
		if err != nil {
			l.end()
			return nil, err
		}
	} else {
		l.warm = true
	}
	if err := l.session.Rest(); err != nil {
		l.end()
		return nil, err
	}
	if err := c.digest(ctx, s, l); err != nil {
		l.end()
		return nil, err
	}
	l.pause()
	return l, nil
}

// core is the processor that a server is bound to.
func (c *Comparison) core(server *Server) int {
	if server.AnyCore {
		return -1
	}
	return c.ServerCore
}

// prepare gives a contender the load of a scenario, and lets it rest.
func (c *Comparison) prepare(ctx context.Context, sc *Scenario, l *contender, groups []Group) error {
	if l.server.Yardstick {
		if err := l.restart(ctx, c, sc.BodyBytes); err != nil {
			return err
		}
	}
	groups = l.own(sc, groups)
	l.resume()
	defer l.pause()
	if err := l.session.Switch(groups, c.Warmup); err != nil {
		return err
	}
	return l.session.Rest()
}

// own are a scenario's groups as l is asked.
func (l *contender) own(sc *Scenario, groups []Group) []Group {
	groups = slices.Clone(groups)
	for i := range groups {
		groups[i].Echo = groups[i].Echo || l.server.Yardstick
		groups[i].Unchecked = groups[i].Unchecked || sc.Alike
		if l.world != nil {
			groups[i].World = l.world
		}
	}
	return groups
}

// restart starts a yardstick anew with bodies of another size.
func (l *contender) restart(ctx context.Context, c *Comparison, bodyBytes int) error {
	homes := filepath.Join(c.Dir, "homes")
	if err := os.WriteFile(filepath.Join(homes, bodyFile), []byte(strconv.Itoa(bodyBytes)), 0o644); err != nil {
		return err
	}
	l.end()
	l.session = nil
	process, err := l.server.Start(ctx, homes, c.ServerCore)
	if err != nil {
		return err
	}
	l.process = process
	l.session, err = Open(ctx, Plan{To: process.Addr, Spin: c.LoadCore >= 0, PID: process.Pid(), Progress: c.progress(l.server)})
	return err
}

// drop closes the load's connections to l; its brokers stay.
func (c *Comparison) drop(l *contender) {
	l.resume()
	defer l.pause()
	if err := l.session.Switch(nil, 0); err != nil {
		c.say("    %s: %v", l.server.Name, err)
	}
}

// measure measures one window.
func (c *Comparison) measure(sc *Scenario, l *contender, phase string) (Window, error) {
	l.session.Settle = sc.settles()
	c.tend(nil, l.session.Settle+c.window(sc)+time.Second/2)
	l.resume()
	defer l.pause()
	w, err := l.session.Measure(c.window(sc), phase)
	if w.Server != nil {
		w.Server.Stops = l.process.stops.read()
	}
	return w, err
}
