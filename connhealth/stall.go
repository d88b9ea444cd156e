package connhealth

// Stalled tells of a pause of the whole process that ended now: every deadline moves by
// forMillis, and closes that follow are doubtful, since answers of ours came late. The kernel
// went on: what it sent and nobody answered stays evidence. But nobody is judged by it before
// everybody was looked at again, since many that fell silent meanwhile are a freeze. That Tick
// was not called for StallMillis is such a pause: the first call after it notices.
func (d *Detector) Stalled(now, forMillis int64) []Action {
	if d.tickMillis != never {
		d.tickMillis = now
	}
	d.begin(now)
	d.stalled(now, forMillis)
	return d.out
}

func (d *Detector) stalled(now, forMillis int64) {
	d.settleMillis, d.settleTicks = now+d.p.StallSettleMillis, settleTicks
	d.shift(now, forMillis)
}

// settleTicks is how often Tick must be called after a pause before there are verdicts: the
// kernel's reports of the time of the pause come late, and would wear out a wait by the clock.
const settleTicks = 4

// settling reports whether a pause of ours has just ended, and not everybody was looked at
// since.
func (d *Detector) settling(now int64) bool { return now < d.settleMillis || d.settleTicks > 0 }

// LoopStalled tells that an event loop stood still for forMillis until now, while others did
// not. The kernel went on, so that silence is silence; but what peers sent was not read, and
// answers came late: deadlines of what peers have to do move, and closes are doubtful.
func (d *Detector) LoopStalled(now, forMillis int64) []Action {
	d.begin(now)
	if d.stallUntilMillis != never {
		forMillis = min(forMillis, now-d.stallUntilMillis) // the rest is known
	}
	if forMillis > 0 {
		d.shift(now, forMillis)
	}
	return d.out
}

// shift remembers a pause of ours and moves deadlines by it.
func (d *Detector) shift(now, forMillis int64) {
	d.raise(deciding)
	d.stats.StallMillis += forMillis
	d.stallMillis, d.stallUntilMillis = forMillis, now
	for _, b := range d.list {
		b.shift(forMillis)
	}
	d.freeze.shift(forMillis)
}

// restartClocks forgets all silence so far: what was unanswered during a fault of ours says
// nothing about a peer.
func (d *Detector) restartClocks(now int64) {
	for _, c := range d.schedule.fast {
		d.restartClock(now, c)
	}
	for _, c := range d.schedule.slow {
		d.restartClock(now, c)
	}
}

func (d *Detector) restartClock(now int64, c *conn) {
	if t := &c.unanswered; t.n > 0 && c.hist != nil {
		// A close that follows is doubtful for it.
		c.hist.remember(trouble{t.firstMillis, now, c.registerMillis >= t.firstMillis-sameMillis})
	}
	c.resetTrackers()
}
