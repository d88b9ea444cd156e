package codec

import (
	"bytes"
	"math"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// bodyYieldBytes is how much is parsed or inflated between two calls of a yield hook:
// some 50 us of parsing.
const bodyYieldBytes = 64 << 10

// bodyScanner reads JSON bodies in one pass, without reflection and without copying what
// needs no unescaping. It is as lenient as the senders of RocketMQ need and as fastjson2
// in Java 5.5.0 is, where that is worth having: bare integer keys, single quotes, missing
// and trailing commas, comments, raw control characters in strings, numbers as strings.
//
// Errors are sticky: the first one is kept in err, and from then on the input looks ended,
// so that loops over keys and elements stop by themselves.
type bodyScanner struct {
	b        []byte
	i        int  // next byte to read
	base     int  // what the offsets of errors start at: b's place in the whole body
	fresh    bool // just behind a { or [: no comma can follow
	depth    int  // open objects and arrays
	depthMax int
	itemsMax int    // elements of one list, entries of one table
	arena    []byte // where unescaped strings go
	yield    func()
	yieldAt  int // call yield when i gets here
	err      error
}

// bodyItemBytes is less than any object of a list or a table takes that somebody means:
// a frame has no room for more than a 64th of its bytes of them, but for twenty times as
// many empty ones, each of which would become a struct.
const bodyItemBytes = 64

// newBodyScanner returns a scanner of b; nil limits are the default ones.
func newBodyScanner(b []byte, lim *Limits) bodyScanner {
	depthMax, itemsMax := defaultJSONDepthMax, defaultFrameBytesMax/bodyItemBytes
	if lim != nil {
		depthMax, itemsMax = lim.JSONDepthMax, lim.FrameBytesMax/bodyItemBytes
	}
	return bodyScanner{b: b, depthMax: depthMax, itemsMax: itemsMax, yieldAt: math.MaxInt}
}

// setYield makes the scanner call yield about every bodyYieldBytes; nil for never.
func (s *bodyScanner) setYield(yield func()) {
	if s.yield = yield; yield != nil {
		s.yieldAt = s.i + bodyYieldBytes
	}
}

// pause lets others run when enough was read since the last time.
func (s *bodyScanner) pause(i int) {
	if i >= s.yieldAt {
		s.yieldAt = i + bodyYieldBytes
		s.yield()
	}
}

// fail records the first error and ends the input.
func (s *bodyScanner) fail(offset int, format string, args ...any) {
	s.stop(bodyErrorf(s.base+offset, format, args...))
}

func (s *bodyScanner) stop(err error) {
	if s.err == nil {
		s.err = err
	}
	s.b, s.i = nil, 0
}

// unexpected fails with what was wanted and what is there.
func (s *bodyScanner) unexpected(want string) {
	if s.err != nil {
		return
	}
	if s.i >= len(s.b) {
		s.fail(s.i, "expected %s, found the end", want)
		return
	}
	s.fail(s.i, "expected %s, found %q", want, s.b[s.i])
}

// fits says whether the n-th item of a list or table is still allowed, and fails if not.
func (s *bodyScanner) fits(n int, what string) bool {
	if n > s.itemsMax {
		s.stop(bodyTooLargef(s.base+s.i, "more than %d entries in %s", s.itemsMax, what))
		return false
	}
	return true
}

// peek skips white space and returns the next byte without reading it, 0 at the end.
func (s *bodyScanner) peek() byte {
	if s.i < len(s.b) {
		if c := s.b[s.i]; c > ' ' && c != '/' {
			return c
		}
	}
	return s.peekSlow()
}

func (s *bodyScanner) peekSlow() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\n', '\r', '\t', '\f', '\b':
			s.i++
		case '/':
			if !s.skipComment() {
				return c
			}
		default:
			return c
		}
		s.pause(s.i)
	}
	return 0
}

// skipComment skips a comment of either form; false if there is none.
func (s *bodyScanner) skipComment() bool {
	rest := s.b[s.i:]
	if len(rest) < 2 {
		return false
	}
	n := 0
	switch rest[1] {
	case '/':
		n = bytes.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest) - 1
		}
		n++
	case '*':
		n = bytes.Index(rest[2:], []byte("*/"))
		if n < 0 {
			s.fail(s.i, "comment without end")
			return true
		}
		n += 4
	default:
		return false
	}
	s.i += n
	return true
}

