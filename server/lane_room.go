package server

// A request that the lanes have no room for is not refused at once: it stays where it is, and
// its connection is not read from until there is room. A broker that is refused comes back at
// its next tick only, and routes lack it for half a minute. It is refused when it has waited
// for long, or when what waits so is half of what may be read and not handled.

const (
	// roomPatienceMillis: a broker waits 24 s for its answer, and Java's tools 5 to 10 s.
	roomPatienceMillis = 4000
	// roomReserve: one part in so many of the lanes' room must be free before those that wait
	// go on, so that they do not all come for the room of one request.
	roomReserve = 16
)

// mayWait reports whether c's next request, of so many bytes, may wait for room in lanes.
func (l *loop) mayWait(c *connection, bytes int) bool {
	b := &l.srv.lanes.brokers.laneBudget
	if l.srv.stopping.Load() || l.srv.inbound.held.Load() > l.srv.inbound.maxBytes/2 || int64(bytes) > b.mostFor(bytes)-b.bytesMax/roomReserve {
		return false
	}
	return c.roomMillis == 0 || l.localMillis-c.roomMillis < roomPatienceMillis
}

// waitForRoom leaves the next request of c, of so many bytes, where it is until there is room
// in lanes.
func (l *loop) waitForRoom(c *connection, bytes int) {
	if c.roomMillis == 0 {
		c.roomMillis = max(1, l.localMillis)
	}
	c.roomBytes = bytes
	l.block(c, stopRoom)
}

// roomFor reports whether c's next request need not wait for room in lanes any longer.
func (l *loop) roomFor(c *connection) bool {
	b := &l.srv.lanes.brokers.laneBudget
	return b.hasRoom(c.roomBytes, b.bytesMax/roomReserve) || !l.mayWait(c, c.roomBytes)
}

// postpone has the request handled again when there is room for it in lanes. It reports false
// when the request is not to wait (any longer).
func (rq *Request) postpone(key LaneKey) bool {
	c := rq.conn
	l := c.loop
	if rq.owned || rq.large != nil || rq.srv.lanes.pool(key) != &rq.srv.lanes.brokers || !l.mayWait(c, rq.laneBytes()) {
		return false
	}
	l.waitForRoom(c, rq.laneBytes())
	rq.postponed = true
	c.roomWatched = rq.watched
	return true
}

// postponeLarge is postpone for a large frame, before anything is made of it.
func (l *loop) postponeLarge(c *connection, f *largeFrame) bool {
	bytes := f.totalBytes + laneBookkeepingBytes
	if f.skipBody || l.srv.lanes.brokers.hasRoom(bytes, 0) || !l.mayWait(c, bytes) {
		c.roomMillis = 0
		return false
	}
	l.waitForRoom(c, bytes)
	return true
}
