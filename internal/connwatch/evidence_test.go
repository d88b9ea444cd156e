package connwatch

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
)

func actionsOf(page *diag.EvidencePage) (list []string) {
	for _, e := range page.Entries {
		list = append(list, e.Action+" "+e.Why.Rule)
	}
	return list
}

// Goal: a verdict can be contested with what is kept about it.
func TestEvidenceOfAVanishedBroker(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	r.silence()
	page := r.Evidence(0)
	if got := actionsOf(&page); !slices.Equal(got, []string{"suspect suspect", "park silence"}) {
		t.Fatalf("evidence: %q", got)
	}
	e := page.Entries[1]
	if e.Peer != "10.0.0.1:4001" || e.Broker == nil || e.Broker.Name != "broker-a" || e.Mode != "evict" || e.Conn != 1 || e.ID != 2 {
		t.Errorf("about whom: %+v %+v", e, e.Broker)
	}
	w := &e.Why
	if w.Class != "idle_silent" || w.SilentMillis < 4100 || w.Unanswered < 5 || w.Phi < 8 || w.ThresholdMillis != 4100 || w.Probes < 5 || w.Freeze != "none" {
		t.Errorf("why: %+v", w)
	}
	if w.WitnessAgeMillis < 0 || w.WitnessAgeMillis > 1000 || w.HeardAgeMillis < w.SilentMillis || w.Close != nil || w.DialBack != "none" {
		t.Errorf("witness and close: %+v", w)
	}
	if len(w.Timeline) < 5 || w.Timeline[0].Class != "probe" || w.Timeline[0].BeforeMillis <= w.Timeline[1].BeforeMillis {
		t.Errorf("time line: %+v", w.Timeline)
	}
	if age := time.Since(e.Time); age < 10*time.Second || age > 30*time.Second {
		t.Errorf("it happened %v ago by its time of day, some 20 s by the simulation", age)
	}
	if later := r.Evidence(1); len(later.Entries) != 1 || later.Missed != 0 || later.Next != 2 {
		t.Errorf("after 1: %+v", later)
	}
}

// Goal: an operator who only has the log has everything.
func TestLogLineIsComplete(t *testing.T) {
	var out bytes.Buffer
	r := newRig(t, slog.NewJSONHandler(&out, nil))
	r.silence()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want one for the suspicion and one for the verdict:\n%s", len(lines), out.String())
	}
	var park map[string]any
	if err := json.Unmarshal([]byte(lines[1]), &park); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"level": "WARN", "action": "park", "brokerName": "broker-a", "brokerAddr": "10.0.0.1:10911", "peer": "10.0.0.1:4001",
		"why": "idle_silent", "rule": "silence", "evidence": 2.0, "thresholdMillis": 4100.0, "freeze": "none",
	} {
		if park[key] != want {
			t.Errorf("%s = %v, want %v", key, park[key], want)
		}
	}
	if timeline, _ := park["timeline"].(string); !strings.Contains(timeline, ":probe/rto204 -") {
		t.Errorf("time line %q", timeline)
	}
	for _, key := range []string{"phi", "lossOwn", "lossGlobal", "heardAgeMillis", "ackAgeMillis", "windowBytes", "rttMicros", "witnessAgeMillis", "dialBack", "strikes", "lastOfTopic"} {
		if _, there := park[key]; !there {
			t.Errorf("there is no %s", key)
		}
	}
}

// Goal: a broker that ended in order, and is held until a dial-back confirms it, is not said to
// have been in trouble.
func TestLogOfHolds(t *testing.T) {
	f := func(rule connhealth.Rule, trouble bool) {
		t.Helper()
		var out bytes.Buffer
		r := newRig(t, slog.NewTextHandler(&out, nil))
		hold := fullAction(connhealth.ActHold, 7, "broker-a")
		hold.Why.Rule = rule
		r.record(hold)
		if said := strings.Contains(out.String(), "out of trouble"); said != trouble || !strings.Contains(out.String(), "its routes are kept") {
			t.Errorf("%s: %s", rule, out.String())
		}
	}
	f(connhealth.RuleDoubtfulClose, true)
	f(connhealth.RuleConfirmClose, false)
}

