package codec

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// readBody returns a file of testdata/bodies without its last line feed.
func readBody(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "bodies", name))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.TrimSuffix(string(data), "\n"))
}

// diffRegister compares two registrations; nil and empty lists differ only where a name
// server tells them apart.
func diffRegister(want, got *RegisterBody) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

func valid(s string) NullString { return NullString{String: s, Valid: true} }

func TestParseRegisterBodyShapes(t *testing.T) {
	topic := func(name string, read, write, perm, flag int32) TopicConfig {
		return TopicConfig{Name: []byte(name), Key: []byte(name), ReadQueueNums: read, WriteQueueNums: write, Perm: perm, TopicSysFlag: flag}
	}
	for _, c := range []struct {
		name, file string
		o          RegisterBodyOptions
		want       RegisterBody
	}{
		{"5.x broker with a static topic and bare keys", "register_500_static.json", RegisterBodyOptions{Version: 513},
			RegisterBody{
				DataVersion: DataVersion{Counter: 1, Timestamp: 1700000000000},
				Topics:      []TopicConfig{topic("A", 16, 16, 6, 0)},
				Mappings: []TopicQueueMapping{{Topic: "t", Info: TopicQueueMappingInfo{
					Topic: valid("t"), Scope: valid("__global__"), TotalQueues: 2, BName: valid("b"), Epoch: 5,
					CurrIDMap: map[int32]int32{0: 0, 1: 2},
				}}},
			}},
		{"4.x broker without state version, attributes and mappings", "register_498.json", RegisterBodyOptions{Version: 409},
			RegisterBody{
				DataVersion: DataVersion{Counter: 3, Timestamp: 1650000000123},
				Topics: []TopicConfig{
					topic("SELF_TEST_TOPIC", 1, 1, 6, 0), topic("DefaultCluster", 16, 16, 7, 0), topic("RMQ_SYS_TRANS_HALF_TOPIC", 1, 1, 6, 0),
					topic("%RETRY%unit_group", 1, 1, 6, 1), topic("TBW102", 8, 8, 7, 0), topic("OrderTopic", 4, 4, 6, 0),
				},
				FilterServers: []string{"10.0.0.1:30000"},
			}},
		{"before 3.0.11: the bare wrapper, no filter servers", "register_old.json", RegisterBodyOptions{Version: 36},
			RegisterBody{
				DataVersion:       DataVersion{Counter: 1, Timestamp: 2},
				Topics:            []TopicConfig{topic("T", 4, 4, 6, 0)},
				FilterServersNull: true,
			}},
		{"a new body under an old version has no topics", "register_498.json", RegisterBodyOptions{Version: 0, NowMillis: 77},
			RegisterBody{DataVersion: DataVersion{Timestamp: 77}, DataVersionStamped: true, FilterServersNull: true}},
		{"spaces and line feeds as a person writes them", "register_pretty.json", RegisterBodyOptions{Version: 513, NowMillis: 77},
			RegisterBody{
				DataVersion: DataVersion{Timestamp: 77, Counter: 9}, DataVersionStamped: true,
				Topics: []TopicConfig{topic("A", 16, 16, 6, 0), topic("B", 1, 2, 4, 3)},
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseRegisterBody(readBody(t, c.file), c.o)
			if err != nil {
				t.Fatal(err)
			}
			if d := diffRegister(&c.want, got); d != "" {
				t.Error("(-want +got)\n", d)
			}
		})
	}
}

