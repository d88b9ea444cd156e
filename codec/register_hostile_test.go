package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zlib"
)

// bomb deflates head and then fill, again and again, until so many bytes are in it.
func bomb(t testing.TB, head, fill []byte, inflatedBytes int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	fill = bytes.Repeat(fill, 1+(1<<20)/len(fill))
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(head), io.LimitReader(&repeat{fill: fill}, int64(inflatedBytes)))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// repeat reads fill without end.
type repeat struct {
	fill []byte
	i    int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.fill[r.i:])
	r.i = (r.i + n) % len(r.fill)
	return n, nil
}

// allocated says how much fn allocates in all, dead or alive.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestHostileRegistrations: whatever 16 MB of a registration say, reading them takes
// bounded memory and time. The bounds are on all that is ever allocated, garbage included.
func TestHostileRegistrations(t *testing.T) {
	if underRace {
		t.Skip("one goroutine, and half a minute; it runs without the race detector")
	}
	const frame = 16 << 20
	const topicPart = "\x00\x00\x00\x12T 1 1 6 SINGLE_TAG"
	open := slices.Concat(part(versionPart), number(1<<20))
	wrapper := `{"topicConfigSerializeWrapper":{"topicConfigTable":{`
	fill := func(head, repeated string) []byte {
		return []byte(head + strings.Repeat(repeated, (frame-len(head))/len(repeated)))
	}
	for _, c := range []struct {
		name        string
		body        []byte
		compressed  bool
		is          error
		allocatedMB uint64
	}{
		{"20 million repeats of one topic", bomb(t, slices.Concat(part(versionPart), number(20_000_000)), []byte(topicPart), 100_000_000), true, ErrBodyTooLarge, 1},
		{"as many topics as the count may say, and no end", bomb(t, open, []byte(topicPart), 40_000_000), true, ErrBodyTooLarge, 180},
		{"one topic of 100 MB", bomb(t, slices.Concat(part(versionPart), number(1), number(100_000_000)), []byte("x"), 100_000_000), true, ErrBodyTooLarge, 1},
		{"topics of 8 MB", bomb(t, slices.Concat(part(versionPart), number(100)), append(number(8<<20), bytes.Repeat([]byte("T 1 1 6 SINGLE_TAG "), (8<<20)/19+1)[:8<<20]...), 140_000_000), true, ErrBodyTooLarge, 40},
		{"a data version of 16 MB of white space", bomb(t, number(frame), []byte(" "), 20_000_000), true, ErrBody, 80},
		{"lists of 16 MB", bomb(t, slices.Concat(part(versionPart), number(0), number(frame-2)), []byte("[["), 20_000_000), true, ErrBodyTooLarge, 80},
		{"zeros", bomb(t, nil, []byte{0}, 100_000_000), true, ErrBody, 1},
		{"zeros behind a data version", bomb(t, part(versionPart), []byte{0}, 100_000_000), true, nil, 1},
		{"empty topics", fill(wrapper+`"":{}`, `,"":{}`), false, ErrBodyTooLarge, 400},
		{"empty mappings", fill(`{"topicConfigSerializeWrapper":{"topicQueueMappingInfoMap":{"":{}`, `,"":{}`), false, ErrBodyTooLarge, 250},
		{"empty filter servers", fill(`{"filterServerList":[""`, `,""`), false, ErrBodyTooLarge, 40},
		{"one long name", fill(wrapper+`"`, `x`), false, ErrBody, 1},
		{"one long name of escapes", append(fill(wrapper+`"`, `\u0041`), []byte(`":{"topicName":"x"}}}}`)...), false, nil, 20},
		{"one long name that is not ASCII", fill(wrapper+`"`, `中`), false, ErrBody, 1},
		{"one long number", fill(wrapper+`"T":{"perm":`, `9`), false, ErrBody, 1},
		{"one long fraction", fill(wrapper+`"T":{"perm":1.`, `9`), false, ErrBody, 1},
		{"white space", fill(`{`, " \n"), false, ErrBody, 1},
		{"comments", fill(`{`, "/**/"), false, ErrBody, 1},
		{"one comment", fill(`{/*`, "x"), false, ErrBody, 1},
		{"open objects", fill(``, `{"":`), false, ErrBodyTooLarge, 1},
		{"open arrays of something unknown", fill(`{"x":`, `[`), false, ErrBodyTooLarge, 1},
		{"the wrapper again and again", fill(`{"x":1`, `,"topicConfigSerializeWrapper":{"topicConfigTable":{"a":{}}}`), false, ErrBody, 200},
		{"a map of integers again and again", fill(`{"topicConfigSerializeWrapper":{"topicQueueMappingInfoMap":{"t":{"x":1`, `,"currIdMap":{1:1}`), false, ErrBody, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			start := time.Now()
			n := allocated(func() {
				_, err = ParseRegisterBody(c.body, RegisterBodyOptions{Version: 513, Compressed: c.compressed})
			})
			took := time.Since(start)
			if c.is == nil && err != nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v, want %v", err, c.is)
			}
			if n > c.allocatedMB<<20 {
				t.Errorf("allocated %d MB, want at most %d", n>>20, c.allocatedMB)
			}
			if took > 20*time.Second { // far above what it takes, even under the race detector
				t.Errorf("took %v", took)
			}
			t.Logf("body of %d kB: %v, %d kB allocated, %.120v", len(c.body)>>10, took, n>>10, err)
		})
	}
}

