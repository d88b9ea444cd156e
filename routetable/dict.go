package routetable

import (
	"encoding/binary"
	"hash/maphash"
	"sync/atomic"
)

// The topic dictionary turns names into dense ids. It is append-only and free of pointers
// to names: a million topics are a few hundred byte slices to the garbage collector.
//
// Names lie in arena chunks that never move, as records {id+1 uint32, length uvarint,
// bytes}; slots is an open-addressing table of 64-bit words that say where. Snapshots
// share both with the writer, which adds behind their backs: a record is written before
// the slot that leads to it is stored, and a reader that loads the slot of a name younger
// than its snapshot sees an id it doesn't know and passes on. What a snapshot owns is its
// own count of names and its own list of chunks.
//
// A slot table that is too small is replaced by a bigger one in the next snapshot; names that no
// broker serves any more are dropped when the writer rebuilds the dictionary (compact.go).
type dict struct {
	seed  maphash.Seed
	slots []uint64 // power of two; atomic; 0 is empty
}

// A slot: tag of the hash (24 bits, the highest always set), chunk (24), offset (16).
const (
	arenaChunkBytes = 1 << 16
	slotsMin        = 256
	slotTagShift    = 40
	slotTagBit      = 1 << 63
)

func newDict(seed maphash.Seed, names int) *dict {
	n := slotsMin
	for n/4*3 < names {
		n *= 2
	}
	return &dict{seed: seed, slots: make([]uint64, n)}
}

// full reports whether one more name would make probing slow.
func (d *dict) full(names uint32) bool { return int(names) >= len(d.slots)/4*3 }

// find returns the id of name among the first n names, whose records lie in chunks.
func (d *dict) find(chunks [][]byte, n uint32, name []byte, hash uint64) (uint32, bool) {
	mask := uint64(len(d.slots) - 1)
	tag := (hash | slotTagBit) >> slotTagShift
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := atomic.LoadUint64(&d.slots[i])
		if slot == 0 {
			return 0, false
		}
		if slot>>slotTagShift != tag {
			continue
		}
		chunk := slot >> 16 & 0xFFFFFF
		if chunk >= uint64(len(chunks)) {
			continue
		}
		id, got, _ := readRecord(chunks[chunk][slot&0xFFFF:])
		if id < n && string(got) == string(name) {
			return id, true
		}
	}
}

// probe returns the first slot on the way of hash that has its tag, 0 when there is none:
// then there is no name with that hash.
func (d *dict) probe(hash uint64) uint64 {
	slots := d.slots
	mask := uint64(len(slots) - 1)
	tag := (hash | slotTagBit) >> slotTagShift
	for i := hash & mask; ; i = (i + 1) & mask {
		if slot := atomic.LoadUint64(&slots[i]); slot == 0 || slot>>slotTagShift == tag {
			return slot
		}
	}
}

// insert makes the record at (chunk, offset) findable. The name must not be in d.
func (d *dict) insert(hash uint64, chunk, offset int) {
	mask := uint64(len(d.slots) - 1)
	i := hash & mask
	for atomic.LoadUint64(&d.slots[i]) != 0 {
		i = (i + 1) & mask
	}
	slot := (hash|slotTagBit)>>slotTagShift<<slotTagShift | uint64(chunk)<<16 | uint64(offset)
	atomic.StoreUint64(&d.slots[i], slot)
}

func (d *dict) hash(name []byte) uint64 { return maphash.Bytes(d.seed, name) }

// readRecord returns the record at the start of p and its length. A zero length means
// that the chunk has no further record.
func readRecord(p []byte) (id uint32, name []byte, size int) {
	if len(p) < 5 {
		return 0, nil, 0
	}
	id = binary.LittleEndian.Uint32(p)
	if id == 0 {
		return 0, nil, 0
	}
	n, w := uint64(p[4]), 1
	if n >= 0x80 {
		n, w = binary.Uvarint(p[4:])
	}
	end := 4 + w + int(n)
	return id - 1, p[4+w : end : end], end
}

// arena is the writer's end of the record chunks.
type arena struct {
	chunks [][]byte
	used   int    // bytes of the last chunk
	names  uint32 // records written; the next id
	bytes  int64  // memory of all chunks
}

// add writes a record and returns where. The bytes behind what snapshots know are the
// writer's alone.
func (a *arena) add(name []byte) (id uint32, chunk, offset int) {
	need := 4 + binary.MaxVarintLen32 + len(name)
	if len(a.chunks) == 0 || a.used+need > len(a.chunks[len(a.chunks)-1]) {
		c := make([]byte, max(arenaChunkBytes, need))
		a.chunks = append(a.chunks, c)
		a.bytes += int64(len(c))
		a.used = 0
	}
	chunk, offset, id = len(a.chunks)-1, a.used, a.names
	p := a.chunks[chunk][offset:]
	binary.LittleEndian.PutUint32(p, id+1)
	w := binary.PutUvarint(p[4:], uint64(len(name)))
	copy(p[4+w:], name)
	a.used += 4 + w + len(name)
	a.names++
	return id, chunk, offset
}

// eachRecord calls visit for the first n records in the order of their ids, until it
// returns false.
func eachRecord(chunks [][]byte, n uint32, visit func(id uint32, name []byte, chunk, offset int) bool) {
	seen := uint32(0)
	for c, p := range chunks {
		for offset := 0; seen < n; {
			id, name, size := readRecord(p[offset:])
			if size == 0 {
				break
			}
			if !visit(id, name, c, offset) {
				return
			}
			offset += size
			seen++
		}
	}
}