// fullAction is an action with as large an explanation as there is.
func fullAction(kind connhealth.ActionKind, conn connhealth.ConnID, broker string) *connhealth.Action {
	a := &connhealth.Action{Kind: kind, Conn: conn, Why: &connhealth.Explanation{Conn: conn, Timeline: make([]connhealth.Transmission, 16)}}
	if broker != "" {
		a.Broker = connhealth.Broker{Cluster: "c1", Name: broker, Addr: broker + ":10911"}
	}
	return a
}

// Goal: evidence is bounded in memory, and clients don't push out brokers.
func TestEvidenceIsBounded(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r.record(fullAction(connhealth.ActPark, 1, "broker-a"))
	for id := range connhealth.ConnID(20_000) {
		r.record(fullAction(connhealth.ActSuspect, id+10, ""))
	}
	for range 600 {
		r.record(fullAction(connhealth.ActHold, 2, "broker-b"))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	page := r.Evidence(0)
	if len(page.Entries) != 901 || page.Missed != 20_601-901 || page.Next != 20_601 {
		t.Errorf("%d entries, %d missed, next %d", len(page.Entries), page.Missed, page.Next)
	}
	if page.Entries[0].Broker == nil || page.Entries[0].Broker.Name != "broker-a" {
		t.Errorf("the broker's evidence was pushed out by clients: %+v", page.Entries[0])
	}
	if !slices.IsSortedFunc(page.Entries, func(a, b diag.Evidence) int { return int(a.ID) - int(b.ID) }) {
		t.Error("not in the order of ids")
	}
	// The suspects themselves are counted as long as they are open.
	clear(r.tally.suspects)
	if kB := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 10; kB > 4<<10 {
		t.Errorf("the evidence takes %d kB", kB)
	}
	for range 10_000 {
		r.record(fullAction(connhealth.ActHold, 2, "broker-b"))
	}
	if page := r.Evidence(0); len(page.Entries) != keptBrokers+keptClients {
		t.Errorf("%d entries are kept", len(page.Entries))
	}
	runtime.KeepAlive(r)
}

// Goal: neither a router that dies with a thousand clients behind it, nor a peer that
// registers and hangs up all day, floods the log; the log says that it is not complete.
func TestLinesAreBounded(t *testing.T) {
	f := func(kind connhealth.ActionKind, broker string, atOnce int) {
		t.Helper()
		var out bytes.Buffer
		r := newRig(t, slog.NewTextHandler(&out, nil))
		at := time.Unix(1_000_000, 0)
		report := func(n int) (lines int) {
			out.Reset()
			for id := range n {
				r.report(&entry{at: at, action: *fullAction(kind, connhealth.ConnID(id+1), broker)})
			}
			return strings.Count(out.String(), "\n")
		}
		if n := report(atOnce + 980); n != atOnce {
			t.Errorf("%d lines of %d at once", n, atOnce+980)
		}
		at = at.Add(time.Second)
		if n := report(100); n != linesPerSecond || !strings.Contains(out.String(), "linesOmitted=980") {
			t.Errorf("%d lines of 100 a second later, the first does not say what was left out: %.2000s", n, out.String())
		}
		at = at.Add(-time.Hour) // clocks are set
		if n := report(100); n != 0 {
			t.Errorf("%d lines of 100 when the clock went back", n)
		}
		at = at.Add(2 * time.Hour)
		if n := report(atOnce); n != atOnce {
			t.Errorf("%d lines of %d after a quiet hour", n, atOnce)
		}
	}
	f(connhealth.ActCloseConn, "", linesPerSecond)
	f(connhealth.ActPark, "broker-a", brokerLinesMax)
}
