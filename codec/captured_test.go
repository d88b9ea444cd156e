package codec

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testdata/captured holds frames of the official brokers, clients, mqadmin and name server,
// recorded by the capture of test/interop/differential. The comments at the head of each
// file are an independent reading of its header: by encoding/json, or field by field.

// capturedFrame is one file.
type capturedFrame struct {
	file     string
	producer string
	reply    bool
	code     int32 // of the request, also for a reply
	frame    []byte

	header  map[string]string
	remark  *string
	ext     map[string]string
	bodyLen int
}

func readCaptured(t *testing.T) []capturedFrame {
	t.Helper()
	files, err := filepath.Glob("testdata/captured/*.hex")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d captured frames: %v", len(files), err)
	}
	frames := make([]capturedFrame, len(files))
	for i, file := range files {
		frames[i] = readCapturedFile(t, file)
	}
	return frames
}

func readCapturedFile(t *testing.T, file string) capturedFrame {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := capturedFrame{file: filepath.Base(file), header: map[string]string{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		comment, isComment := strings.CutPrefix(lines.Text(), "# ")
		if !isComment {
			b, err := hex.DecodeString(lines.Text())
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			c.frame = append(c.frame, b...)
			continue
		}
		key, value, _ := strings.Cut(comment, ": ")
		c.comment(t, key, value)
	}
	return c
}

func (c *capturedFrame) comment(t *testing.T, key, value string) {
	t.Helper()
	number := func() int {
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatalf("%s: %s: %v", c.file, key, err)
		}
		return n
	}
	unquote := func() string {
		s, err := strconv.Unquote(value)
		if err != nil {
			t.Fatalf("%s: %s: %v", c.file, key, err)
		}
		return s
	}
	switch key {
	case "producer":
		c.producer = value
	case "kind":
		c.reply = strings.HasPrefix(value, "reply")
	case "request code":
		c.code = int32(number())
	case "header":
		for _, field := range strings.Fields(value) {
			k, v, _ := strings.Cut(field, "=")
			c.header[k] = v
		}
	case "remark":
		s := unquote()
		c.remark = &s
	case "ext fields":
		c.ext = make(map[string]string, number())
	case "body bytes":
		c.bodyLen = number()
	default:
		name, ok := strings.CutPrefix(key, "ext ")
		if !ok {
			t.Fatalf("%s: unknown comment %q", c.file, key)
		}
		c.ext[name] = unquote()
	}
}

func (c *capturedFrame) decode(t *testing.T) *Command {
	t.Helper()
	lim := DefaultLimits()
	if n, err := FrameSize(c.frame, &lim); err != nil || n != len(c.frame) {
		t.Fatalf("FrameSize: %d, %v; the frame has %d bytes", n, err, len(c.frame))
	}
	cmd := new(Command)
	if err := cmd.Decode(c.frame, &lim); err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return cmd
}

// TestCapturedFramesDecode: every frame is accepted and says what the independent reading
// found.
func TestCapturedFramesDecode(t *testing.T) {
	producers := map[string]bool{}
	for _, c := range readCaptured(t) {
		producers[c.producer] = true
		t.Run(c.file, func(t *testing.T) {
			cmd := c.decode(t)
			got := map[string]string{
				"serialize": cmd.Serialize.String(), "code": fmt.Sprint(cmd.Code), "flag": fmt.Sprint(cmd.Flag),
				"opaque": fmt.Sprint(cmd.Opaque), "version": fmt.Sprint(cmd.Version), "language": cmd.Language.String(),
			}
			if d := cmp.Diff(c.header, got); d != "" {
				t.Errorf("header (-captured +decoded):\n%s", d)
			}
			var ext map[string]string
			if cmd.HasExt {
				ext = map[string]string{}
			}
			for i := range cmd.NumExt() {
				k, v := cmd.ExtAt(i)
				ext[string(k)] = string(v)
			}
			if d := cmp.Diff(c.ext, ext); d != "" {
				t.Errorf("ext fields (-captured +decoded):\n%s", d)
			}
			if c.remark != nil && string(cmd.Remark) != *c.remark || c.remark == nil && cmd.Remark != nil {
				t.Errorf("remark %q", cmd.Remark)
			}
			if len(cmd.Body) != c.bodyLen || cmd.IsResponse() != c.reply {
				t.Errorf("body of %d bytes, want %d; a reply: %v", len(cmd.Body), c.bodyLen, cmd.IsResponse())
			}
		})
	}
	for _, p := range []string{"client-5.5.0", "client-4.8.0", "goclient-2.1.2", "mqadmin-5.5.0-binary", "broker-4.9.7-master"} {
		if !producers[p] {
			t.Errorf("no frame of %s; there are those of %v", p, producers)
		}
	}
}

