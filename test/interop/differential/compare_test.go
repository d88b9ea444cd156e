package differential

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// reply builds a reply as a server would send it.
func reply(t *testing.T, header, body string) *Reply {
	t.Helper()
	r, err := ReadReply(strings.NewReader(string(Frame(0, []byte(header), []byte(body)))))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const okHeader = `{"code":0,"flag":1,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":513}`

// TestCompareBodies: what counts as a difference and what does not.
func TestCompareBodies(t *testing.T) {
	now := time.Now().UnixMilli()
	tests := []struct {
		name string
		code int32
		a, b string
		same bool
	}{
		{"order of map entries", 106, `{"brokerAddrTable":{"a":{"brokerAddrs":{0:"x",1:"y"}},"b":{}},"clusterAddrTable":{}}`,
			`{"brokerAddrTable":{"b":{},"a":{"brokerAddrs":{1:"y",0:"x"}}},"clusterAddrTable":{}}`, true},
		{"order of a set", 206, `{"topicList":["a","b"]}`, `{"topicList":["b","a"]}`, true},
		{"order of properties", 105, `{"brokerDatas":[],"filterServerTable":{}}`, `{"filterServerTable":{},"brokerDatas":[]}`, false},
		{"order of filter servers", 105, `{"filterServerTable":{"x":["a","b"]}}`, `{"filterServerTable":{"x":["b","a"]}}`, false},
		{"quoted integer keys", 105, `{"brokerAddrs":{0:"x"}}`, `{"brokerAddrs":{"0":"x"}}`, false},
		{"escaped slash", 105, `{"topicList":["a/b"]}`, `{"topicList":["a\/b"]}`, false},
		{"escaped non-ASCII", 105, `{"topicList":["é"]}`, `{"topicList":["\u00e9"]}`, false},
		{"an element too many", 206, `{"topicList":["a"]}`, `{"topicList":["a","a"]}`, false},
		{"null for absent", 105, `{"brokerDatas":[]}`, `{"brokerDatas":[],"orderTopicConf":null}`, false},
		{"a number as a string", 105, `{"queueDatas":[{"perm":6}]}`, `{"queueDatas":[{"perm":"6"}]}`, false},
		{"any broker", 304, `{"brokerAddr":"x","topicList":[]}`, `{"brokerAddr":"y","topicList":[]}`, true},
		{"no broker", 304, `{"brokerAddr":"x","topicList":[]}`, `{"topicList":[]}`, false},
		{"stamped versions", 322, fmt.Sprintf(`{"counter":0,"timestamp":%d}`, now-5), fmt.Sprintf(`{"counter":0,"timestamp":%d}`, now-9), true},
		{"versions of today and long ago", 322, fmt.Sprintf(`{"counter":0,"timestamp":%d}`, now-5), `{"counter":0,"timestamp":1700000000000}`, false},
		{"places in the configuration", 319, "a=1\nlistenPort=5\n", "a=1\nlistenPort=6\n", true},
		{"values in the configuration", 319, "a=1\n", "a=2\n", false},
		{"a missing line end", 319, "a=1\n", "a=1", false},
		{"no body and an empty table", 103, ``, `{"table":{}}`, false},
		{"white space", 206, `{"topicList":["a","b"]}`, `{"topicList":["a", "b"]}`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q := &Request{Code: test.code, Opaque: 7}
			diffs := compareReply(q, reply(t, okHeader, test.a), reply(t, okHeader, test.b))
			if (len(diffs) == 0) != test.same {
				t.Errorf("differences: %v", diffs)
			}
		})
	}
}

// TestCompareHeaders: everything in a header counts but the order of ext fields.
func TestCompareHeaders(t *testing.T) {
	ext := func(s string) string { return strings.Replace(okHeader, `"flag"`, `"extFields":`+s+`,"flag"`, 1) }
	tests := []struct {
		name, a, b string
		field      string // "" for no difference
	}{
		{"order of ext fields", ext(`{"a":"1","b":"2"}`), ext(`{"b":"2","a":"1"}`), ""},
		{"an ext value", ext(`{"a":"1"}`), ext(`{"a":"2"}`), "ext"},
		{"no ext fields and empty ones", okHeader, ext(`{}`), "ext"},
		{"code", okHeader, strings.Replace(okHeader, `"code":0`, `"code":1`, 1), "code"},
		{"remark", okHeader, strings.Replace(okHeader, `"serialize`, `"remark":"","serialize`, 1), "remark"},
		{"version", okHeader, strings.Replace(okHeader, "513", "479", 1), "header"},
		{"language", okHeader, strings.Replace(okHeader, "JAVA", "GO", 1), "header"},
		{"flag", okHeader, strings.Replace(okHeader, `"flag":1`, `"flag":3`, 1), "header"},
		{"order of keys", okHeader, strings.Replace(okHeader, `"code":0,"flag":1`, `"flag":1,"code":0`, 1), "header"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			diffs := compareReply(&Request{Code: 105, Opaque: 7}, reply(t, test.a, ""), reply(t, test.b, ""))
			switch {
			case test.field == "" && len(diffs) > 0:
				t.Errorf("differences: %v", diffs)
			case test.field != "" && (len(diffs) != 1 || diffs[0].Field != test.field):
				t.Errorf("want one difference in %s, got %v", test.field, diffs)
			}
		})
	}
}

// TestCompareOutcomes: a close, silence and a reply are different things.
func TestCompareOutcomes(t *testing.T) {
	q := []Request{{Opaque: 7, Expect: ExpectAny}}
	r := reply(t, okHeader, "")
	outcomes := []*Outcome{{Closed: true}, {Silent: true}, {Stray: []*Reply{r}}}
	for i, a := range outcomes {
		for j, b := range outcomes {
			if diffs := compare(q, a, b); (len(diffs) == 0) != (i == j) {
				t.Errorf("%s against %s: %v", a.kind(), b.kind(), diffs)
			}
		}
	}
	q = []Request{{Opaque: 7}}
	answered := &Outcome{Replies: map[int32]*Reply{7: r}}
	if diffs := compare(q, answered, &Outcome{Closed: true}); len(diffs) != 1 || diffs[0].Field != "outcome" {
		t.Errorf("a reply against a close: %v", diffs)
	}
	if diffs := compare(q, answered, &Outcome{Replies: map[int32]*Reply{7: r}, Closed: true}); len(diffs) != 1 {
		t.Errorf("a close after the reply: %v", diffs)
	}
}

// TestShrink: the two steps that matter are what is left.
func TestShrink(t *testing.T) {
	var steps []int
	for i := range 200 {
		steps = append(steps, i)
	}
	got := shrink(steps, time.Second, func(keep []int) bool {
		return slices.Contains(keep, 77) && slices.Contains(keep, 150)
	})
	if fmt.Sprint(got) != "[77 150]" {
		t.Errorf("left: %v", got)
	}
}
