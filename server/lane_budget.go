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
	if b.bytes.Add(int64(bytes)) > b.mostFor(bytes) {
		b.bytes.Add(-int64(bytes))
		return false
	}
	return true
}

// hasRoom reports whether there is room for a job, and spare bytes are left then.
func (b *laneBudget) hasRoom(bytes int, spare int64) bool {
	return b.bytes.Load()+int64(bytes)+spare <= b.mostFor(bytes)
}

// mostFor is what the lanes may hold with a job of so many bytes.
func (b *laneBudget) mostFor(bytes int) int64 {
	if bytes > largeFrameBytes {
		return b.bytesMax - b.bytesMax/laneSmallShare
	}
	return b.bytesMax
}

// force accounts for a job to come, room or not.
func (b *laneBudget) force(bytes int) { b.bytes.Add(int64(bytes)) }

// giveBack ends the account of a job.
func (b *laneBudget) giveBack(bytes int) { b.bytes.Add(-int64(bytes)) }
