package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zlib"
)

// The compressed registration that was sent to a Java server and accepted, before and
// after compression.
const (
	acceptedParts = "0000002c7b22636f756e746572223a332c22737461746556657273696f6e223a302c2274696d657374616d70223a357d" +
		"000000010000001654312034203420362053494e474c455f544147207b7d000000025b5d00000000"
	acceptedZlib = "78da636060d0a9564ace2fcd2b492d52b232d6512a2e492c490d4b2d2acecccf53b232d0512ac9cc4d050ae616285999" +
		"d63230303002b15888a18209109a29047bfab9fbb8c68738ba2b54836499a26381240300443915f3"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// deflate compresses what a test made up.
func deflate(t testing.TB, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// part prefixes s with its length.
func part(s string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...)
}

// number is a count or a length.
func number(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

const versionPart = `{"counter":3,"stateVersion":0,"timestamp":5}`

func acceptedRegistration() *RegisterBody {
	return &RegisterBody{
		DataVersion: DataVersion{Counter: 3, Timestamp: 5},
		Topics:      []TopicConfig{{Name: []byte("T1"), Key: []byte("T1"), ReadQueueNums: 4, WriteQueueNums: 4, Perm: 6}},
	}
}

func TestCompressedRegistrationAcceptedByJava(t *testing.T) {
	if got := appendRegisterParts(nil, acceptedRegistration(), 479); !bytes.Equal(got, unhex(t, acceptedParts)) {
		t.Errorf("parts:\ngot  %x\nwant %x", got, unhex(t, acceptedParts))
	}
	got, err := ParseRegisterBody(unhex(t, acceptedZlib), RegisterBodyOptions{Version: 479, Compressed: true})
	if err != nil {
		t.Fatal(err)
	}
	if d := diffRegister(acceptedRegistration(), got); d != "" {
		t.Error("(-want +got)\n", d)
	}
}

// TestJavaEncodedRegistration reads both forms of one registration, as RegisterBrokerBody
// of Java 5.5.0 encoded them.
func TestJavaEncodedRegistration(t *testing.T) {
	plain, err := ParseRegisterBody(readBody(t, "register_java550.json"), RegisterBodyOptions{Version: 513})
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := ParseRegisterBody(readBody(t, "register_java550.zlib"), RegisterBodyOptions{Version: 513, Compressed: true})
	if err != nil {
		t.Fatal(err)
	}
	byName := func(a, b TopicConfig) int { return bytes.Compare(a.Name, b.Name) }
	slices.SortFunc(plain.Topics, byName)
	slices.SortFunc(zipped.Topics, byName)
	if d := cmp.Diff(plain, zipped); d != "" {
		t.Error("(-plain +compressed)\n", d)
	}
	if len(plain.Topics) != 16 || plain.DataVersion != (DataVersion{StateVersion: 2, Timestamp: 1763700000000, Counter: 41}) || len(plain.Mappings) != 1 ||
		!slices.Equal(plain.FilterServers, []string{"10.0.0.1:30001"}) || plain.DataVersionStamped {
		t.Errorf("got %+v", plain)
	}
	i := slices.IndexFunc(plain.Topics, func(c TopicConfig) bool { return string(c.Name) == "订单-主题" })
	if i < 0 || plain.Topics[i].ReadQueueNums != 1 || plain.Topics[i].Perm != 6 {
		t.Errorf("topic in Chinese at %d of %+v", i, plain.Topics)
	}
}

func TestCompressedByVersion(t *testing.T) {
	mapping := part(`{"bname":"b","currIdMap":{0:0,1:3},"dirty":false,"epoch":7,"topic":"st","totalQueues":2}`)
	head := slices.Concat(part(versionPart), number(1), part("T1 4 5 6 MULTI_TAG"), part(`["f:1"]`))
	whole := deflate(t, slices.Concat(head, number(1), mapping))
	for _, c := range []struct {
		name     string
		body     []byte
		o        RegisterBodyOptions
		mappings int
		err      string
	}{
		{"5.x has mappings", whole, RegisterBodyOptions{Version: 413, Compressed: true}, 1, ""},
		{"below 413 they are not read", whole, RegisterBodyOptions{Version: 412, Compressed: true}, 0, ""},
		{"below 413 they need not be there", deflate(t, head), RegisterBodyOptions{Version: 412, Compressed: true}, 0, ""},
		{"from 413 on they must", deflate(t, head), RegisterBodyOptions{Version: 413, Compressed: true}, 0,
			"malformed body: compressed body that ends early at byte 85"},
		{"zlib that was announced as plain", whole, RegisterBodyOptions{Version: 513}, 1, ""},
		{"below 37 nothing is compressed", whole, RegisterBodyOptions{Version: 36, Compressed: true}, 0,
			`malformed body: expected the { of TopicConfigSerializeWrapper, found 'x' at byte 0`},
		{"plain that was announced as compressed", []byte("{}"), RegisterBodyOptions{Version: 513, Compressed: true}, 0,
			"malformed body: compressed body that is no zlib stream (zlib: invalid header) at byte 0"},
	} {
		got, err := ParseRegisterBody(c.body, c.o)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s: got %v, want %s", c.name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(got.Mappings) != c.mappings || len(got.Topics) != 1 || got.Topics[0].WriteQueueNums != 5 || got.FilterServers[0] != "f:1" {
			t.Errorf("%s: got %+v", c.name, got)
		}
		if c.mappings > 0 && (got.Mappings[0].Topic != "st" || got.Mappings[0].Info.CurrIDMap[1] != 3) {
			t.Errorf("%s: got %+v", c.name, got.Mappings)
		}
	}
}

// TestCompressedErrorsSayWhere: offsets are those of the inflated body.
func TestCompressedErrorsSayWhere(t *testing.T) {
	tail := slices.Concat(part("[]"), number(0))
	topics := func(parts ...[]byte) []byte {
		return slices.Concat(part(versionPart), number(int32(len(parts))), slices.Concat(parts...), tail)
	}
	for _, c := range []struct {
		plain []byte
		want  string
		is    error
	}{
		{number(-1), "malformed body: data version of -1 bytes at byte 0", ErrBody},
		{number(1 << 30), "body over a limit: data version of 1073741824 bytes, more than a frame holds, at byte 0", ErrBodyTooLarge},
		{number(1 << 20), "malformed body: compressed body that ends early at byte 4", ErrBody},
		{part("{"), "malformed body: expected a key or }, found the end at byte 5", ErrBody},
		{slices.Concat(part(versionPart), number(20_000_000)), "body over a limit: 20000000 topics, more than 2097152, at byte 48", ErrBodyTooLarge},
		{topics(part("T1 4 4 6")), `malformed body: topic "T1 4 4 6" with an unknown topicFilterType at byte 52`, ErrBody},
		{topics(part("T1 4 4 6 X")), `malformed body: topic "T1 4 4 6 X" with an unknown topicFilterType at byte 52`, ErrBody},
		{topics(part("T1 4 4")), `malformed body: topic "T1 4 4" with a number of queues or a permission that is none at byte 52`, ErrBody},
		{topics(part("T1 4 4294967296 6 SINGLE_TAG")), `malformed body: topic "T1 4 4294967296 6 SINGLE_TAG" with a number of queues or a permission that is none at byte 52`, ErrBody},
		{topics(part("")), `malformed body: topic "" with a number of queues or a permission that is none at byte 52`, ErrBody},
		{slices.Concat(part(versionPart), number(0), part("[]"), number(1), part("{}")), "malformed body: topic queue mapping without a topic at byte 62", ErrBody},
		{slices.Concat(part(versionPart), number(0), part("[]"), number(1), part("null")), "malformed body: unexpected 'n' after the end of the JSON value at byte 66", ErrBody},
		{slices.Concat(part(versionPart), number(0), part("[]"), number(1<<20)), "body over a limit: 1048576 topic queue mappings, more than 262144, at byte 58", ErrBodyTooLarge},
	} {
		_, err := ParseRegisterBody(deflate(t, c.plain), RegisterBodyOptions{Version: 513, Compressed: true})
		if err == nil || err.Error() != c.want || !errors.Is(err, c.is) {
			t.Errorf("%.60q\ngot  %v\nwant %s", c.plain, err, c.want)
		}
	}
}

// TestCompressedStream: what is wrong with the stream itself.
func TestCompressedStream(t *testing.T) {
	whole := unhex(t, acceptedZlib)
	o := RegisterBodyOptions{Version: 513, Compressed: true}
	badSum := slices.Clone(whole)
	badSum[len(badSum)-1] ^= 1
	for _, c := range []struct {
		name string
		body []byte
		ok   bool
	}{
		{"whole", whole, true},
		{"further bytes behind the stream", append(slices.Clone(whole), "xyz"...), true},
		{"without its checksum, as Java", whole[:len(whole)-4], true},
		{"with a wrong checksum", badSum, false},
		{"cut short", whole[:40], false},
		{"header only", whole[:2], false},
		{"one byte", whole[:1], false},
		{"needs a dictionary", []byte("\x78\xbb\x00\x00\x00\x00"), false},
		{"noise", []byte("\x78\xdaxxxxxxxx"), false},
	} {
		if got, err := ParseRegisterBody(c.body, o); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrBody) || (got != nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestCompressedNamesOutliveThePool: names must not point into a window that the next
// registration is inflated into.
func TestCompressedNamesOutliveThePool(t *testing.T) {
	o := RegisterBodyOptions{Version: 513, Compressed: true}
	first := benchRegistration(5000)
	got, err := ParseRegisterBody(AppendRegisterBodyCompressed(nil, first, 513), o)
	if err != nil {
		t.Fatal(err)
	}
	other := deflate(t, slices.Concat(part(versionPart), number(1), part(strings.Repeat("x", 300_000)+" 1 1 6 SINGLE_TAG"), part("[]"), number(0)))
	for range 20 {
		if _, err := ParseRegisterBody(other, o); err != nil {
			t.Fatal(err)
		}
	}
	if d := diffRegister(first, got); d != "" {
		t.Error("(-want +got)\n", d[:min(len(d), 500)])
	}
}

// TestCompressedInParallel: lanes inflate at the same time.
func TestCompressedInParallel(t *testing.T) {
	for i := range 8 {
		want := benchRegistration(300 * (i + 1))
		body := AppendRegisterBodyCompressed(nil, want, 513)
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 20 {
				got, err := ParseRegisterBody(body, RegisterBodyOptions{Version: 513, Compressed: true, Yield: runtime.Gosched})
				if err != nil || !slices.EqualFunc(got.Topics, want.Topics, func(a, b TopicConfig) bool { return bytes.Equal(a.Name, b.Name) }) {
					t.Fatalf("%d topics, want %d: %v", len(got.Topics), len(want.Topics), err)
				}
			}
		})
	}
}
