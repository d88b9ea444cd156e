package server

import "sync/atomic"

// laneBudget bounds the bytes of the jobs that wait or run in some lanes.
type laneBudget struct {
	bytesMax int64
	bytes    atomic.Int64
	rejected atomic.Uint64
}

// crowded reports that the lanes hold more than half of what they may.
func (b *laneBudget) crowded() bool { return b.bytes.Load() > b.bytesMax/2 }

// reserve accounts for a job to come, if there is room. A part of the room is closed to
// large jobs: some dozen of them, which any peer can send, must not leave all brokers with
// small registrations outside.
func (b *laneBudget) reserve(bytes int) bool {
	bytesMax := b.bytesMax
	if bytes > largeFrameBytes {
		bytesMax -= bytesMax / laneSmallShare
	}
	if b.bytes.Add(int64(bytes)) > bytesMax {
		b.bytes.Add(-int64(bytes))
		b.rejected.Add(1)
		return false
	}
	return true
}

// force accounts for a job to come, room or not.
func (b *laneBudget) force(bytes int) { b.bytes.Add(int64(bytes)) }

// giveBack ends the account of a job.
func (b *laneBudget) giveBack(bytes int) { b.bytes.Add(-int64(bytes)) }
