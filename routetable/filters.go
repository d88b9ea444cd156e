package routetable

// filterTable is a snapshot's filterServerTable: the filter servers of (cluster, addr), by
// liveKey. Only brokers of long ago have any. Immutable.
type filterTable struct{ servers map[string][]string }

func (t *filterTable) find(cluster, addr string) []string {
	if len(t.servers) == 0 {
		return nil
	}
	var buf liveKeyBuf
	return t.servers[string(appendLiveKey(buf[:0], cluster, addr))]
}

// entries returns the filter servers of a group's addresses, looked up under the cluster
// of the group as Java does.
func (t *filterTable) entries(cluster string, addrs []groupAddr) []filterEntry {
	if len(t.servers) == 0 {
		return nil
	}
	var list []filterEntry
	for i := range addrs {
		if servers := t.find(cluster, addrs[i].addr); len(servers) > 0 {
			list = append(list, newFilterEntry(addrs[i].addr, servers))
		}
	}
	return list
}
