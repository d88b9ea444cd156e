package codec

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestBodiesAgainstJava550 compares what we make of bodies, most of them odd, with what the
// classes of Java 5.5.0 (fastjson2 2.0.59) made of the same bytes. Each line of the file is
// kind, body and Java's outcome; where we differ on purpose, our outcome and the reason
// follow. Java's are from testdata/Java550Oracle.java; "err" stands for any exception, "hang"
// for a body that Java never ends to read.
func TestBodiesAgainstJava550(t *testing.T) {
	againstJava550(t, "bodies", 1, 4000, func(fields []string, body string) (string, error) {
		return outcome(fields[0], []byte(body))
	})
}

// againstJava550 compares, for each line of a file, what read makes of the input with what
// Java made of it. inputAt is which of the line's fields the input is; Java's outcome
// follows, and, where we differ on purpose, ours and the reason.
func againstJava550(t *testing.T, folder string, inputAt, linesMin int, read func(fields []string, input string) (string, error)) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", folder, "java550.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, differ := 0, 0
	scan := bufio.NewScanner(file)
	for ; scan.Scan(); lines++ {
		fields := strings.Split(scan.Text(), "\t")
		input, err := strconv.Unquote(fields[inputAt])
		if err != nil {
			t.Fatalf("line %d: %v", lines+1, err)
		}
		expected := fields[inputAt+1:]
		want := expected[0]
		if len(expected) == 3 {
			want = expected[1]
			differ++
		}
		got, err := read(fields, input)
		if err != nil {
			got = "err"
		}
		if got != want {
			t.Errorf("line %d: %s\nwant %s\ngot  %s (%v)", lines+1, strings.Join(fields[:inputAt+1], " "), want, got, err)
		}
	}
	if err := scan.Err(); err != nil || lines < linesMin {
		t.Errorf("only %d lines: %v", lines, err)
	}
	t.Logf("%d %s, %d of them read otherwise on purpose", lines, folder, differ)
}

const outcomeNow = 1234567890123

// outcome parses a body and writes what came of it in the notation of java550.txt.
func outcome(kind string, body []byte) (string, error) {
	w := &strings.Builder{}
	switch kind {
	case "reg", "zip", "zip4", "old":
		o := RegisterBodyOptions{Version: 479, Compressed: kind[0] == 'z', NowMillis: outcomeNow}
		if kind == "zip4" {
			o.Version = 401
		} else if kind == "old" {
			o.Version = 36
		}
		rb, err := ParseRegisterBody(body, o)
		if err != nil {
			return "", err
		}
		writeRegister(w, rb, kind)
	case "dv":
		v, ok, err := ParseDataVersion(body, outcomeNow)
		if err != nil {
			return "", err
		}
		if !ok {
			return "null", nil
		}
		writeVersion(w, v)
	case "kvfile":
		f, err := ParseKVFile(body)
		if err != nil {
			return "", err
		}
		if f.Blank {
			return "NULL", nil
		}
		for _, k := range slices.Sorted(maps.Keys(f.ConfigTable)) {
			w.WriteString(javaQuote(k) + ":" + javaMap(f.ConfigTable[k]) + " ")
		}
	case "kvt":
		table, err := ParseKVTable(body, nil)
		if err != nil {
			return "", err
		}
		w.WriteString(javaMap(table))
	case "route":
		r, err := ParseTopicRouteData(body, nil)
		if err != nil {
			return "", err
		}
		writeRoute(w, &r)
	default:
		return "", fmt.Errorf("unknown kind %q", kind)
	}
	return strings.TrimRight(w.String(), " "), nil
}

func writeRegister(w *strings.Builder, rb *RegisterBody, kind string) {
	writeVersion(w, rb.DataVersion)
	if rb.TopicTableMissing {
		w.WriteString(" topics=null")
	} else {
		w.WriteString(" topics=[")
		last := map[string]TopicConfig{}
		for _, t := range rb.Topics {
			last[string(t.Key)] = t
		}
		for _, k := range slices.Sorted(maps.Keys(last)) {
			t := last[k]
			name := "null"
			if t.Name != nil {
				name = javaQuote(string(t.Name))
			}
			fmt.Fprintf(w, "%s:t(%s,%d,%d,%d,%d) ", javaQuote(k), name, t.ReadQueueNums, t.WriteQueueNums, t.Perm, t.TopicSysFlag)
		}
		w.WriteString("]")
	}
	if kind == "old" {
		return
	}
	w.WriteString(" maps=[")
	slices.SortFunc(rb.Mappings, func(a, b TopicQueueMapping) int { return cmp.Compare(a.Topic, b.Topic) })
	for _, m := range rb.Mappings {
		w.WriteString(javaQuote(m.Topic) + ":")
		writeMapping(w, &m.Info)
		w.WriteByte(' ')
	}
	w.WriteString("] filter=" + javaStrings(rb.FilterServers))
}

