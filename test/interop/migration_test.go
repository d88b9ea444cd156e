package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// TestMigration is what an operator does: first a Pharos beside the Java server, in one
// address list; then Pharos in the Java server's place, with its port and files; then back.
// Producers send all the time, and no send may fail.
func TestMigration(t *testing.T) {
	RequireFull(t)
	tw := StartTwins(t, "someUnknownKey=kept")
	master := LaunchBroker(t, BrokerOptions{Addrs: tw.Addrs()})
	other := LaunchBroker(t, BrokerOptions{Name: "broker-b", Addrs: tw.Addrs()})
	tw.AwaitMembers(t, "broker-a", "0")
	tw.AwaitMembers(t, "broker-b", "0")
	for _, b := range []*Broker{master, other} {
		b.CreateTopic(t, "Migrating", 4)
	}
	tw.Await(t, "Migrating is on both brokers", onGroups(t, "Migrating", "broker-a", "broker-b"))

	driver := StartDriver(t, V550)
	l := startLoad(t, driver, loadSpec{
		Producers: 4, Senders: 1, Lookers: 1, Topic: "Migrating", Attempts: 3,
		SendPause: 2 * time.Millisecond, LookPause: 10 * time.Millisecond, SendMillis: 15000,
	}, Addrs(tw.Java, tw.Subject), Addrs(tw.Subject, tw.Java))

	t.Run("SideBySide", func(t *testing.T) { sideBySide(t, tw, master) })
	replacement := replace(t, tw.Java, tw.Subject.Kind, "1")
	note(t, "Pharos serves in the Java server's place")
	tw.Java = replace(t, replacement, JavaNamesrv, "2")
	tw.askJava = tw.Java.Ask(t)
	tw.Await(t, "the Java server is back", onGroups(t, "Migrating", "broker-a", "broker-b"))
	note(t, "the Java server is back in its place")

	s := l.stop(t)
	note(t, "%v", s)
	if s.Sends < 1000 || s.SendsFailed != 0 || s.LookupsFailed != 0 {
		t.Errorf("the load did %v; want no failure\n%s", s, l.failures())
	}
}

// sideBySide changes things while both servers serve; they agree after each change.
func sideBySide(t *testing.T, tw *Twins, master *Broker) {
	slave := StartBroker(t, BrokerOptions{ID: 1, Addrs: tw.Addrs()})
	tw.AwaitMembers(t, "broker-a", "0,1")
	master.CreateTopic(t, "MadeMeanwhile", 3)
	tw.Await(t, "MadeMeanwhile has a route", hasTopic(t, "MadeMeanwhile"))
	slave.Kill()
	tw.AwaitMembers(t, "broker-a", "0")
	slave.Restart(t)
	tw.AwaitMembers(t, "broker-a", "0,1")
	stopBroker(t, slave)
	tw.AwaitMembers(t, "broker-a", "0")
}

// replace stops a server and starts another kind in its place. What was stored stays, and
// brokers return by themselves.
func replace(t *testing.T, n *Namesrv, kind NamesrvKind, round string) *Namesrv {
	ask := n.Ask(t)
	key := "key-" + round
	ask.PutKV(t, "migration", key, "schlüssel \""+round+"\"")
	setConfig(t, ask, "orderMessageEnable=true\n")
	before := ask.Everything(t)
	if code := n.Stop(t, time.Minute); code != 143 {
		t.Errorf("%s ended with code %d after SIGTERM, want 143", n.Name, code)
	}
	successor := n.Succeed(t, kind, fmt.Sprintf("namesrv-%s-after-%s-%s", kind, n.Kind, round))
	ask = successor.Ask(t)
	ask.AwaitMembers(t, "broker-a", "0")
	ask.AwaitMembers(t, "broker-b", "0")
	ask.Await(t, "it answers as its predecessor did", func(a *Asker) bool {
		return spell(a.Everything(t)) == spell(before)
	})
	got := ask.Call(t, codec.CodeGetKVConfig, "namespace", "migration", "key", key)
	if want := "schlüssel \"" + round + "\""; got.Ext["value"] != want {
		t.Errorf("%s lost %s: it answers %d %q, want %q", successor.Name, key, got.Code, got.Ext["value"], want)
	}
	conf := string(ask.Call(t, codec.CodeGetNamesrvConfig).Body)
	for _, line := range []string{"orderMessageEnable=true", "someUnknownKey=kept"} {
		if !strings.Contains(conf, line+"\n") {
			t.Errorf("%s lost the setting %s", successor.Name, line)
		}
	}
	return successor
}

// setConfig changes settings by request 318.
func setConfig(t *testing.T, a *Asker, properties string) {
	t.Helper()
	m, err := a.new.Call(t.Context(), codec.CodeUpdateNamesrvConfig, nil, []byte(properties))
	if err != nil || m.Code != codec.Success {
		t.Fatalf("%s: set %q: %v %+v", a.Addr, properties, err, m)
	}
}
