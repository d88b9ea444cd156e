package connhealth

const (
	timelineLen = 16
	episodesLen = 8
	// episodeMillisMin is the shortest trouble worth remembering.
	episodeMillisMin = 500
)

// history is what is remembered of a connection that carries a broker, or that became
// suspect: about 700 bytes.
type history struct {
	ring     [timelineLen]Transmission
	ringNext int
	episodes [episodesLen]trouble
	epNext   int
	// Late answers of ours.
	lateMillis   int64 // the longest age
	lateAtMillis int64
}

// trouble is an interval in which transmissions of ours went unanswered.
type trouble struct {
	fromMillis int64
	toMillis   int64
	register   bool // the answer to a 103 was among what went unanswered
}

func (h *history) transmitted(t Transmission) {
	h.ring[h.ringNext%timelineLen] = t
	h.ringNext++
}

// timeline returns the last transmissions, oldest first.
func (h *history) timeline() []Transmission {
	n := min(h.ringNext, timelineLen)
	list := make([]Transmission, 0, n)
	for i := h.ringNext - n; i < h.ringNext; i++ {
		list = append(list, h.ring[i%timelineLen])
	}
	return list
}

// remember notes a trouble that is over.
func (h *history) remember(e trouble) {
	if e.toMillis-e.fromMillis < episodeMillisMin {
		return
	}
	h.episodes[h.epNext%episodesLen] = e
	h.epNext++
}

// longest returns the longest trouble that reached into the last windowMillis, or
// registerMillis for those that cost a registration its answer; and when the first one of the
// last registerMillis began.
func (h *history) longest(now, windowMillis, registerMillis int64) (lengthMillis, fromMillis int64) {
	d, from := int64(0), now
	for i := range min(h.epNext, episodesLen) {
		e := &h.episodes[i]
		window := windowMillis
		if e.register {
			window = registerMillis
		}
		if now-e.toMillis <= window {
			d = max(d, e.toMillis-e.fromMillis)
		}
		if now-e.toMillis <= registerMillis {
			from = min(from, e.fromMillis)
		}
	}
	return d, from
}

func (h *history) answeredLate(now, ageMillis, windowMillis int64) {
	if now-h.lateAtMillis > windowMillis || ageMillis >= h.lateMillis {
		h.lateMillis, h.lateAtMillis = ageMillis, now
	}
}
