package server

// largeRate says whether bodies of large frames are read to where they are kept, as many bytes at
// a time as a callback may, or by gnet, 16 KiB at a time. The first takes a third less of the
// processor. It also has a peer that sends without a pause send so fast that the kernel has the
// processor for milliseconds on end (lookups beside registrations of 15 MB back to back: P99.9
// 3.5 ms instead of 1.3), and one look at three hundred peers takes so much longer (while all
// brokers come back: P99 10 to 27 ms instead of 5 to 8). So it is for loops of which little is
// asked: some brokers that renew.
type largeRate struct {
	bytes int // of large frames since the last tick, read either way
	rest  int // ticks until they may be read in place again
}

const (
	// largeBytesQuiet is how much of large frames may come in between two ticks: 80 MB/s are
	// five times what 300 brokers of ten thousand topics renew.
	largeBytesQuiet = 8 << 20
	largeRestTicks  = 10
	// largeFramesQuiet is how many of them may come in, or wait to, at a time, however slowly: with
	// more all are read by way of gnet's buffer, as if this file were not. Those that ended since the
	// last tick count.
	largeFramesQuiet = 4
)

func (r *largeRate) tick() {
	switch {
	case r.bytes > largeBytesQuiet:
		r.rest = largeRestTicks
	case r.rest > 0:
		r.rest--
	}
	r.bytes = 0
}

// inPlace reports whether so little is read at present that nobody minds more at a time.
func (r *largeRate) inPlace() bool { return r.rest == 0 && r.bytes <= largeBytesQuiet }

// readLarge reads what the socket has of the body of c's large frame to where it is kept, and
// reports whether that was anything. gnet has nothing of c. By itself it would read 16 KiB, ask
// for events, and so on, and the peer's kernel be told each time that there is room again.
func (l *loop) readLarge(c *connection, f *largeFrame) bool {
	if l.batch.dry || l.batch.bytesLeft <= 0 || !f.headComplete() || f.skipBody {
		return false
	}
	if !l.largeRate.inPlace() || len(l.incoming) > largeFramesQuiet {
		return false
	}
	unread := l.engine.unread(c.wire)
	if unread == 0 {
		return false
	}
	room := f.room()
	room = room[:min(len(room), l.batch.bytesLeft, unread)]
	n := l.engine.readInto(c.wire, room)
	// Not once more for what has come meanwhile: a peer that sends a few bytes at a time would
	// have the loop for as long as it takes to read 64 KiB of them.
	if l.batch.dry = n >= unread; n == 0 {
		return false
	}
	f.took(n)
	l.batch.bytesLeft -= n
	l.largeRate.bytes += n
	l.stats.BytesIn += uint64(n)
	if f.request != nil && f.request.sink != nil {
		f.request.sink.FeedBody(room[:n])
	}
	return true
}
