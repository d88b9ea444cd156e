package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
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
	{"others_share", "others on its core", "%.2f"}, {"done_share", "done of due", "%.4f"}, {"p50_us", "P50 us", "%.0f"}, {"p99_us", "P99 us", "%.0f"},
	{"p999_us", "P99.9 us", "%.0f"}, {"max_us", "max us", "%.0f"}, {"elapsed_s", "elapsed s", "%.3f"}, {"fill_s", "fill s", "%.3f"},
	{"register_p50_us", "registration P50 us", "%.0f"}, {"register_max_us", "max", "%.0f"},
	{"visible_p50_us", "visible after the last byte, P50 us", "%.0f"}, {"visible_max_us", "max", "%.0f"}, {"longest_stop_ms", "longest stop of the collector ms", "%.3f"},
	{"start_ms", "start ms", "%.1f"}, {"stop_ms", "stop ms", "%.1f"}, {"rss_mb", "resident MB", "%.1f"}, {"peak_mb", "peak MB", "%.1f"},
	{"idle_mb", "idle MB", "%.1f"}, {"load_busy", "load busy", "%.2f"}, {"load_ns", "load ns/request", "%.0f"}, {"failed", "failed", "%.0f"},
}

// Report writes report.md, report.json and the pictures into the folder, of all that was
// measured so far.
func (c *Comparison) Report() error {
	pictures, err := c.draw()
	if err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	machine, verdicts := c.machine(), c.Verdicts()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Name servers compared\n\n%s, Linux %s, %s (%d processors%s), %d MB; the server on processor %d, the load on %d; %s.\n",
		machine.Time, machine.Kernel, machine.CPU, machine.CPUs, map[bool]string{true: ", virtual"}[machine.Hypervisor], machine.MemoryMB, c.ServerCore, c.LoadCore, machine.Go)
	fmt.Fprintf(&b, "\nMedian (quartiles) of up to %d samples of %v each, the servers in turn there and back. A throughput counts only where the server had 0.95 or more of its core; where the load is busy 0.97 or more, it was the limit. Where others had more than %.2f of the server's core, something disturbed the sample, and three more were tried.\n", c.Pairs, c.Window, disturbed)
	writeVerdicts(&b, verdicts)
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
		"machine": machine, "window_s": c.Window.Seconds(), "targets": verdicts, "records": c.records, "differing": c.Differing(),
	}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.Dir, "report.json"), text, 0o644)
}

func writeVerdicts(b *bytes.Buffer, verdicts []Verdict) {
	b.WriteString("\n## Targets\n\n| what | target | measured | met |\n| --- | --- | --- | --- |\n")
	for _, v := range verdicts {
		bound := fmt.Sprintf("<= %.4g", v.AtMost)
		if v.AtLeast > 0 {
			bound = fmt.Sprintf(">= %.4g", v.AtLeast)
		}
		measured, met := v.Reason, "unknown"
		if v.Known {
			measured = fmt.Sprintf("%.4g (%.4g to %.4g)", v.Value.Median, v.Value.Low, v.Value.High)
			met = map[bool]string{true: "yes", false: "**no**"}[v.Met]
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", v.Row, bound, oneLine(measured), met)
	}
}

func (c *Comparison) writeScenario(b *bytes.Buffer, scenario string) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| server |", scenario, aboutScenario(scenario))
	var shown []int
	for i := range columns {
		for _, r := range c.records[scenario] {
			if r.Spread(columns[i].metric).Count > 0 {
				shown = append(shown, i)
				fmt.Fprintf(b, " %s |", columns[i].title)
				break
			}
		}
	}
	fmt.Fprintf(b, "\n|%s\n", strings.Repeat(" --- |", len(shown)+1))
	for _, server := range c.Servers {
		r := c.records[scenario][server.Name]
		if r == nil {
			continue
		}
		fmt.Fprintf(b, "| %s%s |", r.Server, map[bool]string{false: " (not warm)"}[r.Warm])
		if r.Missing != "" {
			fmt.Fprintf(b, " %s |%s\n", oneLine(r.Missing), strings.Repeat(" |", max(0, len(shown)-1)))
			continue
		}
		for _, i := range shown {
			f := columns[i].format
			switch m := r.Spread(columns[i].metric); {
			case m.Count == 0:
				b.WriteString(" |")
			case m.Count == 1:
				fmt.Fprintf(b, " "+f+" |", m.Median)
			default:
				fmt.Fprintf(b, " "+f+" ("+f+" to "+f+") |", m.Median, m.Low, m.High)
			}
		}
		b.WriteString("\n")
	}
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
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "|", "/")), " ")
	if len(s) > oneLineMax {
		s = s[:oneLineMax] + "..."
	}
	return s
}
