package faults

import (
	"fmt"
	"regexp"
	"strings"
)

// Claim is a sentence about several cases, and what the records say of it.
type Claim struct {
	Text  string
	Found string
	Met   string // as in a Row
}

// claim is how a sentence is judged: of the rows of Pharos that match, found says what there is,
// or "" if that is nothing.
type claim struct {
	text  string
	cases *regexp.Regexp
	judge func(rows []Row) (found string, met bool)
}

func claims() []claim {
	return []claim{
		{"deaths are found in time: median and most of every case", regexp.MustCompile(`.`), inTime},
		{"without BPF the median is at most 1 s later", regexp.MustCompile(`.`), notMuchLater},
		{"no living broker is missing at 0, 1 and 5 % loss", regexp.MustCompile(`^loss-[015](-on-2)?$`), neverMissing},
		{"nor while a process is frozen, a window closed, paths drop 1 s and 3 s of every 10",
			regexp.MustCompile(`^(freeze|zero-window|drops-[13]-of-10)$`), neverMissing},
		{"nor while the server's own link is down for 8 s, or the server stopped", regexp.MustCompile(`^(own-link|stopped)-`), neverMissing},
		{"nor in an outage of up to 4 s", regexp.MustCompile(`^outage-(0\.5|[1-4])(-3-servers)?$`), neverMissing},
		{"a longer outage costs no more than itself", regexp.MustCompile(`^outage-([5-9]|1\d)(-3-servers)?$`), allMet},
		{"a lost NAT entry costs at most 5 s", regexp.MustCompile(`^lost-nat-entry$`), allMet},
		{"a reboot costs nothing once the broker has registered again", regexp.MustCompile(`^reboot$`), neverMissing},
		{"no standing freeze: verdicts wait for at most 1 % of the time at 0, 1 and 5 % loss", regexp.MustCompile(`^loss-[015](-on-2)?$`), freezeShare},
	}
}

// Claims judges the rows of Pharos with connection health on.
func Claims(rows []Row) []Claim {
	var list []Claim
	for _, c := range claims() {
		var of []Row
		for i := range rows {
			r := &rows[i]
			if (r.Mode == EBPF || r.Mode == Sampling) && r.Runs > 0 && c.cases.MatchString(r.Case) {
				of = append(of, *r)
			}
		}
		verdict := Claim{Text: c.text, Met: "not measured"}
		if len(of) > 0 {
			var met bool
			if verdict.Found, met = c.judge(of); met {
				verdict.Met = "met"
			} else if verdict.Found != "" {
				verdict.Met = "NOT MET"
			}
		}
		list = append(list, verdict)
	}
	return list
}

func inTime(rows []Row) (string, bool) {
	judged, few := 0, 0
	var late []string
	for i := range rows {
		r := &rows[i]
		if r.Target.MaxSeconds <= 0 { // none wanted, or any
			continue
		}
		judged++
		if r.Runs < runsEnough {
			few++
		}
		if r.Met != "met" {
			late = append(late, fmt.Sprintf("%s (%s, %s): %s", r.Case, r.Mode, r.path(), r.found()))
		}
	}
	if judged == 0 {
		return "", false
	}
	found := fmt.Sprintf("%d of %d", judged-len(late), judged)
	if few > 0 {
		found += fmt.Sprintf(", %d of them by less than %d runs", few, runsEnough)
	}
	if len(late) > 0 {
		found += "; not " + strings.Join(late, ", ")
	}
	return found, len(late) == 0
}

// notMuchLater compares the medians of the two modes. Where no time is promised (10 % loss) one run
// of each tells nothing: two of the same mode differ by seconds.
func notMuchLater(rows []Row) (string, bool) {
	pairs, worst, where := 0, 0.0, ""
	for i := range rows {
		for j := range rows {
			a, b := &rows[i], &rows[j]
			if a.Mode != EBPF || b.Mode != Sampling || a.Case != b.Case || a.RTTMillis != b.RTTMillis || len(a.Detected) == 0 || len(b.Detected) == 0 {
				continue
			}
			if a.Target.MaxSeconds <= 0 && min(len(a.Detected), len(b.Detected)) < runsOfMedian {
				continue
			}
			pairs++
			if later := b.Median - a.Median; where == "" || later > worst {
				worst, where = later, fmt.Sprintf("%s, %s", a.Case, a.path())
			}
		}
	}
	if pairs == 0 {
		return "", false
	}
	return fmt.Sprintf("%d pairs, at most %.2f s (%s)", pairs, worst, where), worst <= samplingLater+observerSlack
}

const (
	// runsEnough are the runs that a median and a most want.
	runsEnough = 20
	// runsOfMedian are those with which a median says something where no time is promised.
	runsOfMedian = 3
)

func neverMissing(rows []Row) (string, bool) {
	hours, seconds, removals := 0.0, 0.0, 0
	for i := range rows {
		hours += rows[i].BrokerHours
		seconds += rows[i].MissingSeconds
		removals += rows[i].Removals
	}
	return fmt.Sprintf("%.1f s missing, %d removals in %.1f broker-hours (95 %%: less than %.2f an hour)",
		seconds, removals, hours, upperBound(removals, hours)), removals == 0 && seconds <= observerSlack
}

func allMet(rows []Row) (string, bool) {
	most, where, met := 0.0, "", true
	for i := range rows {
		r := &rows[i]
		met = met && r.Met == "met"
		if r.MissingMost >= most {
			most, where = r.MissingMost, r.Case
		}
	}
	return fmt.Sprintf("at most %.1f s (%s)", most, where), met
}

func freezeShare(rows []Row) (string, bool) {
	frozen, watched := 0.0, 0.0
	for i := range rows {
		frozen += rows[i].FreezeSeconds
		watched += rows[i].WatchedSeconds
	}
	if watched == 0 {
		return "", false
	}
	return fmt.Sprintf("%.1f s of %.0f s", frozen, watched), frozen <= watched/100
}
