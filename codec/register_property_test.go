package codec

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawRegistration(t *rapid.T) *RegisterBody {
	rb := &RegisterBody{
		DataVersion:   DataVersion{StateVersion: rapid.Int64().Draw(t, "state"), Timestamp: rapid.Int64().Draw(t, "time"), Counter: rapid.Int64().Draw(t, "counter")},
		FilterServers: rapid.SliceOf(rapid.String()).Draw(t, "filter servers"),
	}
	if rb.FilterServersNull = rapid.Bool().Draw(t, "filter servers null"); rb.FilterServersNull {
		rb.FilterServers = nil
	}
	if rb.DataVersionStamped = rapid.Bool().Draw(t, "stamped"); rb.DataVersionStamped {
		rb.DataVersion.Timestamp = 42
	}
	if rb.TopicTableMissing = rapid.Bool().Draw(t, "no table"); !rb.TopicTableMissing {
		for range rapid.IntRange(0, 40).Draw(t, "topics") {
			c := TopicConfig{
				Key: []byte(rapid.String().Draw(t, "key")), ReadQueueNums: rapid.Int32().Draw(t, "read"), WriteQueueNums: rapid.Int32().Draw(t, "write"),
				Perm: rapid.Int32().Draw(t, "perm"), TopicSysFlag: rapid.Int32().Draw(t, "flag"),
			}
			if c.Name = c.Key; rapid.IntRange(0, 9).Draw(t, "nameless") == 0 {
				c.Name = nil
			}
			rb.Topics = append(rb.Topics, c)
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "mappings") {
		m := drawMapping(t)
		rb.Mappings = append(rb.Mappings, TopicQueueMapping{Topic: rapid.String().Draw(t, "topic key"), Info: m})
	}
	return rb
}

// TestRegistrationsComeBack: what a pretend broker of any version sends is what is parsed,
// less what that version cannot say.
func TestRegistrationsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rb := drawRegistration(t)
		version := rapid.SampledFrom([]int32{0, 36, 37, 401, 412, 413, 513}).Draw(t, "version")
		if version < Version5_0_0 {
			rb.DataVersion.StateVersion, rb.Mappings = 0, nil
		}
		if version < Version3_0_11 {
			rb.FilterServers, rb.FilterServersNull = nil, true
		}
		body := AppendRegisterBody(nil, rb, version)
		got, err := ParseRegisterBody(body, RegisterBodyOptions{Version: version, NowMillis: 42})
		checkBack(t, body, rb, got, err)
	})
}

func TestCompressedRegistrationsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rb := drawRegistration(t)
		version := rapid.SampledFrom([]int32{37, 401, 412, 413, 513}).Draw(t, "version")
		rb.TopicTableMissing = false
		for i := range rb.Topics {
			c := &rb.Topics[i]
			c.Name, c.TopicSysFlag = []byte(strings.ReplaceAll(string(c.Key), " ", "_")), 0
			c.Key = c.Name
		}
		for i := range rb.Mappings {
			m := &rb.Mappings[i]
			m.Info.Topic = valid(m.Topic)
		}
		if version < Version5_0_0 {
			rb.DataVersion.StateVersion, rb.Mappings = 0, nil
		}
		body := AppendRegisterBodyCompressed([]byte("head"), rb, version)[4:]
		got, err := ParseRegisterBody(body, RegisterBodyOptions{Version: version, Compressed: true, NowMillis: 42})
		checkBack(t, body, rb, got, err)
	})
}

// noisyWriter writes legal JSON in all the ways it can be written: with white space,
// escapes and properties nobody knows, the properties in any order.
type noisyWriter struct {
	*rapid.T
	strings.Builder
}

func (w *noisyWriter) space() {
	w.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r\n  "}).Draw(w.T, "space"))
}

func (w *noisyWriter) text(s string) {
	w.WriteByte('"')
	for _, r := range s {
		switch how := rapid.IntRange(0, 9).Draw(w.T, "how"); {
		case how == 0 && r < 0x10000:
			fmt.Fprintf(w, `\u%04X`, r)
		case how == 0:
			fmt.Fprintf(w, `\u%04x\u%04x`, 0xd7c0+r>>10, 0xdc00+r&0x3ff)
		case how == 1 && r == '/':
			w.WriteString(`\/`)
		case r < 0x20 || r == '"' || r == '\\':
			b, _ := json.Marshal(string(r))
			w.Write(b[1 : len(b)-1])
		default:
			w.WriteRune(r)
		}
	}
	w.WriteByte('"')
}

