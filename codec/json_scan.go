package codec

import (
	"bytes"
	"math"
)

// bodyYieldBytes is how much is parsed between two calls of a yield hook: some 200 us. A goroutine
// that is locked to its thread, as a lane is, yields by two changes of threads: 6 us, and up to 30
// on several processors.
const bodyYieldBytes = 256 << 10

// bodyScanner reads JSON in one pass, without reflection and without copying what needs no
// unescaping, and takes whatever fastjson2 2.0.59 takes in Java 5.5.0, to the same values:
// what is odd is odd in the places where it is odd there. In short:
//
//   - Behind a value come blanks, one comma at most, and blanks again. So commas may be
//     missing between members and elements, and there may be one before a bracket.
//   - NULs and comments count as blanks behind a bracket, and behind the comma that follows
//     a closing one; comments also before a property. A bracket swallows a comma behind it.
//   - A byte beyond ASCII counts as a blank if its low six bits are one's.
//   - What is passed over (skip) is held to commas, but its numbers and escapes are not
//     looked at closely.
//   - A 0x1A ends the input.
//
// Errors are sticky: the first one is kept in err, and from then on the input looks ended,
// so that loops over keys and elements stop by themselves.
type bodyScanner struct {
	b        []byte
	i        int  // the current byte
	base     int  // what the offsets of errors start at: b's place in the whole body
	comma    bool // a comma stood behind the last value
	compact  bool // the last name was in double quotes, without escapes, its colon right behind it; of a map's key also: plain ASCII
	copied   bool // b is our own copy
	passing  bool // what is read has no use, and may be a reference
	depth    int  // open objects and arrays
	depthMax int
	itemsMax int // elements of one list, entries of one table
	// Of a route alone, and off at 0: see Limits.
	brokersMax, entriesMax, entriesSeen int
	// compositesLeft: see bodyCompositesMax.
	compositesLeft int
	arena          []byte // where unescaped strings go
	yield          func()
	yieldAt        int // call yield when i gets here
	err            error
}

// endOfInput is the current byte behind the last one. Standing in the input it ends it.
const endOfInput = 0x1a

// bodyItemsMax is how many objects a list or a table of a body may have. One that somebody
// means takes more than 64 bytes, so an honest frame has no room for more; there is room
// for twenty times as many empty ones, each of which would become a struct.
func bodyItemsMax(lim *Limits) int {
	const bytesEach, floor = 64, 1024
	return max(lim.FrameBytesMax/bytesEach, floor)
}

// newBodyScanner returns a scanner that stands at the first value of b; nil limits are the
// default ones.
func newBodyScanner(b []byte, lim *Limits) bodyScanner {
	if lim == nil {
		defaults := DefaultLimits()
		lim = &defaults
	}
	s := bodyScanner{b: b, i: -1, depthMax: lim.JSONDepthMax, itemsMax: bodyItemsMax(lim), compositesLeft: bodyCompositesMax, yieldAt: math.MaxInt}
	s.next()
	return s
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
	if s.entriesMax > 0 {
		if s.entriesSeen++; s.entriesSeen > s.entriesMax {
			s.stop(bodyTooLargef(s.base+s.i, "more than %d entries in all lists and tables, the latest in %s", s.entriesMax, what))
			return false
		}
	}
	return true
}

// fitsBrokers says whether a route may name an n-th broker in one of its lists, and fails if
// not.
func (s *bodyScanner) fitsBrokers(n int, what string) bool {
	if s.brokersMax > 0 && n > s.brokersMax {
		s.stop(bodyTooLargef(s.base+s.i, "more than %d brokers in %s", s.brokersMax, what))
		return false
	}
	return true
}

// peek is the current byte.
func (s *bodyScanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return endOfInput
}

// jsonBlanks are the bytes that fastjson2 takes for blanks. It tests a bit of a 64-bit mask
// with a signed byte, so that those beyond ASCII with the same low six bits are blanks too.
var jsonBlanks = func() (blanks [256]bool) {
	for _, ch := range " \n\r\t\f\b" {
		blanks[ch] = true
		for high := 0x80; high < 256; high += 64 {
			blanks[high|int(ch)] = true
		}
	}
	return blanks
}()

