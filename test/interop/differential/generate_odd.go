package differential

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// oddRequest is a frame that is well formed but not a request the server knows.
func (g *generator) oddRequest() {
	switch g.r.IntN(3) {
	case 0:
		code := []int32{0, 10, 47, 314, 905, 1001, 99999, -1, 2147483647}[g.r.IntN(9)]
		q := g.ask(code, []Ext{{Key: "topic", Value: "x"}}, []byte("body"), "unknown code")
		g.add(g.client(), q)
	case 1:
		q := g.request(call{code: 0, version: 513, flag: 1, style: g.anyStyle()}, "unsolicited reply")
		q.Expect = ExpectNone
		g.add(g.client(), q)
	default:
		// Twenty pipelined questions, in one write.
		var all []Request
		for range 20 {
			t := g.anyTopic()
			all = append(all, g.request(call{code: 105, version: versions[g.r.IntN(len(versions))],
				style: g.anyStyle(), ext: []Ext{{Key: "topic", Value: t}}}, fmt.Sprintf("%q", t)))
		}
		g.add(g.client(), all...)
	}
}

// missingFields leaves out what the request needs. Registrations and unregistrations whose
// absence would damage the Java server's tables are in the tests of single exceptions.
func (g *generator) missingFields() {
	g.addMissing(g.anyMember(), -1)
}

// addMissing adds the n-th request that lacks something, any when n is negative, and says
// how many there are.
func (g *generator) addMissing(b *member, n int) int {
	without := func(ext []Ext, key string) []Ext {
		var out []Ext
		for _, e := range ext {
			if e.Key != key {
				out = append(out, e)
			}
		}
		return out
	}
	kv := []Ext{{Key: "namespace", Value: g.spaces[1]}, {Key: "key", Value: g.keys[0]}, {Key: "value", Value: "v"}}
	drafts := []struct {
		code int32
		ext  []Ext
		note string
	}{
		{100, without(kv, "namespace"), "without namespace"},
		{100, without(kv, "key"), "without key"},
		{100, without(kv, "value"), "without value"},
		{100, nil, "without fields"},
		{101, without(kv, "namespace"), "without namespace"},
		{101, without(kv, "key"), "without key"},
		{101, nil, "without fields"},
		{102, without(kv, "key"), "without key"},
		{102, []Ext{}, "with no field"},
		{103, without(b.identity(), "brokerId"), "without brokerId"},
		{103, nil, "without fields"},
		{103, append(without(b.identity(), "brokerId"), Ext{Key: "brokerId", Value: "9223372036854775808"}), "with a brokerId too large"},
		{103, append(without(b.identity(), "brokerId"), Ext{Key: "brokerId", Value: " 0"}), "with a blank before brokerId"},
		{103, append(without(b.identity(), "brokerId"), Ext{Key: "brokerId", Value: "zero"}), "with brokerId zero"},
		{104, without(b.identity(), "clusterName"), "without clusterName"},
		{104, without(b.identity(), "brokerAddr"), "without brokerAddr"},
		{105, nil, "without fields"},
		{105, []Ext{{Key: "Topic", Value: g.topics[0].name}}, "with Topic in upper case"},
		{205, []Ext{}, "with no field"},
		{216, nil, "without fields"},
		{217, nil, "without fields"},
		{219, []Ext{}, "with no field"},
		{224, nil, "without fields"},
		{322, without(b.identity(), "clusterName"), "without clusterName"},
		{322, without(b.identity(), "brokerAddr"), "without brokerAddr"},
		{322, without(b.identity(), "brokerId"), "without brokerId"},
		{327, nil, "without fields"},
		{901, nil, "without fields"},
		{901, []Ext{{Key: "brokerName", Value: b.Name}}, "without clusterName"},
		{904, without(b.identity(), "brokerAddr"), "without brokerAddr"},
		{904, []Ext{}, "with no field"},
	}
	if n < 0 {
		n = g.r.IntN(len(drafts))
	}
	d := drafts[n]
	g.add(g.client(), g.ask(d.code, d.ext, nil, d.note))
	return len(drafts)
}

// brokenFrame is a frame that is wrong: most get the connection closed.
func (g *generator) brokenFrame() {
	conn := g.scratch()
	if g.r.IntN(8) == 0 {
		conn = g.anyMember().conn // a broker's: it is unregistered if the server closes
	}
	g.addBroken(conn, g.r.IntN(len(brokenFrames)))
}

