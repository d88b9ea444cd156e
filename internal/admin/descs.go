package admin

import "github.com/prometheus/client_golang/prometheus"

// descs collects every description made by desc, for Describe and for the test that
// compares them with docs/metrics.md.
var descs []*prometheus.Desc

func desc(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	descs = append(descs, d)
	return d
}

var (
	descRequests       = desc("requests_total", "Requests by request code and how they were answered.", "code", "name", "result")
	descOneway         = desc("oneway_requests_total", "Requests that asked for no answer.", "code", "name")
	descRoutes         = desc("route_answers_total", "Route lookups (105) by answer.", "answer")
	descLatency        = desc("request_duration_seconds", "Time from a whole request to its answer handed to the connection; of lookups one in 64.", "code", "name")
	descRegistrations  = desc("registrations_total", "Registrations (103) by outcome.", "outcome")
	descRemovals       = desc("broker_removals_total", "Registrations that left the table, by reason.", "reason")
	descHeartbeats     = desc("heartbeats_unknown_total", "Heartbeats (322, 904) that named no registration.")
	descRebound        = desc("registrations_rebound_total", "Registrations taken over by the connection of a heartbeat, their own having closed.")
	descScansDelayed   = desc("expiry_scans_delayed_total", "Expiry scans put off because this process, not the brokers, had been silent.")
	descNotifications  = desc("min_broker_notifications_total", "NOTIFY_MIN_BROKER_ID_CHANGE (905) by result.", "result")
	descConnections    = desc("connections", "Open connections by role.", "role")
	descConnectionsMax = desc("connections_max", "Connections that are accepted at most.")
	descAccepted       = desc("connections_accepted_total", "Connections accepted.")
	descRefused        = desc("connections_refused_total", "Connections accepted and closed at once, for want of descriptors.")
	descCloses         = desc("connection_closes_total", "Connections that ended, by reason.", "reason")
	descTurnsWaited    = desc("connection_turns_waited_total", "Times a connection that sends without a break waited for its turn among many such.")
	descPaused         = desc("connection_pauses_total", "Times a connection was not read from until it had taken its answers, or its requests in lanes were done.")
	descBytesIn        = desc("received_bytes_total", "Bytes read from connections.")
	descBytesOut       = desc("sent_bytes_total", "Bytes of answers.")
	descFrames         = desc("received_frames_total", "Whole frames received, by kind.", "kind")
	descCallbacks      = desc("callbacks_total", "Times an event loop turned to a connection.")
	descBounded        = desc("callbacks_bounded_total", "Callbacks that stopped at the bound on work with more to do.")
	descLongest        = desc("callback_longest_seconds", "The longest timed callback of an event loop since the last scrape.")
	descPanics         = desc("handler_panics_total", "Panics in request handlers; each was answered and survived.")
	descRestarts       = desc("engine_restarts_total", "Times the event engine was started anew.")
	descStalled        = desc("process_stalled_seconds_total", "Time this process stood still; deadlines moved by as much.")
	descIntakeBytes    = desc("intake_bytes", "Bytes of the large frames that have room.")
	descIntakeMax      = desc("intake_max_bytes", "The limit of that.")
	descIntakeWaiting  = desc("intake_waiting", "Connections that are not read from until there is room for their large frame.")
	descIntakeDemoted  = desc("intake_demotions_total", "Large frames that lost their room to others, being too slow.")
	descBudgetBytes    = desc("budget_bytes", "Bytes held under a limit.", "budget")
	descBudgetPeak     = desc("budget_peak_bytes", "The most bytes ever held under a limit.", "budget")
	descBudgetMax      = desc("budget_max_bytes", "The limit.", "budget")
	descBudgetEvicted  = desc("budget_evictions_total", "Connections closed because a limit was reached.", "budget")
	descLaneJobs       = desc("lane_jobs", "Jobs that wait or run in lanes.")
	descLaneBytes      = desc("lane_bytes", "Bytes of jobs that wait or run in brokers' lanes.")
	descLaneBytesMax   = desc("lane_max_bytes", "Bytes that may wait in brokers' lanes.")
	descLaneRejects    = desc("lane_rejects_total", "Requests answered SYSTEM_BUSY because brokers' lanes were full.")
	descLaneDone       = desc("lane_jobs_done_total", "Jobs that lanes have done.")
	descTable          = desc("table_entries", "Entries of the route table, by kind.", "kind")
	descBodyBytes      = desc("table_route_body_bytes", "Memory of encoded route bodies kept for reuse.")
	descBrokerAge      = desc("broker_heartbeat_age_seconds", "Since a broker was last heard of.", "cluster", "broker", "id", "addr")
	descBrokersLate    = desc("brokers_late", "Brokers not heard of for more than 1.5 periods; a period is a quarter of a broker's heartbeat timeout.")
	descBrokersOmitted = desc("brokers_omitted", "Brokers without a series of their own, beyond the first 2000.")
	descBrokersByState = desc("brokers", "Registrations by state.", "state")
)
