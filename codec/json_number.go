package codec

import (
	"bytes"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// numberKind is what fastjson2 takes a value for where it wants a number.
type numberKind uint8

const (
	numberInt     numberKind = iota
	numberDecimal            // with a point or an exponent
	numberHuge               // more than 38 digits
	numberFloat              // with F behind it
	numberDouble             // with D behind it
	numberBool
	numberNull
	numberText // a string that is no number
)

// jsonNumber is a number as fastjson2 keeps it.
type jsonNumber struct {
	kind     numberKind
	negative bool
	digits   []byte // without sign and point
	scale    int    // of them behind the point
	exponent int
	narrow   byte // the suffix B or S, 'L', or 0
	truth    bool
	text     []byte // of numberText; of the others as they stand
}

const (
	javaExponentMax = 2047 // more is an exception
	numberDigitsMax = 38   // of a number that fastjson2 keeps as an integer
	numberTextMax   = 1 << 10
)

// int32 reads a Java int.
func (s *bodyScanner) int32() int32 {
	offset := s.i
	if v, ok := s.plainInt(9); ok {
		return int32(v)
	}
	if v, ok := s.looseInt(math.MinInt32); ok {
		return int32(v)
	}
	switch s.peek() {
	case '{': // an object is its val, or 0
		v, _ := s.objectNumber()
		return int32(v)
	case '[':
		return s.onlyNumber(offset)
	}
	n := s.number()
	v, ok := n.int32()
	if !ok && s.err == nil {
		s.fail(offset, "%q is no integer of 32 bits", clip(n.text, 40))
	}
	return v
}

// int64 reads a Java long.
func (s *bodyScanner) int64() int64 {
	offset := s.i
	if v, ok := s.plainInt(18); ok {
		return v
	}
	if v, ok := s.looseInt(math.MinInt64); ok {
		return v
	}
	switch s.peek() {
	case '{':
		v, ok := s.objectNumber()
		if !ok && s.err == nil {
			s.fail(offset, "object where a number belongs")
		}
		return int64(int32(v))
	case '[':
		return int64(s.onlyNumber(offset))
	}
	n := s.number()
	v, ok := n.int64()
	if !ok && s.err == nil {
		s.fail(offset, "%q is no integer of 64 bits", clip(n.text, 40))
	}
	return v
}

// plainInt reads up to so many digits with nothing odd behind them.
func (s *bodyScanner) plainInt(digitsMax int) (v int64, ok bool) {
	b, i := s.b, s.i
	for ; i < len(b) && b[i]-'0' <= 9 && i < s.i+digitsMax; i++ {
		v = v*10 + int64(b[i]-'0')
	}
	if i == s.i || i >= len(b) || b[i] != ',' && b[i] != '}' {
		return 0, false
	}
	s.i = i
	s.endValue()
	return v, true
}

// looseInt reads an integer not below limit, in quotes or not, if nothing stands behind it
// that could go on with a number. A sign alone is 0.
func (s *bodyScanner) looseInt(limit int64) (v int64, ok bool) {
	b, i := s.b, s.i
	at := func() byte {
		if i < len(b) {
			return b[i]
		}
		return endOfInput
	}
	quote := at()
	if quote == '"' || quote == '\'' {
		i++
	} else {
		quote = 0
	}
	sign := at()
	if sign == '-' || sign == '+' {
		i++
	} else if sign < '0' || sign > '9' {
		return 0, false
	}
	for ; at() >= '0' && at() <= '9'; i++ {
		digit := int64(at() - '0')
		if v < (limit+digit)/10 {
			return 0, false
		}
		v = v*10 - digit
	}
	if sign != '-' {
		if v == math.MinInt64 || -v > -(limit+1) {
			return 0, false
		}
		v = -v
	}
	switch c := at(); {
	case quote != 0 && c != quote, strings.IndexByte(".eEtfn{[", c) >= 0:
		return 0, false
	case quote != 0:
		i++
	}
	if isSuffix(at()) {
		i++
	}
	s.i = i
	s.endValue()
	return v, true
}

func isSuffix(c byte) bool { return c == 'L' || c == 'F' || c == 'D' || c == 'B' || c == 'S' }

// number reads a number, a boolean, a null or a string, in any form that fastjson2 takes
// where it wants a number, and what follows a value.
func (s *bodyScanner) number() (n jsonNumber) {
	start := s.i
	quote := s.peek()
	if quote == '"' || quote == '\'' {
		if s.i++; s.peek() == quote {
			s.i++
			s.endValue()
			return jsonNumber{kind: numberNull}
		}
	} else {
		quote = 0
	}
	if s.digits(&n); s.err != nil {
		return jsonNumber{kind: numberNull}
	}
	first := s.i == start || quote != 0 && s.i == start+1
	valid := len(n.digits) > 0 || n.exponent != 0 || n.narrow == 'e'
	if first {
		valid = s.literalNumber(&n)
	}
	if quote != 0 {
		if s.peek() != quote {
			s.i = start
			return jsonNumber{kind: numberText, text: s.numberString()}
		}
		s.i++
	}
	n.text = s.b[start:s.i:s.i]
	s.suffix(&n)
	s.endValue()
	if !valid && s.err == nil {
		s.i = start
		s.unexpected("a value")
	}
	return n
}

// digits reads sign, digits, point and exponent, none of which has to be there.
func (s *bodyScanner) digits(n *jsonNumber) {
	if c := s.peek(); c == '-' || c == '+' {
		n.negative = c == '-'
		s.i++
	}
	run := func() {
		start := s.i
		for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
			s.i++
			s.pause(s.i)
		}
		run := s.b[start:min(s.i, start+numberTextMax)]
		if n.digits == nil {
			n.digits = run[:len(run):len(run)]
		} else {
			n.digits = append(n.digits, run...)
		}
		if s.i > start+numberTextMax || len(n.digits) > numberTextMax {
			s.fail(start, "number of more than %d digits", numberTextMax)
		}
	}
	run()
	if s.err == nil && s.peek() == '.' {
		n.kind = numberDecimal
		s.i++
		before := len(n.digits)
		run()
		n.scale = len(n.digits) - before
	}
	if len(n.digits) > numberDigitsMax && len(n.significant()) > 9 {
		n.kind = numberHuge
	}
	if s.err == nil && s.peek()|0x20 == 'e' {
		n.kind = numberDecimal
		s.i++
		s.exponent(n)
	}
}