func (g *generator) addBroken(conn, n int) {
	draft := brokenFrames[n]
	opaque := g.nextOpaque()
	q := Request{Opaque: opaque, Expect: ExpectAny, Frame: draft.frame(g, opaque), Note: draft.note}
	g.add(conn, q)
}

func word(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// jsonFrame is a frame with the header text, in which @ stands for the opaque.
func jsonFrame(header string) func(*generator, int32) []byte {
	return func(_ *generator, opaque int32) []byte {
		return Frame(0, []byte(strings.ReplaceAll(header, "@", fmt.Sprint(opaque))), nil)
	}
}

// binaryFrame is a frame with a ROCKETMQ header of code 105 whose tail, from the length of
// the remark on, is given.
func binaryFrame(tail ...byte) func(*generator, int32) []byte {
	return func(_ *generator, opaque int32) []byte {
		header := binaryHeader(105, 0, 513, opaque, 0, "", nil)
		return Frame(1, append(header[:13], tail...), nil)
	}
}

// brokenFrame is a frame and what is odd about it.
type brokenFrame struct {
	note  string
	frame func(*generator, int32) []byte
}

// unusedProperties are properties that Java's command has besides those of a header, with
// values that fit and values that close the connection.
var unusedProperties = map[string][]string{
	"body":                    {`null`, `""`, `"AAAA"`, `"null"`, `5`, `true`, `{}`, `[]`, `[1,"2",true,null,1.5]`, `["x"]`, `[99999999999]`, `[{"a":"x"}]`, `[[1]]`, `[[]]`},
	"suspended":               {`null`, `""`, `"null"`, `"x"`, `"True"`, `"Y"`, `"y"`, `"2"`, `5`, `1.5`, `true`, `{}`, `[]`},
	"callbackList":            {`null`, `""`, `"null"`, `"[]"`, `5`, `true`, `{}`, `[]`, `[{"a":[1]},null,true]`, `[5]`, `["x"]`, `[[]]`},
	"processTimer":            {`null`, `""`, `"null"`, `"x"`, `5`, `true`, `{}`, `{"running":5}`, `[]`},
	"serializeTypeCurrentRPC": {`null`, `""`, `"x"`, `0`, `1`, `2`, `-1`, `1.999`, `true`, `{}`, `[]`},
	"type":                    {`"x"`, `5`, `{}`, `[1]`},
}

// withUnusedProperties adds a frame for each of their values.
func withUnusedProperties(frames []brokenFrame) []brokenFrame {
	for _, property := range slices.Sorted(maps.Keys(unusedProperties)) {
		for _, value := range unusedProperties[property] {
			member := fmt.Sprintf("%q:%s", property, value)
			frames = append(frames, brokenFrame{member, jsonFrame(`{"code":106,` + member + `,"opaque":@}`)})
		}
	}
	return frames
}

var brokenFrames = withUnusedProperties([]brokenFrame{
	{"length 0", func(*generator, int32) []byte { return append(word(0), make([]byte, 12)...) }},
	{"length 3", func(*generator, int32) []byte { return append(word(3), make([]byte, 12)...) }},
	{"length -1", func(*generator, int32) []byte { return append(word(0xFFFFFFFF), make([]byte, 12)...) }},
	{"length 16777213", func(*generator, int32) []byte { return append(word(16777213), make([]byte, 12)...) }},
	{"header longer than the frame", func(*generator, int32) []byte {
		return append(append(word(12), word(64)...), make([]byte, 8)...)
	}},
	{"HTTP", func(*generator, int32) []byte { return []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") }},
	{"serialize type 2", func(_ *generator, o int32) []byte { return Frame(2, binaryHeader(105, 0, 1, o, 0, "", nil), nil) }},
	{"serialize type 255", func(_ *generator, o int32) []byte { return Frame(255, binaryHeader(105, 0, 1, o, 0, "", nil), nil) }},
	{"JSON null", func(*generator, int32) []byte { return Frame(0, []byte("null"), []byte("padding, padding")) }},
	{"JSON array", func(*generator, int32) []byte { return Frame(0, []byte("[]"), []byte("padding, padding")) }},
	{"empty header", func(*generator, int32) []byte { return Frame(0, nil, []byte("padding, padding")) }},
	{"empty object with a body", func(*generator, int32) []byte { return Frame(0, []byte("{}"), []byte("padding, padding")) }},
	{"garbage header", jsonFrame("garbage, garbage, garbage")},
	{"truncated JSON", jsonFrame(`{"code":106,"opaque":@,"flag":0`)},
	{"text after the header", jsonFrame(`{"code":106,"opaque":@,"flag":0} x`)},
	{"two objects", jsonFrame(`{"code":106,"opaque":@}{}`)},
	{"language 99", jsonFrame(`{"code":106,"language":99,"opaque":@}`)},
	{"language 13", jsonFrame(`{"code":106,"language":13,"opaque":@}`)},
	{"code as a word", jsonFrame(`{"code":"abc","opaque":@}`)},
	{"code null", jsonFrame(`{"code":null,"opaque":@}`)},
	{"opaque as a string", jsonFrame(`{"code":206,"opaque":"@"}`)},
	{"language true", jsonFrame(`{"code":106,"language":true,"opaque":@}`)},
	{"language object", jsonFrame(`{"code":106,"language":{},"opaque":@}`)},
	{"extFields array", jsonFrame(`{"code":106,"extFields":[],"opaque":@}`)},
	{"extFields text", jsonFrame(`{"code":106,"extFields":"x","opaque":@}`)},
	{"ext value object", jsonFrame(`{"code":105,"extFields":{"topic":{"a":1}},"opaque":@}`)},
	{"ext value array", jsonFrame(`{"code":105,"extFields":{"topic":[1,"b"]},"opaque":@}`)},
	{"ext value fraction", jsonFrame(`{"code":105,"extFields":{"topic":1.50},"opaque":@}`)},
	{"code as a fraction", jsonFrame(`{"code":106.5,"opaque":@}`)},
	{"code too large", jsonFrame(`{"code":4294967402,"opaque":@}`)},
	{"code true", jsonFrame(`{"code":true,"opaque":@}`)},
	{"remark number", jsonFrame(`{"code":106,"remark":5,"opaque":@}`)},
	{"remark object", jsonFrame(`{"code":106,"remark":{"a":[1]},"opaque":@}`)},
	{"code twice", jsonFrame(`{"code":105,"code":106,"opaque":@}`)},
	{"extFields twice", jsonFrame(`{"code":105,"extFields":{"topic":"a"},"extFields":{"topic":"b"},"opaque":@}`)},
	{"ext key twice", jsonFrame(`{"code":105,"extFields":{"topic":"a","topic":"b"},"opaque":@}`)},
	{"single quotes", jsonFrame(`{'code':106,'opaque':@}`)},
	{"trailing comma", jsonFrame(`{"code":106,"opaque":@,}`)},
	{"key in upper case", jsonFrame(`{"CODE":106,"opaque":@}`)},
	{"byte order mark", jsonFrame("\ufeff" + `{"code":106,"opaque":@}`)},
	{"unquoted keys", jsonFrame(`{code:106,opaque:@}`)},
	{"extFields null", jsonFrame(`{"code":105,"extFields":null,"opaque":@}`)},
	{"extFields empty", jsonFrame(`{"code":105,"extFields":{},"opaque":@}`)},
	{"ext value null", jsonFrame(`{"code":105,"extFields":{"topic":null},"opaque":@}`)},
	{"ext value number", jsonFrame(`{"code":105,"extFields":{"topic":12},"opaque":@}`)},
	{"ext value true", jsonFrame(`{"code":105,"extFields":{"topic":true},"opaque":@}`)},
	{"comment in front", jsonFrame(`/*c*/{"code":106,"opaque":@}`)},
	{"comment before a key", jsonFrame(`{/*c*/"code":106,/*d*/"opaque":@}`)},
	{"comment before a value", jsonFrame(`{"code":/*c*/106,"opaque":@}`)},
	{"comment behind a value", jsonFrame(`{"code":106/*c*/,"opaque":@}`)},
	{"comment before the end", jsonFrame(`{"code":106,"opaque":@,/*c*/}`)},
	{"comment behind the header", jsonFrame(`{"code":106,"opaque":@}//c`)},
	{"comment behind the ext fields", jsonFrame(`{"code":105,"extFields":{"topic":"x"}/*c*/,"opaque":@}`)},
	{"comment in the ext fields", jsonFrame(`{"code":105,"extFields":{/*c*/"topic":"x"},"opaque":@}`)},
	{"NUL behind the brace", jsonFrame("{\x00\"code\":106,\"opaque\":@}\x00")},
	{"no brace", jsonFrame(`"code":106,"opaque":@}`)},
	{"comma behind the header", jsonFrame(`{"code":106,"opaque":@},`)},
	{"DOS end of file", jsonFrame("{\"code\":106,\"opaque\":@}\x1a rest")},
	{"code in an array", jsonFrame(`{"code":[106],"opaque":@}`)},
	{"code in an array twice", jsonFrame(`{"code":[106,1],"opaque":@}`)},
	{"code as an object", jsonFrame(`{"code":{"val":106},"opaque":@}`)},
	{"code as another object", jsonFrame(`{"code":{"value":106},"opaque":@}`)},
	{"code with an exponent", jsonFrame(`{"code":1.06e2,"opaque":@}`)},
	{"code with a large exponent", jsonFrame(`{"code":1e400,"opaque":@}`)},
	{"code with a point too large", jsonFrame(`{"code":4294967402.5,"opaque":@}`)},
	{"code as a sign", jsonFrame(`{"code":-,"opaque":@}`)},
	{"code as a word of three letters", jsonFrame(`{"code":"0x7","opaque":@}`)},
	{"code with a comma", jsonFrame(`{"code":"1,006","opaque":@}`)},
	{"reference as an ext value", jsonFrame(`{"code":105,"extFields":{"topic":{"$ref":"$"}},"opaque":@}`)},
	{"reference as a member", jsonFrame(`{"$ref":"$","code":106,"opaque":@}`)},
	{"reference as an unknown value", jsonFrame(`{"x":{"$ref":"$"},"code":106,"opaque":@}`)},
	{"ext value exponent", jsonFrame(`{"code":105,"extFields":{"topic":1e2},"opaque":@}`)},
	{"ext value small exponent", jsonFrame(`{"code":105,"extFields":{"topic":1e-7},"opaque":@}`)},
	{"ext value object with blanks", jsonFrame(`{"code":105,"extFields":{"topic":{ "a" : [ 1 , null ] , "b" : null }},"opaque":@}`)},
	{"ext value array of one string", jsonFrame(`{"code":105,"extFields":{"topic":["x"]},"opaque":@}`)},
	{"ext key number", jsonFrame(`{"code":105,"extFields":{5,"topic":"x"},"opaque":@}`)},
	{"extFields in an array", jsonFrame(`{"code":105,"extFields":[{"topic":"x"}],"opaque":@}`)},
	{"no UTF-8", jsonFrame("{\"code\":105,\"extFields\":{\"topic\":\"\xc0\x80\"},\"opaque\":@}")},
	{"no UTF-8 beside an escape", jsonFrame("{\"code\":105,\"extFields\":{\"topic\":\"\\n\xc0\x80\"},\"opaque\":@}")},
	{"half a character", jsonFrame("{\"code\":105,\"extFields\":{\"topic\":\"\xe2\x82\"},\"opaque\":@}")},
	{"a byte that starts no character", jsonFrame("{\"code\":105,\"extFields\":{\"topic\":\"a\x80\"},\"opaque\":@}")},
	{"no hexadecimal digits", jsonFrame(`{"code":105,"extFields":{"topic":"\u00G0\x4z"},"opaque":@}`)},
	{"a blank beyond ASCII", jsonFrame("{\"code\":106\xa0,\"opaque\":@}")},
	{"a name of U+00FF", jsonFrame(`{"code":106,"\u00ff":1,"opaque":@}`)},
	{"a name with a NUL behind it", jsonFrame(`{"code\u0000":106,"opaque":@}`)},
	{"binary header of 20 bytes", func(_ *generator, o int32) []byte {
		return Frame(1, binaryHeader(105, 0, 1, o, 0, "", nil)[:20], nil)
	}},
	{"binary, remark length -1", binaryFrame(0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0)},
	{"binary, remark beyond the header", binaryFrame(0, 0, 1, 0, 0, 0, 0, 0)},
	{"binary, ext length -1", binaryFrame(0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF)},
	{"binary, ext beyond the header", binaryFrame(0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 'a')},
	{"binary, key beyond the map", binaryFrame(0, 0, 0, 0, 0, 0, 0, 8, 0, 9, 'a', 0, 0, 0, 1, 'b')},
	{"binary, empty value", binaryFrame(0, 0, 0, 0, 0, 0, 0, 11, 0, 5, 't', 'o', 'p', 'i', 'c', 0, 0, 0, 0)},
	{"binary, empty key", binaryFrame(0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 1, 'b')},
	{"binary, surplus in the header", binaryFrame(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3)},
	{"binary, unknown language", func(_ *generator, o int32) []byte {
		return Frame(1, binaryHeader(105, 200, 513, o, 0, "", []Ext{{Key: "topic", Value: "nothing"}}), nil)
	}},
})
