package server

import (
	"math/bits"
	"sync"

	"github.com/pharosmq/pharos/codec"
	"golang.org/x/sys/cpu"
)

// Every so many-th lookup, and every so many-th callback with little to read, is timed: two
// readings of the clock can cost as much as a lookup. Other requests, and callbacks with much
// to read, are always timed.
const (
	lookupSampleEvery   = 64
	callbackSampleEvery = 8
)

// LatencyBuckets is the number of buckets of a latency histogram. Bucket i counts
// durations below LatencyBucketNanos(i); the last one has no upper end.
const LatencyBuckets = 27

const latencyFirstBits = 8 // bucket 0 is below 256 ns

// LatencyBucketNanos is the upper end of bucket i: 256 ns, doubling.
func LatencyBucketNanos(i int) int64 { return 1 << (latencyFirstBits + i) }

func latencyBucket(nanos int64) int {
	if nanos < 0 {
		return 0
	}
	return min(bits.Len64(uint64(nanos)>>latencyFirstBits), LatencyBuckets-1)
}

// Result is how a request was answered, as far as the metrics tell results apart.
type Result uint8

// The results.
const (
	ResultSuccess Result = iota
	ResultSystemError
	ResultSystemBusy
	ResultNotSupported
	ResultNoPermission
	ResultTopicNotExist
	ResultQueryNotFound
	ResultGoAway
	ResultOther
	ResultNone // never answered

	Results = int(ResultNone) + 1
)

var resultNames = [Results]string{"success", "system_error", "system_busy", "not_supported",
	"no_permission", "topic_not_exist", "query_not_found", "go_away", "other", "none"}

// String returns the result as the metrics label it.
func (r Result) String() string { return resultNames[min(int(r), Results-1)] }

func resultOf(code int32) Result {
	switch code {
	case codec.Success:
		return ResultSuccess
	case codec.SystemError:
		return ResultSystemError
	case codec.SystemBusy:
		return ResultSystemBusy
	case codec.RequestCodeNotSupported:
		return ResultNotSupported
	case codec.NoPermission:
		return ResultNoPermission
	case codec.TopicNotExist:
		return ResultTopicNotExist
	case codec.QueryNotFound:
		return ResultQueryNotFound
	case codec.GoAway:
		return ResultGoAway
	case noResult:
		return ResultNone
	}
	return ResultOther
}

// RequestStats counts the requests of one code.
type RequestStats struct {
	Results [Results]uint64
	Oneway  uint64
	// Latency is a histogram of the time from the request being whole to its answer being
	// handed to the connection; of lookups (105) a sample of one in 64.
	Latency      [LatencyBuckets]uint64
	LatencyCount uint64
	LatencyNanos uint64 // their sum
}

func (r *RequestStats) observe(nanos int64) {
	r.Latency[latencyBucket(nanos)]++
	r.LatencyCount++
	r.LatencyNanos += uint64(max(0, nanos))
}

func (r *RequestStats) add(o *RequestStats) {
	for i := range r.Results {
		r.Results[i] += o.Results[i]
	}
	for i := range r.Latency {
		r.Latency[i] += o.Latency[i]
	}
	r.Oneway += o.Oneway
	r.LatencyCount += o.LatencyCount
	r.LatencyNanos += o.LatencyNanos
}

// LoopStats is what one event loop counts, alone and without atomics: it is read by
// asking the loop for a copy.
type LoopStats struct {
	// Requests by dispatch slot: a known code's, the last one all unknown codes'.
	Requests []RequestStats
	// Closes by CloseReason.
	Closes [closeReasons]uint64

	Accepted          uint64
	FramesIn          uint64
	LargeFramesIn     uint64
	ResponsesIn       uint64 // frames that answer nothing we asked; dropped
	BytesIn           uint64
	BytesOut          uint64
	Callbacks         uint64
	BoundedCallbacks  uint64 // stopped at the bound on work, with more to do
	PausedConnections uint64 // times a connection was not read from until it had read, or its requests in lanes were done
	TurnsWaited       uint64 // times a connection that streams waited for its turn
	LongestNanos      int64  // the longest timed callback since the last Stats

	_ cpu.CacheLinePad // what another loop writes begins on another line
}

func newLoopStats(slots int) *LoopStats { return &LoopStats{Requests: make([]RequestStats, slots)} }

// add adds o's counts to s.
func (s *LoopStats) add(o *LoopStats) {
	for i := range o.Requests {
		s.Requests[i].add(&o.Requests[i])
	}
	for i := range o.Closes {
		s.Closes[i] += o.Closes[i]
	}
	s.Accepted += o.Accepted
	s.FramesIn += o.FramesIn
	s.LargeFramesIn += o.LargeFramesIn
	s.ResponsesIn += o.ResponsesIn
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.Callbacks += o.Callbacks
	s.BoundedCallbacks += o.BoundedCallbacks
	s.PausedConnections += o.PausedConnections
	s.TurnsWaited += o.TurnsWaited
	s.LongestNanos = max(s.LongestNanos, o.LongestNanos)
}

// count counts one request that came to its end on this goroutine.
func (s *LoopStats) count(slot int, r *reply) {
	q := &s.Requests[slot]
	q.Results[resultOf(r.result)]++
	if r.oneway {
		q.Oneway++
	}
}

// clone is a copy that shares nothing.
func (s *LoopStats) clone() *LoopStats {
	c := *s
	c.Requests = append([]RequestStats(nil), s.Requests...)
	return &c
}

// sharedStats is a LoopStats that many goroutines count in: for lanes, where a lock is
// nothing, and for what is left of loops that ended.
type sharedStats struct {
	mu sync.Mutex
	s  *LoopStats
}

func (s *sharedStats) update(f func(*LoopStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.s)
}
