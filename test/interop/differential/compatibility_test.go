package differential

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/test/interop"
)

// TestCompatibility shows each difference of docs/compatibility.md on both servers: what
// Java answers and what Pharos answers instead. The name of a subtest is the Test of an
// entry of Exceptions.
func TestCompatibility(t *testing.T) {
	interop.Require(t)
	for i := range Exceptions {
		e := &Exceptions[i]
		test := compatibilityTests[e.Test]
		if test == nil {
			t.Errorf("exception %d has no test %q", e.Number, e.Test)
		}
	}
	d := newDuel(t)
	for i := range Exceptions {
		e := &Exceptions[i]
		t.Run(e.Test, func(t *testing.T) {
			d.begin(t, i)
			compatibilityTests[e.Test](d)
			d.end()
		})
	}
}

var compatibilityTests = map[string]func(*duel){
	"ExceptionText":                 (*duel).exceptionText,
	"UnitFlags":                     (*duel).unitFlags,
	"StaleMapping":                  (*duel).staleMapping,
	"ZoneDialect":                   (*duel).zoneDialect,
	"UnregisterFromOlderConnection": (*duel).unregisterFromOlderConnection,
	"SeveralBrokersOnOneConnection": (*duel).severalBrokersOnOneConnection,
	"ReplacedAddress":               (*duel).replacedAddress,
	"RefusedRegistration":           (*duel).refusedRegistration,
	"IgnoredRegistration":           (*duel).ignoredRegistration,
	"IncompleteUnregistration":      (*duel).incompleteUnregistration,
	"GroupChangesCluster":           (*duel).groupChangesCluster,
	"CompressedAnnouncedPlain":      (*duel).compressedAnnouncedPlain,
	"OneAddressInTwoGroups":         (*duel).oneAddressInTwoGroups,
	"UpdateConfigNotLive":           (*duel).updateConfigNotLive,
	"UpdateConfigBadValue":          (*duel).updateConfigBadValue,
	"UpdateConfigProtected":         (*duel).updateConfigProtected,
	"UpdateConfigFileKey":           (*duel).updateConfigFileKey,
	"UnregisterUnderAnotherName":    (*duel).unregisterUnderAnotherName,
	"DamagedValues":                 (*duel).damagedValues,
	"ZoneOfOddStaticTopic":          (*duel).zoneOfOddStaticTopic,
	"IncompleteRegistration":        (*duel).incompleteRegistration, // leaves Java damaged: last
}

// duel is a pair of servers in a hand-written scenario.
type duel struct {
	*testing.T
	servers [2]*Server
	links   map[string][2]*link
	prefix  string
	opaque  int32
}

func newDuel(t *testing.T) *duel {
	dir, err := os.MkdirTemp("", "pharos-differential-")
	if err != nil {
		t.Fatal(err)
	}
	d := &duel{}
	for i, name := range []string{"java", "pharos"} {
		if d.servers[i], err = newLauncher(t, name).Start(dir, "onlyTheFileKnows=1"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, s := range d.servers {
			s.Stop()
		}
		os.RemoveAll(dir)
	})
	return d
}

func (d *duel) begin(t *testing.T, i int) {
	d.T, d.links, d.prefix = t, map[string][2]*link{}, fmt.Sprintf("x%d-", i)
}

func (d *duel) end() {
	for name := range d.links {
		d.hangUp(name)
	}
}

// on returns the connections of that name, one to each server, opened when first used.
func (d *duel) on(name string) [2]*link {
	d.Helper()
	l, ok := d.links[name]
	if !ok {
		for i, s := range d.servers {
			var err error
			if l[i], err = dial(s.Addr); err != nil {
				d.Fatal(err)
			}
		}
		d.links[name] = l
	}
	return l
}

func (d *duel) hangUp(name string) {
	d.Helper()
	for _, l := range d.links[name] {
		if err := l.close(); err != nil {
			d.Error(err)
		}
	}
	delete(d.links, name)
}

// send sends one request to both servers and returns both replies.
func (d *duel) send(conn string, c call) [2]*Reply {
	d.Helper()
	d.opaque++
	c.opaque = d.opaque
	if c.version == 0 {
		c.version = 513
	}
	var replies [2]*Reply
	for i, l := range d.on(conn) {
		var err error
		if replies[i], err = l.one(c); err != nil {
			d.Fatalf("%s: %v", d.servers[i].Name, err)
		}
	}
	return replies
}

