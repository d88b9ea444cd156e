package server

import "sync/atomic"

// budget counts the bytes of one kind that all connections hold together. It refuses
// nothing itself: bytes are there when they are counted. Going over wakes the evictor.
type budget struct {
	maxBytes int64
	held     atomic.Int64
	peak     atomic.Int64
	evicted  atomic.Uint64 // connections closed because of it
	over     func()        // called, often, while held > maxBytes; must not block
}

// add counts delta more (or fewer) bytes.
func (b *budget) add(delta int64) {
	held := b.held.Add(delta)
	if delta <= 0 {
		return
	}
	for peak := b.peak.Load(); held > peak && !b.peak.CompareAndSwap(peak, held); {
		peak = b.peak.Load()
	}
	if held > b.maxBytes {
		b.over()
	}
}

// excess is how far to come down once over the limit: to seven eighths of it, so that
// one more frame does not start the next round.
func (b *budget) excess() int64 {
	held := b.held.Load()
	if held <= b.maxBytes {
		return 0
	}
	return held - b.maxBytes + b.maxBytes/8
}
