package codec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// describeHeader puts into one line what a header says and Java's default does not.
func describeHeader(c *Command) string {
	var b strings.Builder
	add := func(name string, v int32) {
		if v != 0 {
			fmt.Fprintf(&b, " %s=%d", name, v)
		}
	}
	add("code", c.Code)
	add("flag", c.Flag)
	add("version", c.Version)
	if c.HasOpaque {
		fmt.Fprintf(&b, " opaque=%d", c.Opaque)
	}
	if c.Language != LanguageJava {
		fmt.Fprintf(&b, " language=%s", c.Language)
	}
	if c.Remark != nil {
		fmt.Fprintf(&b, " remark=%q", c.Remark)
	}
	if c.HasExt {
		b.WriteString(" ext{")
		for i := range c.NumExt() {
			key, value := c.ExtAt(i)
			if value == nil {
				fmt.Fprintf(&b, " %s:null", key)
			} else {
				fmt.Fprintf(&b, " %s:%q", key, value)
			}
		}
		b.WriteString(" }")
	}
	return strings.TrimSpace(b.String())
}

// accept fails unless the header is read, as want says.
func accept(t *testing.T, header, want string) {
	t.Helper()
	lim := DefaultLimits()
	var c Command
	if err := c.Decode(jsonFrame(header, ""), &lim); err != nil {
		t.Errorf("%s\n  refused: %v", header, err)
		return
	}
	if got := describeHeader(&c); got != want {
		t.Errorf("%s\n  got  %s\n  want %s", header, got, want)
	}
	checkBorrowed(t, &c)
}

// refuse fails unless the header closes the connection.
func refuse(t *testing.T, header string, want error) {
	t.Helper()
	lim := DefaultLimits()
	var c Command
	if err := c.Decode(jsonFrame(header, ""), &lim); !errors.Is(err, want) {
		t.Errorf("%s\n  got %v (%s)\n  want %v", header, err, describeHeader(&c), want)
	}
}

// checkBorrowed: no slice of a command lets an append write behind it.
func checkBorrowed(t *testing.T, c *Command) {
	t.Helper()
	f := func(what string, s []byte) {
		if len(s) != cap(s) {
			t.Errorf("%s %q has room for %d bytes more", what, s, cap(s)-len(s))
		}
	}
	f("remark", c.Remark)
	f("body", c.Body)
	for i := range c.NumExt() {
		key, value := c.ExtAt(i)
		f("key", key)
		f("value", value)
	}
}

// The headers of each client, as they write them (spec 1.2).
func TestJSONHeaderOfClients(t *testing.T) {
	f := func(header, want string) { t.Helper(); accept(t, header, want) }
	java := `code=105 version=513 opaque=1234567 ext{ acceptStandardJsonOnly:"true" topic:"order-events-europe-west-settled" }`
	f(benchJSON105, java)
	// Go: another order, an empty remark.
	f(`{"code":105,"language":"GO","version":317,"opaque":7,"flag":0,"remark":"","extFields":{"topic":"T1"}}`,
		`code=105 version=317 opaque=7 language=GO remark="" ext{ topic:"T1" }`)
	// C++: empty values, a line feed behind the object.
	f(`{"code":105,"extFields":{"AccessKey":"","OnsChannel":"","Signature":"","topic":"T1"},"flag":0,"language":"CPP","opaque":3,"remark":"","version":333}`+"\n",
		`code=105 version=333 opaque=3 language=CPP remark="" ext{ AccessKey:"" OnsChannel:"" Signature:"" topic:"T1" }`)
	// ali-ons (Node.js).
	f(`{"code":105,"language":"JAVA","opaque":2,"flag":0,"version":121,"remark":"","extFields":{"topic":"T1"}}`,
		`code=105 version=121 opaque=2 remark="" ext{ topic:"T1" }`)
	// Python's json.dumps: a blank behind each colon and comma.
	f(`{"code": 105, "flag": 0, "language": "PYTHON", "opaque": 6, "version": 79, "remark": null, "extFields": {"topic": "T1", "n": 4}}`,
		`code=105 version=79 opaque=6 language=PYTHON ext{ topic:"T1" n:"4" }`)
	// Pretty-printed, as some JSON libraries do by default.
	f("{\n  \"code\" : 105,\n\t\"extFields\" : { \"topic\" : \"T1\" , \"n\" : 4 } ,\r\n  \"opaque\" : 1\n}\n",
		`code=105 opaque=1 ext{ topic:"T1" n:"4" }`)
}

