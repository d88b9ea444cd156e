package server

import "bytes"

// registerHeadBytes is how far into a registration's body mappingTimestamp looks. Before it
// stand only the filter servers and the data version: some 120 bytes, mostly.
const registerHeadBytes = 1024

// mappingTimestamp finds the digits of mappingDataVersion.timestamp in the first bytes of a
// registration's body. A 5.x broker without static topics sends a new mappingDataVersion
// each time, stamped with the time of sending; all else it sends is the same. The name
// server has no use for that version (the mappings themselves are in the body), so the
// digest leaves the digits out: with them, no registration of a 5.x broker would ever be
// recognised as unchanged.
//
// The whole shape has to be there, so that a topic of that name is not taken for it. Two
// equal offsets: it is not there.
//
// Java: TopicConfigAndMappingSerializeWrapper#mappingDataVersion.
func mappingTimestamp(head []byte) (begin, end int) {
	at := bytes.Index(head, []byte(`"mappingDataVersion":{"counter":`))
	if at < 0 {
		return 0, 0
	}
	at += len(`"mappingDataVersion":{"counter":`)
	for _, next := range []string{`,"stateVersion":`, `,"timestamp":`} {
		at += digits(head[at:])
		if !bytes.HasPrefix(head[at:], []byte(next)) {
			return 0, 0
		}
		at += len(next)
	}
	end = at + digits(head[at:])
	if end == at || end == len(head) || head[end] != '}' {
		return 0, 0
	}
	return at, end
}

// digits is how many bytes at the start of s are digits.
func digits(s []byte) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