// TestHostileLimits: every limit that is set is kept.
func TestHostileLimits(t *testing.T) {
	rb := benchRegistration(100)
	lim := DefaultLimits()
	for name, c := range map[string]struct {
		set  func(*Limits)
		want string
	}{
		"topics":   {func(l *Limits) { l.TopicsMax = 99 }, "99"},
		"depth":    {func(l *Limits) { l.JSONDepthMax = 3 }, "deeper than 3"},
		"inflated": {func(l *Limits) { l.InflatedBytesMax = 1000 }, "1000 inflated bytes"},
	} {
		l := lim
		c.set(&l)
		for form, body := range map[string][]byte{
			"plain":      AppendRegisterBody(nil, rb, 513),
			"compressed": AppendRegisterBodyCompressed(nil, rb, 513),
		} {
			if form == "plain" && name == "inflated" || form == "compressed" && name == "depth" {
				continue
			}
			_, err := ParseRegisterBody(body, RegisterBodyOptions{Version: 513, Compressed: form == "compressed", Limits: &l})
			if !errors.Is(err, ErrBodyTooLarge) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v", name, form, err)
			}
		}
		l.TopicsMax, l.JSONDepthMax, l.InflatedBytesMax = 100, 4, 1<<20
		if got, err := ParseRegisterBody(AppendRegisterBody(nil, rb, 513), RegisterBodyOptions{Version: 513, Limits: &l}); err != nil || len(got.Topics) != 100 {
			t.Errorf("at the limits: %v", err)
		}
	}
}

// TestRegistrationYields: the hook is called about every bodyYieldBytes, or inflateYieldBytes of what
// is compressed, whatever they are.
func TestRegistrationYields(t *testing.T) {
	const size = 4 << 20
	wrapper := `{"topicConfigSerializeWrapper":{"topicConfigTable":{`
	large := benchRegistration(20_000)
	for _, c := range []struct {
		name       string
		body       []byte
		compressed bool
		parsed     int // bytes
		inflated   int
	}{
		{"topics", AppendRegisterBody(nil, large, 513), false, len(AppendRegisterBody(nil, large, 513)), 0},
		{"compressed topics", AppendRegisterBodyCompressed(nil, large, 513), true, 0, len(appendRegisterParts(nil, large, 513))},
		{"a long name", []byte(wrapper + `"` + strings.Repeat("中", size/3) + `":{}}}}`), false, size, 0},
		{"a long name of escapes", []byte(wrapper + `"` + strings.Repeat(`\n`, size/2) + `":{}}}}`), false, 2 * size, 0},
		{"white space", []byte("{" + strings.Repeat(" ", size) + "}"), false, size, 0},
		{"a long skipped array", []byte(`{"x":[` + strings.Repeat("1,", size/2) + "1]}"), false, size, 0},
		{"a long skipped string", []byte(`{"x":"` + strings.Repeat("y", size) + `"}`), false, size, 0},
		{"a long skipped number", []byte(`{"x":` + strings.Repeat("9", size) + `}`), false, size, 0},
		{"a long mapping, compressed", deflate(t, slices.Concat(part(versionPart), number(0), part("[]"), number(1),
			part(`{"topic":"t","x":[`+strings.Repeat("1,", size/2)+`1]}`))), true, size, size},
	} {
		calls := 0
		_, err := ParseRegisterBody(c.body, RegisterBodyOptions{Version: 513, Compressed: c.compressed, Yield: func() { calls++ }})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if want := c.parsed/bodyYieldBytes + c.inflated/inflateYieldBytes; calls < want*8/10 || calls > want*12/10+2 {
			t.Errorf("%s: %d calls for %d bytes, expected about %d", c.name, calls, c.parsed+c.inflated, want)
		}
	}
}