// end fails if anything but white space is left.
func (s *bodyScanner) end() {
	if s.peek(); s.i < len(s.b) {
		s.fail(s.i, "unexpected %q after the end of the JSON value", s.b[s.i])
	}
}

// null reads a null, or an empty string, which fastjson2 takes for one where an object is
// due. False: something else is there, nothing is read.
func (s *bodyScanner) null() bool {
	switch s.peek() {
	case 'n':
		s.literal("null")
		return true
	case '"':
		if s.i+1 < len(s.b) && s.b[s.i+1] == '"' {
			s.i += 2
			return true
		}
	}
	return false
}

// literal reads the given word.
func (s *bodyScanner) literal(word string) {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		s.unexpected(word)
		return
	}
	s.i += len(word)
	if s.i < len(s.b) && isWordByte(s.b[s.i]) {
		s.unexpected("a delimiter after " + word)
	}
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

// openObject reads the { of an object; follow it with nextKey until that says no. what
// names the object for the error.
func (s *bodyScanner) openObject(what string) {
	if s.peek() != '{' {
		s.unexpected("the { of " + what)
		return
	}
	s.open()
}

// openArray reads the [ of an array; follow it with nextElement until that says no.
func (s *bodyScanner) openArray(what string) {
	if s.peek() != '[' {
		s.unexpected("the [ of " + what)
		return
	}
	s.open()
}

func (s *bodyScanner) open() {
	if s.depth++; s.depth > s.depthMax {
		s.stop(bodyTooLargef(s.base+s.i, "JSON nested deeper than %d", s.depthMax))
		return
	}
	s.i++
	s.fresh = true
}

// nextKey reads the next key of the innermost object and its colon. False: the object
// ended, and its } is read, or there was an error.
func (s *bodyScanner) nextKey() (key []byte, ok bool) {
	c := s.nextItem()
	if c == '}' {
		s.i++
		s.depth--
		return nil, false
	}
	switch {
	case c == '"' || c == '\'':
		key = s.quoted()
	case c == '-' || c >= '0' && c <= '9':
		key = s.bareKey()
	default:
		s.unexpected("a key or }")
		return nil, false
	}
	if s.peek() != ':' {
		s.unexpected("a colon after a key")
		return nil, false
	}
	s.i++
	return key, s.err == nil
}

// nextElement says whether another element of the innermost array follows, and stands at
// it. False: the array ended, and its ] is read, or there was an error.
func (s *bodyScanner) nextElement() bool {
	switch s.nextItem() {
	case ']':
		s.i++
		s.depth--
		return false
	case 0, ',', '}', ':':
		s.unexpected("a value or ]")
		return false
	}
	return true
}

// nextItem skips the comma before a key or an element and returns the byte at it. Neither
// a missing comma nor one before the closing bracket is an error, as in fastjson2.
func (s *bodyScanner) nextItem() byte {
	s.pause(s.i)
	c := s.peek()
	if c == ',' && !s.fresh {
		s.i++
		c = s.peek()
	}
	s.fresh = false
	return c
}

// bareKey reads an integer key without quotes, as the plain dialect has it.
func (s *bodyScanner) bareKey() []byte {
	start := s.i
	for s.i < len(s.b) && isNumberByte(s.b[s.i]) {
		s.i++
	}
	return s.b[start:s.i]
}

func isNumberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// quoted reads a string, at whose quote the scanner stands. The result points into the
// body, or into the arena if it had escapes.
func (s *bodyScanner) quoted() []byte {
	b, i := s.b, s.i+1
	if b[s.i] == '"' {
		for i+8 <= len(b) {
			if m := jsonSpecialMask(loadWord(b[i:])); m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
			i += 8
		}
		if i < len(b) && b[i] == '"' {
			text := b[s.i+1 : i : i]
			s.i = i + 1
			return text
		}
	}
	return s.quotedSlow(i)
}

