package main

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/diag"
)

// Goal: no peer writes to an operator's terminal. Method: a broker whose names clear the
// screen, begin lines and columns, turn the reading direction round and are not UTF-8.
func TestNamesOfPeersAreShownPlain(t *testing.T) {
	const evil = "x\x1b[2J\n\ty\u202e\u009b"
	addr := startServer(t)
	s := &session{servers: []string{addr}, timeout: 5 * time.Second,
		demo: demoOptions{cluster: "cluster" + evil, name: "broker" + evil, addr: "10.0.0.1:10911" + evil, topic: "topic" + evil}}
	defer s.close()
	r, err := s.connect()
	if err != nil {
		t.Fatal(err)
	}
	body := codec.AppendRegisterBody(nil, s.demo.body(), codec.Version5_5_0)
	if _, err := askOf(t.Context(), r, codec.Header{Code: codec.CodeRegisterBroker, Ext: s.demo.identity(true)}, body); err != nil {
		t.Fatal(err)
	}
	bad := diag.Broker{Cluster: "cluster", Name: "broker" + evil, Addr: "10.0.0.1:1"}
	adminAddr, _ := adminPort(t, map[string]any{
		"/conns":   []diag.Conn{{ID: 1, Role: "broker", Brokers: []diag.Broker{bad}, Peer: "10.0.0.1:4001"}},
		"/conns/1": diag.ConnReport{Conn: &diag.Conn{ID: 1, Role: "broker", Brokers: []diag.Broker{bad}}, Evidence: []diag.Evidence{{ID: 1, Action: "park", Broker: &bad}}},
	})
	f := func(shown string, lines int, args ...string) {
		t.Helper()
		_, stdout, stderr := nsctl(t, append(args, "-n", addr, "-admin", adminAddr)...)
		out := stdout + stderr
		if !strings.Contains(out, shown) || strings.Count(out, "\n") != lines {
			t.Errorf("nsctl %v: want %d lines with %q in\n%q", args, lines, shown, out)
		}
		if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("nsctl %v: %q", args, out[i:])
		}
	}
	const plainEvil = `x\x1b[2J\n\ty\u202e\u009b`
	f("topic"+plainEvil, 4, "topics")
	f("cluster"+plainEvil, 2, "clusters")
	f("10.0.0.1:10911"+plainEvil, 2, "route", "topic"+evil)
	f("absent"+strings.ReplaceAll(plainEvil, `\n`, " "), 1, "route", "absent"+evil)
	f("broker"+plainEvil, 3, "brokers") // and that its state is not told
	f("broker"+plainEvil, 2, "conns")
	f("PARK broker"+plainEvil, 5, "conns", "explain", "1")
}

func TestPlain(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := plain(text); got != want {
			t.Errorf("plain(%q) = %s, want %s", text, got, want)
		}
	}
	f("", "")
	f(`broker-a/0@10.0.0.1:10911 "主题" \`, `broker-a/0@10.0.0.1:10911 "主题" \`)
	f("a\x7fb", `a\x7fb`)
	f("a\xffb", `a\xffb`)
	f("\"a\tb\"", `\"a\tb\"`)
}
