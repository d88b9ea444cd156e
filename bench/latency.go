package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies from a microsecond to two minutes are kept with three digits.
const (
	latencyMinNanos = int64(time.Microsecond)
	latencyMaxNanos = int64(2 * time.Minute)
	latencyDigits   = 3
)

// Latency is what a histogram says, in microseconds. Values beyond two minutes count as two
// minutes.
type Latency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_us"`
	P50   float64 `json:"p50_us"`
	P90   float64 `json:"p90_us"`
	P99   float64 `json:"p99_us"`
	P999  float64 `json:"p999_us"`
	Max   float64 `json:"max_us"`
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(latencyMinNanos, latencyMaxNanos, latencyDigits)
}

// record takes what lies between due and now. The error is only for what was clamped.
func record(h *hdrhistogram.Histogram, nanos int64) {
	_ = h.RecordValue(min(max(nanos, 0), latencyMaxNanos))
}

func summarize(h *hdrhistogram.Histogram) Latency {
	us := func(nanos int64) float64 { return float64(nanos) / 1e3 }
	v := h.ValueAtPercentiles([]float64{50, 90, 99, 99.9})
	return Latency{
		Count: h.TotalCount(), Mean: h.Mean() / 1e3,
		P50: us(v[50]), P90: us(v[90]), P99: us(v[99]), P999: us(v[99.9]), Max: us(h.Max()),
	}
}
