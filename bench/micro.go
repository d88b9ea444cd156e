package bench

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// microFile is what `go test -bench` printed, in a comparison's folder: make bench puts it
// there. Its numbers are records like others, so that checks can speak of them: the scenario
// is "micro", the metric the benchmark's name, a blank and the unit ("BenchmarkX-2 ns/op";
// with one processor Go leaves "-1" out).
const microFile, microScenario = "micro.txt", "micro"

// readMicro makes a record of microFile; nil if there is none.
func readMicro(dir string) (*Record, error) {
	text, err := os.ReadFile(filepath.Join(dir, microFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &Record{Scenario: microScenario, Server: "pharos", Warm: true}
	seen := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
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
