package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// templateHeaders are route requests of several kinds of clients, and things that only look
// like them.
var templateHeaders = []string{
	benchJSON105,
	strings.Replace(benchJSON105, `"acceptStandardJsonOnly":"true",`, "", 1),
	strings.Replace(benchJSON105, "1234567", "7", 1),
	`{"opaque":12,"code":105,"language":"GO","version":317,"flag":0,"extFields":{"topic":"T"}}`,
	`{"opaque":12,"code":105,"language":9,"version":317,"flag":0,"extFields":{"topic":"T","x":"y"}}`,
	`{"code":105,"extFields":{"topic":"T"},"opaque":3}`,
	`{"extFields":{"topic":"T"},"opaque":3,"code":105}`,
	`{"code":105,"extFields":{"AccessKey":"a","Signature":"b=","topic":"%RETRY%g"},"flag":0,"opaque":99999999}`,
	`{"code":105,"extFields":{"topic":"T","topic":"U"},"flag":0,"opaque":9}`,
	`{"code":105,"extFields":{"$ref":"T","topic":"U"},"flag":0,"opaque":9}`,
	`{"code":105,"extFields":{"topic":"U"},"flag":0,"opaque":9,"opaque":10}`,
	`{"code":105,"extFields":{"topic":"U"},"extFields":{"topic":"V"},"flag":0,"opaque":9}`,
	`{"code":105,"extFields":{"topic":""},"flag":0,"opaque":9,"remark":"r"}`,
	`{"code":105,"extFields":{"topic":""},"flag":0,"opaque":9,"version":513}`,
	`{"code":105, "extFields":{"topic":"U"},"flag":0,"opaque":9} `,
	`{"code":105,"extFields":{"topic":"U\\n"},"flag":1,"opaque":-9,"version":513}`,
	`{"code":105,"extFields":{"topic":"U"},"flag":2,"opaque":123456789,"version":513}`,
	`{"code":106,"flag":0,"language":"JAVA","opaque":1234567,"version":513}`,
}

// samePrediction fails unless p reads the frame as a Command does that knows no template.
func samePrediction(t testing.TB, p *Predictor, c *Command, frame []byte, lim *Limits) {
	t.Helper()
	fenced := append(append(make([]byte, 0, len(frame)+16), frame...), `"},"opaque":1234`...)[:len(frame)]
	var plain Command
	wantErr := plain.Decode(frame, lim)
	err := p.Decode(c, fenced, lim)
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("%q\n  predicted: %v\n  scanned:   %v", frame, err, wantErr)
	}
	if err != nil {
		return
	}
	checkPredicted(t, p, &plain, fenced, lim)
	got := fmt.Sprintf("%s %v %v %v %q %v", describeHeader(c), c.Language, c.Serialize, c.HasOpaque, c.Body, c.Body == nil)
	want := fmt.Sprintf("%s %v %v %v %q %v", describeHeader(&plain), plain.Language, plain.Serialize, plain.HasOpaque, plain.Body, plain.Body == nil)
	if got != want {
		t.Fatalf("%q\n  predicted: %s\n  scanned:   %s", frame, got, want)
	}
}

// predict is PredictRun for one frame.
func (p *Predictor) predict(frame []byte, lim *Limits) (*RouteRequest, bool) {
	var rs [1]RouteRequest
	n := p.PredictRun(rs[:], frame, lim)
	return &rs[0], n == 1 && rs[0].FrameBytes() == len(frame)
}

// checkPredicted: what PredictRun says of a frame, if it says anything, is what was scanned.
func checkPredicted(t testing.TB, p *Predictor, plain *Command, frame []byte, lim *Limits) {
	t.Helper()
	r, ok := p.predict(frame, lim)
	if !ok {
		return
	}
	var c Command
	r.Command(&c)
	topic, _ := plain.Ext("topic")
	if describeHeader(&c) != describeHeader(plain) || plain.Body != nil || c.Body != nil || !bytes.Equal(topic, r.Topic) ||
		r.Opaque != plain.Opaque || r.Version() != plain.Version || r.Flag() != plain.Flag {
		t.Fatalf("%q\n  predicted: %s %q\n  scanned:   %s %q", frame, describeHeader(&c), r.Topic, describeHeader(plain), plain.Body)
	}
	for _, key := range []string{"acceptStandardJsonOnly", "AccessKey", "x", "absent"} {
		if _, there := plain.Ext(key); r.HasExt(key) != there {
			t.Fatalf("%q: %s is there: %v, predicted %v", frame, key, there, r.HasExt(key))
		}
	}
}

// An ordinary client's requests are predicted from the second one on.
func TestPredictorLearns(t *testing.T) {
	lim := DefaultLimits()
	for _, header := range templateHeaders[:8] {
		var p Predictor
		var c Command
		samePrediction(t, &p, &c, jsonFrame(header, ""), &lim)
		if !p.templates[0].learned() {
			t.Errorf("no template of %s", header)
			continue
		}
		for i, topic := range []string{"", "T", "a-topic-with-a-longer-name_%RETRY%"} {
			other := []byte(header)
			other = bytes.Replace(other, []byte(`"topic":"`+string(p.templates[0].topic())+`"`), []byte(`"topic":"`+topic+`"`), 1)
			samePrediction(t, &p, &c, jsonFrame(string(other), strings.Repeat("b", i)), &lim)
			checkBorrowed(t, &c)
		}
		if hits := p.templates[0].hits; hits < 3 {
			t.Errorf("only %d were predicted: %s", hits, header)
		}
	}
	var p Predictor
	var c Command
	for _, header := range templateHeaders[8:] {
		samePrediction(t, &p, &c, jsonFrame(header, ""), &lim)
	}
	for i := range p.templates {
		if t2 := &p.templates[i]; t2.learned() && !strings.Contains(string(t2.text), `"topic":""},"flag":0,"opaque":9,"version":513}`) &&
			!strings.Contains(string(t2.text), `"flag":2`) {
			t.Errorf("a template of %s", t2.text)
		}
	}
}

