package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	restartPauseMin = 10 * time.Millisecond
	restartPauseMax = time.Second
	drainLanesMax   = 3 * time.Second
	drainOutputMax  = time.Second
)

// startEngine begins to listen on port. The channel closes when the engine has ended. The
// caller holds mu.
func (s *Server) startEngine(port int) (ended <-chan struct{}, err error) {
	e, addr, err := startGnet(s, listenAddress(s.o.BindAddress, port))
	if err != nil {
		return nil, s.listenError(port, err)
	}
	s.engine, s.addr = e, addr
	return e.ended, nil
}

// listenAddress is what to listen on. All addresses are one socket for both families, or
// for IPv4 on a host without IPv6.
func listenAddress(bind string, port int) string {
	bind = strings.TrimSuffix(strings.TrimPrefix(bind, "["), "]")
	switch bind {
	case "0.0.0.0", "::", "*":
		bind = ""
	}
	return net.JoinHostPort(bind, strconv.Itoa(port))
}

// listenError says who could not listen where, and what to do.
func (s *Server) listenError(port int, err error) error {
	bind := s.o.BindAddress
	if bind == "" {
		bind = "0.0.0.0"
	}
	address := net.JoinHostPort(bind, strconv.Itoa(port))
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err // the rest of it is said here
	}
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("listen on %s: %w; another server, perhaps another name server, has this port: stop it or choose another listenPort", address, err)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s: %w; bindAddress must be an address of this host, or 0.0.0.0 for all", address, err)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("listen on %s: %w; ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE)", address, err)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// supervise starts the engine again when it ends though nobody stopped it: when accepting
// fails for another reason than a shortage. That closes everybody. The route table does not
// notice: that close unregisters nobody.
func (s *Server) supervise(ended <-chan struct{}) {
	pause := restartPauseMin
	for {
		<-ended
		s.mu.Lock()
		cause := s.engine.err
		s.retireLoops()
		s.mu.Unlock()
		if s.stopping.Load() {
			return
		}
		s.restarts.Add(1)
		s.log.Error("the event engine ended and all connections with it; starting it again. Routes are kept", "cause", cause)
		for {
			if s.sleep(pause) {
				return
			}
			pause = min(2*pause, restartPauseMax)
			next, err := s.restartEngine()
			if err == nil {
				ended = next
				break
			}
			if s.stopping.Load() {
				return
			}
			s.log.Error("the event engine does not start", "cause", err, "nextTry", min(2*pause, restartPauseMax).String())
		}
		pause = restartPauseMin
	}
}

func (s *Server) restartEngine() (<-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return nil, errors.New("the server is stopping")
	}
	return s.startEngine(int(s.addr.Port()))
}

// sleep waits; it reports true if the server is to end meanwhile.
func (s *Server) sleep(d time.Duration) (quit bool) {
	select {
	case <-s.quit:
		return true
	case <-time.After(d):
		return s.stopping.Load()
	}
}

func (s *Server) addLoop(l *loop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loops = append(s.loops, l)
}

// retireLoops keeps what loops of an ended engine counted. The caller holds mu; the
// loops' goroutines have ended.
func (s *Server) retireLoops() {
	for _, l := range s.loops {
		l.pump.timer.Stop()
		s.offLoop.update(func(stats *LoopStats) { stats.add(l.stats) })
	}
	s.loops = nil
}

// endReason is why connections end that nobody asked to.
func (s *Server) endReason() CloseReason {
	if s.stopping.Load() {
		return CloseShutdown
	}
	return CloseEngine
}

// Stop ends the server. With Options.ShutdownGracefully clients that understand it are
// first told to go away for a while. Then what waits in lanes is finished and answered,
// and connections are closed. That takes a few seconds at most; ctx can cut the graceful
// time, and the rest, short. Stop may be called again, and waits for the first.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	state := s.state
	s.state = stateStopped
	s.mu.Unlock()
	if state == stateStopped {
		s.running.Wait()
		return nil
	}
	if state == stateNew {
		return nil
	}
	if s.o.ShutdownGracefully {
		s.goAway(ctx)
	}
	s.stopping.Store(true)
	s.hooks.stopping()
	err := s.drainLanes(ctx)
	s.drainOutput(ctx)
	s.mu.Lock()
	e := s.engine
	s.mu.Unlock()
	e.stop()
	close(s.quit)
	s.running.Wait()
	s.processors.all()
	return err
}

// goAway answers with GO_AWAY for the configured time.
func (s *Server) goAway(ctx context.Context) {
	s.goingAway.Store(true)
	s.log.Info("going away: requests are answered with GO_AWAY before the server stops", "for", s.o.shutdownWait().String())
	select {
	case <-ctx.Done():
	case <-time.After(s.o.shutdownWait()):
	}
}

func (s *Server) drainLanes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainLanesMax)
	defer cancel()
	if err := s.lanes.stop(ctx); err != nil {
		return fmt.Errorf("%d jobs were still busy in lanes when the server stopped: %w", s.lanes.Depth(), err)
	}
	return nil
}

// drainOutput waits until the loops have sent what the lanes answered, or for a moment.
func (s *Server) drainOutput(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainOutputMax)
	defer cancel()
	var done []chan struct{}
	for _, l := range s.currentLoops() {
		ch := make(chan struct{})
		if l.post(mail{kind: mailRun, run: func() { close(ch) }}) {
			done = append(done, ch)
		}
	}
	for _, ch := range done {
		select {
		case <-ch:
		case <-ctx.Done():
			return
		}
	}
	for s.outbound.held.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}
