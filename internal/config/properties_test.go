package config

import (
	"bufio"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/magiconair/properties"
)

// The file was written by java.util.Properties itself (testdata/PropertiesOracle.java,
// JDK 17).
func TestPropertiesAsJavaReadsThem(t *testing.T) {
	f, err := os.Open("testdata/java-properties.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, refused := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); cases++ {
		inHex, want, _ := strings.Cut(lines.Text(), " ")
		in, err := hex.DecodeString(inHex)
		if err != nil {
			t.Fatal(err)
		}
		got := "error"
		if props, err := parseProperties(in); err == nil {
			got = dumpEffective(props)
		} else {
			refused++
		}
		// A lone surrogate is "?" in Java's UTF-8 and U+FFFD in Go's.
		got = strings.ReplaceAll(got, "efbfbd", "3f")
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", in, got, want)
		}
	}
	if cases < 1000 || refused < 50 {
		t.Fatalf("only %d cases, %d of them refused: the file is not what it was", cases, refused)
	}
}

func dumpEffective(props []Property) string {
	m := effective(props)
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, hex.EncodeToString([]byte(k))+"="+hex.EncodeToString([]byte(m[k])))
	}
	return strings.Join(out, ",")
}

func TestPropertiesEntries(t *testing.T) {
	tests := []struct {
		in         string
		key, value string
		line       int
	}{
		{"a=b\n", "a", "b", 1},
		{"# c\n\n  a : b  \n", "a", "b  ", 3},
		{"a b=c", "a", "b=c", 1},
		{"a\n", "a", "", 1},
		{"=v\n", "", "v", 1},
		{"x\\\r\n  y=1\\\r\n   2\r\n", "xy", "12", 1},
		{"!c\\\na=b", "a", "b", 2},
		{"\\\n#a=b\nc=d\n", "c", "d", 3}, // after a lone backslash a comment is one
		{"a=b\\", "a", "b", 1},
		{"a=\\u0041\\n", "a", "A\n", 1},
		{"a=\xe9", "a", "é", 1},
	}
	for _, tt := range tests {
		props, err := parseProperties([]byte(tt.in))
		if err != nil || len(props) == 0 {
			t.Errorf("%q: got %v, %v", tt.in, props, err)
			continue
		}
		if p := props[len(props)-1]; p.Key != tt.key || p.Value != tt.value || p.Line != tt.line {
			t.Errorf("%q: got %q=%q in line %d, want %q=%q in line %d", tt.in, p.Key, p.Value, p.Line, tt.key, tt.value, tt.line)
		}
	}
}

func TestPropertiesSyntaxErrorNamesLine(t *testing.T) {
	_, err := parseProperties([]byte("a=b\n#\nc=\\u12\n"))
	want := `line 3: malformed escape "\\u12": \u wants four hexadecimal digits`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// FuzzProperties: never panics, every entry lies within the file, after the one before.
func FuzzProperties(f *testing.F) {
	f.Add([]byte("a=b\n# c\nlisten Port : 7 \\u0041\\n\r\n"))
	f.Add([]byte("a\\\n b=c\n=x\nb=\\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		props, _ := parseProperties(data)
		end := 0
		for _, p := range props {
			if p.start < end || p.start > p.value || p.value > p.end || p.end > len(data) {
				t.Fatalf("entry %+v of %d bytes, after %d", p, len(data), end)
			}
			end = p.end
		}
	})
}

// On input that has none of the cases which github.com/magiconair/properties reads
// differently from Java (see parseProperties), the two agree.
func TestPropertiesAgreeWithLibrary(t *testing.T) {
	pieces := []string{"a", "key", "7", "=", ":", " ", "\t", "\f", "\n", "\r\n", "\\\\", "#", "!",
		`\n`, `\u000a`, `\u00e9`, `\u12`, `\ `, `\=`, `\q`, "\xe9", "key=", "\nb=", "\n#c\n"}
	random := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 3000 {
		var in []byte
		for range 1 + random.IntN(12) {
			in = append(in, pieces[random.IntN(len(pieces))]...)
		}
		if libraryDiffers(in) {
			continue
		}
		compared++
		props, err := parseProperties(in)
		lib, errLib := (&properties.Loader{Encoding: properties.ISO_8859_1, DisableExpansion: true}).LoadBytes(in)
		if (err == nil) != (errLib == nil) {
			t.Fatalf("%q: got error %v, the library %v", in, err, errLib)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(lib.Map(), effective(props)); diff != "" {
			t.Fatalf("%q: (-library +ours)\n%s", in, diff)
		}
	}
	if compared < 1000 {
		t.Fatalf("only %d inputs compared", compared)
	}
}

// libraryDiffers: input on which the library is known not to do what Java does.
func libraryDiffers(data []byte) bool {
	s := string(data)
	if strings.Contains(s, "\\\n") || strings.Contains(s, "\\\r") || strings.HasSuffix(s, "\\") {
		return true // continuations
	}
	if strings.Contains(s, `\ud`) || strings.Contains(s, `\uD`) {
		return true // surrogates
	}
	for _, line := range strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimLeft(line, " \t\f")
		if line != "" && (line[0] == '=' || line[0] == ':') {
			return true // an empty key
		}
	}
	return false
}