// Members may be missing, null, unknown, repeated, or in any order.
func TestJSONHeaderMembers(t *testing.T) {
	f := func(header, want string) { t.Helper(); accept(t, header, want) }
	f(`{}`, "")
	f(` { } `, "")
	f(`{"opaque":-3}`, "opaque=-3")
	f(`{"opaque":null}`, "opaque=0") // Java sets the field to 0: the id is not its own
	f(`{"code":null,"flag":null,"version":null,"remark":null,"extFields":null}`, "")
	f(`{"serializeTypeCurrentRPC":"ROCKETMQ"}`, "")
	f(`{"serializeTypeCurrentRPC":"XML"}`, "")
	f(`{"serializeTypeCurrentRPC":null}`, "")

	// Names count in their own case.
	f(`{"Code":105,"FLAG":1,"extfields":{},"ExtFields":{"a":"b"}}`, "")
	f(`{"c":1,"codes":2,"cod":3,"":4,"code ":5}`, "")
	f(`{"c\u006fde":6}`, "code=6")

	// The last one of a name counts; for extFields that is the whole object.
	f(`{"code":5,"code":6}`, "code=6")
	f(`{"code":5,"code":null}`, "")
	f(`{"remark":"x","remark":null}`, "")
	f(`{"opaque":7,"opaque":null}`, "opaque=0")
	f(`{"extFields":{"a":"1","b":"2"},"extFields":{"b":"3"}}`, `ext{ b:"3" }`)
	f(`{"extFields":{"a":"1"},"extFields":{}}`, "ext{ }")
	f(`{"extFields":{"a":"1"},"extFields":null}`, "")

	// Unknown members are passed over, whatever they hold.
	f(`{"x":{"y":[1,-2.5e3,{"z":null}],"w":{}},"v":[],"u":[[[]]],"t":"\"}","s":true,"r":false,"code":9}`, "code=9")
	f(`{"x":"\u0041\n","code":9}`, "code=9")
	f(`{"x":'single',"y":{'k':'v'},"code":9}`, "code=9")
	f(`{"$ref":"$","@type":"x","body":[97],"code":9}`, "code=9")
}

// What fastjson2 takes beyond the standard, as tried on Java 5.5.0.
func TestJSONHeaderLeniency(t *testing.T) {
	f := func(header, want string) { t.Helper(); accept(t, header, want) }
	f(`{'code':5,'remark':'it "is"','extFields':{'a':'b'}}`, `code=5 remark="it \"is\"" ext{ a:"b" }`)
	f(`{"code":5,}`, "code=5")
	f(`{"code":5 , }`, "code=5")
	f(`{"code":5 "flag":1}`, "code=5 flag=1")
	f(`{"code":5"flag":1"extFields":{"a":"1""b":2"c":null}"version":7}`, `code=5 flag=1 version=7 ext{ a:"1" b:"2" c:null }`)
	f(`{"extFields":{"a":"x",}}`, `ext{ a:"x" }`)
	f("{\"remark\":\"a\nb\tc\"}", `remark="a\nb\tc"`)
	f("\b\f\t\r\n {\"code\"\b:\f5\t}\x00\x1a\x00\n", "code=5")

	f(`{"extFields":""}`, "")
	f(`{"extFields":"null"}`, "")
}

