package codec

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// text reads a string property. A number, a boolean, an object or an array gives its own
// text, as in fastjson2; null gives ok=false. The result may point into the body.
func (s *bodyScanner) text() (text []byte, ok bool) {
	switch s.peek() {
	case '"', '\'':
		return s.quoted(), s.err == nil
	case 'n':
		s.literal("null")
		return nil, false
	}
	start := s.i
	if s.skip(); s.err != nil {
		return nil, false
	}
	text = s.b[start:s.i:s.i]
	if !utf8.Valid(text) { // strings are skipped without looking closely
		s.fail(start, "text that is not UTF-8")
		return nil, false
	}
	return text, true
}

// string reads a string property that is kept: a copy. Null is "".
func (s *bodyScanner) string() string {
	text, _ := s.text()
	return string(text)
}

// nullString reads a string property that is kept and may be null.
func (s *bodyScanner) nullString() NullString {
	text, ok := s.text()
	return NullString{String: string(text), Valid: ok}
}

// int32 reads a Java int: a number, whose fraction is dropped, or a boolean, either in
// quotes or as the only element of an array; null, "" and any object are 0. One that does
// not fit is an error.
func (s *bodyScanner) int32() int32 {
	if s.peek() == '{' {
		s.skip()
		return 0
	}
	offset := s.i
	v := s.int64()
	if v != int64(int32(v)) && s.err == nil {
		if token := s.b[offset:s.i]; bytes.ContainsAny(token, ".eE") && token[0] != '"' && token[0] != '\'' {
			return int32(min(max(v, math.MinInt32), math.MaxInt32)) // as parseNumberText
		}
		s.fail(offset, "integer %d that does not fit into 32 bits", v)
		return 0
	}
	return int32(v)
}

// int64 reads a Java long, as int32 does; but an object is an error.
func (s *bodyScanner) int64() int64 {
	switch c := s.peek(); c {
	case '"', '\'':
		return s.quotedInt()
	case 't':
		s.literal("true")
		return 1
	case 'f':
		s.literal("false")
		return 0
	case 'n':
		s.literal("null")
		return 0
	case '[':
		return s.onlyInt64()
	}
	b, i, v := s.b, s.i, int64(0)
	for ; i < len(b) && b[i]-'0' <= 9 && i < s.i+18; i++ {
		v = v*10 + int64(b[i]-'0')
	}
	if i > s.i && (i == len(b) || !isNumberByte(b[i]) && !isNumberSuffix(b[i])) {
		s.i = i
		return v
	}
	return s.numberInt()
}

// onlyInt64 reads an array of one integer.
func (s *bodyScanner) onlyInt64() int64 {
	offset := s.i
	s.open()
	if !s.nextElement() || s.peek() == 'n' {
		s.fail(offset, "array where one number belongs")
		return 0
	}
	v := s.int64()
	if s.nextElement() {
		s.fail(offset, "array of several elements where one number belongs")
	}
	return v
}

// numberInt reads the integer part of any number.
func (s *bodyScanner) numberInt() int64 {
	offset := s.i
	token := s.number()
	v, ok := parseNumberText(token)
	if !ok && s.err == nil {
		s.fail(offset, "number %q that is no integer of 64 bits", clip(token, 24))
	}
	return v
}

// quotedInt reads an integer in quotes.
func (s *bodyScanner) quotedInt() int64 {
	offset := s.i
	v, ok := parseIntText(s.quoted())
	if !ok {
		s.fail(offset, "string that is not an integer")
	}
	return v
}

// parseIntText gives the integer that a quoted number, a quoted boolean or a map key is;
// "" and "null" are 0.
func parseIntText(text []byte) (v int64, ok bool) {
	switch string(text) {
	case "", "null", "false":
		return 0, true
	case "true":
		return 1, true
	}
	return parseNumberText(text)
}

// parseNumberText gives the integer part of a number's text. One with a fraction or an
// exponent that does not fit is the nearest that does, as in Java; ok is false when
// another does not fit or text is no number.
func parseNumberText(text []byte) (v int64, ok bool) {
	const textBytesMax = 1 << 10 // a number longer than that is no number of anybody
	if len(text) > textBytesMax {
		return 0, false
	}
	fraction := false
	for _, c := range text {
		if !isNumberByte(c) { // nor words that strconv knows: inf, nan, 0x1p4, 1_000
			return 0, false
		}
		fraction = fraction || c == '.' || c == 'e' || c == 'E'
	}
	if !fraction {
		v, err := strconv.ParseInt(string(text), 10, 64)
		return v, err == nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return 0, false
	case f >= math.MaxInt64:
		return math.MaxInt64, true
	case f < math.MinInt64:
		return math.MinInt64, true
	}
	return int64(f), true
}

// number reads the text of a number.
func (s *bodyScanner) number() []byte {
	start, digits := s.i, 0
	for s.i < len(s.b) && isNumberByte(s.b[s.i]) {
		if c := s.b[s.i]; c >= '0' && c <= '9' {
			digits++
		} else if (c == '-' || c == '+') && s.i > start && s.b[s.i-1]|0x20 != 'e' {
			break
		}
		s.i++
		s.pause(s.i)
	}
	token := s.b[start:s.i]
	if digits > 0 && s.i < len(s.b) && isNumberSuffix(s.b[s.i]) {
		s.i++ // as Java writes it in a program
	}
	if digits == 0 || s.i < len(s.b) && isWordByte(s.b[s.i]) {
		s.i = start
		s.unexpected("a value")
		return nil
	}
	return token
}

// bool reads a Java boolean: true, false, a number (1 and -1 are true, as in fastjson2) or
// the usual words in quotes; null and "" are false.
func (s *bodyScanner) bool() bool {
	switch c := s.peek(); c {
	case 't':
		s.literal("true")
		return true
	case 'f':
		s.literal("false")
		return false
	case '"', '\'':
		return s.quotedBool()
	case 'n':
		s.literal("null")
		return false
	case '[', '{':
		s.unexpected("a boolean")
		return false
	}
	token := s.number()
	return string(token) == "1" || string(token) == "-1"
}

func (s *bodyScanner) quotedBool() bool {
	offset := s.i
	switch text := s.quoted(); string(text) {
	case "true", "TRUE", "True", "1", "Y", "T":
		return true
	case "", "false", "FALSE", "False", "0", "N", "F", "null":
		return false
	}
	s.fail(offset, "string that is not a boolean")
	return false
}
