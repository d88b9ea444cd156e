package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/routetable"
)

// lookupRun is what a loop needs to serve route requests (105) that lie one behind the other
// in what was read, all at once: they are looked up together, so that in a large table they
// wait for memory together, and nothing is set up for each of them.
//
// Only what the loop's predictor knows belongs to a run, and only the plain form of it: any
// other request, and any setting that changes what is answered, is getRouteInfoByTopic's.
type lookupRun struct {
	slot   int // of the dispatch table; -1: lookups have no handler, or another one
	n      int
	timed  int // of those that were answered
	asked  [routetable.RoutesMax]codec.RouteRequest
	topics [routetable.RoutesMax][]byte
	routes [routetable.RoutesMax]routetable.Route
}

// forget lets go of what the last runs were answered from: the snapshots of an hour ago would stay
// in memory, and with them every name and body that is gone since.
func (r *lookupRun) forget() {
	clear(r.routes[:])
	clear(r.topics[:])
}

// lookups serves the run at the beginning of chunk and returns how many bytes it was; 0:
// there is none, and serveFrame has to look.
func (l *loop) lookups(c *connection, chunk []byte) (used int) {
	live := l.lookupsArePlain(c)
	if live == nil {
		return 0
	}
	l.gather(chunk)
	run := &l.run
	if run.n == 0 {
		return 0
	}
	run.timed = 0
	var startNanos int64
	if l.stats.FramesIn%lookupSampleEvery+uint64(run.n) >= lookupSampleEvery {
		startNanos = l.srv.clock.nanos()
	}
	o := routetable.RouteOptions{Dialect: codec.DialectStandard, SupportActingMaster: live.SupportActingMaster}
	l.srv.handlers.table.Snapshot().Routes(run.topics[:run.n], run.routes[:run.n], &o)
	for i := 0; i < run.n && !c.Closed() && !c.blocked && !l.batch.spent(); i++ {
		frame := chunk[used:][:run.asked[i].FrameBytes()]
		used += len(frame)
		if !l.answerLookup(i, &o) {
			l.serveFrame(c, frame)
		} else if l.out.full() {
			l.flush(c)
		}
	}
	if run.timed > 0 {
		each := l.srv.clock.nanos() - startNanos
		for range run.timed {
			l.stats.Requests[run.slot].observe(each)
		}
	}
	return used
}

// lookupsArePlain returns the settings if all that a lookup depends on, apart from the request,
// is as in almost all servers at almost all times; else nil.
func (l *loop) lookupsArePlain(c *connection) *config.Live {
	s := l.srv
	if s.handlers == nil || l.run.slot < 0 || s.goingAway.Load() || s.o.SerializeType != codec.SerializeJSON {
		return nil
	}
	if s.watcher != nil && (!c.asked || c.carries.Load()) {
		return nil // the watcher is told
	}
	live := s.handlers.config.Live()
	if live.NeedWaitForService || live.OrderMessageEnable {
		return nil
	}
	return live
}

// gather finds the run at the beginning of chunk.
func (l *loop) gather(chunk []byte) {
	run := &l.run
	most := min(routetable.RoutesMax, l.batch.framesLeft)
	n := l.predictor.PredictRun(run.asked[:most], chunk, &l.srv.o.Limits)
	for i := range n {
		r := &run.asked[i]
		if (i == 0 || !r.Like(&run.asked[i-1])) && !plainLookup(r) {
			n = i
			break
		}
		run.topics[i] = r.Topic
	}
	run.n = n
}

// plainLookup: from a client that reads standard JSON, wants an answer, and takes the routes
// of all zones.
func plainLookup(r *codec.RouteRequest) bool {
	return r.Version() >= codec.Version4_9_4 && r.Flag() == 0 && !r.HasExt(extZoneMode)
}

// noRoute is the answer to a run's lookups that find nothing: as replyNoRoute's.
var noRoute = codec.NewRouteRefusal(codec.TopicNotExist, remarkNoRoute, remarkNoRouteAdvice)

// answerLookup appends the answer to the i-th request of the run; false: it has none that is
// plain.
func (l *loop) answerLookup(i int, o *routetable.RouteOptions) bool {
	run, limits := &l.run, &l.srv.o.Limits
	r, route := &run.asked[i], &run.routes[i]
	before, result := l.out.bytes(), ResultSuccess
	dst, fits := l.out.buf, false
	if !route.Found() {
		l.out.buf, fits = r.AppendRefusal(dst, noRoute, limits)
		result = ResultTopicNotExist
	} else if body := route.Encoded(o); body == nil {
		var err error
		out, mark := r.BeginSuccess(dst)
		l.out.buf, err = codec.EndFrame(route.AppendBody(out, *o), mark, limits)
		fits = err == nil
	} else if len(body) < sharedBytesMin {
		l.out.buf, fits = r.AppendSuccess(dst, body, limits)
	} else if l.out.buf, fits = r.AppendSuccessBefore(dst, len(body), limits); fits {
		l.out.share(body)
	}
	if !fits {
		return false
	}
	if l.stats.FramesIn++; l.stats.FramesIn%lookupSampleEvery == 0 {
		run.timed++
	}
	l.stats.Requests[run.slot].Results[result]++
	l.batch.framesLeft--
	l.batch.outLeft -= l.out.bytes() - before
	return true
}
