package connhealth

// Freeze is how much the detector suspects its own host or link.
type Freeze uint8

// The levels of a freeze.
const (
	FreezeNone     Freeze = iota
	FreezePartial         // many hosts turned silent at once: verdicts need more silence
	FreezeMajority        // most of them: verdicts need MaxMillis, and clocks restart after it
	FreezeFull            // nobody is heard: no verdicts. When it ends, all clocks restart
)

var freezeNames = [...]string{"none", "partial", "majority", "full"}

// String names the level.
func (f Freeze) String() string {
	if int(f) < len(freezeNames) {
		return freezeNames[f]
	}
	return "unknown"
}

type freeze struct {
	level       Freeze
	sinceMillis int64 // of any level
	// A partial freeze may not begin before calmMillis.
	calmMillis int64
	pass       uint64
	suspects   int // hosts that carry brokers, and are silent
	tested     int // hosts that carry brokers
	// countedMillis is when those two were counted; never: not yet.
	countedMillis int64
}

// countMillis is how often hosts are counted while nobody is suspect.
const countMillis = 1000

func (f *freeze) shift(byMillis int64) {
	if f.level != FreezeNone {
		f.sinceMillis += byMillis
	}
	if f.calmMillis != never {
		f.calmMillis += byMillis
	}
}

// tickFreeze counts hosts, not connections, and only those whose connections are tested
// every second: they carry brokers.
func (d *Detector) tickFreeze(now, elapsedMillis int64) {
	f := &d.freeze
	d.stats.FreezeMillis[f.level] += elapsedMillis
	if d.settling(now) {
		return // what is known of others is as old as our pause
	}
	if d.suspects == 0 && f.level == FreezeNone && now-f.countedMillis < countMillis {
		f.suspects = 0
		return
	}
	f.countedMillis = now
	silent := d.countSuspects(now)
	if f.level != FreezeNone {
		// It began with many at once, and lasts while as many are silent, however long ago they
		// became so.
		silent = f.suspects
	}
	level := FreezeNone
	share := float64(silent) / float64(max(f.tested, 1))
	switch {
	case d.nobodyHeard(now):
		level = FreezeFull
	case silent < d.p.FreezeHosts || share < d.p.FreezeShare:
	case share >= d.p.FreezeMajority:
		level = FreezeMajority
	default:
		level = FreezePartial
	}
	d.setFreeze(now, level)
}

// countSuspects counts hosts that carry brokers, those of them that are silent, and
// returns how many of these turned so lately.
func (d *Detector) countSuspects(now int64) (recent int) {
	f := &d.freeze
	f.pass++
	f.suspects, f.tested = 0, 0
	for _, c := range d.schedule.fast {
		h := c.host
		if len(c.brokers) == 0 || h.local || d.parkedConn(c) {
			continue
		}
		if h.marked != f.pass {
			h.marked, h.markedSuspect = f.pass, false
			f.tested++
		}
		if h.markedSuspect || !d.silentHost(now, c) {
			continue
		}
		h.markedSuspect = true
		f.suspects++
		if now-c.silent.firstMillis-d.p.SuspectMillis <= d.p.FreezeWithinMillis {
			recent++
		}
	}
	return recent
}

// silentHost reports whether a connection's silence is suspect and its host was not heard on
// any other connection since it began.
func (d *Detector) silentHost(now int64, c *conn) bool {
	bound := c.boundMillis(&d.p)
	n, tested := c.silent.counted(now, bound)
	return n >= d.p.SuspectTransmissions && tested >= d.p.SuspectMillis && c.host.heardMillis <= c.silent.firstMillis+bound
}

// nobodyHeard reports whether somebody is suspect and nobody at all was heard for longer
// than a living link of ours could explain.
func (d *Detector) nobodyHeard(now int64) bool {
	f := &d.freeze
	if f.suspects == 0 {
		return false
	}
	last, ok := d.witness.any()
	return ok && now-last >= d.p.QuietMillis && (f.tested > 1 || d.nudgedLong(now))
}

func (d *Detector) setFreeze(now int64, level Freeze) {
	f := &d.freeze
	if level == FreezePartial || level == FreezeMajority {
		overdue := f.level != FreezeNone && f.level != FreezeFull && now-f.sinceMillis >= d.p.FreezeMaxMillis
		if overdue || now < f.calmMillis {
			f.calmMillis = max(f.calmMillis, now+d.p.FreezeQuietMillis)
			level = FreezeNone
		}
	}
	if level == f.level {
		return
	}
	was := f.level
	if was == FreezeNone || level == FreezeFull || was == FreezeFull {
		f.sinceMillis = now
	}
	f.level = level
	kind := ActFreeze
	if level == FreezeNone {
		kind = ActThaw
	} else {
		d.stats.Freezes++
	}
	d.emit(Action{Kind: kind, Why: d.explain(now, nil, nil, ClassHealthy, RuleNone)})
	recovered := float64(f.suspects) < d.p.FreezeMajority*float64(f.tested)
	if was == FreezeFull || was == FreezeMajority && level < was && recovered {
		// What the outage held up arrives within seconds: late answers, and closes. And who
		// was not yet heard again gets the time that the others had.
		d.restartClocks(now)
	}
}

// alone reports whether there is no other host whose packets could witness that our link
// works: none that is tested every second.
func (d *Detector) alone(h *host) bool {
	if d.nudged(h) > 0 {
		return false
	}
	for _, c := range d.schedule.fast {
		if c.host != h && !c.host.local && len(c.brokers) > 0 && !d.parkedConn(c) {
			return false
		}
	}
	return true
}
