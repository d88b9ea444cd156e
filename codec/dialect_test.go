package codec

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAppendJSONStringAsJava550 pins what fastjson2 2.0.59, called as Java 5.5.0 calls it,
// wrote for each of these strings: as a map's value, as a map's key and as a property, in
// the plain dialect and in the standard one. All six were always the same.
func TestAppendJSONStringAsJava550(t *testing.T) {
	for in, want := range map[string]string{
		"":                      `""`,
		"TopicTest":             `"TopicTest"`,
		"\x00\x01\x07":          `"\u0000\u0001\u0007"`,
		"\b\t\n\v\f\r":          `"\b\t\n\u000b\f\r"`,
		"\x0e\x1a\x1e\x1f":      `"\u000e\u001a\u001e\u001f"`,
		`quote " backslash \`:   `"quote \" backslash \\"`,
		"/<>&'=":                `"/<>&'="`,
		"\x7f":                  "\"\x7f\"",
		"\u0080\u0085\u009f":    "\"\u0080\u0085\u009f\"",
		"\u00ad\u00e9":          "\"\u00ad\u00e9\"",
		"\u2027\u2028\u2029":    "\"\u2027\u2028\u2029\"",
		"中文/主题":                 `"中文/主题"`,
		"\ufeff\ufffe\uffff":    "\"\ufeff\ufffe\uffff\"",
		"\U0001f600":            "\"\U0001f600\"",
		"long enough for words": `"long enough for words"`,
		"seven__\"eight___\"":   `"seven__\"eight___\""`,
	} {
		for _, d := range []Dialect{DialectPlain, DialectStandard} {
			if got := string(AppendJSONString([]byte("x"), in, d)); got != "x"+want {
				t.Errorf("dialect %d: %q gives %s, want x%s", d, in, got, want)
			}
		}
	}
}

func TestAppendJSONStringInvalidUTF8(t *testing.T) {
	for in, want := range map[string]string{
		"\xff":             "\"\ufffd\"",
		"a\xc3":            "\"a\ufffd\"",
		"\xf0\x9f\x98":     "\"\ufffd\ufffd\ufffd\"",
		"12345678\xe4\xb8": "\"12345678\ufffd\ufffd\"",
	} {
		if got := string(AppendJSONString(nil, in, DialectPlain)); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

// TestAppendJSONStringLegal: encoding/json reads back what was written, and no byte that
// ends a string goes through unescaped, wherever in a word it stands.
func TestAppendJSONStringLegal(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, s string) {
		enc := AppendJSONString(nil, s, DialectStandard)
		var back string
		if err := json.Unmarshal(enc, &back); err != nil {
			t.Fatalf("%q gives %q: %v", s, enc, err)
		}
		if want := string([]rune(s)); back != want {
			t.Fatalf("%q came back as %q", s, back)
		}
	}
	for pad := range 20 {
		for c := range 256 {
			check(t, strings.Repeat("p", pad)+string([]byte{byte(c)})+"tail of it")
		}
	}
	rapid.Check(t, func(t *rapid.T) { check(t, string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))) })
}

func TestIntegersOfTheDialects(t *testing.T) {
	for _, c := range []struct {
		v                          int64
		plainKey, stdKey, std, pln string
	}{
		{0, `0:`, `"0":`, `0`, `0`},
		{-5, `-5:`, `"-5":`, `-5`, `-5`},
		{9007199254740991, `9007199254740991:`, `"9007199254740991":`, `9007199254740991`, `9007199254740991`},
		{9007199254740992, `9007199254740992:`, `"9007199254740992":`, `"9007199254740992"`, `9007199254740992`},
		{-9007199254740991, `-9007199254740991:`, `"-9007199254740991":`, `-9007199254740991`, `-9007199254740991`},
		{-9007199254740992, `-9007199254740992:`, `"-9007199254740992":`, `"-9007199254740992"`, `-9007199254740992`},
	} {
		got := fmt.Sprintf("%s %s %s %s", appendIntKey(nil, c.v, DialectPlain), appendIntKey(nil, c.v, DialectStandard),
			appendInt64(nil, c.v, DialectStandard), appendInt64(nil, c.v, DialectPlain))
		if want := fmt.Sprintf("%s %s %s %s", c.plainKey, c.stdKey, c.std, c.pln); got != want {
			t.Errorf("%d: got %s, want %s", c.v, got, want)
		}
	}
}
