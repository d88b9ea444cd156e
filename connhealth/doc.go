// Package connhealth decides, from what the kernel says about TCP connections, which
// brokers and clients are half dead.
//
// Avoid automated decisions that hurt availability: hiding a living broker is worse than
// listing a dead one some seconds longer. So nothing here is decided by one signal alone,
// every verdict can be taken back, and each says why.
//
// The package is pure. It has no clock, socket, logger, goroutine or metric, and imports
// nothing of ours: evidence and the time go in, actions come out, and the owner performs
// them or, in the mode observe, does not. All methods of a Detector belong to one
// goroutine. Times are milliseconds of one monotonic clock and never go backwards.
//
// The rule, in the order of a broker's bad day:
//
//   - Only tested silence counts (silence.go): transmissions of ours that went unanswered,
//     and the time they span. An idle connection is tested by its kernel keepalive.
//   - Silence is a verdict when it is long enough, when the chance that lost packets alone
//     explain it is small enough (phi.go, loss.go), and when somebody else was heard
//     meanwhile (witness.go). Many hosts silent at once are more likely our own fault
//     (freeze.go).
//   - A verdict parks the broker; proof of life restores it at once and makes the next
//     verdict about it slower (broker.go, restore.go).
//   - A close is judged by what came before it (close.go): out of health, the process
//     ended; out of trouble, the path hiccupped and the broker is held for seconds, until
//     a request, a new connection (candidate.go) or a dial-back (dialback.go) settles it.
//   - A pause of our own expires nobody (stall.go).
//
// A peer that acknowledges and says nothing, a frozen process or a slow reader, is never
// dead here: RocketMQ's own 120 s rule is for it.
package connhealth