func (t *headerTemplate) topic() []byte { return t.cmd.ext[t.cmd.topicAt].value }

// More kinds of clients than there are templates, and one that never repeats itself: all
// are read, and the steady ones are predicted.
func TestPredictorOfManyClients(t *testing.T) {
	lim := DefaultLimits()
	var p Predictor
	var c Command
	for i := range 2000 {
		odd := fmt.Sprintf(`{"code":105,"extFields":{"Signature":"s%d","topic":"T"},"opaque":%d}`, i, i)
		samePrediction(t, &p, &c, jsonFrame(odd, ""), &lim)
		version := fmt.Sprintf(`{"code":105,"extFields":{"topic":"T%d"},"opaque":%d,"version":%d}`, i, i, i%12)
		samePrediction(t, &p, &c, jsonFrame(version, ""), &lim)
		samePrediction(t, &p, &c, jsonFrame(benchJSON105, ""), &lim)
	}
	for i := range p.templates {
		if bytes.Contains(p.templates[i].text, []byte("acceptStandard")) {
			return
		}
	}
	t.Error("the client that asks most often is not predicted")
}

// Whatever a byte becomes, in the places that change or anywhere else, a prediction says
// what the scanner says.
func TestPredictorOnDamage(t *testing.T) {
	lim := DefaultLimits()
	lim.ExtFieldsMax = 4
	r := rand.New(rand.NewPCG(1, 2))
	const bytesOf = "\"\\{}:,0123456789 -+.eE\x00\x1f\x7f\x80\xc3\xffaT'"
	rounds := 60_000
	if testing.Short() {
		rounds = 5000
	}
	var p Predictor
	var c Command
	for i := range rounds {
		if i%500 == 0 {
			p = Predictor{} // so that damaged headers are learned, too
		}
		h := []byte(templateHeaders[r.IntN(len(templateHeaders))])
		for range r.IntN(4) {
			at := r.IntN(len(h))
			switch r.IntN(4) {
			case 0:
				h[at] = bytesOf[r.IntN(len(bytesOf))]
			case 1:
				h = append(h[:at:at], h[at+1:]...)
			case 2:
				h = append(append(h[:at:at], bytesOf[r.IntN(len(bytesOf))]), h[at:]...)
			case 3:
				h = bytes.Replace(h, []byte(`"T"`), []byte(fmt.Sprintf("%q", strings.Repeat("T", r.IntN(40)))), 1)
			}
			if len(h) == 0 {
				break
			}
		}
		frame := jsonFrame(string(h), strings.Repeat("x", r.IntN(3)))
		if r.IntN(20) == 0 {
			frame[r.IntN(8)] ^= 1 << r.IntN(8)
		}
		samePrediction(t, &p, &c, frame, &lim)
	}
}

// FuzzPredictor: after any frames, any frame is read as without them.
func FuzzPredictor(f *testing.F) {
	for i, h := range templateHeaders {
		f.Add(jsonFrame(h, ""), jsonFrame(templateHeaders[(i+1)%len(templateHeaders)], "b"))
		f.Add(jsonFrame(h, ""), jsonFrame(strings.Replace(h, "T", `\u0041`, 1), ""))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		lim := DefaultLimits()
		lim.HeaderBytesMax, lim.ExtFieldsMax, lim.JSONDepthMax = 4096, 8, 8
		var p Predictor
		var c Command
		samePrediction(t, &p, &c, jsonFrame(benchJSON105, ""), &lim)
		for _, frame := range [][]byte{first, second, first, second} {
			samePrediction(t, &p, &c, frame, &lim)
		}
	})
}

// textOf is the first n bytes of a word.
func textOf(word uint64, n int) string {
	return string(binary.LittleEndian.AppendUint64(nil, word)[:n])
}

func TestTemplateDigits(t *testing.T) {
	for n := range int32(100_000) {
		for _, v := range []int32{n, n * 997, 99_999_999 - n} {
			b := fmt.Appendf(nil, "\xff:9\"opaq:%d", v)
			start := len("\xff:9\"opaq:")
			if got, text, ok := templateDigits(b, start, len(b)); !ok || got != v || textOf(text, len(b)-start) != string(b[start:]) {
				t.Fatalf("%d is read as %d, %v", v, got, ok)
			}
		}
	}
	for ch := range 256 {
		for at := range 8 {
			b := []byte("xxxxxxxx12345678")
			b[8+at] = byte(ch)
			if _, _, ok := templateDigits(b, 8, 16); ok != (ch >= '0' && ch <= '9' && (ch != '0' || at > 0)) {
				t.Errorf("%q: %v", b[8:], ok)
			}
		}
	}
	for _, s := range []string{"", "123456789", "00", "01"} {
		if _, _, ok := templateDigits([]byte("xxxxxxxx"+s), 8, 8+len(s)); ok {
			t.Errorf("%q is no number of one to eight digits as a reply writes it", s)
		}
	}
}
