package failover

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pharosmq/pharos/bench/failover/openloop"
	"github.com/pharosmq/pharos/bench/results"
)

// story is what a client printed, with times in seconds from the fault on, which lasts 20 s.
type story struct{ lines []openloop.Line }

var began = time.Unix(1_800_000_000, 0)

func at(seconds float64) int64 { return began.Add(time.Duration(seconds * 1e9)).UnixNano() }

// newStory is that of a client that looks up and sends ten times a second from 5 s before.
func newStory() *story {
	s := &story{}
	s.lines = append(s.lines, openloop.Line{At: at(-5), Ready: true})
	for i := -50; i < 200; i++ {
		s.lines = append(s.lines, openloop.Line{At: at(float64(i) / 10), Count: &openloop.Count{LateMillis: 3}})
	}
	return s
}

func (s *story) call(what string, due, seconds float64, failure string) *story {
	s.lines = append(s.lines, openloop.Line{At: at(due + seconds), Call: &openloop.Call{What: what, Due: at(due), Millis: 1000 * seconds, Error: failure}})
	return s
}

func (s *story) uses(second float64, server string) *story {
	s.lines = append(s.lines, openloop.Line{At: at(second), InUse: server})
	return s
}

func (s *story) record() *Record {
	s.lines = append(s.lines, openloop.Line{At: at(21), Ended: true, Count: &openloop.Count{
		Lookups: 260, Sends: 240, LateMillis: 9999}})
	r := &Record{}
	r.take(s.lines, window{began, began.Add(20 * time.Second), 10, 10}, "one")
	r.Load = 0
	return r
}