func TestJSONHeaderRefused(t *testing.T) {
	f := func(header string) { t.Helper(); refuse(t, header, ErrHeader) }
	for _, header := range []string{
		"", "   ", "null", "[]", "[1]", `[{"code":5}]`, `"x"`, "5", "true", "{", "<xml/>",
		`{"code":5} x`, `{"code":5}{}`, `{"code":5}}`, `{"code":5]`, `{"code":5`, `{"code":`, `{"code"`, `{"code`, `{"`,
		// Bare keys, and keys that are no strings.
		`{code:5}`, `{5:6}`, `{null:1}`, `{true:1}`, `{"extFields":{a:"x"}}`, `{"extFields":{1:"x"}}`, `{"x":{a:1}}`,
		// Commas and colons.
		`{,"code":5}`, `{ ,"code":5}`, `{"code":5,,"flag":1}`, `{"code":5;"flag":1}`, `{"code" "5"}`, `{"code"=5}`, `{"code"}`,
		`{"extFields":{,"a":"x"}}`, `{"extFields":{"a":"x",,"b":"y"}}`, `{"extFields":{"a"}}`, `{"extFields":{"a":}}`,
		`{"extFields":{"a","topic":"T1"},"opaque":123456}`, `{"extFields":{"a";"topic":"T1"},"opaque":123456}`,
		`{"extFields":{"a":"x"}`, `{"extFields":{"a":"x"`, `{"extFields":{"a":"x`, `{"extFields":{"a":`, `{"extFields":{"a`, `{"extFields":{`,
		// Inside unknown values the standard rules.
		`{"x":[1,]}`, `{"x":[,1]}`, `{"x":[1 2]}`, `{"x":{"a":1,}}`, `{"x":{"a":1 "b":2}}`, `{"x":[1}`, `{"x":{"a":1]`, `{"x":[`, `{"x":{`, `{"x":{"a`,
		`{"x":abc}`, `{"x":nul}`, `{"x":TRUE}`, `{"x":}`, `{"x":-}`, `{"x":NaN}`, `{"x":1.2.3}`, `{"x":"\q"}`, `{"x":new Date(1)}`,
		// Comments where fastjson2 takes none, and references that Java evaluates.
		`{"code":/*x*/5}`, `{"code":5/*x*/}`, `{"extFields":{"$ref":"$"}}`, `{"code":5}/`, `{"code":5}/*`,
		// Types.
		`{"extFields":[]}`, `{"extFields":"x"}`, `{"extFields":5}`, `{"extFields":true}`, `{"extFields":"{}"}`,
		`{"remark":abc}`, `{"remark":nul}`,
		// Comments.
		`{"code":/*c*/5}`, `{"extFields":{"a":"x"/*c*/}}`,
	} {
		f(header)
	}
	f("\xef\xbb\xbf{}") // a byte order mark
	f("{\x0b}")         // a vertical tab is no blank
	f("{\"code\":5}\x01")
}

// Numbers come in quotes, with fractions and with Java's suffixes.
func TestJSONHeaderNumbers(t *testing.T) {
	f := func(value string, want int32) {
		t.Helper()
		text := ""
		if want != 0 {
			text = fmt.Sprintf("code=%d", want)
		}
		// At the end, and in the middle of a header.
		accept(t, `{"code":`+value+`}`, text)
		accept(t, `{"code":`+value+` ,"opaque":3}`, strings.TrimSpace(text+" opaque=3"))
	}
	f("0", 0)
	f("-0", 0)
	f("007", 7)
	f("+5", 5)
	f("999999999", 999999999)
	f("1000000000", 1000000000)
	f("2147483647", 2147483647)
	f("-2147483648", -2147483648)
	f(`"105"`, 105)
	f(`'105'`, 105)
	f(`"-7"`, -7)
	f(`"+7"`, 7)
	f(`"\u0035"`, 5)
	f("105.0", 105)
	f("1.9999", 1)
	f("-1.5", -1)
	f("1e2", 100)
	f("1E+2", 100)
	f("1e-1", 0)
	f("1e", 1)
	f("1.", 1)
	f(".5", 0)
	f(`"1.5"`, 1)
	f(`"1e2"`, 100)
	f(`"1e"`, 1)
	f(`"1e+"`, 1)
	f(`".5"`, 0)
	f(`"1."`, 1)
	f("2.147483647e9", 2147483647)
	f("5L", 5)
	f("5S", 5)
	f("5B", 5)
	f("5F", 5)
	f("5D", 5)
	f("true", 1)
	f("false", 0)
	f(`"true"`, 1)
	f(`"false"`, 0)
	f("null", 0)
	f(`""`, 0)
	f(`"null"`, 0)
	f("0.0000000000000000000000000000000000000000001", 0)
}

