package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// childRoutes is the mode of the test binary in which it is a whole name server. A line on
// its input ends the listening socket; it repeats the line when that is done.
const childRoutes = "routes"

func runWithRoutes() int {
	s, err := New(Options{BindAddress: "127.0.0.1", EventLoops: 1}, Deps{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		deafen(s)
		fmt.Println(in.Text())
	}
	fmt.Println(s.Stats(context.Background()).EngineRestarts)
	if err := s.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// tell has the child do what a line says.
func (ch *child) tell(line string) {
	ch.t.Helper()
	if _, err := io.WriteString(ch.in, line+"\n"); err != nil {
		ch.t.Fatal(err)
	}
	var said string
	if _, err := fmt.Fscanln(ch.out, &said); err != nil || said != line {
		ch.t.Fatalf("the child says %q (%v), want %q\n%s", said, err, line, &ch.errs)
	}
}

// Goal: routes outlive the engine, and its brokers go on with new connections. Method: a
// broker registers; the listening socket is shut down, so that the engine gives up and
// closes the broker's connection; once it serves again the route is there, and the
// broker registers from a new connection, with what it said before and with something new.
func TestRoutesOutliveTheEngine(t *testing.T) {
	ch := startChildMode(t, childRoutes)
	b := newBroker("b1", 0, "T1", "T2")
	registration := func() []byte {
		c := client{version: codec.Version5_5_0}
		body := b.body(c.version)
		return c.frame(codec.CodeRegisterBroker, body, b.ext(body)...)
	}
	old := ch.dial()
	old.send(registration())
	if a := old.answer(); a.Code != codec.Success {
		t.Fatalf("103: %d %s", a.Code, a.Remark)
	}
	ch.tell("deaf")
	old.closedWithin(5 * time.Second)

	var p *peer
	var route *answer
	eventually(t, "served again", func() bool {
		c, err := net.Dial("tcp", ch.addr)
		if err != nil {
			return false
		}
		t.Cleanup(func() { _ = c.Close() })
		p = &peer{c, t}
		if _, err := p.Write(lookup("T1")); err != nil {
			return false
		}
		frame, err := p.tryFrame(2 * time.Second)
		if err != nil {
			return false
		}
		route = decode(t, frame)
		return true
	})
	if route.Code != codec.Success {
		t.Fatalf("105 after the restart: %d %s", route.Code, route.Remark)
	}
	for _, counter := range []int64{1, 2} {
		b.version.Counter = counter
		p.send(registration())
		if a := p.answer(); a.Code != codec.Success {
			t.Errorf("103 after the restart: %d %s", a.Code, a.Remark)
		}
	}
	p.send(lookup("T1"))
	if a := p.answer(); a.Code != codec.Success || string(a.Body) != string(route.Body) {
		t.Errorf("105 after the registration: %d %s", a.Code, a.Remark)
	}
	if restarts := ch.stop(); restarts == 0 {
		t.Error("the engine was not restarted")
	}
}
