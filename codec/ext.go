package codec

// extInline is how many ext fields a Command holds without a second slice. The richest
// request of the protocol (103) has 12.
const extInline = 16

// extEntry is one decoded ext field. A nil value is Java's null, "" is not nil.
type extEntry struct{ key, value []byte }

// extTable holds the ext fields of one header in the order of the frame, repetitions
// included: the last one of a name counts.
type extTable struct {
	n      int
	inline [extInline]extEntry
	more   []extEntry // fields from extInline on; its array is reused
}

func (t *extTable) reset() {
	t.n = 0
	t.more = t.more[:0]
}

func (t *extTable) add(key, value []byte) {
	if t.n < extInline {
		t.inline[t.n] = extEntry{key, value}
	} else {
		t.more = append(t.more, extEntry{key, value})
	}
	t.n++
}

func (t *extTable) at(i int) *extEntry {
	if i < extInline {
		return &t.inline[i]
	}
	return &t.more[i-extInline]
}

// find returns the value that counts for key; nil when it is absent or null.
func (t *extTable) find(key string) []byte {
	for i := t.n - 1; i >= 0; i-- {
		if e := t.at(i); string(e.key) == key {
			return e.value
		}
	}
	return nil
}

// Ext returns the ext field key. ok is false when it is absent or null, which no code of
// the protocol tells apart; an empty value of a JSON header is present.
//
// The slice points into the frame (or, when the header had escapes, into c) and is valid
// until the frame is discarded or c decodes the next one. Do not store it; make a copy.
func (c *Command) Ext(key string) (value []byte, ok bool) {
	value = c.ext.find(key)
	return value, value != nil
}

// NumExt is how many ext fields ExtAt can return.
func (c *Command) NumExt() int { return c.ext.n }

// ExtAt returns the i-th ext field in the order of the frame, 0 <= i < NumExt. A null
// value is nil. A key that occurs twice in the frame occurs twice here; the later one is
// what Ext returns. The slices live as long as those of Ext.
func (c *Command) ExtAt(i int) (key, value []byte) {
	e := c.ext.at(i)
	return e.key, e.value
}

// ExtInt64 returns the ext field key as a number: an optional sign, then decimal digits
// and nothing else. ok is false when the field is absent, not such a number, or does not
// fit, all of which Java logs and leaves unset.
//
// Java: Long.parseLong.
func (c *Command) ExtInt64(key string) (v int64, ok bool) {
	return parseExtInt(c.ext.find(key), 64)
}

// ExtInt32 is ExtInt64 for an int field (Java: Integer.parseInt).
func (c *Command) ExtInt32(key string) (v int32, ok bool) {
	v64, ok := parseExtInt(c.ext.find(key), 32)
	return int32(v64), ok
}

// ExtBool returns the ext field key as a boolean: true if it equals "true" in any case,
// false if it is anything else. ok is false when it is absent or null.
//
// Java: Boolean.parseBoolean.
func (c *Command) ExtBool(key string) (v, ok bool) {
	value := c.ext.find(key)
	return equalsTrueIgnoreCase(value), value != nil
}

// parseExtInt reads a signed decimal number of the given width in bits.
func parseExtInt(s []byte, bits uint) (int64, bool) {
	negative := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	if len(s) == 0 {
		return 0, false
	}
	// Magnitudes: the negative side has one value more.
	magnitudeMax := uint64(1)<<(bits-1) - 1
	if negative {
		magnitudeMax++
	}
	var magnitude uint64
	for _, ch := range s {
		digit := uint64(ch - '0')
		if digit > 9 || magnitude > (magnitudeMax-digit)/10 {
			return 0, false
		}
		magnitude = magnitude*10 + digit
	}
	if negative {
		return -int64(magnitude), true
	}
	return int64(magnitude), true
}

func equalsTrueIgnoreCase(s []byte) bool {
	return len(s) == 4 && s[0]|0x20 == 't' && s[1]|0x20 == 'r' && s[2]|0x20 == 'u' && s[3]|0x20 == 'e'
}