// Numbers that are none, or that do not fit an int.
func TestJSONHeaderNumbersRefused(t *testing.T) {
	f := func(value string) {
		t.Helper()
		refuse(t, `{"code":`+value+`}`, ErrHeader)
		refuse(t, `{"opaque":`+value+`,"code":1}`, ErrHeader)
	}
	f("2147483648")
	f("-2147483649")
	f("4294967297") // 1 if it wrapped
	f("99999999999999999999")
	f(`"2147483648"`)
	f("--5")
	f("5-5")
	f("1.2.3")
	f("0x10")
	f(".")
	f("[]")
	f("[5,6]")
	f(`"abc"`)
	f(`" 105"`)
	f(`"5 "`)
	f(`"TRUE"`)
	f(`"NULL"`)
	f(`"0x10"`)
	f(`"1_000"`)
	f(`"5L"`)
	f(`"1.5F"`)
	f(`"1.5x"`)
	f("1.5x")
	f(`"Inf"`)
	f(`"٣"`)
	f("0." + strings.Repeat("0", 2000))
}

// Languages by name in any case, by ordinal, and unknown ones.
func TestJSONHeaderLanguage(t *testing.T) {
	f := func(value string, want LanguageCode) {
		t.Helper()
		text := ""
		if want != LanguageJava {
			text = "language=" + want.String()
		}
		accept(t, `{"language":`+value+`}`, text)
	}
	for code, name := range languageNames {
		f(`"`+name+`"`, LanguageCode(code))
		f(`"`+strings.ToLower(name)+`"`, LanguageCode(code))
		f(fmt.Sprint(code), LanguageCode(code))
		f(fmt.Sprintf(`"%d"`, code), LanguageCode(code))
	}
	f(`"\u0047O"`, LanguageGo)
	f("9.0", LanguageGo)
	f(`"KOTLIN"`, LanguageUnknown)
	f(`""`, LanguageUnknown)
	f(`"99"`, LanguageUnknown)
	f(`"-1"`, LanguageUnknown)
	f("null", LanguageUnknown)

	for _, value := range []string{"14", "99", "-1", "true", "false", "{}", "[]", "tru", "nul", "JAVA", `"JAVA`} {
		refuse(t, `{"language":`+value+`}`, ErrHeader)
	}
}

// Ext values that are no strings become their own text.
func TestJSONHeaderExtValues(t *testing.T) {
	f := func(value, want string) {
		t.Helper()
		accept(t, `{"extFields":{"k":`+value+`}}`, "ext{ k:"+want+" }")
	}
	f(`"x"`, `"x"`)
	f(`""`, `""`)
	f("null", "null")
	f(`"null"`, `"null"`)
	f("true", `"true"`)
	f("false", `"false"`)
	f("5", `"5"`)
	f("-5", `"-5"`)
	f("+5", `"5"`)
	f("007", `"7"`)
	f("-007", `"-7"`)
	f("-0", `"0"`)
	f("00", `"0"`)
	f("5L", `"5"`)
	f("123456789012345678901234567890", `"123456789012345678901234567890"`)
	f("5.0", `"5.0"`)
	f("1.50", `"1.50"`)
	f("+0.5", `"0.5"`)
	f("00.50", `"0.50"`)
	f("1.", `"1"`)
	f("1e", `"1"`)
	f("-5.", `"-5"`)
	f("00e5", `"0.0"`)
	f("1e2", `"100.0"`)
	f("1e-7", `"1.0E-7"`)
	f("0.00000015", `"1.5E-7"`)
	f("{a:1}", `"{\"a\":1}"`)
	f("[1,]", `"[1]"`)
	f(`["x"]`, `"x"`)
	f("[]", `"[]"`)
	f("{}", `"{}"`)
	f(`[1,"x"]`, `"[1,\"x\"]"`)
	f(`{"b":{"c":null}, "d" : [ null ]}`, `"{\"b\":{},\"d\":[null]}"`)

	for _, value := range []string{"TRUE", "nul", "nulll", "tru", "0x1", "-", "+", ".", "NaN", "undefined", `"open`} {
		refuse(t, `{"extFields":{"k":`+value+`}}`, ErrHeader)
	}
}