// object writes properties in a random order, among others that are unknown.
func (w *noisyWriter) object(properties map[string]func()) {
	for range rapid.IntRange(0, 2).Draw(w.T, "unknown properties") {
		properties["unknown "+rapid.String().Draw(w.T, "unknown")] = func() {
			w.WriteString(rapid.SampledFrom([]string{
				"null", "true", "-1.5e-3", `"}"`, `[]`, `{}`, `[1, {"a": [null]}, "]"]`, `{"topicName":"no","b":{"c":[]}}`,
			}).Draw(w.T, "value"))
		}
	}
	names := rapid.Permutation(sortedKeys(nil, properties)).Draw(w.T, "order")
	w.WriteByte('{')
	w.space()
	for i, name := range names {
		if i > 0 {
			w.WriteByte(',')
			w.space()
		}
		w.text(name)
		w.space()
		w.WriteByte(':')
		w.space()
		properties[name]()
		w.space()
	}
	w.WriteByte('}')
}

func (w *noisyWriter) number(v int64) func() {
	return func() {
		s := strconv.FormatInt(v, 10)
		if rapid.IntRange(0, 3).Draw(w.T, "quoted") == 0 {
			s = `"` + s + `"`
		}
		w.WriteString(s)
	}
}

func (w *noisyWriter) topic(c TopicConfig) func() {
	return func() {
		properties := map[string]func(){
			"readQueueNums": w.number(int64(c.ReadQueueNums)), "writeQueueNums": w.number(int64(c.WriteQueueNums)),
			"perm": w.number(int64(c.Perm)), "topicSysFlag": w.number(int64(c.TopicSysFlag)),
			"topicFilterType": func() { w.text("SINGLE_TAG") }, "order": func() { w.WriteString("true") },
			"attributes": func() { w.object(map[string]func(){}) },
		}
		if c.Name != nil {
			properties["topicName"] = func() { w.text(string(c.Name)) }
		}
		w.object(properties)
	}
}

// TestRegistrationsHoweverWritten: the same registration is read from whatever legal JSON
// says it, and encoding/json agrees that it is legal.
func TestRegistrationsHoweverWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawRegistration(t)
		want.TopicTableMissing, want.DataVersionStamped, want.Mappings = false, false, nil
		want.FilterServers, want.FilterServersNull = []string{}, false
		w := &noisyWriter{T: t}
		topics := map[string]func(){}
		known := map[string]TopicConfig{}
		for _, c := range want.Topics {
			topics[string(c.Key)] = w.topic(c)
			known[string(c.Key)] = c
		}
		w.object(map[string]func(){"topicConfigSerializeWrapper": func() {
			w.object(map[string]func(){
				"dataVersion": func() {
					w.object(map[string]func(){
						"counter": w.number(want.DataVersion.Counter), "timestamp": w.number(want.DataVersion.Timestamp), "stateVersion": w.number(want.DataVersion.StateVersion),
					})
				},
				"topicConfigTable": func() { w.table(topics) },
			})
		}})
		body := []byte(w.String())
		if !json.Valid(body) {
			t.Fatalf("the test wrote what is not legal: %s", body)
		}
		got, err := ParseRegisterBody(body, RegisterBodyOptions{Version: 513})
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		want.Topics = nil
		for _, c := range got.Topics {
			want.Topics = append(want.Topics, known[string(c.Key)])
		}
		if len(got.Topics) != len(known) {
			t.Fatalf("%s: %d topics, want %d", body, len(got.Topics), len(known))
		}
		checkBack(t, body, want, got, nil)
	})
}

// table writes an object without further properties.
func (w *noisyWriter) table(entries map[string]func()) {
	w.WriteByte('{')
	for i, key := range sortedKeys(nil, entries) {
		if i > 0 {
			w.WriteByte(',')
		}
		w.space()
		w.text(key)
		w.space()
		w.WriteByte(':')
		w.space()
		entries[key]()
	}
	w.space()
	w.WriteByte('}')
}
