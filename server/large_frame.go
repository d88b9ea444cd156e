package server

import (
	"encoding/binary"
	"sync"

	"github.com/pharosmq/pharos/codec"
)

const (
	// largeFrameBytes is what a frame may have to be handled in gnet's buffer. That buffer
	// grows by copying, and a peek across its wrap copies again: a larger frame is taken
	// out piece by piece instead.
	largeFrameBytes = 64 << 10
	blockBytes      = 64 << 10
	frameLenBytes   = 4
)

// block is a piece of a large frame's body. Fixed size: every block fits every frame, so
// the pool wastes nothing and a frame never moves.
type block [blockBytes]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

// largeFrame is a frame above largeFrameBytes while it arrives, and until its body is put
// together. Nothing is allocated for bytes that are not there yet.
type largeFrame struct {
	totalBytes int    // as announced, the length field included
	gotBytes   int    // of totalBytes
	headBytes  int    // prefix and header
	head       []byte // prefix and header as they come; grows with what arrives
	body       []*block
	bodyGot    int
	request    *Request // once the header is complete, if the frame is served on the loop
	skipBody   bool     // nobody will read it: it is counted and not kept
	granted    int64    // what the intake has granted it, once it is complete
}

// newLargeFrame begins a frame; prefix is its first codec.FramePrefixBytes, checked by
// codec.FrameSize, which said totalBytes. None of it is consumed yet.
func newLargeFrame(prefix []byte, totalBytes int) *largeFrame {
	headerBytes := int(binary.BigEndian.Uint32(prefix[frameLenBytes:]) & (1<<24 - 1))
	return &largeFrame{totalBytes: totalBytes, headBytes: codec.FramePrefixBytes + headerBytes}
}

// wants is how many of the next available bytes belong to this frame.
func (f *largeFrame) wants(available int) int { return min(available, f.totalBytes-f.gotBytes) }

// headComplete reports that prefix and header are there.
func (f *largeFrame) headComplete() bool { return len(f.head) == f.headBytes }

// complete reports that the whole frame is there.
func (f *largeFrame) complete() bool { return f.gotBytes == f.totalBytes }

// bodyBytes is the length of the body, as announced.
func (f *largeFrame) bodyBytes() int { return f.totalBytes - f.headBytes }

// heldBytes is the memory the frame holds now.
func (f *largeFrame) heldBytes() int { return cap(f.head) + len(f.body)*blockBytes }

// takeHead copies what chunk has of prefix and header, and says how much that was.
func (f *largeFrame) takeHead(chunk []byte) int {
	n := min(len(chunk), f.headBytes-len(f.head))
	f.head = append(f.head, chunk[:n]...)
	f.gotBytes += n
	return n
}

// takeBody copies chunk, all of which belongs to the body, into blocks.
func (f *largeFrame) takeBody(chunk []byte) {
	f.gotBytes += len(chunk)
	if f.skipBody {
		return
	}
	for len(chunk) > 0 {
		n := copy(f.block(), chunk)
		f.bodyGot += n
		chunk = chunk[n:]
	}
}

// block is what is free of the last block, of a new one if nothing is.
func (f *largeFrame) block() []byte {
	if f.bodyGot == len(f.body)*blockBytes {
		f.body = append(f.body, blocks.Get().(*block))
	}
	return f.body[len(f.body)-1][f.bodyGot%blockBytes:]
}

// room is where to put the next bytes of a body that is kept, once the head is complete: not
// more than belong to the frame. took says how many there are then.
func (f *largeFrame) room() []byte {
	room := f.block()
	return room[:f.wants(len(room))]
}

// took counts n bytes in that were put where room says.
func (f *largeFrame) took(n int) {
	f.gotBytes += n
	f.bodyGot += n
}

// headerFrame is the frame without its body, as a frame of its own: what codec.Command
// decodes when the body is elsewhere. It must be called once the head is complete, and
// changes nothing that headerBytes or the body depend on.
func (f *largeFrame) headerFrame() []byte {
	binary.BigEndian.PutUint32(f.head, uint32(f.headBytes-frameLenBytes))
	return f.head
}

// handOver gives the frame to a Pending: the caller lets go of it.
func (f *largeFrame) handOver() *largeFrame {
	f.request = nil
	return f
}

// takeGrant is what the caller gives back to the intake when it is done with the frame.
func (f *largeFrame) takeGrant() int64 {
	granted := f.granted
	f.granted = 0
	return granted
}

// join copies the body together, into room if it fits, and gives the blocks back.
func (f *largeFrame) join(room []byte) []byte {
	if f.bodyGot == 0 {
		return nil
	}
	if cap(room) < f.bodyGot {
		room = make([]byte, 0, f.bodyGot)
	}
	body := f.appendBody(room[:0])
	f.release()
	return body
}

// appendBody appends the body to dst.
func (f *largeFrame) appendBody(dst []byte) []byte {
	left := f.bodyGot
	for _, b := range f.body {
		n := min(left, blockBytes)
		dst = append(dst, b[:n]...)
		left -= n
	}
	return dst
}

// release gives the blocks back; the frame is not to be used again.
func (f *largeFrame) release() {
	for _, b := range f.body {
		blocks.Put(b)
	}
	f.body, f.bodyGot = nil, 0
}