// TestParseRegisterBodyWithoutOne: no body is a registration without topics, whose data
// version is known, unlike that of a body that does not say.
func TestParseRegisterBodyWithoutOne(t *testing.T) {
	for _, c := range []struct {
		name string
		body []byte
		o    RegisterBodyOptions
		want RegisterBody
	}{
		{"plain", nil, RegisterBodyOptions{Version: 513, NowMillis: 7}, RegisterBody{FilterServers: []string{}}},
		{"announced as compressed", []byte{}, RegisterBodyOptions{Version: 513, Compressed: true}, RegisterBody{FilterServers: []string{}}},
		{"before 3.0.11", nil, RegisterBodyOptions{Version: 36}, RegisterBody{FilterServersNull: true}},
		{"an empty object", []byte("{}"), RegisterBodyOptions{Version: 513, NowMillis: 7},
			RegisterBody{FilterServers: []string{}, DataVersion: DataVersion{Timestamp: 7}, DataVersionStamped: true}},
		{"a null wrapper", []byte(`{"topicConfigSerializeWrapper":null}`), RegisterBodyOptions{Version: 513, NowMillis: 7},
			RegisterBody{FilterServers: []string{}, DataVersion: DataVersion{Timestamp: 7}, DataVersionStamped: true, TopicTableMissing: true}},
		{"a null table and list", []byte(`{"filterServerList":null,"topicConfigSerializeWrapper":{"topicConfigTable":null,"dataVersion":{"timestamp":8}}}`),
			RegisterBodyOptions{Version: 513}, RegisterBody{DataVersion: DataVersion{Timestamp: 8}, TopicTableMissing: true, FilterServersNull: true}},
		{"a null counter equals null alone", []byte(`{"topicConfigSerializeWrapper":{"dataVersion":{"counter":null,"timestamp":8}}}`), RegisterBodyOptions{Version: 513},
			RegisterBody{FilterServers: []string{}, DataVersion: DataVersion{Timestamp: 8, CounterNull: true}}},
		{"a null timestamp is 0 and not now", []byte(`{"topicConfigSerializeWrapper":{"dataVersion":{"timestamp":null}}}`), RegisterBodyOptions{Version: 513, NowMillis: 7},
			RegisterBody{FilterServers: []string{}}},
	} {
		got, err := ParseRegisterBody(c.body, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if d := cmp.Diff(&c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, d)
		}
	}
	for _, null := range []string{`null`, `""`, `"null"`} {
		body := `{"topicConfigSerializeWrapper":{"dataVersion":` + null + `}}`
		if _, err := ParseRegisterBody([]byte(body), RegisterBodyOptions{Version: 513}); !errors.Is(err, ErrBody) {
			t.Errorf("%s: %v, want it refused", body, err)
		}
	}
	if _, err := ParseRegisterBody(nil, RegisterBodyOptions{Version: -1}); err == nil || err.Error() != "malformed body: request of version -1 at byte 0" {
		t.Errorf("negative version: %v", err)
	}
}

