package connhealth

import "math"

// lossTrialsMin is the weight of the assumption that a path loses LossMin, until more is
// known about it.
const lossTrialsMin = 25

// lossBurstMax bounds what one stalled episode adds: an outage is one event, not the loss
// rate of the path.
const lossBurstMax = 3

// loss estimates how often a transmission of ours goes unanswered: lost itself, or its
// acknowledgment. Old trials fade.
type loss struct {
	trials   float64
	lost     float64
	atMillis int64
}

func (l *loss) fade(now int64, p *Params) {
	if dt := now - l.atMillis; dt > 1000 {
		f := math.Exp2(-float64(dt) / float64(p.LossHalfLifeMillis))
		l.trials *= f
		l.lost *= f
		l.atMillis = now
	}
}

// note adds trials of which some were lost.
func (l *loss) note(now int64, p *Params, trials, lost int) {
	l.fade(now, p)
	l.trials += float64(trials)
	l.lost += float64(lost)
}

// rate returns the estimate within LossMin and LossMax.
func (l *loss) rate(now int64, p *Params) float64 {
	l.fade(now, p)
	q := (l.lost + lossTrialsMin*p.LossMin) / (l.trials + lossTrialsMin)
	return min(max(q, p.LossMin), p.LossMax)
}

// seen returns the part that was lost of what was tried, for operators: 0 of a clean path. Of
// a path that was hardly tried it is small, whatever happened there.
func (l *loss) seen(now int64, p *Params) float64 {
	l.fade(now, p)
	return l.lost / max(l.trials, lossTrialsMin)
}