// bareKey is an integer key without quotes, as fastjson writes it.
var bareKey = regexp.MustCompile(`([{,])(\d+):`)

// standard turns a body into legal JSON for encoding/json. No string in the captured
// bodies looks like a bare key.
func standard(body []byte) []byte { return bareKey.ReplaceAll(body, []byte(`$1"$2":`)) }

// registerJSON is what the test reads of a RegisterBrokerBody with encoding/json.
type registerJSON struct {
	FilterServerList []string `json:"filterServerList"`
	Wrapper          struct {
		DataVersion struct{ Counter, StateVersion, Timestamp int64 } `json:"dataVersion"`
		Topics      map[string]struct {
			TopicName                                         string
			ReadQueueNums, WriteQueueNums, Perm, TopicSysFlag int32
		} `json:"topicConfigTable"`
		Mappings map[string]struct {
			BName, Scope, Topic string
			TotalQueues         int32
			Epoch               int64
			CurrIdMap           map[int32]int32 `json:"currIdMap"`
		} `json:"topicQueueMappingInfoMap"`
	} `json:"topicConfigSerializeWrapper"`
}

// TestCapturedRegistrations: the bodies of real brokers, plain and compressed, are read as
// encoding/json reads them; their checksums are right.
func TestCapturedRegistrations(t *testing.T) {
	var plain, zipped, mapped int
	for _, c := range readCaptured(t) {
		if c.code != CodeRegisterBroker || c.reply {
			continue
		}
		t.Run(c.file, func(t *testing.T) {
			cmd := c.decode(t)
			if crc, ok := cmd.ExtInt32("bodyCrc32"); !ok || crc != 0 && crc != int32(crc32.ChecksumIEEE(cmd.Body)&0x7FFFFFFF) {
				t.Errorf("bodyCrc32 %d, %v", crc, ok)
			}
			compressed, _ := cmd.ExtBool("compressed")
			rb, err := ParseRegisterBody(cmd.Body, RegisterBodyOptions{Version: cmd.Version, Compressed: compressed, NowMillis: 1})
			if err != nil {
				t.Fatal(err)
			}
			if rb.DataVersionStamped || rb.TopicTableMissing || rb.FilterServersNull || len(rb.FilterServers) != 0 {
				t.Errorf("parsed as %+v", rb)
			}
			if cmd.Body[0] == zlibFirstByte {
				zipped++
				checkZipped(t, &c, rb)
				return
			}
			plain++
			mapped += len(rb.Mappings)
			checkPlain(t, cmd.Body, rb)
		})
	}
	if plain < 6 || zipped < 3 || mapped < 1 {
		t.Errorf("%d plain registrations, %d compressed, %d static topics: too few to prove anything", plain, zipped, mapped)
	}
}

func checkPlain(t *testing.T, body []byte, rb *RegisterBody) {
	t.Helper()
	var want registerJSON
	if err := json.Unmarshal(standard(body), &want); err != nil {
		t.Fatal(err)
	}
	if v := want.Wrapper.DataVersion; rb.DataVersion != (DataVersion{StateVersion: v.StateVersion, Timestamp: v.Timestamp, Counter: v.Counter}) {
		t.Errorf("data version %+v, want %+v", rb.DataVersion, v)
	}
	if len(rb.Topics) != len(want.Wrapper.Topics) || len(rb.Mappings) != len(want.Wrapper.Mappings) {
		t.Fatalf("%d topics and %d mappings, want %d and %d",
			len(rb.Topics), len(rb.Mappings), len(want.Wrapper.Topics), len(want.Wrapper.Mappings))
	}
	for _, got := range rb.Topics {
		w, ok := want.Wrapper.Topics[string(got.Key)]
		if !ok || w.TopicName != string(got.Name) || w.ReadQueueNums != got.ReadQueueNums ||
			w.WriteQueueNums != got.WriteQueueNums || w.Perm != got.Perm || w.TopicSysFlag != got.TopicSysFlag {
			t.Errorf("topic %s: %+v, want %+v", got.Key, got, w)
		}
	}
	for _, m := range rb.Mappings {
		w, ok := want.Wrapper.Mappings[m.Topic]
		if !ok || w.BName != m.Info.BName.String || w.Scope != m.Info.Scope.String || w.Topic != m.Info.Topic.String ||
			w.TotalQueues != m.Info.TotalQueues || w.Epoch != m.Info.Epoch || !cmp.Equal(w.CurrIdMap, m.Info.CurrIDMap) {
			t.Errorf("mapping of %s: %+v, want %+v", m.Topic, m.Info, w)
		}
	}
}