// quotedSlow reads the string at whose quote the scanner stands, known to be plain up to i.
func (s *bodyScanner) quotedSlow(i int) []byte {
	start := s.i + 1
	end, escapes, valid := s.stringEnd(i)
	if s.err != nil {
		return nil
	}
	if !valid {
		s.fail(s.i, "string that is not UTF-8")
		return nil
	}
	text := s.b[start:end:end]
	s.i = end + 1
	if escapes > 0 {
		return s.unescape(text, start)
	}
	return text
}

// skipString skips the string at whose quote the scanner stands, without looking closely.
func (s *bodyScanner) skipString() {
	if end, _, _ := s.stringEnd(s.i + 1); s.err == nil {
		s.i = end + 1
	}
}

// stringEnd finds the closing quote of the string at whose quote the scanner stands,
// counts escapes and checks the UTF-8 from i on.
func (s *bodyScanner) stringEnd(i int) (end, escapes int, valid bool) {
	b, quote := s.b, s.b[s.i]
	valid = true
	for i < len(b) {
		c := b[i]
		switch {
		case c == quote:
			return i, escapes, valid
		case c == '\\':
			escapes++
			i += 2
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(b[i:])
			valid = valid && (r != utf8.RuneError || size > 1)
			i += size
		}
		s.pause(i)
	}
	s.fail(s.i, "string without end")
	return 0, 0, false
}

// unescape copies a string with escapes, found at offset, into the arena. It never gets
// longer.
func (s *bodyScanner) unescape(text []byte, offset int) []byte {
	dst := s.reserve(len(text))
	if s.yield != nil {
		s.yieldAt = offset + bodyYieldBytes // this is the second pass over the string
	}
	for i := 0; i < len(text); {
		n := bytes.IndexByte(text[i:], '\\')
		if n < 0 {
			dst = append(dst, text[i:]...)
			break
		}
		dst = append(dst, text[i:i+n]...)
		i += n
		s.pause(offset + i)
		r, size := unescapeRune(text[i:])
		if size == 0 {
			s.fail(offset+i, "unknown escape %q", clip(text[i:], 6))
			return nil
		}
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	s.arena = s.arena[:len(s.arena)+len(dst)]
	return dst[:len(dst):len(dst)]
}

// reserve returns room for n bytes at the end of the arena. Full arenas are left to the
// strings that point into them.
func (s *bodyScanner) reserve(n int) []byte {
	const arenaBytes = 4 << 10
	if cap(s.arena)-len(s.arena) < n {
		s.arena = make([]byte, 0, max(n, arenaBytes))
	}
	return s.arena[len(s.arena):len(s.arena):cap(s.arena)]
}

// unescapeRune decodes the escape at the start of text and says how long it is, 0 if it is
// none. Half of a surrogate pair becomes U+FFFD. Beyond JSON's own escapes it knows those
// of fastjson2: \' \v \0 to \7 and \xHH.
func unescapeRune(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch c := text[1]; c {
	case '"', '\\', '/', '\'':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'v':
		return '\v', 2
	case '0', '1', '2', '3', '4', '5', '6', '7':
		return rune(c - '0'), 2
	case 'x':
		if r = hexRune(text, 2, 2); r >= 0 {
			return r, 4
		}
	case 'u':
		return unescapeUnicode(text)
	}
	return 0, 0
}

func unescapeUnicode(text []byte) (r rune, size int) {
	if r = hexRune(text, 2, 4); r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(text) >= 12 && text[6] == '\\' && text[7] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(text, 8, 4)); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hexRune decodes n hexadecimal digits at offset i of text, -1 if there are none such.
func hexRune(text []byte, i, n int) rune {
	if len(text) < i+n {
		return -1
	}
	r := rune(0)
	for _, c := range text[i : i+n] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// skip reads over a value of any kind.
func (s *bodyScanner) skip() {
	switch c := s.peek(); c {
	case '{':
		for s.open(); ; s.skip() {
			if _, ok := s.nextKey(); !ok {
				return
			}
		}
	case '[':
		for s.open(); s.nextElement(); {
			s.skip()
		}
	case '"', '\'':
		s.skipString()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
}
