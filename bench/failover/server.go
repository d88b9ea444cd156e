package failover

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/pharosmq/pharos/internal/testkit/netns"
	"github.com/pharosmq/pharos/internal/testkit/process"
)

const (
	serverPort  = 10876
	standinPort = 10976 // the same name server behind its stand-in
	bootWait    = 2 * time.Minute
)

// server is a name server on a host of its own.
type server struct {
	*process.Process
	name    string // "pharos-1"
	ip      string
	ns      *netns.NS
	command func() *exec.Cmd
	home    string
	standin *standin
}

func (s *server) addr() string { return fmt.Sprintf("%s:%d", s.ip, serverPort) }

// standinAddr is where clients find it in cases in which it answers late, or garbage.
func (s *server) standinAddr() string { return fmt.Sprintf("%s:%d", s.ip, standinPort) }

// newServer prepares a name server of a kind, "pharos" or "java".
func (w *world) newServer(kind string, i int, ns *netns.NS, ip string) (*server, error) {
	s := &server{name: fmt.Sprintf("%s-%d", kind, i+1), ip: ip, ns: ns}
	s.home = filepath.Join(w.home, s.name)
	config := filepath.Join(s.home, "conf", "namesrv.properties")
	err := writeLines(config, fmt.Sprintf("listenPort=%d", serverPort), "bindAddress=0.0.0.0",
		"kvConfigPath="+filepath.Join(s.home, "kvConfig.json"), "adminListen=", "logToStderr=always")
	if err != nil {
		return nil, err
	}
	s.command = func() *exec.Cmd {
		if kind == "java" {
			return w.o.java550.command(s.home, 128, nil, "org.apache.rocketmq.namesrv.NamesrvStartup", "-c", config)
		}
		cmd := exec.Command(w.o.pharos, "-c", config)
		cmd.Dir, cmd.Env = s.home, environment(s.home)
		return cmd
	}
	s.standin, err = startStandin(ns, s.standinAddr(), s.addr())
	return s, err
}

// start starts it, for the first time or again.
func (s *server) start() (err error) {
	s.Process, err = process.Start(s.command(), process.Options{Name: s.name, Log: filepath.Join(s.home, "output"), In: s.ns})
	return err
}

// stop ends everything of it.
func (s *server) stop() {
	if s.Process != nil {
		s.Kill()
	}
	s.standin.close()
}

// awaitRoute waits until it names all brokers for the topic.
func (w *world) awaitRoute(ctx context.Context, s *server, patience time.Duration) error {
	return s.Await(ctx, patience, func() error {
		names, err := w.route(ctx, s.addr())
		if err != nil {
			return err
		}
		for _, b := range w.brokers {
			if !names[b.name] {
				return fmt.Errorf("%s is not in the route of %s", b.name, topic)
			}
		}
		return nil
	})
}
