package codec

import (
	"bytes"
	"errors"
	"io"
	"math"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// inflateWindowBytes is what an inflater starts with: large enough for nearly every part
// of a registration.
const inflateWindowBytes = 64 << 10

// inflateYieldBytes is how much is inflated between two calls of a yield hook: some 200 us, for it
// takes several times as long as parsing does.
const inflateYieldBytes = 64 << 10

// inflater reads a zlib stream piece by piece, never more than a stated number of bytes.
// Its first error is kept in err; nothing is read after it.
type inflater struct {
	src     bytes.Reader
	zr      io.ReadCloser
	readErr error  // what the stream ended with
	buf     []byte // buf[r:w] is inflated and not yet consumed
	r, w    int
	total   int // inflated so far
	max     int
	yield   func()
	yieldAt int
	err     error
}

// inflaters keeps readers, whose tables and windows take 40 kB and more.
var inflaters = sync.Pool{New: func() any {
	return &inflater{buf: make([]byte, inflateWindowBytes)}
}}

// takeInflater returns an inflater of body that yields at most bytesMax bytes.
func takeInflater(body []byte, bytesMax int, yield func()) *inflater {
	z := inflaters.Get().(*inflater)
	z.src.Reset(body)
	z.readErr, z.err = nil, nil
	z.r, z.w, z.total, z.max = 0, 0, 0, bytesMax
	z.yield, z.yieldAt = yield, math.MaxInt
	if yield != nil {
		z.yieldAt = inflateYieldBytes
	}
	var err error
	if z.zr == nil {
		z.zr, err = zlib.NewReader(&z.src)
	} else {
		err = z.zr.(zlib.Resetter).Reset(&z.src, nil)
	}
	if err != nil {
		z.stop(bodyErrorf(0, "compressed body that is no zlib stream (%v)", err))
	}
	return z
}

// putBack returns z to the pool; slices that next returned die.
func (z *inflater) putBack() {
	z.src.Reset(nil)
	z.yield = nil
	if len(z.buf) > inflateWindowBytes {
		z.buf = make([]byte, inflateWindowBytes)
	}
	inflaters.Put(z)
}

// stop keeps the first error; nil is none.
func (z *inflater) stop(err error) {
	if z.err == nil {
		z.err = err
	}
}

// offset is the place in the inflated body of what is read next.
func (z *inflater) offset() int { return z.total - (z.w - z.r) }

// next returns the next n bytes, valid until the next call; nil after an error. The window
// grows with the bytes that really come, not with n.
func (z *inflater) next(n int) []byte {
	if z.err == nil && n > z.max-z.offset() {
		z.stop(bodyTooLargef(z.offset(), "%d bytes, more than is left of %d inflated bytes,", n, z.max))
	}
	for z.err == nil && z.w-z.r < n {
		z.fill(n)
	}
	if z.err != nil {
		return nil
	}
	b := z.buf[z.r : z.r+n : z.r+n]
	z.r += n
	return b
}

// fill inflates some more, wanted because n contiguous bytes are needed.
func (z *inflater) fill(n int) {
	if z.r > 0 && len(z.buf)-z.r < n {
		z.w = copy(z.buf, z.buf[z.r:z.w])
		z.r = 0
	}
	if z.w == len(z.buf) {
		grown := make([]byte, 2*len(z.buf))
		copy(grown, z.buf[:z.w])
		z.buf = grown
	}
	if z.readErr != nil {
		z.stop(z.endError())
		return
	}
	room := min(len(z.buf)-z.w, z.max-z.total, inflateYieldBytes)
	m, err := z.zr.Read(z.buf[z.w : z.w+room])
	z.w += m
	z.total += m
	z.readErr = err
	if z.total >= z.yieldAt {
		z.yieldAt = z.total + inflateYieldBytes
		z.yield()
	}
}

// endError says why there are no more bytes.
func (z *inflater) endError() error {
	if errors.Is(z.readErr, io.EOF) || errors.Is(z.readErr, io.ErrUnexpectedEOF) {
		return bodyErrorf(z.total, "compressed body that ends early")
	}
	return bodyErrorf(z.total, "compressed body that cannot be inflated (%v)", z.readErr)
}

// checkSum looks for the end of the stream behind what was consumed, where its checksum
// is, and fails if that is wrong. As in Java neither a missing checksum nor further data
// is an error.
func (z *inflater) checkSum() {
	if z.err != nil || z.w > z.r {
		return
	}
	if z.readErr == nil {
		var more [1]byte
		_, z.readErr = z.zr.Read(more[:])
	}
	switch {
	case z.readErr == nil, errors.Is(z.readErr, io.EOF), errors.Is(z.readErr, io.ErrUnexpectedEOF):
	default:
		z.stop(z.endError())
	}
}
