package connwatch

import (
	"errors"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
)

// Goal: a loop that stood still is told of, once for each pause.
func TestLoopStallIsNoticed(t *testing.T) {
	r := newRig(t, discard)
	r.noticeStall(r.now(), r.now()-100) // quick enough
	for range 3 {                       // connections of the same loop
		r.noticeStall(r.now(), r.now()-1700)
	}
	var stalls []note
	for n := range r.box.take().all {
		stalls = append(stalls, *n)
	}
	if len(stalls) != 1 || stalls[0].kind != noteStalled || stalls[0].forMillis < 1700 {
		t.Fatalf("noted %+v, want one pause of 1.7 s", stalls)
	}
	r.happens(stalls[0])
	if h := r.numbers(0); h.StallSeconds < 1.7 {
		t.Errorf("%v s of pauses counted", h.StallSeconds)
	}
}

// Goal: the explanation of a close has the threshold that the broker was judged by, not that
// of the connection after it was taken off.
func TestCloseShowsTheBrokersThreshold(t *testing.T) {
	r := newRig(t, discard)
	r.opens(1, "10.0.0.1:4001")
	r.registers(1, "broker-a", "10.0.0.1:10911")
	r.passes(5000)
	r.happens(note{kind: noteClosed, conn: 1, how: connhealth.CloseError})
	page := r.Evidence(0)
	if len(page.Entries) != 1 || page.Entries[0].Action != "hold" {
		t.Fatalf("evidence %q", actionsOf(&page))
	}
	want := r.o.Params.DeadMillis
	if w := page.Entries[0].Why; w.ThresholdMillis != want || w.LossOwn != 0 {
		t.Errorf("threshold %d, want %d; loss %v of a path that was never tried", w.ThresholdMillis, want, w.LossOwn)
	}
}

// Goal: why nothing is traced is told where operators look.
func TestFailedTracingIsTold(t *testing.T) {
	r := newRig(t, discard)
	r.opens(1, "10.0.0.1:4001")
	r.TraceFailed(errors.New("no such kernel"))
	h, err := r.Health(t.Context())
	if err != nil || h.Tracing != "sampling" || h.Reason != "no such kernel" {
		t.Errorf("metrics say %q, %q, %v", h.Tracing, h.Reason, err)
	}
	report, err := r.Conn(t.Context(), 1)
	if err != nil || report.Tracing != "sampling" || report.TracingReason != "no such kernel" {
		t.Errorf("an explanation says %q, %q, %v", report.Tracing, report.TracingReason, err)
	}
	if _, err := r.Dump(t.Context()); !errors.Is(err, diag.ErrNoDump) || !strings.Contains(err.Error(), "no such kernel") {
		t.Errorf("a dump says %v", err)
	}
}
