package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// String tells what a run covered.
func (s *Stats) String() string {
	var codes, excepted []string
	for _, c := range slices.Sorted(maps.Keys(s.Codes)) {
		var results []string
		for _, result := range slices.Sorted(maps.Keys(s.Codes[c])) {
			results = append(results, fmt.Sprintf("%d x %d", result, s.Codes[c][result]))
		}
		codes = append(codes, fmt.Sprintf("\n  %d: %s", c, strings.Join(results, ", ")))
	}
	for _, n := range slices.Sorted(maps.Keys(s.Excepted)) {
		excepted = append(excepted, fmt.Sprintf("no. %d x %d", n, s.Excepted[n]))
	}
	return fmt.Sprintf("%d histories, %d steps, %d replies, %d notifications; agreed only after a wait: %d; excepted: %s\n"+
		"results by request code (%d: none):%s", s.Histories, s.Steps, s.Replies, s.Notified, s.Late,
		strings.Join(excepted, ", "), noReply, strings.Join(codes, ""))
}