func writeRoute(w *strings.Builder, r *TopicRouteData) {
	w.WriteString("order=" + javaNull(r.OrderTopicConf) + " q=")
	for _, q := range r.QueueDatas {
		fmt.Fprintf(w, "q(%s,%d,%d,%d,%d) ", javaNull(NullString{q.BrokerName, q.BrokerName != ""}), q.ReadQueueNums, q.WriteQueueNums, q.Perm, q.TopicSysFlag)
	}
	w.WriteString(" b=")
	for _, b := range r.BrokerDatas {
		addrs := "null"
		if b.BrokerAddrs != nil {
			addrs = "{"
			for _, id := range slices.Sorted(maps.Keys(b.BrokerAddrs)) {
				addrs += fmt.Sprintf("L%d=%s ", id, javaQuote(b.BrokerAddrs[id]))
			}
			addrs += "}"
		}
		fmt.Fprintf(w, "b(%s,%s,%s,%s,%t) ", javaNull(NullString{b.Cluster, b.Cluster != ""}), javaNull(NullString{b.BrokerName, b.BrokerName != ""}), addrs, javaNull(b.ZoneName), b.EnableActingMaster)
	}
	w.WriteString(" f=")
	for _, k := range slices.Sorted(maps.Keys(r.FilterServerTable)) {
		w.WriteString(javaQuote(k) + ":" + javaStrings(r.FilterServerTable[k]) + " ")
	}
	w.WriteString(" m=")
	if r.TopicQueueMappingByBroker == nil {
		w.WriteString("null")
	}
	for _, k := range slices.Sorted(maps.Keys(r.TopicQueueMappingByBroker)) {
		m := r.TopicQueueMappingByBroker[k]
		w.WriteString(javaQuote(k) + ":")
		writeMapping(w, &m)
		w.WriteByte(' ')
	}
}

func writeVersion(w *strings.Builder, v DataVersion) {
	ts := strconv.FormatInt(v.Timestamp, 10)
	if v.Timestamp == outcomeNow {
		ts = "NOW"
	}
	counter := strconv.FormatInt(v.Counter, 10)
	if v.CounterNull {
		counter = "null"
	}
	fmt.Fprintf(w, "dv(%d,%s,%s)", v.StateVersion, ts, counter)
}

func writeMapping(w *strings.Builder, m *TopicQueueMappingInfo) {
	ids := "null"
	if m.CurrIDMap != nil {
		parts := []string{}
		for _, id := range slices.Sorted(maps.Keys(m.CurrIDMap)) {
			parts = append(parts, fmt.Sprintf("%d=%d", id, m.CurrIDMap[id]))
		}
		ids = "{" + strings.Join(parts, ",") + "}"
	}
	fmt.Fprintf(w, "mi(%s,%s,%d,%s,%d,%t,%s)", javaNull(m.Topic), javaNull(m.Scope), m.TotalQueues, javaNull(m.BName), m.Epoch, m.Dirty, ids)
}

func javaMap(m map[string]string) string {
	if m == nil {
		return "null"
	}
	w := "{"
	for _, k := range slices.Sorted(maps.Keys(m)) {
		w += javaQuote(k) + "=" + javaQuote(m[k]) + " "
	}
	return w + "}"
}

func javaStrings(list []string) string {
	if list == nil {
		return "null"
	}
	w := "["
	for _, s := range list {
		if s == NullElement {
			w += "null "
			continue
		}
		w += javaQuote(s) + " "
	}
	return w + "]"
}

func javaNull(s NullString) string {
	if !s.Valid {
		return "null"
	}
	return javaQuote(s.String)
}

// javaQuote quotes s with the units of a Java string.
func javaQuote(s string) string {
	b := bytes.NewBufferString(`"`)
	for _, c := range utf16.Encode([]rune(s)) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(byte(c))
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(b, `\u%04x`, c)
		default:
			b.WriteByte(byte(c))
		}
	}
	return b.String() + `"`
}
