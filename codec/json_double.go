package codec

import (
	"bytes"
	"math"
	"strconv"
)

// appendJavaDouble appends a double or float as Java's toString does: plain from 0.001 to
// 10 million, else with an exponent, always with a digit behind the point. Written as JSON
// there are no infinities.
func appendJavaDouble(dst []byte, n *jsonNumber, json bool) []byte {
	f := n.float()
	size := 64
	if n.kind == numberFloat {
		size = 32
	}
	switch abs := math.Abs(f); {
	case math.IsInf(f, 0) && json:
		return append(dst, "null"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, size)
		if bytes.IndexByte(dst[start:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	text := strconv.AppendFloat(nil, f, 'e', -1, size) // d.ddde+XX
	mantissa, exponent, _ := bytes.Cut(text, []byte("e"))
	if dst = append(dst, mantissa...); bytes.IndexByte(mantissa, '.') < 0 {
		dst = append(dst, ".0"...)
	}
	e, _ := strconv.Atoi(string(exponent))
	return strconv.AppendInt(append(dst, 'E'), int64(e), 10)
}
