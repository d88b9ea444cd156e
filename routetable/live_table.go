package routetable

import (
	"encoding/binary"
	"hash/maphash"
	"maps"
)

// liveTable is a snapshot's brokerLiveTable: (cluster, addr) -> the registration made
// there last. Shards are copied on write, so that one broker of thousands costs its shard.
//
// An address that registers under two broker names stands in two groups, as in Java, but
// only the later registration is here; the earlier one keeps its leaf and its connection,
// and goes with them.
type liveTable struct {
	seed   maphash.Seed
	shards [liveShards]map[string]*brokerLive // by liveKey
}

const liveShards = 64

// liveKeyBuf is a stack buffer for keys of any usual length.
type liveKeyBuf [128]byte

// appendLiveKey makes one key of both parts; the length keeps ("ab", "c") and ("a", "bc")
// apart.
func appendLiveKey[T string | []byte](dst []byte, cluster, addr T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(cluster)))
	dst = append(dst, cluster...)
	return append(dst, addr...)
}

func (t *liveTable) shard(key []byte) int {
	return int(maphash.Bytes(t.seed, key) % liveShards)
}

func (t *liveTable) find(cluster, addr string) *brokerLive {
	var buf liveKeyBuf
	key := appendLiveKey(buf[:0], cluster, addr)
	return t.shards[t.shard(key)][string(key)]
}

func (t *liveTable) findBytes(cluster, addr []byte) *brokerLive {
	var buf liveKeyBuf
	key := appendLiveKey(buf[:0], cluster, addr)
	return t.shards[t.shard(key)][string(key)]
}

// liveDraft is the writer's copy of a liveTable.
type liveDraft struct {
	*liveTable
	owned  bool
	shards uint64 // bit set: that shard is ours
}

func (d *liveDraft) own(shard int) map[string]*brokerLive {
	if !d.owned {
		c := *d.liveTable
		d.liveTable, d.owned = &c, true
	}
	m := d.liveTable.shards[shard]
	if d.shards&(1<<shard) == 0 {
		d.shards |= 1 << shard
		if m = maps.Clone(m); m == nil {
			m = make(map[string]*brokerLive)
		}
		d.liveTable.shards[shard] = m
	}
	return m
}

func (d *liveDraft) put(l *brokerLive) {
	key := appendLiveKey(nil, l.key.Cluster, l.key.Addr)
	d.own(d.shard(key))[string(key)] = l
}

// drop removes l if it is the registration found under its key.
func (d *liveDraft) drop(l *brokerLive) {
	var buf liveKeyBuf
	key := appendLiveKey(buf[:0], l.key.Cluster, l.key.Addr)
	n := d.shard(key)
	if d.liveTable.shards[n][string(key)] == l {
		delete(d.own(n), string(key))
	}
}
