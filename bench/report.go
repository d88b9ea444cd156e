package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pharosmq/pharos/bench/results"
)

// Machine is where it was measured.
type Machine struct {
	Time       string `json:"time"`
	Kernel     string `json:"kernel"`
	CPU        string `json:"cpu"`
	CPUs       int    `json:"cpus"`
	MemoryMB   int64  `json:"memory_mb"`
	Hypervisor bool   `json:"hypervisor"`
	Go         string `json:"go"`
	ServerCore int    `json:"server_core"`
	LoadCore   int    `json:"load_core"`
}

func (c *Comparison) machine() Machine {
	m := Machine{Time: time.Now().UTC().Format(time.DateTime), CPUs: runtime.NumCPU(), Go: runtime.Version(), ServerCore: c.ServerCore, LoadCore: c.LoadCore}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(text))
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.SplitSeq(string(text), "\n") {
			key, value, _ := strings.Cut(line, ":")
			switch strings.TrimSpace(key) {
			case "model name":
				m.CPU = strings.TrimSpace(value)
			case "flags":
				m.Hypervisor = strings.Contains(value, " hypervisor ")
			}
		}
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.MemoryMB = int64(info.Totalram) * int64(info.Unit) >> 20
	}
	return m
}

// columns are what a scenario's table shows, as far as somebody has it.
var columns = []struct{ metric, title, format string }{
	{"per_second", "good replies/s", "%.0f"}, {"server_ns", "server ns/request", "%.0f"}, {"cpu_share", "server, cores", "%.3f"},
	{"others_share", "others on its core", "%.2f"}, {"done_share", "done of due", "%.4f"}, {"p50_us", "P50 us", "%.0f"}, {"p90_us", "P90 us", "%.0f"}, {"p99_us", "P99 us", "%.0f"},
	{"p999_us", "P99.9 us", "%.0f"}, {"max_us", "max us", "%.0f"}, {"elapsed_s", "elapsed s", "%.3f"}, {"fill_s", "fill s", "%.3f"},
	{"register_p50_us", "registration P50 us", "%.0f"}, {"register_max_us", "max", "%.0f"},
	{"visible_p50_us", "visible after the last byte, P50 us", "%.0f"}, {"visible_max_us", "max", "%.0f"}, {"longest_stop_ms", "longest stop of the collector ms", "%.3f"},
	{"start_ms", "start ms", "%.1f"}, {"stop_ms", "stop ms", "%.1f"}, {"rss_mb", "resident MB", "%.1f"}, {"peak_mb", "peak MB", "%.1f"},
	{"idle_mb", "idle MB", "%.1f"}, {"reply_bytes", "bytes a reply", "%.0f"}, {"load_busy", "load busy", "%.2f"}, {"load_ns", "load ns/request", "%.0f"}, {"load_away_us", "load away, most us", "%.0f"}, {"failed", "failed", "%.0f"},
}

// Report writes report.md, report.json and the pictures into the folder, of all that was
// measured so far, and scaling.md once that tells all costs.
func (c *Comparison) Report() error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil { // nothing was measured yet
		return err
	}
	pictures, err := c.draw()
	if err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	machine, verdicts := c.machine(), slices.DeleteFunc(c.Verdicts(), func(v Verdict) bool { return !v.Known && !c.asks(&v.Check) })
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Name servers compared\n\n%s, Linux %s, %s (%d processors%s), %d MB; the server on processor %d, the load on %d; %s.\n",
		machine.Time, machine.Kernel, machine.CPU, machine.CPUs, map[bool]string{true: ", virtual"}[machine.Hypervisor], machine.MemoryMB, c.ServerCore, c.LoadCore, machine.Go)
	fmt.Fprintf(&b, "\nMedian (quartiles) of up to %d samples of %v each, the servers in turn there and back. A throughput counts only where the server had 0.95 or more of its core; where the load is busy 0.97 or more, it was the limit. A sample in which others had more than %.2f of the server's core (%.2f where the slowest request counts) was taken again, up to %d times; one that stayed disturbed counts for no target.\n",
		c.Pairs, c.Window, othersMax, othersMaxSlowest, retries)
	b.WriteString(c.absences())
	if builds := c.builds(); len(builds) > 0 {
		fmt.Fprintf(&b, "\nPharos: %s.\n", strings.Join(builds, "; "))
	}
	fmt.Fprintf(&b, "\n## Targets\n\n%s", verdictTable(verdicts))
	if lines := c.Differing(); len(lines) > 0 {
		fmt.Fprintf(&b, "\nAnswers that differ:\n\n- %s\n", strings.Join(lines, "\n- "))
	} else if len(c.digests) > 0 {
		b.WriteString("\nAll servers gave the same answers to the same questions.\n")
	}
	for _, name := range pictures {
		fmt.Fprintf(&b, "\n![%s](%s)\n", strings.TrimSuffix(name, filepath.Ext(name)), name)
	}
	for _, scenario := range c.order {
		if scenario == microScenario {
			continue // all of it is in the targets
		}
		c.writeScenario(&b, scenario)
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "report.md"), b.Bytes(), 0o644); err != nil {
		return err
	}
	text, err := json.MarshalIndent(map[string]any{
		"machine": machine, "absences": c.absent, "builds": c.builds(), "window_s": c.Window.Seconds(), "targets": verdicts, "records": c.records, "differing": c.Differing(),
	}, "", " ")
	if err != nil {
		return err
	}
	if scaling, err := c.Scaling(); err == nil { // nsbench scaling says what lacks
		if err := os.WriteFile(filepath.Join(c.Dir, "scaling.md"), []byte(scaling.String()), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(c.Dir, "report.json"), text, 0o644)
}

