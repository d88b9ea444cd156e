package failover

import (
	"context"
	"fmt"
	"time"

	"github.com/pharosmq/pharos/bench/failover/openloop"
)

// A fault strikes when all calls have gone well for a while. What goes wrong before it is not its
// doing, and not judged by what it will do to the client: a client that is never calm by itself is
// not measured, and the table says so. What happens after the strike decides nothing.

const (
	calmPatience = 30 * time.Second // beyond the time that is planned before the fault
	calmLook     = 100 * time.Millisecond
)

// restless finds the last sign after since that the machine, or the client, is not calm: a call that
// failed, took longer than calm, or was begun later than lateness.
func restless(lines []openloop.Line, since time.Time, calm, lateness time.Duration) (last time.Time, why string) {
	for i := range lines {
		l := &lines[i]
		at := time.Unix(0, l.At)
		if !at.After(since) || at.Before(last) {
			continue
		}
		switch {
		case l.Call != nil && l.Call.Error != "":
			last, why = at, fmt.Sprintf("a %s failed: %s", l.Call.What, l.Call.Error)
		case l.Call != nil && l.Call.Millis > float64(calm)/1e6:
			last, why = at, fmt.Sprintf("a %s took %.2f s", l.Call.What, l.Call.Millis/1000)
		case l.Count != nil && l.Count.LateMillis > float64(lateness)/1e6:
			last, why = at, fmt.Sprintf("a call began %.2f s late", l.Count.LateMillis/1000)
		}
	}
	return last, why
}

// awaitCalm waits until all went well for so long. It says what did not if that takes too long, and
// by how much it took longer than it could have.
func (o *Options) awaitCalm(ctx context.Context, c *child, so time.Duration) (putOff time.Duration, why string, err error) {
	begin := time.Now()
	from := begin
	for {
		wait := time.Until(from.Add(so))
		if wait <= 0 {
			return time.Since(begin) - so, "", nil
		}
		if time.Since(begin) > so+calmPatience {
			return 0, fmt.Sprintf("not calm for %v within %v before the fault: %s", so.Round(calmLook), so.Round(calmLook)+calmPatience, why), nil
		}
		if err := sleep(ctx, min(wait, calmLook)); err != nil {
			return 0, "", err
		}
		if last, because := restless(c.all(), begin, o.Calm, o.Lateness); last.After(from) {
			from, why = last, because
		}
	}
}