// want checks what each server answered: code and part of the remark or body; "!" in front
// of a part says that it must not be there.
func (d *duel) want(what string, got [2]*Reply, java, pharos string) {
	d.Helper()
	for i, want := range []string{java, pharos} {
		if text := spellReply(got[i]); !matches(text, want) {
			d.Errorf("%s: %s answered %s, want %s", what, d.servers[i].Name, text, want)
		}
	}
}

func spellReply(r *Reply) string {
	return fmt.Sprintf("%d remark %s ext %s body %s", r.Code, spell(r.Remark), spellExt(r.Ext), r.Body)
}

func matches(text, want string) bool {
	for _, part := range strings.Split(want, " & ") {
		if bare, not := strings.CutPrefix(part, "!"); strings.Contains(text, bare) == not {
			return false
		}
	}
	return true
}

// eventually asks again until both servers answer as wanted: 104 and closes are applied
// later in Java.
func (d *duel) eventually(what string, ask func() [2]*Reply, java, pharos string) {
	d.Helper()
	deadline := time.Now().Add(3 * time.Second)
	for {
		got := ask()
		if matches(spellReply(got[0]), java) && matches(spellReply(got[1]), pharos) || time.Now().After(deadline) {
			d.want(what, got, java, pharos)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// broker is a pretended broker of this scenario, with the given topics.
func (d *duel) broker(name string, id int64, addr string, topics ...string) *member {
	b := &member{
		BrokerRef: BrokerRef{Cluster: d.prefix + "C", Name: d.prefix + name, Addr: addr, ID: id},
		ha:        "127.0.0.1:2", version: 513, dv: dataVersion{timestamp: 1_700_000_000_000, counter: 1},
	}
	for _, t := range topics {
		b.topics = append(b.topics, d.topic(t))
	}
	return b
}

func (d *duel) topic(name string) topicConfig {
	return topicConfig{topic: topic{name: d.prefix + name, plain: true}, read: 4, write: 4, perm: 6}
}

// register sends the broker's registration.
func (d *duel) register(conn string, b *member) [2]*Reply {
	d.Helper()
	return d.registerWith(conn, b, b.registerBody(newRand(), b.topics))
}

func (d *duel) registerWith(conn string, b *member, body []byte, drop ...string) [2]*Reply {
	d.Helper()
	ext := b.registerExt()
	if b.acting != "" {
		ext = append(ext, Ext{Key: "enableActingMaster", Value: b.acting})
	}
	if b.zone != "" {
		ext = append(ext, Ext{Key: "__ZONE_NAME", Value: b.zone})
	}
	if b.compressed {
		ext = append(ext, Ext{Key: "compressed", Value: "true"})
	}
	return d.send(conn, call{code: 103, version: b.version, ext: without(ext, drop...), body: body})
}

func without(ext []Ext, drop ...string) []Ext {
	var kept []Ext
	for _, e := range ext {
		if indexOf(drop, e.Key) < 0 {
			kept = append(kept, e)
		}
	}
	return kept
}

func (d *duel) unregister(conn string, b *member, drop ...string) [2]*Reply {
	d.Helper()
	return d.send(conn, call{code: 104, ext: without(b.identity(), drop...)})
}

func (d *duel) route(topic string, more ...Ext) [2]*Reply {
	d.Helper()
	return d.send("client", call{code: 105, ext: append([]Ext{{Key: "topic", Value: d.prefix + topic}}, more...)})
}

func (d *duel) clusters() [2]*Reply { d.Helper(); return d.send("client", call{code: 106}) }

func (d *duel) version(b *member) [2]*Reply {
	d.Helper()
	return d.send("client", call{code: 322, ext: b.identity(), body: []byte(b.dv.json())})
}

func (d *duel) set(text string) [2]*Reply {
	d.Helper()
	return d.send("client", call{code: 318, body: []byte(text)})
}

func (d *duel) config() [2]*Reply { d.Helper(); return d.send("client", call{code: 319}) }
