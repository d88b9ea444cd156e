package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pharosmq/pharos/bench/results"
)

// microFile is what `go test -bench` printed, in a comparison's folder: make bench puts it
// there. Its numbers are records like others, so that checks can speak of them: the scenario
// is "micro", the metric the benchmark's name, a blank and the unit ("BenchmarkX-2 ns/op";
// with one processor Go leaves "-1" out). BuildLine is its first line: whose numbers they are.
const microFile, microScenario = "micro.txt", "micro"

const buildKey = "build: "

// BuildLine is the line of microFile that names the build.
func BuildLine(build string) string { return buildKey + build + "\n" }

// HasMicro reports whether the file has Go's benchmarks of that build.
func HasMicro(path, build string) bool {
	r, err := readMicro(path)
	return err == nil && r != nil && results.SameBuild(r.Build, build)
}

// loadMicro keeps microFile as a record, if there is one: of the Pharos that is measured.
func (c *Comparison) loadMicro() error {
	path := filepath.Join(c.Dir, microFile)
	r, err := readMicro(path)
	if err != nil || r == nil {
		return err
	}
	for i := range c.Servers {
		if s := &c.Servers[i]; s.Name == r.Server && s.Build != "" && !results.SameBuild(r.Build, s.Build) {
			return fmt.Errorf("%s has benchmarks of %s with %q, and this is %q: remove it, or have make bench measure them anew", path, r.Server, r.Build, s.Build)
		}
	}
	c.keep(r)
	return nil
}

// readMicro makes a record of a microFile; nil if there is none.
func readMicro(path string) (*Record, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &Record{Scenario: microScenario, Server: "pharos", Warm: true}
	seen := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if build, ok := strings.CutPrefix(lines.Text(), buildKey); ok {
			r.Build = build
		}
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		round := seen[fields[0]]
		seen[fields[0]]++
		if round == len(r.Samples) {
			r.Samples = append(r.Samples, Sample{Round: round, Micro: map[string]float64{}})
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				r.Samples[round].Micro[fields[0]+" "+fields[i+1]] = v
			}
		}
	}
	return r, nil
}
