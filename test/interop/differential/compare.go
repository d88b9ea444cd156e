package differential

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Difference is one thing in which two servers' answers to one request are not the same.
// A is the reference (Java), B the subject.
type Difference struct {
	Request *Request
	Field   string // "outcome", "code", "remark", "ext", "body" or "header"
	A, B    string
	ReplyA  *Reply // nil when there was none
	ReplyB  *Reply
}

func (d *Difference) String() string {
	return fmt.Sprintf("%s: %s\n      java:   %s\n      pharos: %s", d.Request.Note, d.Field, clip(d.A), clip(d.B))
}

func clip(s string) string {
	const most = 3000
	if len(s) > most {
		return fmt.Sprintf("%s ... (%d bytes)", s[:most], len(s))
	}
	return s
}

// compare lists the differences between two outcomes of the same requests.
func compare(requests []Request, a, b *Outcome) []Difference {
	var diffs []Difference
	for i := range requests {
		q := &requests[i]
		switch q.Expect {
		case ExpectNone:
		case ExpectAny:
			diffs = append(diffs, compareAny(q, a, b)...)
		default:
			diffs = append(diffs, compareReply(q, a.Replies[q.Opaque], b.Replies[q.Opaque])...)
		}
	}
	if a.Closed != b.Closed && len(diffs) == 0 {
		diffs = append(diffs, Difference{Request: &requests[len(requests)-1], Field: "outcome", A: a.kind(), B: b.kind()})
	}
	return diffs
}

func (o *Outcome) kind() string {
	switch {
	case o.Closed:
		return "connection closed"
	case o.Silent:
		return "silence"
	default:
		return fmt.Sprintf("%d replies", len(o.Replies)+len(o.Stray))
	}
}

func compareAny(q *Request, a, b *Outcome) []Difference {
	if a.kind() != b.kind() {
		d := Difference{Request: q, Field: "outcome", A: a.kind(), B: b.kind()}
		if len(a.Stray) == 1 {
			d.A, d.ReplyA = string(a.Stray[0].RawHeader), a.Stray[0]
		}
		if len(b.Stray) == 1 {
			d.B, d.ReplyB = string(b.Stray[0].RawHeader), b.Stray[0]
		}
		return []Difference{d}
	}
	var diffs []Difference
	for i := range a.Stray {
		diffs = append(diffs, compareReply(q, a.Stray[i], b.Stray[i])...)
	}
	return diffs
}

func compareReply(q *Request, a, b *Reply) []Difference {
	var diffs []Difference
	add := func(field, x, y string) {
		if x != y {
			diffs = append(diffs, Difference{Request: q, Field: field, A: x, B: y, ReplyA: a, ReplyB: b})
		}
	}
	if a == nil || b == nil {
		add("outcome", presence(a), presence(b))
		return diffs
	}
	add("code", strconv.Itoa(int(a.Code)), strconv.Itoa(int(b.Code)))
	add("remark", spell(a.Remark), spell(b.Remark))
	add("ext", spellExt(a.Ext), spellExt(b.Ext))
	x, y := bodies(q, a, b)
	add("body", x, y)
	if len(diffs) == 0 {
		add("header", headerShape(q, a), headerShape(q, b))
	}
	return diffs
}

func presence(r *Reply) string {
	if r == nil {
		return "no reply"
	}
	return "reply " + string(r.RawHeader)
}

func spell(s *string) string {
	if s == nil {
		return "absent"
	}
	return strconv.Quote(*s)
}

func spellExt(ext map[string]string) string {
	if ext == nil {
		return "absent"
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(ext)) {
		fmt.Fprintf(&b, "%q=%q ", k, ext[k])
	}
	return "{" + b.String() + "}"
}

// headerShape is the header as spelled, with ext fields in one order. A server that
// counts for itself where the request had no opaque gets that number masked.
func headerShape(q *Request, r *Reply) string {
	n, err := parseLenient(r.RawHeader)
	if err != nil {
		return "not JSON: " + string(r.RawHeader)
	}
	for i, k := range n.keys {
		if k == `"extFields"` {
			sort.Sort(byKey{n.values[i]})
		}
		if k == `"opaque"` && q.Expect == ExpectAny && r.Opaque != q.Opaque {
			n.values[i] = &node{text: "(the server's)"}
		}
	}
	return n.canonical(true)
}

type byKey struct{ n *node }

func (s byKey) Len() int           { return len(s.n.keys) }
func (s byKey) Less(i, j int) bool { return s.n.keys[i] < s.n.keys[j] }
func (s byKey) Swap(i, j int) {
	s.n.keys[i], s.n.keys[j] = s.n.keys[j], s.n.keys[i]
	s.n.values[i], s.n.values[j] = s.n.values[j], s.n.values[i]
}

// bodies spells both bodies so that they are equal when they mean the same in the same
// dialect.
func bodies(q *Request, a, b *Reply) (string, string) {
	if string(a.Body) == string(b.Body) {
		return "", ""
	}
	if q.Code == 319 && a.Code == 0 && b.Code == 0 {
		return configLines(a.Body), configLines(b.Body)
	}
	x, errA := parseLenient(a.Body)
	y, errB := parseLenient(b.Body)
	if errA != nil || errB != nil {
		return strconv.Quote(string(a.Body)), strconv.Quote(string(b.Body))
	}
	switch q.Code {
	case 304:
		maskAnyBroker(x)
		maskAnyBroker(y)
	case 322:
		maskStamp(x, y)
	}
	return x.canonical(true), y.canonical(true)
}

// maskAnyBroker hides the address in a 304 reply: it is one arbitrary broker's. Whether
// there is one is compared.
func maskAnyBroker(n *node) {
	if addr := n.field("brokerAddr"); addr != nil {
		addr.text = "(some broker)"
	}
}

// maskStamp hides the timestamps of a data version that the servers made up: a body
// without one gets the time of its decoding, so both are this second's.
func maskStamp(x, y *node) {
	a, b := x.field("timestamp"), y.field("timestamp")
	if a == nil || b == nil {
		return
	}
	now := time.Now().UnixMilli()
	recent := func(n *node) bool {
		v, err := strconv.ParseInt(n.text, 10, 64)
		return err == nil && v > now-10*60_000 && v <= now
	}
	if recent(a) && recent(b) {
		a.text, b.text = "(stamped)", "(stamped)"
	}
}

// placeKeys are the configuration keys whose values differ because two servers run side
// by side: their own files and port.
var placeKeys = map[string]bool{"listenPort": true, "kvConfigPath": true, "configStorePath": true, "rocketmqHome": true}

// configLines spells a configuration listing without places, and without the line that
// only the Pharos of this test has in its file.
func configLines(body []byte) string {
	lines := strings.SplitAfter(strings.Replace(string(body), "adminListen=\n", "", 1), "\n")
	for i, l := range lines {
		if k, _, ok := strings.Cut(l, "="); ok && placeKeys[k] {
			lines[i] = k + "=(place)\n"
		}
	}
	return strings.Join(lines, "")
}

// exceptionText is how Java's remarks look when a handler threw: Throwable.toString and
// the first frame of the stack.
var exceptionText = regexp.MustCompile(`^(java|javax|org|com|io|sun)\.[\w.$]+(Exception|Error)\b`)
