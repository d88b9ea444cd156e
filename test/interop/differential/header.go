package differential

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A style is the way one family of peers writes its headers.
type style uint8

const (
	styleJava     style = iota // JSON, keys in alphabetical order
	styleGo                    // JSON, remark "", no serialize type
	styleCPP                   // JSON, trailing newline, signature fields
	styleNode                  // JSON, extFields last
	styleSloppy                // legal JSON in unusual shapes
	styleBinary                // ROCKETMQ
	styleBinaryGo              // ROCKETMQ with the Go client's language byte
	styleCount
)

// versions are the protocol versions requests claim: old and new, around every gate.
var versions = []int32{0, 36, 37, 121, 317, 373, 399, 400, 401, 409, 412, 413, 453, 475, 479, 513, 700}

// call is a request before it is written down.
type call struct {
	code    int32
	version int32
	opaque  int32
	flag    int32
	style   style
	ext     []Ext // nil: no map
	body    []byte
}

func (c *call) frame(r *rand.Rand) []byte {
	switch c.style {
	case styleBinary:
		return Frame(1, binaryHeader(c.code, 0, c.version, c.opaque, c.flag, "", c.ext), c.body)
	case styleBinaryGo:
		return Frame(1, binaryHeader(c.code, 9, c.version, c.opaque, c.flag, "", c.ext), c.body)
	default:
		return Frame(0, []byte(c.jsonHeader(r)), c.body)
	}
}

func (c *call) jsonHeader(r *rand.Rand) string {
	ext := func() string { return jsonExt(c.ext, false, r) }
	switch c.style {
	case styleGo:
		e := ext()
		if c.ext == nil {
			e = "{}"
		}
		return fmt.Sprintf(`{"code":%d,"language":"GO","version":%d,"opaque":%d,"flag":%d,"remark":"","extFields":%s}`,
			c.code, c.version, c.opaque, c.flag, e)
	case styleCPP:
		with := append(append([]Ext{}, c.ext...), Ext{Key: "Signature"}, Ext{Key: "AccessKey"}, Ext{Key: "OnsChannel"})
		return fmt.Sprintf(`{"code":%d,"extFields":%s,"flag":%d,"language":"CPP","opaque":%d,"remark":"","version":%d}`+"\n",
			c.code, jsonExt(with, false, r), c.flag, c.opaque, c.version)
	case styleNode:
		e := ""
		if c.ext != nil {
			e = `,"extFields":` + ext()
		}
		return fmt.Sprintf(`{"code":%d,"language":"NODE_JS","opaque":%d,"flag":%d,"version":%d,"remark":""%s}`,
			c.code, c.opaque, c.flag, c.version, e)
	case styleSloppy:
		return c.sloppyHeader(r)
	default:
		e := ""
		if c.ext != nil {
			e = `"extFields":` + ext() + ","
		}
		return fmt.Sprintf(`{"code":%d,%s"flag":%d,"language":"JAVA","opaque":%d,"serializeTypeCurrentRPC":"JSON","version":%d}`,
			c.code, e, c.flag, c.opaque, c.version)
	}
}

// sloppyHeader is legal JSON that no known client writes but the Java server accepts:
// fields in any order, blanks, numbers as strings, odd languages, unknown fields.
func (c *call) sloppyHeader(r *rand.Rand) string {
	num := func(v int32) string {
		if r.IntN(4) == 0 {
			return strconv.Quote(strconv.Itoa(int(v)))
		}
		return strconv.Itoa(int(v))
	}
	fields := []string{`"code":` + num(c.code), `"flag":` + num(c.flag), `"opaque":` + num(c.opaque)}
	if c.version != 0 || r.IntN(2) == 0 {
		fields = append(fields, `"version":`+num(c.version))
	}
	if c.ext != nil {
		fields = append(fields, `"extFields":`+jsonExt(c.ext, true, r))
	} else if r.IntN(3) == 0 {
		fields = append(fields, `"extFields":null`)
	}
	optional := []string{
		`"language":"KLINGON"`, `"language":null`, `"language":9`, `"language":"RUST"`, `"remark":null`,
		`"remark":"\u0041\n\"\\ \u00e9"`, `"serializeTypeCurrentRPC":"ROCKETMQ"`, `"serializeTypeCurrentRPC":"NONE"`,
		`"unknown":{"a":[1,2,{"b":null}],"c":"}"}`, `"body":null`, `"customHeader":null`, `"suspended":false`,
	}
	for range r.IntN(3) {
		o := optional[r.IntN(len(optional))]
		if !strings.Contains(strings.Join(fields, ","), o[:strings.Index(o, ":")+1]) {
			fields = append(fields, o)
		}
	}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	sep := []string{",", ", ", ",\n\t", " ,\r\n "}[r.IntN(4)]
	return []string{"", " ", "\n"}[r.IntN(3)] + "{" + strings.Join(fields, sep) + "}" + []string{"", " ", "\r\n"}[r.IntN(3)]
}

// jsonExt writes a string map; sloppy writes some characters as escapes, some values as
// numbers or booleans, and adds entries nobody asks for.
func jsonExt(ext []Ext, sloppy bool, r *rand.Rand) string {
	parts := make([]string, 0, len(ext)+1)
	for _, e := range ext {
		v := e.Raw
		switch {
		case v != "":
		case sloppy && (e.Value == "true" || e.Value == "false" || plainNumber(e.Value)) && r.IntN(2) == 0:
			v = e.Value
		default:
			v = jsonString(e.Value, sloppy, r)
		}
		parts = append(parts, jsonString(e.Key, sloppy && r.IntN(8) == 0, r)+":"+v)
	}
	if sloppy {
		extra := []string{`"unknownField":"x"`, `"":"empty key"`, `"nothing":null`, `"lo":true`, `"n":12`}
		parts = append(parts, extra[r.IntN(len(extra))])
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func plainNumber(s string) bool {
	v, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(v, 10) == s
}

// jsonString quotes s as legal JSON; escape writes every character as \uXXXX now and then.
// It draws once, whatever the length of s, which may depend on the salt (a checksum's).
func jsonString(s string, escape bool, r *rand.Rand) string {
	var b strings.Builder
	b.WriteByte('"')
	if r != nil {
		r = rand.New(rand.NewPCG(r.Uint64(), 1))
	}
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < 0x20 || escape && r.IntN(3) == 0:
			for _, u := range utf16.Encode([]rune{c}) {
				fmt.Fprintf(&b, []string{`\u%04x`, `\u%04X`}[u&1], u)
			}
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