// Escapes: those of the standard, and those that fastjson2 adds.
func TestJSONHeaderEscapes(t *testing.T) {
	f := func(escaped, want string) {
		t.Helper()
		accept(t, `{"remark":"`+escaped+`"}`, fmt.Sprintf("remark=%q", want))
		accept(t, `{"extFields":{"a`+escaped+`z":"`+escaped+`"}}`, fmt.Sprintf("ext{ a%sz:%q }", want, want))
	}
	f(`a\"b\\c\/d`, `a"b\c/d`)
	f(`\b\f\n\r\t`, "\b\f\n\r\t")
	f(`\u0041\u00e9\u00E9\u4e2d\u0000`, "Aéé中\x00")
	f(`\ud83d\ude00`, "😀")
	f(`\uD83D\uDE00!`, "😀!")
	f(`\x41\x7f\xe9`, "A\x7fé")
	f(`\0\1\2\3\4\5\6\7\v\F`, "\x00\x01\x02\x03\x04\x05\x06\x07\v\f")
	f(`\'\#\&\(\)\,\.\@\[\]\_\~\ `, `'#&(),.@[]_~ `)
	// Halves of surrogate pairs have no place in UTF-8.
	f(`\ud83d`, "?")
	f(`\ude00x`, "?x")
	f(`\ud83dA`, "?A")
	f(`\ud83d\u0041`, "?A")
	f(`\ud83d\ud83d\ude00`, "?😀")
	f(`\ud83d\n`, "?\n")
	// Of what is no hexadecimal digit some bits count, or none.
	f(`\u000g\uzzzz`, "\x00\u3333")

	for _, escaped := range []string{`\q`, `\a`, `\e`, `\8`, `\U0041`, `\u`, `\u00`, `\x4`, `\xzz`, `\`, "\\\n", "\\\x00"} {
		refuse(t, `{"remark":"`+escaped+`"}`, ErrHeader)
	}
	refuse(t, `{"remark":"\`, ErrHeader)
	refuse(t, `{"remark":"\u004`, ErrHeader)
	refuse(t, `{"remark":"\x4`, ErrHeader)
	refuse(t, `{"remark":"a\n`, ErrHeader)
}

// Bytes that are not UTF-8 become what a Java string makes of them. In a JSON header they
// are refused if one starts no character, or swallows the quote.
func TestHeaderInvalidUTF8(t *testing.T) {
	lim := DefaultLimits()
	f := func(raw, want string) {
		t.Helper()
		accept(t, `{"remark":"`+raw+`"}`, fmt.Sprintf("remark=%q", want))
		accept(t, `{"extFields":{"`+raw+`":"`+raw+`"}}`, fmt.Sprintf("ext{ %s:%q }", want, want))
	}
	binary := func(raw, want string) {
		t.Helper()

		h := Header{Remark: raw, HasRemark: true, Ext: []ExtField{{raw, raw}}}
		var c Command
		if err := c.Decode(AppendCommand(nil, SerializeRocketMQ, &h, nil), &lim); err != nil {
			t.Fatal(err)
		}
		if got, want := describeHeader(&c), fmt.Sprintf("opaque=0 remark=%q ext{ %s:%q }", want, want, want); got != want {
			t.Errorf("binary %q: got %s, want %s", raw, got, want)
		}
		checkBorrowed(t, &c)
	}
	// What Java 17 makes of them, and whether a JSON header may have them.
	for _, c := range []struct {
		raw, want string
		json      bool
	}{
		{"é中😀\uFFFF", "é中😀\uFFFF", true},
		{"a\x80b", "a\uFFFDb", false},
		{"\xc3(", "\uFFFD(", true},
		{"\xe2\x82x", "\uFFFDx", true},
		{"\xe2(\xa1x", "\uFFFD(\uFFFDx", true},
		{"\xed\xa0\x80", "\uFFFD", true},
		{"\xed\xa0\xbd\xed\xb8\x80", "\uFFFD\uFFFD", true},
		{"\xf0\x9f\x98x", "\uFFFDx", true},
		{"\xf0(\x8c\xbcx", "\uFFFD(\uFFFD\uFFFDx", true},
		{"\xf0\x80\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", true},
		{"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", true},
		{"\xf5\x80\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", true},
		{"\xc0\x80", "\uFFFD\uFFFD", true},
		{"\xe0\x80\x80", "\uFFFD\uFFFD\uFFFD", true},
		{"\xf8\x88\x80\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD", false},
		{"\xfe\xff", "\uFFFD\uFFFD", false},
		{"cut \xe4\xb8", "cut \uFFFD", false},
		{"cut \xf0\x9f\x98", "cut \uFFFD", false},
	} {
		binary(c.raw, c.want)
		if c.json {
			f(c.raw, c.want)
		} else {
			refuse(t, `{"remark":"`+c.raw+`"}`, ErrHeader)
		}
	}
}

// The limits of a header hold before anything grows.
func TestJSONHeaderLimits(t *testing.T) {
	lim := DefaultLimits()
	fields := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":"v",`, i)
		}
		return `{"extFields":{` + strings.TrimSuffix(b.String(), ",") + `},"code":5}`
	}
	var c Command
	if err := c.Decode(jsonFrame(fields(lim.ExtFieldsMax), ""), &lim); err != nil || c.NumExt() != lim.ExtFieldsMax {
		t.Errorf("%d ext fields, as many as allowed: %v, %d read", lim.ExtFieldsMax, err, c.NumExt())
	}
	refuse(t, fields(lim.ExtFieldsMax+1), ErrTooManyExtFields)
	refuse(t, fields(100_000), ErrHeaderTooLarge)
	refuse(t, `{"extFields":{`+strings.Repeat(`"":"",`, 150_000)+`}}`, ErrTooManyExtFields)

	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	accept(t, `{"x":`+deep(lim.JSONDepthMax)+`,"code":5}`, "code=5")
	refuse(t, `{"x":`+deep(lim.JSONDepthMax+1)+`}`, ErrHeader)
	refuse(t, `{"x":`+deep(10_000)+`}`, ErrHeader)
	refuse(t, `{"x":`+strings.Repeat(`{"a":`, 10_000)+`}`, ErrHeader)
	refuse(t, `{"extFields":{"a":`+deep(lim.JSONDepthMax+1)+`}}`, ErrHeader)
	refuse(t, `{"remark":"`+strings.Repeat("x", 1<<20)+`"}`, ErrHeaderTooLarge)
}

