package admin

import (
	"strconv"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
	"github.com/prometheus/client_golang/prometheus"
)

func collectRequests(ch chan<- prometheus.Metric, st *server.Stats) {
	for i, slot := range st.Slots {
		r := &st.Loops.Requests[i]
		code := "unknown"
		if slot.Code >= 0 {
			code = strconv.Itoa(int(slot.Code))
		}
		for result, n := range r.Results {
			if n > 0 {
				counter(ch, descRequests, n, code, slot.Name, server.Result(result).String())
			}
		}
		if r.Oneway > 0 {
			counter(ch, descOneway, r.Oneway, code, slot.Name)
		}
		if r.LatencyCount > 0 {
			ch <- histogram(r, code, slot.Name)
		}
		if slot.Code == codec.CodeGetRouteInfoByTopic {
			collectRoutes(ch, r)
		}
	}
}

func collectHandlers(ch chan<- prometheus.Metric, st *server.HandlerStats) {
	for outcome, n := range st.Registrations {
		counter(ch, descRegistrations, n, server.RegistrationOutcome(outcome).String())
	}
	for reason, n := range st.Removals {
		counter(ch, descRemovals, n, routetable.RemoveReason(reason).String())
	}
	counter(ch, descHeartbeats, st.HeartbeatsUnknown)
	counter(ch, descRebound, st.Rebound)
	counter(ch, descScansDelayed, st.ScansDelayed)
	counter(ch, descNotifications, st.NotifySent, "sent")
	counter(ch, descNotifications, st.NotifyFailed, "failed")
	counter(ch, descNotifications, st.NotifyDropped, "dropped")
}

func collectRoutes(ch chan<- prometheus.Metric, r *server.RequestStats) {
	found, missing := r.Results[server.ResultSuccess], r.Results[server.ResultTopicNotExist]
	var all uint64
	for _, n := range r.Results {
		all += n
	}
	counter(ch, descRoutes, found, "found")
	counter(ch, descRoutes, missing, "missing")
	counter(ch, descRoutes, all-found-missing, "refused")
}

func histogram(r *server.RequestStats, code, name string) prometheus.Metric {
	buckets := make(map[float64]uint64, server.LatencyBuckets)
	var below uint64
	for i := range server.LatencyBuckets - 1 { // the last has no upper end
		below += r.Latency[i]
		buckets[seconds(server.LatencyBucketNanos(i))] = below
	}
	return prometheus.MustNewConstHistogram(descLatency, r.LatencyCount, seconds(int64(r.LatencyNanos)), buckets, code, name)
}

func seconds(nanos int64) float64 { return float64(nanos) / 1e9 }

func collectConnections(ch chan<- prometheus.Metric, st *server.Stats) {
	gauge(ch, descConnectionsMax, float64(st.ConnectionsMax))
	counter(ch, descAccepted, st.Loops.Accepted)
	counter(ch, descRefused, st.ConnectionsRefused)
	for reason, n := range st.Loops.Closes {
		counter(ch, descCloses, n, server.CloseReason(reason).String())
	}
	counter(ch, descPaused, st.Loops.PausedConnections)
	counter(ch, descTurnsWaited, st.Loops.TurnsWaited)
	counter(ch, descBytesIn, st.Loops.BytesIn)
	counter(ch, descBytesOut, st.Loops.BytesOut)
	small := st.Loops.FramesIn - st.Loops.LargeFramesIn - st.Loops.ResponsesIn
	counter(ch, descFrames, small, "request")
	counter(ch, descFrames, st.Loops.LargeFramesIn, "large_request")
	counter(ch, descFrames, st.Loops.ResponsesIn, "response")
	counter(ch, descCallbacks, st.Loops.Callbacks)
	counter(ch, descBounded, st.Loops.BoundedCallbacks)
	gauge(ch, descLongest, seconds(st.Loops.LongestNanos))
	counter(ch, descPanics, st.Panics)
	counter(ch, descRestarts, st.EngineRestarts)
	ch <- prometheus.MustNewConstMetric(descStalled, prometheus.CounterValue, float64(st.StallMillis)/1e3)
}

func collectMemory(ch chan<- prometheus.Metric, st *server.Stats) {
	for name, b := range map[string]server.BudgetStats{"inbound": st.Inbound, "outbound": st.Outbound} {
		gauge(ch, descBudgetBytes, float64(b.Bytes), name)
		gauge(ch, descBudgetPeak, float64(b.PeakBytes), name)
		gauge(ch, descBudgetMax, float64(b.MaxBytes), name)
		counter(ch, descBudgetEvicted, b.Evicted, name)
	}
	gauge(ch, descIntakeBytes, float64(st.Intake.Bytes))
	gauge(ch, descIntakeMax, float64(st.Intake.MaxBytes))
	gauge(ch, descIntakeWaiting, float64(st.Intake.Waiting))
	counter(ch, descIntakeDemoted, st.Intake.Demoted)
	gauge(ch, descLaneJobs, float64(st.Lanes.Jobs))
	gauge(ch, descLaneBytes, float64(st.Lanes.Bytes))
	gauge(ch, descLaneBytesMax, float64(st.Lanes.MaxBytes))
	counter(ch, descLaneRejects, st.Lanes.Rejected)
	counter(ch, descLaneDone, st.Lanes.Done)
}

func collectTable(ch chan<- prometheus.Metric, s *routetable.Snapshot) {
	st := s.Stats()
	gauge(ch, descTable, float64(st.Topics), "topic")
	gauge(ch, descTable, float64(st.Groups), "group")
	gauge(ch, descTable, float64(st.Clusters), "cluster")
	gauge(ch, descTable, float64(st.Shapes), "shape")
	gauge(ch, descBodyBytes, float64(st.BodyBytes))
}

// late: a broker is late after one and a half of its periods. A broker registers
// four times in its heartbeat timeout (every 30 s of 120 s).
func late(ageMillis, timeoutMillis int64) bool { return ageMillis > timeoutMillis/4*3/2 }

// collectBrokers reports on each broker and returns how many connections carry one.
func collectBrokers(ch chan<- prometheus.Metric, s *routetable.Snapshot, nowMillis int64) int {
	conns := map[routetable.ConnID]struct{}{}
	var total, lateOnes int
	states := map[routetable.State]int{routetable.StateLive: 0, routetable.StateHeld: 0, routetable.StateParked: 0}
	for b := range s.Brokers() {
		total++
		age := max(0, nowMillis-b.LastSeenMillis)
		if total <= brokerSeriesMax {
			gauge(ch, descBrokerAge, float64(age)/1e3, b.Broker.Cluster, b.Name, strconv.FormatInt(b.ID, 10), b.Broker.Addr)
		}
		if late(age, b.TimeoutMillis) {
			lateOnes++
		}
		states[b.State]++
		if b.Conn != 0 {
			conns[b.Conn] = struct{}{}
		}
	}
	for state, n := range states {
		gauge(ch, descBrokersByState, float64(n), state.String())
	}
	gauge(ch, descBrokersLate, float64(lateOnes))
	gauge(ch, descBrokersOmitted, float64(max(0, total-brokerSeriesMax)))
	return len(conns)
}
