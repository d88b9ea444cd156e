package config

import (
	"slices"
	"strings"
)

// Listing returns the body of GET_NAMESRV_CONFIG (319): `key=value` lines sorted by key,
// each ended by a line feed. Java's 40 keys are always there, ours when the file sets
// them, and keys of the file that nobody knows as the file has them.
//
// Values are written raw, as Java does, but for control characters, which are escaped:
// no value becomes a second line.
//
// It never blocks, and never waits for the file of an Update. The bytes are shared: they
// are for reading only.
func (c *Namesrv) Listing() []byte { return *c.listing.Load() }

// relistLocked publishes the listing of the current values. The caller holds mu, or is
// alone.
func (c *Namesrv) relistLocked() {
	v := c.valuesLocked()
	all := make(map[string]string, len(keys)+len(c.extras))
	for _, p := range c.extras {
		all[p.Key] = p.Value
	}
	for i := range keys {
		if k := &keys[i]; k.owner != ownerPharos || c.set[k.name] {
			all[k.name] = k.text(v)
		}
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []byte
	for _, name := range names {
		out = append(out, escapeControls(name)...)
		out = append(out, '=')
		out = append(out, escapeControls(all[name])...)
		out = append(out, '\n')
	}
	c.listing.Store(&out)
}

// hasControl reports a character that could end or garble a line.
func hasControl(s string) bool {
	return strings.IndexFunc(s, isControl) >= 0
}

// isControl: C0 (but for the tab), DEL and C1, and the two Unicode line ends.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7F && r < 0xA0 || r == '\u2028' || r == '\u2029'
}

func escapeControls(s string) string {
	if !hasControl(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !isControl(r) {
			b.WriteRune(r)
			continue
		}
		const digits = "0123456789abcdef"
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(digits[r>>shift&15])
		}
	}
	return b.String()
}