// blanks moves over blanks.
func (s *bodyScanner) blanks() {
	for s.i < len(s.b) && jsonBlanks[s.b[s.i]] {
		s.i++
		s.pause(s.i)
	}
}

// next moves over the current byte and what may follow a bracket: blanks, NULs, comments.
func (s *bodyScanner) next() {
	s.i++
	s.gap()
}

func (s *bodyScanner) gap() {
	for s.i < len(s.b) && (s.b[s.i] == 0 || jsonBlanks[s.b[s.i]]) {
		s.i++
		s.pause(s.i)
	}
	if s.peek() >= 0x80 {
		s.overlong()
	}
	if s.peek() == '/' {
		s.skipComment()
	}
}

// overlong reads a character of several bytes where only ASCII can stand. fastjson2 decodes
// it without a look at its length, so that it may be ASCII in more bytes than it needs.
func (s *bodyScanner) overlong() {
	rest := s.b[s.i:]
	n := utf8Bytes(rest[0])
	if n == 0 || len(rest) < n || n < 4 && (rest[1]&0xc0 != 0x80 || rest[n-1]&0xc0 != 0x80) {
		s.unexpected("a value or a bracket")
		return
	}
	r := rune(rest[0]) & (0x7f >> n)
	for _, c := range rest[1:n] {
		r = r<<6 ^ rune(int8(c)) ^ -0x80 // of four bytes it checks nothing at all
	}
	if r &= 0xffff; r >= 0x80 {
		s.unexpected("a value or a bracket")
		return
	}
	if !s.copied {
		s.b, s.copied = bytes.Clone(s.b), true
	}
	s.i += n - 1
	s.b[s.i] = byte(r)
}

// endValue moves behind a value whose end the scanner stands behind: blanks, a comma, blanks.
func (s *bodyScanner) endValue() {
	if i := s.i; i+1 < len(s.b) && s.b[i] == ',' && s.b[i+1] == '"' {
		s.i, s.comma = i+1, true
		return
	}
	s.blanks()
	if s.comma = s.peek() == ','; s.comma {
		s.i++
		s.blanks()
	}
}

// nextComma moves over blanks, a comma if there is one, and what may follow it.
func (s *bodyScanner) nextComma() {
	s.blanks()
	if s.peek() == ',' {
		s.next()
	}
}

// skipComment skips comments of either form, at whose slash the scanner stands. One that
// does not end is ended by the input.
func (s *bodyScanner) skipComment() {
	for s.peek() == '/' {
		rest := s.b[s.i:]
		if len(rest) < 3 {
			s.unexpected("a comment")
			return
		}
		n := -1
		switch rest[1] {
		case '/':
			n = bytes.IndexByte(rest[2:], '\n') + 1
		case '*':
			n = bytes.Index(rest[2:], []byte("*/")) + 2
			if n == 1 { // none
				n = 0
			}
			if n == 0 && rest[len(rest)-1] == '*' {
				s.fail(s.i, "comment without end")
				return
			}
		default:
			s.unexpected("a comment")
			return
		}
		if n == 0 {
			s.i = len(s.b)
			return
		}
		s.i += 2 + n
		s.blanks()
	}
}

// end fails if anything is left.
func (s *bodyScanner) end() {
	if s.err == nil && s.peek() != endOfInput {
		s.fail(s.i, "unexpected %q after the end of the JSON value", s.b[s.i])
	}
}

// null reads a null, an empty string, or "null", all of which fastjson2 takes for a null
// where an object is due. False: something else is there, nothing is read.
func (s *bodyScanner) null() bool {
	rest := s.b[min(s.i, len(s.b)):]
	n := 0
	switch c := s.peek(); {
	case c == 'n' && bytes.HasPrefix(rest, []byte("null")):
		n = 4
	case c != '"' && c != '\'' || len(rest) < 2:
		return false
	case rest[1] == c:
		n = 2
	case len(rest) > 5 && string(rest[1:5]) == "null" && rest[5] == c:
		n = 6
	default:
		return false
	}
	s.i += n
	s.blanksASCII()
	if s.comma = s.peek() == ','; s.comma {
		s.i++
	}
	s.blanksASCII()
	if s.peek() >= 0x80 {
		s.unexpected("a value or a bracket")
	}
	return true
}

