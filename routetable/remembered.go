package routetable

import "slices"

// rememberedDigest says: a registration with this digest, processed while the group had
// this stamp and the settings were these, is in the table, and processing it again would
// change nothing. Each condition of the short cut is either here or in the life of the
// brokerLive that holds it:
//
//   - header and body equal: the digest is over both.
//   - data version equal to the stored one: both are the brokerLive's; a registration with
//     another version makes another brokerLive, which starts with no digests. So does any
//     registration after unregistration, expiry, close, parking, or under another name.
//   - group unchanged (members, ids, addresses, zone, acting flag), none of its topics
//     deleted: the stamp.
//   - no topics added, by 217 or another body, where the registration would delete what it
//     does not name: topics.
//   - no static mapping removed, if the registration brought any: mappings.
//   - settings unchanged: the rules.
//   - the broker lives: its leaf, by compare-and-swap.
//
// That no job of the broker waits in a lane is for the caller to know.
//
// Wiping or adding write permissions voids nothing: Java keeps the wipe until the version
// changes.
type rememberedDigest struct {
	digest Digest
	stamp  uint64
	topics uint64 // group.topics
	rules  Rules
	// mappings is 0 for a registration without static mappings, else one more than
	// mappingTable.drops was.
	mappings uint64
}

// rememberedMax bounds the digests of one broker: 256 parts of 800 topics are 204,800.
const rememberedMax = 256

// remember adds a digest. Only the writer calls it.
func (l *brokerLive) remember(d rememberedDigest) {
	var old []rememberedDigest
	if p := l.digests.Load(); p != nil {
		old = *p
	}
	next := make([]rememberedDigest, 0, len(old)+1)
	for _, o := range old {
		if o.stamp == d.stamp && o.digest != d.digest { // others are void or repeated
			next = append(next, o)
		}
	}
	if len(next) == rememberedMax {
		next = slices.Delete(next, 0, 1)
	}
	next = append(next, d)
	l.digests.Store(&next)
}

// recalls reports whether a digest is remembered for the present state of its group g and of
// the static mappings.
func (l *brokerLive) recalls(d Digest, g *group, rules Rules, m *mappingTable) bool {
	p := l.digests.Load()
	if p == nil {
		return false
	}
	for i := range *p {
		if r := &(*p)[i]; r.digest == d {
			return r.stamp == g.stamp && r.rules == rules &&
				(r.topics == g.topics || !rules.DeleteTopicWithBrokerRegistration) &&
				(r.mappings == 0 || r.mappings == m.drops+1)
		}
	}
	return false
}

// RenewUnchanged is the short cut for a registration that says what the broker has said
// before: when d was remembered for this broker and nothing has happened since that would
// give the registration an effect, it renews liveness and timeout, binds conn under a new
// generation and returns the answer of the current Snapshot. Otherwise it returns false and
// has done nothing: parse the body and call Txn.RegisterBroker. It never blocks and never
// allocates. h and d must be of the same request, d by a Digester of this Table. The
// caller sees to it that no earlier registration of the broker still waits to be applied.
func (t *Table) RenewUnchanged(h *RegistrationHeader, d Digest, conn ConnID, nowMillis int64, rules Rules) (RegisterResult, bool) {
	s := t.root.Load()
	l := s.live.findBytes(h.Cluster, h.Addr)
	if l == nil || d == (Digest{}) || l.id != h.ID || l.name != string(h.Name) {
		return RegisterResult{}, false
	}
	g := s.view.groups[l.group]
	if g == nil || !g.holds(l) || !l.recalls(d, g, rules, s.mappings) {
		return RegisterResult{}, false
	}
	generation, ok := l.renew(nowMillis)
	if !ok {
		return RegisterResult{}, false
	}
	timeoutMillis := DefaultHeartbeatTimeoutMillis
	if h.TimeoutSet {
		timeoutMillis = h.TimeoutMillis
	}
	l.timeoutMillis.Store(timeoutMillis)
	l.conn.bind(generation, conn)
	r := RegisterResult{Status: Registered, Binding: l.binding(generation, conn)}
	r.MasterAddr, r.HAServerAddr = answer(g, s.live, l.key.Cluster, l.id)
	return r, true
}

// renew draws a generation for a LIVE registration; false when it is not LIVE.
func (l *brokerLive) renew(nowMillis int64) (generation uint32, ok bool) {
	for {
		w := l.leaf.load()
		if w.state() != StateLive {
			return 0, false
		}
		generation = nextGeneration(w.generation())
		if l.leaf.swap(w, makeLeafWord(StateLive, generation, max(w.seenMillis(), nowMillis))) {
			return generation, true
		}
	}
}
