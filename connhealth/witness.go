package connhealth

// witness remembers who was heard last, and who else: enough to say for any host when
// another one was heard, at no cost per host.
type witness struct {
	first, second             *host
	firstMillis, secondMillis int64
}

// heard notes a packet of a host. Hosts on our own machine prove nothing about the link.
func (w *witness) heard(h *host, atMillis int64) {
	switch {
	case h.local:
	case h == w.first:
		w.firstMillis = max(w.firstMillis, atMillis)
	case w.first == nil || atMillis >= w.firstMillis:
		w.second, w.secondMillis = w.first, w.firstMillis
		w.first, w.firstMillis = h, atMillis
	case h == w.second:
		w.secondMillis = max(w.secondMillis, atMillis)
	case w.second == nil || atMillis > w.secondMillis:
		w.second, w.secondMillis = h, atMillis
	}
}

// other returns when a host other than h was heard last.
func (w *witness) other(h *host) (atMillis int64, ok bool) {
	if w.first != nil && w.first != h {
		return w.firstMillis, true
	}
	return w.secondMillis, w.second != nil
}

// any returns when anybody was heard last.
func (w *witness) any() (atMillis int64, ok bool) { return w.firstMillis, w.first != nil }
