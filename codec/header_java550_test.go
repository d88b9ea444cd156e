package codec

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestHeadersAgainstJava550 compares what we make of JSON headers, nearly all of them odd,
// with what Java 5.5.0 made of the same bytes (testdata/Java550Oracle.java). Each line of the
// file is the header and Java's outcome; where we differ on purpose, our outcome and the
// reason follow. "err" closes the connection.
func TestHeadersAgainstJava550(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "headers", "java550.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lim := DefaultLimits()
	lines, differ := 0, 0
	var c Command
	for scan := bufio.NewScanner(file); scan.Scan(); lines++ {
		fields := strings.Split(scan.Text(), "\t")
		header, err := strconv.Unquote(fields[0])
		if err != nil {
			t.Fatalf("line %d: %v", lines+1, err)
		}
		want := fields[1]
		if len(fields) == 4 {
			want = fields[2]
			differ++
		}
		got := "err"
		if err = c.Decode(jsonFrame(header, ""), &lim); err == nil {
			got = headerOutcome(&c)
		}
		if got != want {
			t.Errorf("line %d: %s\nwant %s\ngot  %s (%v)", lines+1, fields[0], want, got, err)
		}
	}
	if lines < 3000 {
		t.Errorf("only %d lines", lines)
	}
	t.Logf("%d headers, %d of them read otherwise on purpose", lines, differ)
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