// A command that has read a large odd header does not keep its memory, and one that is
// used again shows nothing of the frame before.
func TestCommandReuse(t *testing.T) {
	lim := DefaultLimits()
	var c Command
	odd := `{"code":1,"flag":3,"version":9,"opaque":8,"language":"GO","remark":"` + strings.Repeat(`\u00e9`, 100_000) +
		`","extFields":{` + strings.Repeat(`"a\n":"b",`, 200) + `"z":null}}`
	if err := c.Decode(jsonFrame(odd, "body"), &lim); err != nil {
		t.Fatal(err)
	}
	if len(c.Remark) != 200_000 || c.NumExt() != 201 {
		t.Fatalf("read a remark of %d bytes and %d ext fields", len(c.Remark), c.NumExt())
	}
	if err := c.Decode(jsonFrame(`{}`, ""), &lim); err != nil {
		t.Fatal(err)
	}
	if got := describeHeader(&c); got != "" || c.Body != nil || c.NumExt() != 0 || c.IsOneway() || c.IsResponse() {
		t.Errorf("{} after a full header: %s, body %q", got, c.Body)
	}
	if cap(c.scratch) > scratchKeepBytes {
		t.Errorf("%d bytes of scratch are kept, more than %d", cap(c.scratch), scratchKeepBytes)
	}

	c.Reset()
	fresh := Command{ext: extTable{more: c.ext.more}, scratch: c.scratch}
	if diff := cmp.Diff(fresh, c, cmp.AllowUnexported(Command{}, extTable{}, extEntry{})); diff != "" {
		t.Errorf("Reset left something (-want +got):\n%s", diff)
	}
	for i, e := range c.ext.more[:cap(c.ext.more)] {
		if e.key != nil || e.value != nil {
			t.Fatalf("Reset keeps the array of ext field %d: %q", extInline+i, e.key)
		}
	}
}