// exponent reads what follows an e.
func (s *bodyScanner) exponent(n *jsonNumber) {
	c := s.peek()
	if c == '-' || c == '+' {
		s.i++
	}
	for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
		n.narrow = 'e' // a digit was there, which makes a number of it
		if n.exponent = n.exponent*10 + int(s.b[s.i]-'0'); n.exponent > javaExponentMax {
			s.fail(s.i, "exponent beyond %d", javaExponentMax)
			return
		}
		s.i++
	}
	if c == '-' {
		n.exponent = -n.exponent
	}
}

// literalNumber reads a word that stands for a number.
func (s *bodyScanner) literalNumber(n *jsonNumber) bool {
	for _, word := range []string{"null", "true", "false"} {
		if !strings.HasPrefix(string(s.b[s.i:min(len(s.b), s.i+len(word))]), word) {
			continue
		}
		s.i += len(word)
		if n.kind = numberBool; word == "null" {
			n.kind = numberNull
		}
		n.truth = word == "true"
		return true
	}
	return false
}

// suffix reads the suffix of a number as Java writes it in a program.
func (s *bodyScanner) suffix(n *jsonNumber) {
	n.narrow = 0
	c := s.peek()
	if !isSuffix(c) {
		return
	}
	s.i++
	switch {
	case c == 'F':
		n.kind = numberFloat
	case c == 'D':
		n.kind = numberDouble
	case n.kind == numberInt:
		n.narrow = c
	}
}

// significant is the digits without leading zeros.
func (n *jsonNumber) significant() []byte { return bytes.TrimLeft(n.digits, "0") }

// magnitude is what the digits say. Java keeps them in four words.
func (n *jsonNumber) magnitude() *big.Int {
	m, _ := new(big.Int).SetString("0"+string(n.digits), 10)
	return m
}

