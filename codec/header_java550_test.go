package codec

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
)

// TestHeadersAgainstJava550 compares what we make of JSON headers, nearly all of them odd,
// with what Java 5.5.0 made of the same bytes (testdata/Java550Oracle.java). Each line of the
// file is the header and Java's outcome; where we differ on purpose, our outcome and the
// reason follow. "err" closes the connection.
func TestHeadersAgainstJava550(t *testing.T) {
	lim := DefaultLimits()
	var c Command
	againstJava550(t, "headers", 0, 3000, func(_ []string, header string) (string, error) {
		if err := c.Decode(jsonFrame(header, ""), &lim); err != nil {
			return "", err
		}
		return headerOutcome(&c), nil
	})
}

// headerOutcome writes what a header says in the notation of the file.
func headerOutcome(c *Command) string {
	opaque, language, remark, ext := "drawn", "null", "null", "null"
	if c.HasOpaque {
		opaque = strconv.Itoa(int(c.Opaque))
	}
	if c.Language != LanguageUnknown {
		language = c.Language.String()
	}
	if c.Remark != nil {
		remark = javaQuote(string(c.Remark))
	}
	if c.HasExt {
		fields := map[string][]byte{}
		for i := range c.NumExt() {
			key, value := c.ExtAt(i)
			fields[string(key)] = value
		}
		ext = "{"
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			value := "null"
			if fields[key] != nil {
				value = javaQuote(string(fields[key]))
			}
			ext += javaQuote(key) + ":" + value + " "
		}
		ext += "}"
	}
	return fmt.Sprintf("code=%d flag=%d version=%d opaque=%s language=%s remark=%s ext=%s", c.Code, c.Flag, c.Version, opaque, language, remark, ext)
}
