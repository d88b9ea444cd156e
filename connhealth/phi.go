package connhealth

import "math"

// phi is -log10 of the chance that n transmissions in a row went unanswered by random loss
// alone: the accrual idea of Hayashibara et al., fed by lost transmissions instead of
// heartbeat gaps. The peer's own loss counts if it is the larger: one lossy path among
// clean ones must not be judged by the clean ones.
func (d *Detector) phi(now int64, c *conn, n int) float64 {
	if n == 0 {
		return 0
	}
	q := max(d.loss.rate(now, &d.p), c.host.loss.rate(now, &d.p))
	return -float64(n) * math.Log10(q)
}
