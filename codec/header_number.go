package codec

import (
	"math"
	"strconv"
)

// number moves over a number as fastjson2 knows it: a plus sign, leading zeros, no digits
// on one side of the point or in the exponent, and Java's type suffixes are all fine. Its
// text is without a suffix, and without an exponent that says nothing.
func (s *headerScanner) number() (text []byte, ok bool) {
	start := s.i
	s.skipSign()
	digits := s.skipDigits()
	if s.peek() == '.' {
		s.i++
		digits += s.skipDigits()
	}
	if digits == 0 {
		return nil, false
	}
	end := s.i
	if s.peek()|0x20 == 'e' {
		s.i++
		s.skipSign()
		if s.skipDigits() > 0 {
			end = s.i
		}
	}
	if isNumberSuffix(s.peek()) {
		s.i++
	}
	return s.b[start:end:end], true
}

func isNumberSuffix(ch byte) bool {
	return ch == 'L' || ch == 'S' || ch == 'B' || ch == 'F' || ch == 'D'
}

func (s *headerScanner) skipSign() {
	if ch := s.peek(); ch == '-' || ch == '+' {
		s.i++
	}
}

func (s *headerScanner) skipDigits() (count int) {
	start := s.i
	for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
		s.i++
	}
	return s.i - start
}

// numberText is what an ext field holds that was sent as a number. As in Java it loses a
// plus sign, leading zeros and a point with nothing behind it; the rest keeps its text.
func (s *headerScanner) numberText(text []byte) []byte {
	digits := text
	negative := digits[0] == '-'
	if negative || digits[0] == '+' {
		digits = digits[1:]
	}
	if last := len(digits) - 1; digits[last] == '.' {
		digits = digits[:last:last]
	}
	for len(digits) > 1 && digits[0] == '0' && digits[1]-'0' <= 9 {
		digits = digits[1:]
	}
	switch {
	case !negative || string(digits) == "0":
		return digits
	case len(digits)+1 == len(text):
		return text
	}
	c := s.c
	start := len(c.scratch)
	c.scratch = append(append(c.scratch, '-'), digits...)
	return c.scratch[start:len(c.scratch):len(c.scratch)]
}

// int32 reads a value that Java keeps in an int.
func (s *headerScanner) int32(v *int32) error {
	i := s.i
	negative := i < len(s.b) && s.b[i] == '-'
	if negative {
		i++
	}
	n, first := int32(0), i
	for i < len(s.b) && s.b[i]-'0' <= 9 {
		n = n*10 + int32(s.b[i]-'0') // wraps for ten digits and more: they are not used
		i++
	}
	// The common form, in no need of checks: one to nine digits and nothing odd behind.
	if digits := i - first; digits == 0 || digits > 9 || i == len(s.b) || s.b[i] != ',' && s.b[i] != '}' {
		return s.oddInt32(v)
	}
	if negative {
		n = -n
	}
	s.i = i
	*v = n
	return nil
}

// oddInt32 reads an int in any other form: null and what fastjson2 takes for it are 0, a
// boolean is 0 or 1, a fraction is cut off, and all of it may stand in quotes.
func (s *headerScanner) oddInt32(v *int32) error {
	start := s.i
	ch := s.peek()
	if ch == '{' || ch == '[' {
		return s.expected("a number")
	}
	text, err := s.text()
	if err != nil {
		return err
	}
	var ok bool
	switch {
	case isNullText(text), string(text) == "false":
		*v, ok = 0, true
	case string(text) == "true":
		*v, ok = 1, true
	default:
		*v, ok = intOfText(text)
	}
	if !ok {
		const shownBytes = 40
		return headerErrorf(start, "%q is no 32-bit number", text[:min(len(text), shownBytes)])
	}
	return nil
}

// intOfText reads an int with or without a fraction or an exponent.
func intOfText(text []byte) (int32, bool) {
	if n, ok := parseExtInt(text, 32); ok {
		return int32(n), true
	}
	s := headerScanner{b: text}
	number, ok := s.number()
	// More digits than this say nothing about an int, and none is worth their time. A
	// suffix only stands behind a number that is not in quotes, where it is gone by now.
	const textBytesMax = 64
	if !ok || s.i != len(text) || len(text) > textBytesMax || isNumberSuffix(text[len(text)-1]) {
		return 0, false
	}
	// The text being a number, the only error is a value out of range: an infinity.
	f, _ := strconv.ParseFloat(string(number), 64)
	f = math.Trunc(f)
	if f < math.MinInt32 || f > math.MaxInt32 {
		return 0, false
	}
	return int32(f), true
}
