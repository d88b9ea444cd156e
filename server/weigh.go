package server

// Weigh tells the loop that the request costs as much as lookups more lookups, so that a
// callback with many such requests stops in time and lets other connections have their
// turn. Call it before or after the work. Off the loop it does nothing: nobody waits.
func (rq *Request) Weigh(lookups int) {
	if !rq.owned {
		rq.conn.loop.batch.framesLeft -= lookups
	}
}

const (
	// A lookup takes some 300 ns. Checksum and digest of a registration take that for
	// registerBytesPerLookup of its body, the parse of a data version for
	// versionBytesPerLookup; a list for listEntriesPerLookup topics and groups; a
	// zone's filter costs zoneLookups, and one for zoneBytesPerLookup of the whole route.
	registerBytesPerLookup = 1024
	versionBytesPerLookup  = 128
	listEntriesPerLookup   = 8
	zoneLookups            = 8
	zoneBytesPerLookup     = 128
)
