package server

import (
	"log/slog"
	"sync"
)

const (
	// logEveryMillis is how often one kind of line may appear.
	logEveryMillis = 10_000
	// logBurst lines of a kind appear at once, so that a handful of peers are all named.
	logBurst = 3
)

// logKind names a line that peers can provoke at will.
type logKind uint8

// The kinds of rate-limited lines.
const (
	logBadFrame logKind = iota
	logUnsupported
	logPartialStalled
	logInboundMemory
	logOutboundStalled
	logOutboundMemory
	logTooMany
	logShortage
	logPanic
	logHandlers // the first kind that handlers may use; see RateLimitedLog
	logKinds    = logHandlers + 8
)

// RateLimitedLog writes lines that a peer can provoke: of each kind a few at once, then
// one every ten seconds, which says how many were left out.
type RateLimitedLog struct {
	log   *slog.Logger
	clock *Clock
	mu    sync.Mutex
	kinds [logKinds]logBucket
}

type logBucket struct {
	sinceMillis int64
	written     int
	suppressed  uint64
}

func newRateLimitedLog(log *slog.Logger, clock *Clock) *RateLimitedLog {
	r := &RateLimitedLog{log: log, clock: clock}
	for i := range r.kinds {
		r.kinds[i].sinceMillis = -logEveryMillis
	}
	return r
}

// warn writes the line unless its kind had its share. args are slog's; computing them is
// worth avoiding on a hot path, see allowed.
func (r *RateLimitedLog) warn(kind logKind, msg string, args ...any) {
	suppressed, ok := r.allowed(kind)
	if !ok {
		return
	}
	if suppressed > 0 {
		args = append(args, "suppressed", suppressed)
	}
	r.log.Warn(msg, args...)
}

// allowed takes a line of this kind from its share, and says how many had to do without
// since the last one.
func (r *RateLimitedLog) allowed(kind logKind) (suppressed uint64, ok bool) {
	now := r.clock.RawMillis()
	r.mu.Lock()
	defer r.mu.Unlock()
	b := &r.kinds[kind]
	if now-b.sinceMillis >= logEveryMillis {
		b.sinceMillis, b.written = now, 0
	}
	if b.written >= logBurst {
		b.suppressed++
		return 0, false
	}
	if b.suppressed > 0 {
		b.written = logBurst // the line that reports a flood stands alone
	}
	b.written++
	suppressed, b.suppressed = b.suppressed, 0
	return suppressed, true
}
