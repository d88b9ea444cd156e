package server

// sharedBytesMin: a body is worth a piece of its own in a gathered write from this size on.
const sharedBytesMin = 16 << 10

// sharesMax bounds the pieces of a write: system calls for up to eight need no memory.
const sharesMax = 4

// outbox gathers the answers of a batch: bytes of its own, and between them large bodies that
// many answers share, which are sent from where they lie.
type outbox struct {
	buf         []byte
	shared      [sharesMax]sharedPiece
	shares      int
	sharedBytes int
	vec         [2*sharesMax + 1][]byte
}

// sharedPiece is bytes that go out behind buf[:at].
type sharedPiece struct {
	at   int
	body []byte
}

// bytes is how much has been gathered.
func (o *outbox) bytes() int { return len(o.buf) + o.sharedBytes }

// full reports whether it is time to write.
func (o *outbox) full() bool { return len(o.buf) > flushBytes || o.shares == sharesMax }

// share has body go out behind what is in buf. The box must not be full.
func (o *outbox) share(body []byte) {
	o.shared[o.shares] = sharedPiece{len(o.buf), body}
	o.shares++
	o.sharedBytes += len(body)
}

// pieces is everything, in order. It is valid until the box is used again.
func (o *outbox) pieces() [][]byte {
	vec, from := o.vec[:0], 0
	for _, s := range o.shared[:o.shares] {
		vec = append(vec, o.buf[from:s.at], s.body)
		from = s.at
	}
	if from < len(o.buf) {
		vec = append(vec, o.buf[from:])
	}
	return vec
}

// reset empties the box; its memory stays, but for that of others.
func (o *outbox) reset() {
	clear(o.shared[:o.shares])
	o.buf, o.shares, o.sharedBytes = o.buf[:0], 0, 0
}