// blanksASCII moves over real blanks only.
func (s *bodyScanner) blanksASCII() {
	for s.i < len(s.b) && s.b[s.i] <= ' ' && jsonBlanks[s.b[s.i]] {
		s.i++
		s.pause(s.i)
	}
}

// isNull says whether a null starts here, judged by its first two letters.
func (s *bodyScanner) isNull() bool {
	return s.peek() == 'n' && s.i+1 < len(s.b) && s.b[s.i+1] == 'u'
}

// readNull reads a null.
func (s *bodyScanner) readNull() {
	if !bytes.HasPrefix(s.b[min(s.i, len(s.b)):], []byte("null")) {
		s.unexpected("null")
		return
	}
	s.i += 4
	s.endValue()
}

// openObject starts an object with fixed properties; follow it with nextKey until that says
// no. what names the object for the error. Its brace may be missing.
func (s *bodyScanner) openObject(what string) {
	switch s.peek() {
	case '{':
		s.open()
	case '"', '\'', 'n', '}', '/':
		s.enter()
	default:
		s.unexpected("the { of " + what)
	}
}

// openMap reads the { of an object with any keys; follow it with nextEntry, or with
// nextNumber and a value, and closeMap.
func (s *bodyScanner) openMap(what string) {
	if s.peek() != '{' {
		s.unexpected("the { of " + what)
		return
	}
	reference := s.passing && s.isReference()
	if s.open(); reference { // like an empty one
		s.skipName()
		s.skip()
	}
}

// openArray reads the [ of an array; follow it with nextElement until that says no.
func (s *bodyScanner) openArray(what string) {
	if s.peek() != '[' {
		s.unexpected("the [ of " + what)
		return
	}
	s.open()
}

// open reads an opening bracket.
func (s *bodyScanner) open() {
	if s.enter() {
		s.next()
	}
}

func (s *bodyScanner) enter() bool {
	if s.depth++; s.depth > s.depthMax {
		s.stop(bodyTooLargef(s.base+s.i, "JSON nested deeper than %d", s.depthMax))
		return false
	}
	return true
}

// isReference says whether the object here is what fastjson2 takes for a reference to
// another value: {"$ref":"$...}, or with @ or . instead of the second dollar sign.
func (s *bodyScanner) isReference() bool {
	t := bodyScanner{b: s.b, i: s.i + 1, yieldAt: math.MaxInt}
	t.blanks()
	quote := t.peek()
	if rest := t.b[t.i:]; len(rest) < 7 || rest[5] != quote || string(rest[1:5]) != "$ref" {
		return false
	}
	t.i += 6
	t.blanksASCII()
	if t.peek() != ':' {
		return false
	}
	t.i++
	t.blanksASCII()
	if t.peek() != quote {
		return false
	}
	t.i++
	return t.i >= len(t.b) || bytes.IndexByte([]byte("$.@"), t.b[t.i]) >= 0
}

// close reads a closing bracket if it is next, and a comma behind it.
func (s *bodyScanner) close(bracket byte) bool {
	if s.peek() != bracket || s.i >= len(s.b) {
		return false
	}
	s.i++
	s.depth--
	if i := s.i; i+1 < len(s.b) && s.b[i] == ',' && s.b[i+1] == '"' {
		s.i = i + 1
		return true
	}
	for s.i < len(s.b) && (s.b[s.i] == 0 || jsonBlanks[s.b[s.i]]) {
		s.i++
		s.pause(s.i)
	}
	if s.peek() == ',' {
		s.i++
	}
	s.gap()
	return true
}

// nextElement says whether another element of the innermost array follows, and stands at
// it. False: the array ended, and its ] is read, or there was an error.
func (s *bodyScanner) nextElement() bool {
	s.pause(s.i)
	if s.close(']') {
		return false
	}
	if s.peek() == endOfInput {
		s.unexpected("a value or ]")
		return false
	}
	return s.err == nil
}

// noReference fails if a reference to another value is here instead of a value. fastjson2
// evaluates it, and what comes of that depends on where the other value stands.
func (s *bodyScanner) noReference() {
	if !s.passing && s.peek() == '{' && s.isReference() {
		s.fail(s.i, `"$ref" instead of a value`)
	}
}