func TestTake(t *testing.T) {
	left := func(seconds float64) *float64 { return &seconds }
	base := Record{Lookups: 200, Sends: 190, LateSeconds: 0.003}
	f := func(name string, s *story, change func(r *Record)) {
		t.Helper()
		want := base
		change(&want)
		if diff := cmp.Diff(&want, s.record()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	f("nothing happens", newStory(), func(*Record) {})
	f("it leaves the server at 3 s", newStory().uses(-9, "one").uses(3, "two").
		call("lookup", -0.5, 3.5, "timeout").call("lookup", 2.9, 0.3, ""), func(r *Record) {
		r.Lookups++ // the one that was under way
		r.Left, r.LookupsFailed, r.LookupWait, r.LookupsWell, r.Errors = left(3), 1, 3.5, 2.9, []string{"lookup: timeout"}
	})
	f("it never leaves", newStory().uses(-9, "one").call("lookup", 19.5, 3, "timeout"), func(r *Record) {
		r.Left, r.LookupsFailed, r.LookupWait, r.LookupsWell, r.Errors = left(Never), 1, 3, Never, []string{"lookup: timeout"}
	})
	f("it comes back to it", newStory().uses(-9, "one").uses(1, "two").uses(2, "one").uses(4, "two"), func(r *Record) { r.Left = left(4) })
	f("it used another all the time", newStory().uses(-9, "two"), func(r *Record) { r.Left = left(0) })
	f("it left before, and what happens afterwards is not of the fault", newStory().uses(-9, "one").uses(-1, "two").uses(25, "one").
		call("lookup", 20, 5, "timeout").call("send", -3, 1, "timeout"), func(r *Record) { r.Left = left(0) })
	f("a send fails in the end, once the cache did", newStory().call("send", 10, 0.5, "no").call("cached", 1, 0, "gone"), func(r *Record) {
		r.SendsFailed, r.SendWait, r.SendsWell, r.CachedFailed, r.Errors = 1, 0.5, 10, 1, []string{"send: no", "cached: gone"}
	})
}

// TestUnderWay: a call that was under way when the fault struck, and was hurt, is one of all, as it
// is one of those that failed.
func TestUnderWay(t *testing.T) {
	s := newStory()
	for i := -3; i < 200; i++ { // all of them, and three under way
		s.call("lookup", float64(i)/10, 3, "timeout")
		s.call("send", float64(i)/10, 0.3, "")
	}
	r := s.record()
	if r.Lookups != 203 || r.LookupsFailed != 203 || r.Sends != 193 || r.SendsFailed != 0 || r.LookupsWell != Never {
		t.Errorf("%+v", r)
	}
	if r := newStory().call("lookup", -1, 0.5, "refused").call("cached", -0.1, 0.3, "gone").record(); r.Lookups != 200 || r.LookupsFailed != 0 || r.Cached != 1 || r.CachedFailed != 1 {
		t.Errorf("one that had come back, and one of the cache: %+v", r)
	}
}

// TestBeganAt: a client that says it is ready 30 ms before its first call is due.
func TestBeganAt(t *testing.T) {
	const late = 0.03
	load := window{began, began.Add(20 * time.Second), 200, 1000}
	made := func(since, perSecond float64) int64 { return int64(since*perSecond) + 1 }
	lines := []openloop.Line{{At: at(-5 - late), Ready: true}, {At: at(-5 - late/2), Count: &openloop.Count{}}}
	for i := range 240 { // not all calls begin when they are due, but many do
		since := 0.0007 + float64(i)*0.1013
		behind := 0.002 * float64(i%5)
		lines = append(lines, openloop.Line{At: at(-5 + since), Count: &openloop.Count{Lookups: made(max(since-behind, 0), 200), Sends: made(max(since-behind, 0), 1000)}})
	}
	lines = append(lines, openloop.Line{At: at(40), Ended: true, Count: &openloop.Count{Lookups: 5000, Sends: 25_000}})
	if off := beganAt(lines, load).Sub(began.Add(-5 * time.Second)); off < -time.Millisecond || off > time.Millisecond {
		t.Errorf("it began %v later than the first call was due", off)
	}
	r := &Record{}
	if r.take(lines, load, ""); r.Lookups != 4000 || r.Sends < 19_999 || r.Sends > 20_001 {
		t.Errorf("%d lookups and %d sends of 4,000 and 20,000", r.Lookups, r.Sends)
	}
	if got := beganAt(lines[:2], load); !got.Equal(time.Unix(0, at(-5-late))) {
		t.Errorf("without calls it began at %v", got)
	}
}

// TestOldRecords: those that were written when calls under way counted among the failed only.
func TestOldRecords(t *testing.T) {
	cases, clients := allCases(), kinds()
	row := sum(&cases[2], &clients[3], []*Record{
		{Lookups: 4198, LookupsFailed: 4201, Sends: 20_990, SendsFailed: 4}, {Lookups: 4199, LookupsFailed: 4198, Sends: 20_987}})
	if row.Lookups != 4201+4199 || row.LookupsFailed != 4201+4198 || row.Sends != 20_990+20_987 || row.SendsFailed != 4 {
		t.Errorf("%+v", row)
	}
}

func TestWellFrom(t *testing.T) {
	f := func(want float64, perSecond float64, hurt ...float64) {
		t.Helper()
		if got := wellFrom(hurt, perSecond, 20); got != want {
			t.Errorf("hurt at %v s: well from %v s, want %v", hurt, got, want)
		}
	}
	f(0, 200)
	f(3, 200, 3, 1, 2)
	f(3, 200, 3, 1, 2, 10)        // one in 2,000 later ones is tolerated
	f(12, 200, 3, 1, 11, 12)      // two in 1,600 are not
	f(Never, 200, 1, 2, 3, 19.5)  // less than a second is left
	f(0, 1000, 0)                 // of the first call
	f(18.5, 200, 0.5, 18.4, 18.5) // one in 300
	f(0.1, 1000, 0.1, 5)          // soon over, and a hiccup
	f(0, 1000, 5)                 // only a hiccup
	f(0, 1_000_000, 2, 4, 6)      // of so many
}

func TestTimes(t *testing.T) {
	got := timesOf([]float64{3, Never, 1, 2})
	if diff := cmp.Diff(Times{N: 4, Median: 2, Most: Never, All: []float64{1, 2, 3, Never}}, got); diff != "" {
		t.Error(diff)
	}
	if got.within(100) {
		t.Error("one run never, and it is within 100 s")
	}
	if got := timesOf([]float64{3, 1}); !got.within(3) || got.within(2.9) {
		t.Errorf("%+v", got)
	}
	if got := timesOf(nil); got.within(1) || got.text() != "-" {
		t.Errorf("%+v", got)
	}
}

func TestEvenVerdict(t *testing.T) {
	phase := func(a, b, c int64) Phase {
		return Phase{Sends: map[string]int64{"broker-a": a, "broker-b": b, "broker-c": c}}
	}
	f := func(want bool, name string, phases ...Phase) {
		t.Helper()
		if found, met := evenVerdict(&Record{Case: name, Phases: phases}); met != want {
			t.Errorf("%s %v: met %v (%s), want %v", name, phases, met, found, want)
		}
	}
	f(true, evenRoundRobin, phase(33_400, 33_300, 33_300))
	f(false, evenRoundRobin, phase(34_000, 33_000, 33_000))
	f(false, evenRoundRobin, phase(50_000, 50_000, 0))
	f(false, evenRoundRobin)
	f(true, evenLeast, phase(100, 100, 100), phase(10, 200, 200), phase(95, 100, 100))
	f(false, evenLeast, phase(100, 100, 100), phase(40, 130, 130), phase(95, 100, 100)) // not moved
	f(false, evenLeast, phase(100, 100, 100), phase(10, 200, 200), phase(50, 100, 100)) // not returned
	f(false, evenLeast, phase(0, 100, 100), phase(0, 200, 200), phase(0, 100, 100))
	f(false, evenLeast, phase(100, 100, 100))
}

// TestJudge: what is wanted of our client is wanted of nobody else.
func TestJudge(t *testing.T) {
	cases, clients := allCases(), kinds()
	var killed *Case
	for i := range cases {
		if cases[i].Name == "server-killed" {
			killed = &cases[i]
		}
	}
	second := 0.05
	good := Record{Lookups: 10_000, LookupsFailed: 10, Cached: 9, Sends: 100_000, SendsFailed: 10, Left: &second}
	f := func(want string, change func(r *Record)) {
		t.Helper()
		r := good
		change(&r)
		if row := sum(killed, &clients[0], []*Record{&r}); row.Met != want {
			t.Errorf("%+v: %q, want %q", r, row.Met, want)
		}
	}
	f("met", func(*Record) {})
	f("NOT MET: lookups", func(r *Record) { r.LookupsFailed++ })
	f("NOT MET: cached lookups", func(r *Record) { r.CachedFailed++ })
	f("NOT MET: sends", func(r *Record) { r.SendsFailed++ })
	f("NOT MET: left", func(r *Record) { late := 0.2; r.Left = &late })
	f("NOT MET: left", func(r *Record) { r.Left = nil })
	f("not measured", func(r *Record) { r.Disturbed = "busy" })
	f("NOT MET: the program ended, left", func(r *Record) { *r = Record{Ended: "panic: no"} })
	if row := sum(killed, &clients[2], []*Record{{Lookups: 1, LookupsFailed: 1}}); row.Met != "reported" {
		t.Errorf("the Java client: %q", row.Met)
	}
}

// TestStore: a folder goes on where it was, and keeps two binaries apart.
func TestStore(t *testing.T) {
	o := &Options{Dir: t.TempDir(), Runs: 2}
	s, err := results.Open[*Record](o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Record{
		{Client: "pharos", Build: "v1", Case: "server-killed", Run: 1, Error: "no"},
		{Client: "pharos", Build: "v1", Case: "server-killed", Run: 1, Lookups: 7},
		{Client: "pharos", Build: "v1", Case: "server-killed", Run: 2, Disturbed: "busy"},
	} {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	if s, err = results.Open[*Record](o.Dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Fits("pharos", "v2"); err == nil {
		t.Error("another binary goes on in the same folder")
	}
	all := kinds()
	left := map[string]bool{}
	for _, j := range o.jobs(all[:1], s) {
		left[storeKey(j.k.name, j.c.Name, j.run)] = true
	}
	if rows, err := Rows(o); err != nil || rows[0].Repeated != 1 {
		t.Errorf("the first run was repeated once: %+v, %v", rows, err)
	}
	if left["server-killed pharos 1"] || !left["server-killed pharos 2"] || !left["none pharos 1"] || left["even-round-robin pharos 2"] {
		t.Errorf("to do are %v", left)
	}
	rows, err := Rows(o)
	if err != nil || len(rows) != 1 || rows[0].Runs != 1 || rows[0].Failed != 1 || rows[0].Lookups != 7 {
		t.Errorf("%+v, %v", rows, err)
	}
}

// TestSave writes a report of made-up runs.
func TestSave(t *testing.T) {
	o := &Options{Dir: t.TempDir()}
	s, err := results.Open[*Record](o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	three := 3.0
	for _, r := range []*Record{
		{Client: "pharos-unhedged", Case: "server-frozen", Run: 1, Lookups: 4000, Sends: 20_000, LookupWait: 3.01, LookupsWell: 3, Left: &three},
		{Client: "java-4.8.0", Case: "server-frozen", Run: 1, Lookups: 4000, LookupsFailed: 4000, Sends: 20_000, LookupsWell: Never},
		{Client: "go-2.1.2", Case: "server-garbage", Run: 1, Lookups: 100, LookupsFailed: 7, Sends: 500, LookupsWell: 3},
		{Client: "go-2.1.2", Case: "server-garbage", Run: 2, Error: "go-2.1.2 did not end as it should:\n    panic: runtime error: makeslice: len out of range\n    \n    goroutine 21 [running]:"},
		{Client: "go-2.1.2", Case: "server-garbage", Run: 3, Ended: "panic: another", EndedAfter: 2},
		{Client: "go-2.1.2", Case: "server-garbage", Run: 4, Error: "go-2.1.2 did not end as it should:\n    it is tired"},
		{Client: "go-2.1.2", Case: "broker-killed", Run: 1, Sends: 500, Disturbed: "busy"},
		{Client: "go-2.1.2", Case: "broker-killed", Run: 1, Sends: 500},
		{Client: "pharos", Case: evenRoundRobin, Run: 1, Phases: []Phase{{"", map[string]int64{"broker-a": 1, "broker-b": 1, "broker-c": 1}}}},
	} {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := Save(o); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(o.Dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| server-frozen | pharos-unhedged | 1 | 4000, 0 | - | 20000, 0 | 3.01 s / < 0.2 s | 3.00 s / 3.00 s | 0 s / 0 s | 3.00 s / 3.00 s | met |\n",
		"| server-frozen | java-4.8.0 | 1 | 4000, 4000 (100 %) | - | 20000, 0 | < 0.2 s / < 0.2 s | never / never | 0 s / 0 s | - | reported |\n",
		"| server-garbage | go-2.1.2 | 3 + 1 not measured | 100, 7 (7 %) | - | 500, 0 | < 0.2 s / < 0.2 s | never / never | never / never | - |" +
			" reported; program ended in 2 of 3 runs: panic: another |\n",
		"| broker-killed | go-2.1.2 | 1, 1 repeated | - | - | 500, 0 |",
		"3 sends, at most 0.000 % from an equal share",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	picture, err := os.ReadFile(filepath.Join(o.Dir, "failover.svg"))
	for _, want := range []string{"</svg>", ">server-frozen<", ">java-4.8.0<", ">never<", ">100 %<", ">crashed: 2 of 3<", ">7 %<"} {
		if err != nil || !bytes.Contains(picture, []byte(want)) {
			t.Errorf("the picture lacks %s: %v", want, err)
		}
	}
	if bytes.Contains(picture, []byte(">java-5.5.0<")) {
		t.Error("the legend names a client that was not measured")
	}
}

// TestSaveNothing: a folder without a fault has a report, and no picture.
func TestSaveNothing(t *testing.T) {
	o := &Options{Dir: t.TempDir()}
	if err := Save(o); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "failover.svg")); !os.IsNotExist(err) {
		t.Errorf("the picture: %v", err)
	}
}
