package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// java550Bodies calls fn with each body of java550.txt that is of one of the kinds.
func java550Bodies(t testing.TB, fn func(kind string, body []byte), kinds ...string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "bodies", "java550.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(line, "\t")
		for _, kind := range kinds {
			if fields[0] == kind {
				body, err := strconv.Unquote(fields[1])
				if err != nil {
					t.Fatal(err)
				}
				fn(kind, []byte(body))
			}
		}
	}
}

// fuzzLimits keep what a fuzzer can make us do small.
func fuzzLimits() *Limits {
	lim := DefaultLimits()
	lim.InflatedBytesMax, lim.TopicsMax = 1<<20, 1000
	return &lim
}

// checkLegalJSON: what encoding/json calls legal we can skip, so that unknown properties
// never refuse a body.
func checkLegalJSON(t *testing.T, body []byte) {
	t.Helper()
	if !json.Valid(body) || !utf8.Valid(body) {
		return
	}
	s := newBodyScanner(body, nil)
	s.skip()
	s.end()
	if s.err != nil && !errors.Is(s.err, ErrBodyTooLarge) {
		t.Errorf("legal JSON refused: %v", s.err)
	}
}

func checkBodyError(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrBody) && !errors.Is(err, ErrBodyTooLarge) {
		t.Errorf("error of no kind: %v", err)
	}
	if len(err.Error()) > 600 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

func FuzzRegisterBody(f *testing.F) {
	for _, name := range []string{"register_498.json", "register_500_static.json", "register_java550.json", "register_old.json", "register_pretty.json"} {
		f.Add(int32(513), false, readBody(f, name))
		f.Add(int32(36), false, readBody(f, name))
	}
	f.Add(int32(513), true, readBody(f, "register_java550.zlib"))
	f.Add(int32(401), true, unhex(f, acceptedZlib))
	java550Bodies(f, func(kind string, body []byte) {
		f.Add(map[string]int32{"reg": 513, "old": 36, "zip": 513, "zip4": 401}[kind], kind[0] == 'z', body)
	}, "reg", "old", "zip", "zip4")
	f.Fuzz(func(t *testing.T, version int32, compressed bool, body []byte) {
		o := RegisterBodyOptions{Version: version, Compressed: compressed, NowMillis: 42, Limits: fuzzLimits()}
		original := bytes.Clone(body)
		rb, err := ParseRegisterBody(body, o)
		if !bytes.Equal(original, body) {
			t.Error("the body was written to")
		}
		checkLegalJSON(t, body)
		if err != nil {
			checkBodyError(t, err)
			return
		}
		checkRegistration(t, rb, o.Limits.InflatedBytesMax)
		checkWithWhiteSpace(t, body, o)
		checkOtherForms(t, rb, o)
	})
}

// checkOtherForms: what was read can be sent again and is read alike.
func checkOtherForms(t *testing.T, rb *RegisterBody, o RegisterBodyOptions) {
	t.Helper()
	if o.Version < Version5_0_0 {
		o.Version = Version5_0_0
	}
	o.Compressed, o.Limits.JSONDepthMax = false, 100
	body := AppendRegisterBody(nil, rb, o.Version)
	again, err := ParseRegisterBody(body, o)
	if err != nil {
		t.Fatalf("own body refused: %v\n%s", err, body)
	}
	for i := range rb.Mappings {
		rb.Mappings[i].Info = withScope(rb.Mappings[i].Info)
	}
	if rb.DataVersionStamped { // an explicit null and no timestamp are the same from now on
		again.DataVersion.Timestamp = rb.DataVersion.Timestamp
	}
	rb.DataVersion.CounterNull = false // no broker sends it
	if d := cmp.Diff(rb, again, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("own body read otherwise (-want +got)\n%s\n%s", d, body)
	}
}

// withScope gives a mapping whose scope was null the one that a reader takes for absent.
func withScope(m TopicQueueMappingInfo) TopicQueueMappingInfo {
	if !m.Scope.Valid {
		m.Scope = valid(topicQueueMappingScope)
	}
	return m
}

// checkWithWhiteSpace: white space takes legal JSON off the path of typical topics, and
// changes nothing else.
func checkWithWhiteSpace(t *testing.T, body []byte, o RegisterBodyOptions) {
	t.Helper()
	var spaced bytes.Buffer
	if json.Indent(&spaced, body, "", " ") != nil || spaced.Len() > 1<<20 {
		return
	}
	again, err := ParseRegisterBody(spaced.Bytes(), o)
	if err != nil {
		t.Fatalf("refused with white space: %v\n%s", err, spaced.Bytes())
	}
	rb, err := ParseRegisterBody(body, o)
	if err != nil {
		t.Fatal(err)
	}
	squeeze(rb)
	squeeze(again)
	if d := cmp.Diff(rb, again); d != "" {
		t.Errorf("read otherwise with white space (-want +got)\n%s", d)
	}
}

// squeeze takes the white space out of all texts: an object that was given for a string
// keeps its text as it is.
func squeeze(rb *RegisterBody) {
	text := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for i := range rb.Topics {
		c := &rb.Topics[i]
		if c.Key = []byte(text(string(c.Key))); c.Name != nil {
			c.Name = []byte(text(string(c.Name)))
		}
	}
	for i := range rb.FilterServers {
		rb.FilterServers[i] = text(rb.FilterServers[i])
	}
	for i := range rb.Mappings {
		m := &rb.Mappings[i]
		m.Topic = text(m.Topic)
		for _, s := range []*NullString{&m.Info.Topic, &m.Info.Scope, &m.Info.BName} {
			s.String = text(s.String)
		}
	}
}

