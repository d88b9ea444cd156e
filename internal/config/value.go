package config

import (
	"fmt"
	"strconv"
	"strings"
)

// parseJavaInt reads a number as Java's Integer.parseInt (bits 32) and Long.parseLong
// (bits 64) do: an optional sign and decimal digits, nothing else.
func parseJavaInt(s string, bits int) (int64, bool) {
	// strconv accepts the same in base 10: a sign, digits, no blanks, no underscores.
	v, err := strconv.ParseInt(s, 10, bits)
	return v, err == nil
}

// trimJava cuts what Java's String.trim cuts: everything up to and including U+0020.
func trimJava(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// text returns the value of a key as Java's String.valueOf writes it.
func (k *key) text(v *values) string {
	switch p := k.field(v).(type) {
	case *string:
		return *p
	case *bool:
		return strconv.FormatBool(*p)
	case *int:
		return strconv.Itoa(*p)
	case *int64:
		return strconv.FormatInt(*p, 10)
	}
	panic("config: key " + k.name + " has a field of an unknown type")
}

// quote shows a value in a message: escaped, and not all of a long one.
func quote(s string) string {
	const bytesMax = 80
	if len(s) > bytesMax {
		return strconv.Quote(strings.ToValidUTF8(s[:bytesMax], "")) + "..."
	}
	return strconv.Quote(s)
}

// parseNumber reads a number and checks what the key can be.
func (k *key) parseNumber(s string, bits int) (int64, error) {
	n, ok := parseJavaInt(s, bits)
	if !ok {
		return 0, fmt.Errorf("%s is not a whole number", quote(s))
	}
	if (k.min != 0 || k.max != 0) && (n < k.min || n > k.max) {
		return 0, &rangeError{value: n, min: k.min, max: k.max}
	}
	return n, nil
}

// rangeError is a number that is one, but outside what the key can be.
type rangeError struct{ value, min, max int64 }

func (e *rangeError) Error() string {
	return fmt.Sprintf("%d is not between %d and %d", e.value, e.min, e.max)
}

// assign sets the key as Java does: strings trimmed; a number that does not parse
// changes nothing; any boolean but "true" (any case) is false. The error says what was
// not taken as written, a *rangeError what cannot be used at all.
func (k *key) assign(v *values, raw string) error {
	switch p := k.field(v).(type) {
	case *string:
		*p = trimJava(raw)
		return nil
	case *bool:
		*p = strings.EqualFold(raw, "true")
		if !*p && !strings.EqualFold(raw, "false") {
			return fmt.Errorf("%s is not true or false", quote(raw))
		}
		return nil
	case *int:
		n, err := k.parseNumber(raw, 32)
		if err == nil {
			*p = int(n)
		}
		return err
	case *int64:
		n, err := k.parseNumber(raw, 64)
		if err == nil {
			*p = n
		}
		return err
	}
	panic("config: key " + k.name + " has a field of an unknown type")
}
