package bench

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Sample is one server in one scenario, once.
type Sample struct {
	Round       int      `json:"round"`
	StartMillis float64  `json:"start_ms,omitempty"`
	StopMillis  float64  `json:"stop_ms,omitempty"`
	IdleBytes   int64    `json:"idle_rss_bytes,omitempty"`
	Fill        []Filled `json:"fill,omitempty"`
	Window      *Window  `json:"window,omitempty"`
	// Disturbed: somebody else was there, and who; it does not count where others do.
	Disturbed string `json:"disturbed,omitempty"`
	// Micro is what Go's benchmarks measured, by name and unit.
	Micro map[string]float64 `json:"micro,omitempty"`
}

// Record is everything about one server in one scenario; it is what a comparison leaves in
// its folder, and goes on from.
type Record struct {
	Scenario string   `json:"scenario"`
	Server   string   `json:"server"`
	Build    string   `json:"build,omitempty"`   // of the server, if it tells
	Rate     float64  `json:"rate,omitempty"`    // of an open loop
	Warm     bool     `json:"warm"`              // it had stopped getting faster
	Missing  string   `json:"missing,omitempty"` // why there are no samples
	Samples  []Sample `json:"samples,omitempty"`
}

// Metrics are the numbers of a sample by name: what checks and reports speak of.
func (s *Sample) Metrics() map[string]float64 {
	m := map[string]float64{}
	maps.Copy(m, s.Micro)
	set := func(name string, v float64) {
		if v != 0 {
			m[name] = v
		}
	}
	set("start_ms", s.StartMillis)
	set("stop_ms", s.StopMillis)
	set("idle_mb", float64(s.IdleBytes)/1e6)
	for _, f := range s.Fill {
		set("fill_s", f.Seconds)
	}
	w := s.Window
	if w == nil {
		return m
	}
	if len(w.Groups) > 0 {
		g := w.main()
		set("per_second", g.PerSecond)
		set("p50_us", g.Latency.P50)
		set("p90_us", g.Latency.P90)
		set("p99_us", g.Latency.P99)
		set("p999_us", g.Latency.P999)
		set("max_us", g.Latency.Max)
		set("reply_bytes", g.ReplyBytes())
		if g.Due > 0 {
			m["done_share"] = float64(g.Good) / float64(g.Due)
		}
	}
	failed := uint64(0)
	for i := range w.Groups {
		failed += w.Groups[i].Failed()
		if name := w.Groups[i].Name; strings.HasPrefix(name, "brokers of ") && w.Groups[i].Latency.Count > 0 {
			m["register_p50_us"], m["register_max_us"] = w.Groups[i].Latency.P50, w.Groups[i].Latency.Max
			if a := w.Groups[i].AfterLastByte; a != nil {
				m["visible_p50_us"], m["visible_max_us"] = a.P50, a.Max
			}
		}
		if g := w.Groups[i]; g.Name == "restart" || g.Name == "clients" {
			set("elapsed_s", g.ElapsedSeconds)
		}
	}
	m["failed"] = float64(failed)
	m["load_busy"], m["load_ns"] = w.Load.BusyShare, w.Load.NanosPerRequest
	set("load_away_us", w.Load.AwayMicros)
	if w.Server != nil {
		set("server_ns", w.ServerNanosPerRequest())
		m["cpu_share"], m["core_busy"] = w.Server.CPUShare, w.Server.CoreBusy
		if w.Server.Core >= 0 {
			m["others_share"] = max(0, w.Server.CoreBusy-w.Server.CPUShare)
		}
		set("rss_mb", float64(w.Server.RSSBytes)/1e6)
		set("peak_mb", float64(w.Server.PeakBytes)/1e6)
		if stops := w.Server.Stops; stops != nil {
			m["stop_count"], m["longest_stop_ms"] = float64(stops.Count), stops.LongestMillis
		}
	}
	return m
}

// main is the first group that is not made of a filled world's brokers.
func (w *Window) main() *GroupResult {
	for i := range w.Groups {
		if !strings.HasPrefix(w.Groups[i].Name, "brokers of ") {
			return &w.Groups[i]
		}
	}
	return &w.Groups[0]
}

// Spread is the median, quartiles and ends of a metric over the samples.
type Spread struct {
	Least, Low, Median, High, Most float64
	Count                          int
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := append([]float64(nil), values...)
	sort.Float64s(sorted)
	at := func(share float64) float64 {
		x := share * float64(len(sorted)-1)
		i := int(x)
		if i+1 >= len(sorted) {
			return sorted[len(sorted)-1]
		}
		return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
	}
	return Spread{sorted[0], at(0.25), at(0.5), at(0.75), sorted[len(sorted)-1], len(sorted)}
}

// disturbed is how many samples somebody else disturbed.
func (r *Record) disturbed() (n int) {
	for i := range r.Samples {
		if r.Samples[i].Disturbed != "" {
			n++
		}
	}
	return n
}

// Spread of a metric; Count is 0 if no sample has it. Disturbed samples count if there are no
// others.
func (r *Record) Spread(metric string) Spread {
	var values []float64
	all := r.disturbed() == len(r.Samples)
	for i := range r.Samples {
		if v, ok := r.Samples[i].Metrics()[metric]; ok && (all || r.Samples[i].Disturbed == "") {
			values = append(values, v)
		}
	}
	return spread(values)
}

// recordPath is where the record of a server in a scenario is kept.
func recordPath(dir, scenario, server string) string {
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
				return r
			}
			return '_'
		}, s)
	}
	return filepath.Join(dir, "records", clean(scenario)+"."+clean(server)+".json")
}

func (r *Record) save(dir string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	path := recordPath(dir, r.Scenario, r.Server)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// loadRecord returns nil if there is none.
func loadRecord(dir, scenario, server string) (*Record, error) {
	path := recordPath(dir, scenario, server)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, errors.New(path + " is no record; remove it to measure anew: " + err.Error())
	}
	return r, nil
}