func FuzzRouteData(f *testing.F) {
	f.Add(AppendTopicRouteData(nil, javaRoute(), DialectPlain))
	f.Add(AppendTopicRouteData(nil, javaRoute(), DialectStandard))
	f.Add(AppendClusterInfo(nil, &ClusterInfo{BrokerAddrTable: map[string]BrokerData{"b": javaRoute().BrokerDatas[0]}, ClusterAddrTable: map[string][]string{"c": {"b"}}}))
	f.Add(AppendBrokerMemberGroup(nil, &BrokerMemberGroup{Cluster: valid("c"), BrokerAddrs: map[int64]string{0: "a:1"}}))
	f.Add(AppendSystemTopicList(nil, valid("a:1"), []string{"x", "y"}))
	java550Bodies(f, func(_ string, body []byte) { f.Add(body) }, "route", "dv", "kvt")
	for _, c := range largeRoutes(21) {
		f.Add([]byte(c.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		checkLegalJSON(t, body)
		checkBoundedRoute(t, body)
		if route, err := ParseTopicRouteData(body, fuzzLimits()); err != nil {
			checkBodyError(t, err)
		} else {
			for k, m := range route.TopicQueueMappingByBroker {
				route.TopicQueueMappingByBroker[k] = withScope(m)
			}
			for _, d := range []Dialect{DialectPlain, DialectStandard} {
				own := AppendTopicRouteData(nil, &route, d)
				if d == DialectStandard && !json.Valid(own) {
					t.Errorf("not legal JSON: %s", own)
				}
				again, err := ParseTopicRouteData(own, nil)
				checkSame(t, own, route, again, err)
			}
		}
		if info, err := ParseClusterInfo(body, fuzzLimits()); err == nil {
			own := AppendClusterInfo(nil, &info)
			again, err := ParseClusterInfo(own, nil)
			checkSame(t, own, info, again, err)
		}
		if group, err := ParseBrokerMemberGroup(body, fuzzLimits()); err == nil {
			own := AppendBrokerMemberGroup(nil, &group)
			again, err := ParseBrokerMemberGroup(own, nil)
			checkSame(t, own, group, again, err)
		}
		if topics, err := ParseTopicList(body, fuzzLimits()); err == nil {
			own := AppendSystemTopicList(nil, topics.BrokerAddr, topics.Topics)
			again, err := ParseTopicList(own, nil)
			checkSame(t, own, topics, again, err)
		}
		if version, ok, err := ParseDataVersion(body, 42); err == nil && ok {
			version.CounterNull = false // no broker sends it
			own := AppendDataVersion(nil, version)
			again, _, err := ParseDataVersion(own, 0)
			checkSame(t, own, version, again, err)
		}
		if table, err := ParseKVTable(body, fuzzLimits()); err == nil {
			own := AppendKVTable(nil, table)
			again, err := ParseKVTable(own, nil)
			checkSame(t, own, table, again, err)
		}
	})
}

func checkSame(t *testing.T, own []byte, want, got any, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("own body refused: %v\n%s", err, own)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("own body read otherwise (-want +got)\n%s\n%s", d, own)
	}
}

func FuzzKVFile(f *testing.F) {
	f.Add([]byte("\ufeff// by hand\n{ \"configTable\" : { 'NS' : { \"k\" : \"v\\u00e9\" , } } }"))
	java550Bodies(f, func(_ string, body []byte) { f.Add(body) }, "kvfile", "kvt")
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ParseKVFile(data)
		want, known := legalKVFile(data)
		switch {
		case known && want == nil && err == nil:
			t.Fatalf("read although it has no table: %v", file)
		case known && want != nil && err != nil && !errors.Is(err, ErrBodyTooLarge):
			t.Fatalf("refused: %v", err)
		}
		if err != nil {
			checkBodyError(t, err)
			if file.ConfigTable != nil || file.Blank {
				t.Error("an error and a table")
			}
			return
		}
		if known {
			if d := cmp.Diff(want, file.ConfigTable); d != "" {
				t.Errorf("(-encoding/json +ours)\n%s", d)
			}
		}
		own := AppendKVFile(nil, file.ConfigTable)
		again, err := ParseKVFile(own)
		checkSame(t, own, file.ConfigTable, again.ConfigTable, err)
	})
}

// legalKVFile says what a file holds according to encoding/json: nil if that is no KV
// configuration. Known is false for what only fastjson2 reads, or reads otherwise.
func legalKVFile(data []byte) (tables map[string]map[string]string, known bool) {
	if !utf8.Valid(data) || !json.Valid(data) || bytes.Contains(bytes.ToLower(data), []byte(`\ud`)) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var top any
	if decoder.Decode(&top) != nil {
		return nil, false
	}
	if top == nil {
		return map[string]map[string]string{}, true
	}
	file, ok := top.(map[string]any)
	if !ok {
		return nil, true
	}
	config, ok := file["configTable"].(map[string]any)
	if !ok {
		return nil, !bytes.Contains(data, []byte(`""`)) // a wrong type before a right one
	}
	tables = map[string]map[string]string{}
	for namespace, v := range config {
		entries, ok := v.(map[string]any)
		if _, list := v.([]any); list {
			return nil, false // of one object
		}
		if !ok && v != nil && v != "" && v != "null" {
			return nil, true
		}
		if !ok {
			continue
		}
		tables[namespace] = map[string]string{}
		for key, v := range entries {
			switch v := v.(type) {
			case nil:
			case string:
				tables[namespace][key] = v
			case json.Number:
				if strings.ContainsAny(v.String(), ".eE-") {
					return nil, false // spelt as Java does
				}
				tables[namespace][key] = v.String()
			case bool:
				tables[namespace][key] = strconv.FormatBool(v)
			default:
				return nil, false // its text, which the decoder has not kept
			}
		}
	}
	return tables, true
}