// small is what a long keeps of a number of few digits without an exponent. A peer may send
// thousands of them where none belongs, and a big.Int takes ten times as long.
func (n *jsonNumber) small() (v int64, ok bool) {
	const digitsMax = 18
	if n.kind > numberDecimal || n.exponent != 0 || len(n.digits) > digitsMax {
		return 0, false
	}
	for _, digit := range n.digits[:len(n.digits)-n.scale] {
		v = v*10 + int64(digit-'0')
	}
	if n.negative {
		v = -v
	}
	return v, true
}

// int64 gives the long that Java makes of a number.
func (n *jsonNumber) int64() (v int64, ok bool) {
	if v, ok = n.small(); ok {
		return v, true
	}
	switch n.kind {
	case numberBool:
		if n.truth {
			v = 1
		}
		return v, true
	case numberNull:
		return 0, true
	case numberText:
		return integerOfText(n.text, 64)
	case numberFloat, numberDouble:
		return saturate(n.float()), true
	case numberDecimal:
		if n.exponent != 0 {
			return saturate(n.float()), true
		}
		m := n.magnitude()
		m.Quo(m, pow10(n.scale))
		if n.negative {
			m.Neg(m)
		}
		return lowBits(m), true
	}
	m := n.magnitude()
	if n.kind == numberHuge {
		q, r := new(big.Int).QuoRem(m, pow10(n.scale), new(big.Int))
		if m = q; r.Sign() != 0 {
			return 0, false
		}
	}
	if n.negative {
		m.Neg(m)
	}
	return m.Int64(), m.IsInt64()
}

// int32 gives the int that Java makes of a number. One with a point keeps its low bits, one
// with an exponent saturates, and any other that does not fit is an exception.
func (n *jsonNumber) int32() (v int32, ok bool) {
	switch n.kind {
	case numberText:
		v64, ok := integerOfText(n.text, 32)
		return int32(v64), ok
	case numberDecimal:
		v64, _ := n.int64()
		if n.exponent != 0 {
			v64 = min(max(v64, math.MinInt32), math.MaxInt32)
		}
		return int32(v64), true
	}
	v64, ok := n.int64()
	return int32(v64), ok && v64 == int64(int32(v64))
}

// float is the number as Java's double or float.
func (n *jsonNumber) float() float64 {
	text := string(n.digits) + "e" + strconv.Itoa(n.exponent-n.scale)
	size := 64
	if n.kind == numberFloat {
		size = 32
	}
	f, _ := strconv.ParseFloat("0"+text, size) // out of range: an infinity, as in Java
	if n.negative && f != 0 {                  // it has no sign before it becomes a double
		f = -f
	}
	return f
}

// saturate is Java's cast of a double to a long.
func saturate(f float64) int64 {
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f < math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// lowBits is Java's BigDecimal.longValue.
func lowBits(m *big.Int) int64 {
	var low uint64
	if words := m.Bits(); len(words) > 0 {
		low = uint64(words[0])
		if bits.UintSize == 32 && len(words) > 1 {
			low |= uint64(words[1]) << 32
		}
	}
	if m.Sign() < 0 {
		low = -low
	}
	return int64(low)
}

// integerOfText gives the integer that a string is: decimal digits with a sign, or, if it
// has three characters, or a comma before its last three, what Java's NumberFormat makes
// of its start.
func integerOfText(text []byte, size uint) (v int64, ok bool) {
	units := 0
	for _, r := range string(text) {
		units++
		if r > 0xffff {
			units++
		}
	}
	comma := strings.LastIndexByte(string(text), ',')
	if comma < 0 && units == 3 || comma >= 0 && units-4 == comma {
		if strings.IndexByte(string(text), '.') < 0 {
			if v, ok = formattedNumber(text); ok && size == 32 {
				return int64(int32(v)), true // Long.intValue
			}
		}
		if ok {
			return v, true
		}
	}
	return parseExtInt(text, size)
}

// formattedNumber reads the number that text starts with, groups and exponent included, as
// java.text.NumberFormat does for an English locale.
func formattedNumber(text []byte) (v int64, ok bool) {
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	digits := []byte{}
	for _, c := range text {
		if c != ',' && c-'0' > 9 {
			break
		}
		if c != ',' {
			digits = append(digits, c)
		}
	}
	if len(digits) == 0 || text[0] == ',' {
		return 0, false
	}
	v, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		v = math.MaxInt64
	}
	if negative {
		v = -v
	}
	return v, true
}
