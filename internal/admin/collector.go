package admin

import (
	"context"
	"time"

	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
	"github.com/prometheus/client_golang/prometheus"
)

// Source is what the port shows; *server.Server is one.
type Source interface {
	// Stats gathers the counters of loops and lanes.
	Stats(context.Context) server.Stats
	// HandlerStats are the counters of the request handlers and the housekeeping.
	HandlerStats() server.HandlerStats
	// Snapshot is the current route table.
	Snapshot() *routetable.Snapshot
	// NowMillis is the clock that registrations are stamped with.
	NowMillis() int64
	// Computing says that an answer is made, until done is called.
	Computing() (done func())
	// NotReady says why clients should not be sent here yet, or any more; "" when ready.
	NotReady() string
}

const (
	namespace = "rocketmq_namesrv"
	// brokerSeriesMax bounds the series that name a broker; what is left out is counted.
	brokerSeriesMax = 2000
	statsTimeout    = 2 * time.Second
)

// collector makes the metrics from the server's counters at scrape time, so that nothing
// is kept twice and the hot path knows no metrics library.
type collector struct {
	source    Source
	diagnosis Diagnosis // nil: connections are not watched
}

func newCollector(s Source, d Diagnosis) *collector { return &collector{s, d} }

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	st := c.source.Stats(ctx)
	snapshot := c.source.Snapshot()
	collectRequests(ch, &st)
	handlers := c.source.HandlerStats()
	collectHandlers(ch, &handlers)
	collectConnections(ch, &st)
	collectMemory(ch, &st)
	collectTable(ch, snapshot)
	brokers := collectBrokers(ch, snapshot, c.source.NowMillis())
	gauge(ch, descConnections, float64(brokers), "broker")
	gauge(ch, descConnections, max(0, float64(st.Connections)-float64(brokers)), "client")
	if c.diagnosis == nil {
		gauge(ch, descHealthInfo, 1, "off", "", "")
		return
	}
	health, err := c.diagnosis.Health(ctx)
	collectHealth(ch, &health, err == nil)
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(ch chan<- prometheus.Metric, d *prometheus.Desc, v uint64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
}