// checkZipped: a compressed body holds every broker's own topics with their numbers.
func checkZipped(t *testing.T, c *capturedFrame, rb *RegisterBody) {
	t.Helper()
	found := map[string]TopicConfig{}
	for _, topic := range rb.Topics {
		found[string(topic.Name)] = topic
	}
	self := found["SELF_TEST_TOPIC"]
	name := c.ext["brokerName"]
	if self.ReadQueueNums != 1 || self.WriteQueueNums != 1 || self.Perm != 6 || found[name].Perm != 7 {
		t.Errorf("SELF_TEST_TOPIC %+v, %s %+v, of %d topics", self, name, found[name], len(found))
	}
	if rb.DataVersion.Timestamp < 1_700_000_000_000 {
		t.Errorf("data version %+v", rb.DataVersion)
	}
}

// TestCapturedReplies: what the append encoders make of a parsed reply is the reply, byte
// for byte; where Java's hash order decides, it is a permutation of it.
func TestCapturedReplies(t *testing.T) {
	equal := map[int32]int{}
	for _, c := range readCaptured(t) {
		if !c.reply {
			continue
		}
		t.Run(c.file, func(t *testing.T) {
			cmd := c.decode(t)
			body, fixed := rebuild(t, &c, cmd.Body)
			var ext []ExtField
			if cmd.HasExt {
				ext = []ExtField{}
			}
			for i := range cmd.NumExt() {
				k, v := cmd.ExtAt(i)
				ext = append(ext, ExtField{Key: string(k), Value: string(v)})
			}
			lim := DefaultLimits()
			out, mark := BeginResponse(nil, cmd.Serialize, cmd.Opaque, cmd.Code, string(cmd.Remark), ext)
			out, err := EndFrame(append(out, body...), mark, &lim)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case bytes.Equal(out, c.frame):
				equal[c.code]++
			case fixed:
				t.Errorf("encoded\n%s\nwant\n%s", out, c.frame)
			case !bytes.Equal(sorted(out), sorted(c.frame)):
				t.Errorf("encoded, no permutation of the captured one\n%s\nwant\n%s", out, c.frame)
			}
		})
	}
	for _, code := range []int32{100, 101, 102, 103, 105, 106, 205, 217, 318, 319, 322, 327, 901} {
		if equal[code] == 0 {
			t.Errorf("no reply to %d was equal byte for byte", code)
		}
	}
}

func sorted(b []byte) []byte {
	b = bytes.Clone(b)
	sort.Slice(b, func(i, j int) bool { return b[i] < b[j] })
	return b
}

// rebuild parses a reply's body and encodes it again; fixed says that nothing in it comes
// in an order Java leaves to chance.
func rebuild(t *testing.T, c *capturedFrame, body []byte) (out []byte, fixed bool) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatalf("parse %s: %v", body, err)
		}
	}
	lim := DefaultLimits()
	switch {
	case len(body) == 0:
		return nil, true
	case c.code == CodeGetRouteInfoByTopic:
		r, err := ParseTopicRouteData(body, &lim)
		must(err)
		dialect := DialectPlain
		if bytes.Contains(body, []byte(`{"0":`)) || bytes.Contains(body, []byte(`{"1":`)) {
			dialect = DialectStandard
		}
		return AppendTopicRouteData(nil, &r, dialect), len(r.BrokerDatas) == 1 && len(r.QueueDatas) == 1
	case c.code == CodeGetBrokerClusterInfo:
		info, err := ParseClusterInfo(body, &lim)
		must(err)
		return AppendClusterInfo(nil, &info), len(info.BrokerAddrTable) <= 1
	case c.code == CodeGetBrokerMemberGroup:
		g, err := ParseBrokerMemberGroup(body, &lim)
		must(err)
		return AppendBrokerMemberGroup(nil, &g), true
	case c.code == CodeGetSystemTopicListFromNS:
		l, err := ParseTopicList(body, &lim)
		must(err)
		return AppendSystemTopicList(nil, l.BrokerAddr, l.Topics), false
	case c.code == CodeGetAllTopicListFromNameserver:
		l, err := ParseTopicList(body, &lim)
		must(err)
		return AppendTopicList(nil, l.Topics), true // parsed in the order it came in
	case c.code == CodeRegisterBroker, c.code == CodeGetKVListByNamespace:
		table, err := ParseKVTable(body, &lim)
		must(err)
		return AppendKVTable(nil, table), len(table) <= 1
	case c.code == CodeQueryDataVersion:
		v, ok, err := ParseDataVersion(body, 1)
		must(err)
		if !ok {
			t.Fatalf("no data version in %s", body)
		}
		return AppendDataVersion(nil, v), true
	}
	return body, true // properties text
}