// TestRegistrationCutAndBent: no prefix of a registration is one, and no changed byte
// makes the parser fall.
func TestRegistrationCutAndBent(t *testing.T) {
	body := readBody(t, "register_500_static.json")
	o := RegisterBodyOptions{Version: 513}
	for i := 1; i < len(body); i++ {
		if _, err := ParseRegisterBody(slices.Clone(body[:i]), o); !errors.Is(err, ErrBody) {
			t.Errorf("first %d bytes: %v", i, err)
		}
	}
	zipped := readBody(t, "register_java550.zlib")
	for i := 1; i < len(zipped)-8; i++ {
		if _, err := ParseRegisterBody(zipped[:i], o); !errors.Is(err, ErrBody) {
			t.Errorf("first %d bytes of the compressed form: %v", i, err)
		}
	}
	for i := range body {
		for _, c := range []byte{0, '"', '{', '}', '[', ',', ':', '\\', '9', '-', 0xff, body[i] ^ 1} {
			bent := slices.Clone(body)
			bent[i] = c
			if rb, err := ParseRegisterBody(bent, o); err == nil {
				checkRegistration(t, rb, len(bent))
			} else if !errors.Is(err, ErrBody) && !errors.Is(err, ErrBodyTooLarge) {
				t.Errorf("byte %d = %q: %v", i, c, err)
			}
		}
	}
}

// checkRegistration fails if a registration that was read cannot be.
func checkRegistration(t testing.TB, rb *RegisterBody, bodyBytes int) {
	t.Helper()
	problem := ""
	for _, c := range rb.Topics {
		if len(c.Name) > bodyBytes || c.Key == nil {
			problem = fmt.Sprintf("topic %+v", c)
		}
	}
	if rb.TopicTableMissing && len(rb.Topics) > 0 || rb.FilterServersNull != (rb.FilterServers == nil) {
		problem = "contradicts itself"
	}
	if problem != "" {
		t.Errorf("%s: %+v", problem, rb)
	}
}

// TestCompositeLimit: what stands where a string or a number belongs is read and written
// again, so it is bounded.
func TestCompositeLimit(t *testing.T) {
	parse := func(text string) error {
		_, err := ParseRegisterBody([]byte(`{"filterServerList":[`+text+`]}`), RegisterBodyOptions{Version: 513})
		return err
	}
	filled := func(n int) string { return `{"a":"` + strings.Repeat("x", n) + `"}` }
	if err := parse(filled(60_000)); err != nil {
		t.Errorf("an object of 60,000 bytes: %v", err)
	}
	for _, text := range []string{
		filled(bodyCompositesMax), "[" + strings.Repeat("[],", bodyCompositesMax) + "]", "[" + strings.Repeat("{},", bodyCompositesMax) + "]",
		filled(40_000) + "," + filled(40_000), // in all
	} {
		if err := parse(text); !errors.Is(err, ErrBodyTooLarge) {
			t.Errorf("%.20s... of %d bytes: %v", text, len(text), err)
		}
	}
	if err := parse(`"` + strings.Repeat("\xc0\x80", 64<<10) + `"`); !errors.Is(err, ErrBodyTooLarge) {
		t.Errorf("a long string that is not UTF-8: %v", err)
	}
	var c Command
	lim := DefaultLimits()
	header := func(n int) error {
		return c.Decode(jsonFrame(`{"code":105,"language":"JAVA","extFields":{"a":`+filled(n)+`,"b":`+filled(n)+`}}`, ""), &lim)
	}
	if err := header(1500); err != nil || c.NumExt() != 2 {
		t.Errorf("a header with two objects of 1,500 bytes: %v", err)
	}
	if err := header(2500); !errors.Is(err, ErrHeader) {
		t.Errorf("a header with two objects of 2,500 bytes: %v", err)
	}
	if err := parse(strings.Repeat("9", numberTextMax)); err != nil {
		t.Errorf("a number of %d digits: %v", numberTextMax, err)
	}
	if err := parse(strings.Repeat("9", 1_000_000)); !errors.Is(err, ErrBody) {
		t.Errorf("a number of a million digits: %v", err)
	}
	if err := parse(strings.Repeat("[", 10_000)); !errors.Is(err, ErrBodyTooLarge) {
		t.Errorf("arrays nested 10,000 deep: %v", err)
	}
}
