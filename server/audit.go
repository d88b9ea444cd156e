package server

import (
	"context"
	"log/slog"
	"sync"
)

// Lines that peers can provoke, apart from the engine's.
const (
	logRegisterRefused = logHandlers + iota
	logScanDelayed
)

// audit writes the line of a request that changes something for everybody (100, 102, 205,
// 216, 217, 318, 327): who asked, and what changed or why nothing did. Lines about changes
// have a share of their own, which no operator's script uses up: whoever asks for what
// changes nothing, as often as the network allows, can neither fill the disk with lines
// nor keep those of others out of the log.
func (h *handlers) audit(what string, p *Pending, changed bool, err error, args ...any) {
	for i := range args {
		if s, ok := args[i].(string); ok {
			args[i] = clip(s)
		}
	}
	args = append([]any{"caller", p.Conn.RemoteAddr()}, args...)
	switch {
	case err != nil:
		h.futile.warn(what+": refused", append(args, "error", clip(err.Error()))...)
	case !changed:
		h.futile.info(what, args...)
	default:
		h.changes.info(what, args...)
	}
}

const (
	eventWindowMillis = 10_000
	// eventsInWindow is enough for a whole cluster that comes or goes, and too little to
	// fill a disk.
	eventsInWindow = 500
	// changesInWindow: a script that deletes topics one by one is slower than this.
	changesInWindow = 5000
)

// eventLog writes one line for each thing that happens, to a broker for instance, and
// counts what is above its share.
type eventLog struct {
	log   *slog.Logger
	clock *Clock
	share int // lines in a window

	mu          sync.Mutex
	sinceMillis int64
	written     int
	suppressed  uint64
}

func newEventLog(srv *Server, share int) eventLog {
	return eventLog{log: srv.log, clock: srv.clock, share: share, sinceMillis: -eventWindowMillis}
}

func (e *eventLog) info(msg string, args ...any) { e.line(slog.LevelInfo, msg, args) }
func (e *eventLog) warn(msg string, args ...any) { e.line(slog.LevelWarn, msg, args) }

func (e *eventLog) line(level slog.Level, msg string, args []any) {
	suppressed, ok := e.allowed(e.clock.RawMillis())
	if !ok {
		return
	}
	if suppressed > 0 {
		args = append(args, "suppressedBefore", suppressed)
	}
	e.log.Log(context.Background(), level, msg, args...)
}

// allowed takes a line from the share of this window, and says how many had to do without
// since the last one.
func (e *eventLog) allowed(nowMillis int64) (suppressed uint64, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if nowMillis-e.sinceMillis >= eventWindowMillis {
		e.sinceMillis, e.written = nowMillis, 0
	}
	if e.written >= e.share {
		e.suppressed++
		return 0, false
	}
	e.written++
	suppressed, e.suppressed = e.suppressed, 0
	return suppressed, true
}
