package codec

import (
	"bytes"
	"math"
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

// bodyItemsMax is how many objects a list or a table of a body may have. One that somebody
// means takes more than 64 bytes, so an honest frame has no room for more; there is room
// for twenty times as many empty ones, each of which would become a struct.
func bodyItemsMax(lim *Limits) int {
	const bytesEach, floor = 64, 1024
	return max(lim.FrameBytesMax/bytesEach, floor)
}

// newBodyScanner returns a scanner of b; nil limits are the default ones.
func newBodyScanner(b []byte, lim *Limits) bodyScanner {
	if lim == nil {
		defaults := DefaultLimits()
		lim = &defaults
	}
	return bodyScanner{b: b, depthMax: lim.JSONDepthMax, itemsMax: bodyItemsMax(lim), yieldAt: math.MaxInt}
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

// nullWord reads "null", in quotes, which fastjson2 takes for a null where a map is due.
func (s *bodyScanner) nullWord() bool {
	if s.peek(); !bytes.HasPrefix(s.b[s.i:], []byte(`"null"`)) {
		return false
	}
	s.i += len(`"null"`)
	return true
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
