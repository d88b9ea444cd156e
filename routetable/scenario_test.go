package routetable

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/pharosmq/pharos/codec"
)

// TestScenarios replays the histories of testdata, which read like incident reports: a
// command, and what it answered, caused (!) and changed for readers (+ and -).
//
// The test stands where the server will stand: it tries the digest short cut first, keeps
// the bindings of each connection and performs closes. Re-record with -rewrite, and commit
// that only if every difference is understood.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := newWorld()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return w.run(t, d)
		})
	})
}

// world is a table and the connections to it.
type world struct {
	*Table
	digester *Digester
	rules    Rules
	now      int64
	bindings map[ConnID]map[string]Binding // by connection, by name/cluster/addr
	seen     []string                      // what readers saw last
}

func newWorld() *world {
	t := New(Options{})
	return &world{Table: t, digester: t.NewDigester(), now: 1000, bindings: make(map[ConnID]map[string]Binding)}
}

type command func(w *world, t *testing.T, d *datadriven.TestData, out *strings.Builder)

var commands = map[string]command{
	"rules":          (*world).cmdRules,
	"tick":           (*world).cmdTick,
	"register":       (*world).cmdRegister,
	"unregister":     (*world).cmdUnregister,
	"close":          (*world).cmdClose,
	"heartbeat":      (*world).cmdHeartbeat,
	"rebind":         (*world).cmdRebind,
	"scan":           (*world).cmdScan,
	"wipe":           (*world).cmdPerm,
	"add-perm":       (*world).cmdPerm,
	"delete-topic":   (*world).cmdDeleteTopic,
	"register-topic": (*world).cmdRegisterTopic,
	"hold":           (*world).cmdState,
	"park":           (*world).cmdState,
	"restore":        (*world).cmdState,
	"route":          (*world).cmdRoute,
	"list":           (*world).cmdList,
	"live":           (*world).cmdLive,
	"stats":          (*world).cmdStats,
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	cmd, ok := commands[d.Cmd]
	if !ok {
		d.Fatalf(t, "unknown command %q", d.Cmd)
	}
	var out strings.Builder
	cmd(w, t, d, &out)
	w.diff(&out)
	if err := w.Table.checkInvariants(); err != nil {
		t.Errorf("%s: %v", d.Pos, err)
	}
	return out.String()
}

// arg returns a command's argument, or fallback.
func arg(d *datadriven.TestData, key, fallback string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return strings.Join(a.Vals, ",")
		}
	}
	return fallback
}

func has(d *datadriven.TestData, key string) bool {
	return slices.ContainsFunc(d.CmdArgs, func(a datadriven.CmdArg) bool { return a.Key == key })
}

func list(d *datadriven.TestData, key string) []string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return slices.DeleteFunc(slices.Clone(a.Vals), func(v string) bool { return v == "" })
		}
	}
	return nil
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) update(fn func(*Txn)) []Effect { return w.Update(w.rules, fn) }

// effects prints effects and performs closes.
func (w *world) effects(out *strings.Builder, list []Effect) {
	for _, e := range list {
		switch e.Kind {
		case EffectCloseConn:
			fmt.Fprintf(out, "! close conn %d of %s\n", e.Conn, e.Broker.Addr)
			delete(w.bindings, e.Conn)
		case EffectRemoved:
			fmt.Fprintf(out, "! removed %s %d %s: %s\n", e.Name, e.ID, e.Broker.Addr, e.Reason)
		case EffectNotifyMinBrokerID:
			n := e.Notify
			fmt.Fprintf(out, "! notify %v: min id %d at %s", n.Targets, n.MinBrokerID, n.MinBrokerAddr)
			if n.OfflineBrokerAddr.Valid {
				fmt.Fprintf(out, ", offline %s", n.OfflineBrokerAddr.String)
			}
			if n.HABrokerAddr.Valid {
				fmt.Fprintf(out, ", ha %s", n.HABrokerAddr.String)
			}
			out.WriteByte('\n')
		}
	}
}

// diff prints what readers see differently since the last command.
func (w *world) diff(out *strings.Builder) {
	now := visible(w.Snapshot())
	for _, line := range w.seen {
		if !slices.Contains(now, line) {
			fmt.Fprintf(out, "- %s\n", line)
		}
	}
	for _, line := range now {
		if !slices.Contains(w.seen, line) {
			fmt.Fprintf(out, "+ %s\n", line)
		}
	}
	w.seen = now
}

// visible describes everything that clients can see, sorted.
func visible(s *Snapshot) []string {
	var lines []string
	info := s.ClusterInfo()
	for _, b := range info.BrokerAddrTable {
		line := fmt.Sprintf("group %s/%s:%s", b.Cluster, b.BrokerName, addrsText(b.BrokerAddrs))
		if b.EnableActingMaster {
			line += " acting"
		}
		if b.ZoneName.Valid {
			line += " zone=" + b.ZoneName.String
		}
		lines = append(lines, line)
	}
	for c, names := range info.ClusterAddrTable {
		lines = append(lines, fmt.Sprintf("cluster %s: %s", c, strings.Join(names, " ")))
	}
	for topic := range s.Topics() {
		r, ok := s.Route([]byte(topic))
		if !ok {
			lines = append(lines, fmt.Sprintf("topic %s is listed but has no route", topic))
			continue
		}
		line := "topic " + topic + ":"
		for _, q := range r.TopicRouteData(RouteOptions{}).QueueDatas {
			line += fmt.Sprintf(" %s=%d/%d/%s", q.BrokerName, q.ReadQueueNums, q.WriteQueueNums, permText(q.Perm))
			if q.TopicSysFlag != 0 {
				line += fmt.Sprintf("/flag%d", q.TopicSysFlag)
			}
		}
		lines = append(lines, line)
	}
	sort.Strings(lines)
	return lines
}

func addrsText(addrs map[int64]string) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(addrs)) {
		fmt.Fprintf(&b, " %d=%s", id, addrs[id])
	}
	return b.String()
}

func permText(p int32) string {
	s := ""
	for _, bit := range []struct {
		bit  int32
		name string
	}{{codec.PermRead, "r"}, {codec.PermWrite, "w"}, {codec.PermInherit, "x"}} {
		if p&bit.bit != 0 {
			s += bit.name
		}
	}
	if s == "" {
		return "-"
	}
	return s
}

func permOf(s string) int32 {
	var p int32
	for _, c := range s {
		p |= map[rune]int32{'r': codec.PermRead, 'w': codec.PermWrite, 'x': codec.PermInherit}[c]
	}
	return p
}
