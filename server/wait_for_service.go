package server

import "github.com/pharosmq/pharos/internal/config"

// readyForService reports that waitSecondsForService have passed since the start: until
// then, with needWaitForService, routes are refused, since brokers are still coming. Time
// in which the process stood still does not count: no broker could come.
//
// Java: ClientRequestProcessor#getRouteInfoByTopic.
func (h *handlers) readyForService(nowMillis int64, live *config.Live) bool {
	return nowMillis-h.startMillis >= int64(live.WaitSecondsForService)*1000
}
