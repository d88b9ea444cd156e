package limit

import (
	"context"
	"fmt"
	"runtime"

	"github.com/panjf2000/gnet/v2"
)

// What Pharos' engine asks of gnet.
const (
	readBufferBytes  = 16 << 10
	writeBufferBytes = 16 << 10
)

// gnetServer answers on one event loop.
type gnetServer struct {
	gnet.BuiltinEventEngine
	answers *answers
	out     []byte
	booted  chan gnet.Engine
}

// RunGnet answers on address ("127.0.0.1:9000") with bodies of bodyBytes until ctx ends.
// ready is told the address when it listens.
func RunGnet(ctx context.Context, address string, bodyBytes int, ready func(address string)) error {
	a, err := newAnswers(bodyBytes)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))) // as Pharos: one more than its loops
	s := &gnetServer{answers: a, booted: make(chan gnet.Engine, 1)}
	ended := make(chan error, 1)
	go func() {
		ended <- gnet.Run(s, "tcp://"+address, gnet.WithOptions(gnet.Options{
			NumEventLoop: 1, ReadBufferCap: readBufferBytes, WriteBufferCap: writeBufferBytes,
			ReuseAddr: true, TCPNoDelay: gnet.TCPNoDelay,
			Logger: quiet{},
		}))
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("limit: listen on %s: %w", address, err)
	case engine := <-s.booted:
		listening, err := listeningOn(engine)
		if err != nil {
			return err
		}
		ready(listening)
		<-ctx.Done()
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = engine.Stop(now) // returns at once, with now's error; ended is what is waited for
		return <-ended
	}
}

// listeningOn is the address that was bound, for one with port 0.
func listeningOn(engine gnet.Engine) (string, error) {
	fd, err := engine.Dup()
	if err != nil {
		return "", err
	}
	return localAddress(fd, true)
}

// OnBoot implements gnet.EventHandler.
func (s *gnetServer) OnBoot(engine gnet.Engine) gnet.Action {
	s.booted <- engine
	return gnet.None
}

// OnTraffic implements gnet.EventHandler.
func (s *gnetServer) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Peek(c.InboundBuffered())
	if err != nil {
		return gnet.None
	}
	out, used, err := s.answers.appendTo(s.out[:0], in)
	if err != nil {
		return gnet.Close
	}
	s.out = out
	if used > 0 {
		_, _ = c.Discard(used)
		if _, err := c.Write(out); err != nil {
			return gnet.Close
		}
	}
	return gnet.None
}

// quiet drops what gnet logs: connections that end.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