// TestTopicsOwnTheirBody: names point into the body, escapes do not touch it.
func TestTopicsOwnTheirBody(t *testing.T) {
	body := []byte(`{"topicConfigSerializeWrapper":{"topicConfigTable":{"plain":{"topicName":"plain"},"es\u0063aped":{"topicName":"\u0061\u0062"},"x":{"topicName":"\u0063"}}}}`)
	before := string(body)
	rb, err := ParseRegisterBody(body, RegisterBodyOptions{Version: 513})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, c := range rb.Topics {
		got = append(got, string(c.Key)+"="+string(append(c.Name, '!'))) // appending must not spill over
	}
	if want := []string{"plain=plain!", "escaped=ab!", "x=c!"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if string(body) != before {
		t.Errorf("the body became %s", body)
	}
	if i := strings.Index(before, `plain`); &rb.Topics[0].Key[0] != &body[i] {
		t.Error("the key does not point into the body")
	}
}

// TestTypicalTopicsReadAsOthers: the fast way and the general way agree about what looks
// nearly typical.
func TestTypicalTopicsReadAsOthers(t *testing.T) {
	typical := `{"attributes":{},"order":false,"perm":6,"readQueueNums":16,"topicFilterType":"SINGLE_TAG","topicName":"A","topicSysFlag":0,"writeQueueNums":16}`
	for _, c := range []struct{ from, to string }{
		{"", ""}, {`"attributes":{},`, ""}, {`{}`, `{"+message.type":"FIFO","a":[1,{"b":"}"}]}`}, {`{}`, `null`}, {`{}`, `{"a":"\""}`},
		{"false", "true"}, {":6", ":-1"}, {":6", ":1234567890"}, {":6", ":123456789"}, {":6", `:"6"`}, {":6", ":6.0"}, {":6", ": 6"}, {":16", ":null"},
		{"SINGLE", "MULTI"}, {`"A"`, `""`}, {`"A"`, "null"}, {`"A"`, `"\u0041\""`}, {`"A"`, `"主题"`}, {`"A"`, `'A'`}, {`"A"`, `5`}, {`"A"`, `"a long name that takes several words to read"`},
		{":16}", `:16,"more":[]}`}, {":16}", ":16,}"}, {":16}", ":16 }"}, {`"writeQueueNums":16`, `"perm":4`}, {`,"topicSysFlag":0`, ""},
	} {
		topic := strings.Replace(typical, c.from, c.to, 1)
		parse := func(topic string) *RegisterBody {
			body := `{"topicConfigSerializeWrapper":{"topicConfigTable":{"A":` + topic + `,"B":` + typical + `}}}`
			rb, err := ParseRegisterBody([]byte(body), RegisterBodyOptions{Version: 513})
			if err != nil {
				t.Fatalf("%s: %v", topic, err)
			}
			return rb
		}
		fast, general := parse(topic), parse(" "+strings.Replace(topic, `{`, "{ ", 1))
		if d := cmp.Diff(general, fast); d != "" {
			t.Errorf("%s: (-general +fast)\n%s", topic, d)
		}
	}
}

// TestTopicsAlikeReadAsOthers: a topic behind one that it is like in all but its name, and one that
// it is nearly like, is read as if it stood first.
func TestTopicsAlikeReadAsOthers(t *testing.T) {
	config := func(name string) string {
		return `{"attributes":{},"order":false,"perm":6,"readQueueNums":16,"topicFilterType":"SINGLE_TAG","topicName":` + name + `,"topicSysFlag":0,"writeQueueNums":16}`
	}
	parse := func(topics string) []TopicConfig {
		rb, err := ParseRegisterBody([]byte(`{"topicConfigSerializeWrapper":{"topicConfigTable":{`+topics+`}}}`), RegisterBodyOptions{Version: 513})
		if err != nil {
			t.Fatalf("%s: %v", topics, err)
		}
		return rb.Topics
	}
	for _, key := range []string{`"A"`, `"BB"`, `""`, `"a name that takes several words"`, `"\u0041"`, `"B\"B"`, `"主题"`, `'A'`, `5`, `"\\"`} {
		for _, name := range []string{key, `"A"`, `"B"`, `"B\"B"`, `""`} {
			for _, c := range []struct{ from, to string }{
				{"", ""}, {":6", ":4"}, {`ms":16`, `ms":17`}, {`Flag":0`, `Flag":1`}, {`:16}`, `:1}`}, {`:16}`, `:16 }`}, {`"attributes":{},`, ""}, {`{}`, `{"a":"b"}`},
			} {
				topic := strings.Replace(config(name), c.from, c.to, 1)
				alone := parse(key + ":" + topic)
				behind := parse(`"A":` + config(`"A"`) + "," + key + ":" + topic + `,"Z":` + config(`"Z"`))
				if len(alone) != 1 || len(behind) != 3 {
					t.Fatalf("%s:%s: %d topics alone, %d with others", key, topic, len(alone), len(behind))
				}
				if d := cmp.Diff(alone[0], behind[1]); d != "" {
					t.Errorf("%s:%s: (-alone +behind another)\n%s", key, topic, d)
				}
				if d := cmp.Diff(parse(`"Z":` + config(`"Z"`))[0], behind[2]); d != "" {
					t.Errorf("what stands behind %s:%s: (-alone +behind it)\n%s", key, topic, d)
				}
			}
		}
	}
}
