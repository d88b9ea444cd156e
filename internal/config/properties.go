package config

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// Property is one entry of a properties file.
type Property struct {
	Key, Value string
	Line       int // of the file, from 1: where the entry begins

	// nonASCII: the entry has bytes above 0x7F, which the format reads as ISO-8859-1.
	nonASCII bool
	// start and end are the bytes of the entry, its line end included; value is where
	// the value begins. hasSeparator: value follows =, : or a blank.
	start, value, end int
	hasSeparator      bool
}

// SyntaxError is an escape that the properties format does not have. It is the only
// thing that java.util.Properties refuses.
type SyntaxError struct {
	Line int
	Text string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d: malformed escape %s: \\u wants four hexadecimal digits", e.Line, e.Text)
}

// parseProperties reads what java.util.Properties.load(InputStream) reads: ISO-8859-1,
// every entry in the order of the file. A key that occurs twice is returned twice; the
// last one counts.
//
// The library in go.mod is not used here, for what it does not tell or tells differently:
// the line of an entry (our warnings), the bytes of an entry (so that a change leaves the
// operator's comments and layout alone), a continued line that ends in CR LF, a
// continuation inside a key, a backslash at the end of the file, an empty key. A test
// compares the two on everything else.
func parseProperties(data []byte) ([]Property, error) {
	r := lineReader{data: data, line: 1}
	var props []Property
	for {
		l, ok := r.next()
		if !ok {
			return props, nil
		}
		p, err := l.split()
		if err != nil {
			return nil, err
		}
		props = append(props, p)
	}
}

// logicalLine is an entry with its continuations joined; at[i] is where text[i] stood.
type logicalLine struct {
	text       []byte
	at         []int
	line       int
	start, end int
}

// lineReader cuts data into logical lines as the LineReader of java.util.Properties does.
type lineReader struct {
	data []byte
	pos  int
	line int // number of the physical line at pos
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\f' }
func isEOL(c byte) bool   { return c == '\n' || c == '\r' }

// skipEOL steps over one line end: LF, CR or CR LF.
func (r *lineReader) skipEOL() {
	if r.data[r.pos] == '\r' && r.pos+1 < len(r.data) && r.data[r.pos+1] == '\n' {
		r.pos++
	}
	r.pos++
	r.line++
}

func (r *lineReader) skipBlanks() {
	for r.pos < len(r.data) && isBlank(r.data[r.pos]) {
		r.pos++
	}
}

// next returns the next logical line that is neither blank nor a comment.
func (r *lineReader) next() (logicalLine, bool) {
	for r.pos < len(r.data) {
		l := logicalLine{line: r.line, start: r.pos}
		entry := r.join(&l)
		if l.end = r.pos; entry {
			return l, true
		}
	}
	return logicalLine{}, false
}

// join reads one logical line with its line end. It reports false for one that has
// nothing in it: a blank line, a comment.
func (r *lineReader) join(l *logicalLine) (entry bool) {
	escaped := false
	r.skipBlanks()
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		switch {
		case isEOL(c):
			last := r.pos+1 == len(r.data)
			r.skipEOL()
			if !escaped {
				return len(l.text) > 0
			}
			l.drop()
			if last {
				return true // Java: even if nothing is left, it is an entry without a key
			}
			escaped = false
			r.skipBlanks()
		case len(l.text) == 0 && (c == '#' || c == '!'):
			for r.pos < len(r.data) && !isEOL(r.data[r.pos]) {
				r.pos++
			}
		default:
			escaped = c == '\\' && !escaped
			l.text = append(l.text, c)
			l.at = append(l.at, r.pos)
			r.pos++
		}
	}
	if entry = len(l.text) > 0; escaped {
		l.drop() // a backslash that nothing follows
	}
	return entry
}

// drop takes back the last byte, a backslash.
func (l *logicalLine) drop() {
	l.text = l.text[:len(l.text)-1]
	l.at = l.at[:len(l.at)-1]
}

// split finds key and value in a logical line and decodes their escapes.
func (l *logicalLine) split() (Property, error) {
	p := Property{Line: l.line, start: l.start, end: l.end}
	keyEnd, escaped := 0, false
	for keyEnd < len(l.text) {
		c := l.text[keyEnd]
		if !escaped && (c == '=' || c == ':' || isBlank(c)) {
			break
		}
		escaped = c == '\\' && !escaped
		keyEnd++
	}
	begin, seen := keyEnd, false
	for begin < len(l.text) {
		c := l.text[begin]
		if (c == '=' || c == ':') && !seen {
			seen = true
		} else if !isBlank(c) {
			break
		}
		begin++
	}
	p.hasSeparator = begin > keyEnd
	switch {
	case begin < len(l.text):
		p.value = l.at[begin]
	case len(l.at) > 0:
		p.value = l.at[len(l.at)-1] + 1
	default:
		p.value = l.start
	}
	for _, c := range l.text {
		p.nonASCII = p.nonASCII || c >= 0x80
	}
	var err error
	if p.Key, err = l.unescape(l.text[:keyEnd]); err != nil {
		return p, err
	}
	p.Value, err = l.unescape(l.text[begin:])
	return p, err
}

// unescape decodes ISO-8859-1 and the escapes. A backslash before a character that needs
// none just goes away.
func (l *logicalLine) unescape(raw []byte) (string, error) {
	chars := make([]uint16, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' || i+1 == len(raw) {
			chars = append(chars, uint16(c))
			continue
		}
		i++
		switch c = raw[i]; c {
		case 'u':
			digits := raw[i+1 : min(i+5, len(raw))]
			v, ok := hex4(digits)
			if !ok {
				return "", &SyntaxError{Line: l.line, Text: fmt.Sprintf("%q", "\\u"+string(digits))}
			}
			chars = append(chars, v)
			i += 4
		case 't':
			chars = append(chars, '\t')
		case 'n':
			chars = append(chars, '\n')
		case 'r':
			chars = append(chars, '\r')
		case 'f':
			chars = append(chars, '\f')
		default:
			chars = append(chars, uint16(c))
		}
	}
	return string(utf16.Decode(chars)), nil
}

func hex4(d []byte) (uint16, bool) {
	if len(d) != 4 {
		return 0, false
	}
	var v uint16
	for _, c := range d {
		n := strings.IndexByte("0123456789abcdef", c|0x20)
		if n < 0 || c < '0' {
			return 0, false
		}
		v = v<<4 | uint16(n)
	}
	return v, true
}