// builds are those of Pharos that the records are of: more than one name only if commits in between
// changed nothing of what was built.
func (c *Comparison) builds() (builds []string) {
	for _, servers := range c.records {
		for _, r := range servers {
			if r.Build != "" && !slices.Contains(builds, r.Build) {
				builds = append(builds, r.Build)
			}
		}
	}
	slices.Sort(builds)
	return builds
}

// asks reports whether this comparison measures all that a check speaks of.
func (c *Comparison) asks(check *Check) bool {
	for _, ref := range []Ref{check.What, check.Less, check.By} {
		if ref.Metric == "" || ref.Scenario == microScenario && c.Only == nil {
			continue
		}
		if ref.Server == "" {
			ref.Server = "pharos"
		}
		server := slices.IndexFunc(c.Servers, func(s Server) bool { return s.Name == ref.Server })
		if server < 0 || !slices.ContainsFunc(Stages(), func(s Stage) bool {
			return slices.ContainsFunc(c.chosen(s).Scenarios, func(sc Scenario) bool { return sc.Name == ref.Scenario && sc.measures(&c.Servers[server], c.short()) })
		}) {
			return false
		}
	}
	return true
}

// scenarios are those that the check needs, and those that they take their rates from: who wants
// to measure it again names them.
func (check *Check) scenarios() (names []string) {
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, ref := range []Ref{check.What, check.Less, check.By} {
		for _, s := range allStages() {
			for i := range s.Scenarios {
				if sc := &s.Scenarios[i]; sc.Name == ref.Scenario {
					add(sc.RateOf)
				}
			}
		}
		add(ref.Scenario)
	}
	return names
}

func verdictTable(verdicts []Verdict) *results.Table {
	table := results.NewTable("what", "target", "measured", "met", "scenarios")
	for _, v := range verdicts {
		bound, met := "", map[bool]string{true: "yes", false: "**no**"}[v.Met]
		switch {
		case v.AtLeast > 0:
			bound = fmt.Sprintf(">= %.4g", v.AtLeast)
		case v.AtMost > 0:
			bound = fmt.Sprintf("<= %.4g", v.AtMost)
		default:
			met = ""
		}
		measured := v.Reason
		if !v.Known {
			met = "unknown"
		} else if measured = fmt.Sprintf("%.4g (%.4g to %.4g)", v.Value.Median, v.Value.Low, v.Value.High); v.Worst {
			measured = fmt.Sprintf("%.4g at worst, median %.4g", v.Value.Most, v.Value.Median)
		}
		table.Row(v.Row, bound, oneLine(measured), met, strings.Join(v.scenarios(), "; "))
	}
	return table
}

func (c *Comparison) writeScenario(b *bytes.Buffer, scenario string) {
	head := []string{"server"}
	var shown []int
	for i := range columns {
		for _, r := range c.records[scenario] {
			if r.Spread(columns[i].metric).Count > 0 {
				shown, head = append(shown, i), append(head, columns[i].title)
				break
			}
		}
	}
	if len(shown) == 0 {
		head = append(head, "why nothing was measured")
	}
	table := results.NewTable(head...)
	for _, server := range c.Servers {
		if r := c.records[scenario][server.Name]; r != nil {
			table.Row(r.cells(shown)...)
		}
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n%s", scenario, aboutScenario(scenario), table)
}

// cells are the record's in a table with those columns.
func (r *Record) cells(shown []int) []string {
	name := r.Server + map[bool]string{false: " (not warm)"}[r.Warm]
	if r.Missing != "" {
		return []string{name, oneLine(r.Missing)}
	}
	if n := r.disturbed(); n > 0 {
		name += fmt.Sprintf(" (%d of %d disturbed)", n, len(r.Samples))
	}
	cells := []string{name}
	for _, i := range shown {
		f, cell := columns[i].format, ""
		if m := r.Spread(columns[i].metric); m.Count == 1 {
			cell = fmt.Sprintf(f, m.Median)
		} else if m.Count > 1 {
			cell = fmt.Sprintf(f+" ("+f+" to "+f+")", m.Median, m.Low, m.High)
		}
		cells = append(cells, cell)
	}
	return cells
}

func aboutScenario(name string) string {
	for _, s := range Stages() {
		for _, sc := range s.Scenarios {
			if sc.Name == name {
				return strings.ToUpper(s.About[:1]) + s.About[1:] + ". " + strings.ToUpper(sc.About[:1]) + sc.About[1:] + "."
			}
		}
	}
	return ""
}

// oneLineMax bounds a reason in a table.
const oneLineMax = 300

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > oneLineMax {
		s = s[:oneLineMax] + "..."
	}
	return s
}
