package routetable

import (
	"encoding/binary"
	"math"

	"github.com/zeebo/xxh3"
)

// RegistrationHeader is the header of a REGISTER_BROKER request as the event loop sees it:
// borrowed bytes, nothing parsed but numbers. It is valid as long as the frame is.
type RegistrationHeader struct {
	Version       int32 // of the request: it decides how the body is read
	Compressed    bool
	Cluster       []byte
	Addr          []byte
	Name          []byte
	ID            int64
	HAServerAddr  []byte // nil: absent
	Zone          []byte // nil: absent
	TimeoutMillis int64
	TimeoutSet    bool
	ActingMaster  ActingMaster
}

// Digester computes the Digest of a registration from its header and the raw bytes of its
// body, chunk by chunk, so that a body need not be in one piece. It belongs to the Table
// that made it: digests of different processes never compare equal. A Digester is for one
// goroutine and is reused by Reset; it never allocates.
//
// XXH3 with a random seed is no cryptographic hash. Who could make two bodies of one digest
// would have his own broker's change go unseen, and nobody else's.
type Digester struct{ hash *xxh3.Hasher }

// NewDigester returns a Digester with the seed of this table.
func (t *Table) NewDigester() *Digester { return &Digester{hash: xxh3.NewSeed(t.digestSeed)} }

// Reset starts a new digest.
func (d *Digester) Reset() { d.hash.Reset() }

// WriteHeader feeds the header. Call it once, before the body.
func (d *Digester) WriteHeader(h *RegistrationHeader) {
	var flags uint64 = 1
	if h.Compressed {
		flags |= 1 << 1
	}
	if h.TimeoutSet {
		flags |= 1 << 2
	}
	flags |= uint64(h.ActingMaster) << 8
	d.writeUint64(uint64(uint32(h.Version))<<32 | flags)
	d.writeUint64(uint64(h.ID))
	d.writeUint64(uint64(h.TimeoutMillis))
	d.writeField(h.Cluster)
	d.writeField(h.Addr)
	d.writeField(h.Name)
	d.writeField(h.HAServerAddr)
	d.writeField(h.Zone)
}

// Write feeds a piece of the body. The pieces' borders do not matter. It never fails.
func (d *Digester) Write(p []byte) (int, error) { return d.hash.Write(p) }

// Sum returns the digest of what was written since Reset. It is never the zero Digest.
func (d *Digester) Sum() Digest {
	sum := Digest(d.hash.Sum128())
	if sum == (Digest{}) {
		sum.Lo = 1
	}
	return sum
}

// writeField feeds a header field behind its length, so that ("ab", "c") and ("a", "bc")
// differ, and absent from empty.
func (d *Digester) writeField(p []byte) {
	if p == nil {
		d.writeUint64(math.MaxUint64)
		return
	}
	d.writeUint64(uint64(len(p)))
	d.Write(p)
}

func (d *Digester) writeUint64(v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	d.Write(b[:])
}
