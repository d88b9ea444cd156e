package interop

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// Twins are a Java 5.5.0 name server and the one under test with the same settings.
// Brokers register with both, so that the Java server is the oracle for every answer.
type Twins struct {
	Java, Subject       *Namesrv
	askJava, askSubject *Asker
}

// StartTwins starts both with the same extra settings.
func StartTwins(tb testing.TB, conf ...string) *Twins {
	tb.Helper()
	tw := &Twins{
		Java:    StartNamesrv(tb, JavaNamesrv, NamesrvOptions{Name: "namesrv-oracle", Conf: conf}),
		Subject: StartNamesrv(tb, Subject(tb), NamesrvOptions{Name: "namesrv-subject", Conf: conf}),
	}
	tw.askJava, tw.askSubject = tw.Java.Ask(tb), tw.Subject.Ask(tb)
	return tw
}

// Addrs is both addresses, as brokers and clients take them.
func (tw *Twins) Addrs() string { return Addrs(tw.Java, tw.Subject) }

// settleTime is how long servers may take to learn what happened, and twins to agree.
// Brokers register with each of them separately, every 10 s at the latest; the rest is for
// machines that are busy with something else.
const settleTime = 2 * time.Minute

// Await waits until cond holds at both servers and all their answers are equal, and fails
// with the differences otherwise. It also fails if they drift apart again at once.
func (tw *Twins) Await(tb testing.TB, what string, cond func(a *Asker) bool) {
	tb.Helper()
	deadline := time.Now().Add(settleTime)
	for {
		ok := cond(tw.askJava) && cond(tw.askSubject)
		diff := tw.diff(tb)
		if ok && diff == "" {
			return
		}
		if time.Now().After(deadline) {
			if diff == "" {
				diff = "none, both answer\n" + spell(tw.askSubject.Everything(tb))
			}
			tb.Fatalf("%s: not so after %v (Java: %v, %s: %v). Differences: %s", what, settleTime,
				cond(tw.askJava), tw.Subject.Kind, cond(tw.askSubject), diff)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// AwaitMembers waits until a group has exactly these ids ("0,1") at both, and all answers
// are equal.
func (tw *Twins) AwaitMembers(tb testing.TB, group, ids string) {
	tb.Helper()
	tw.Await(tb, fmt.Sprintf("%s has the members [%s]", group, ids), func(a *Asker) bool {
		return a.Members(tb, group) == ids
	})
}

// diff is "" when both give the same answers to everything.
func (tw *Twins) diff(tb testing.TB) string {
	tb.Helper()
	java, subject := tw.askJava.Everything(tb), tw.askSubject.Everything(tb)
	var b strings.Builder
	for _, q := range slices.Sorted(maps.Keys(java)) {
		if got, asked := subject[q]; !asked {
			fmt.Fprintf(&b, "\n%s\n  java:    %s\n  %s: (does not have it)", q, java[q], tw.Subject.Kind)
		} else if got != java[q] {
			fmt.Fprintf(&b, "\n%s\n  java:    %s\n  %s:  %s", q, java[q], tw.Subject.Kind, got)
		}
	}
	for _, q := range slices.Sorted(maps.Keys(subject)) {
		if _, asked := java[q]; !asked {
			fmt.Fprintf(&b, "\n%s\n  java:    (does not have it)\n  %s:  %s", q, tw.Subject.Kind, subject[q])
		}
	}
	return b.String()
}

func spell(answers map[string]string) string {
	var b strings.Builder
	for _, q := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&b, "%s\n  %s\n", q, answers[q])
	}
	return b.String()
}
