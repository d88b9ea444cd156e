package codec

import (
	"encoding/binary"
	"math"
)

// A client's route requests (105) differ in two places only: the correlation id and the
// topic. A headerTemplate is such a header with these two places marked. A header that is
// otherwise the same, byte for byte, means the same, and needs no scanner: what a scanner
// has read once is taken from the template.
//
// A template says what decodeJSONHeader would say of the same bytes, or nothing. What it is
// made of is checked in header_template_learn.go: a header without blanks, escapes and
// repeated names, whose two places hold plain digits and plain ASCII text. Such a value ends
// where its closing character is, whatever it is, so that the scanner's way through the rest
// of the header does not depend on it.
type headerTemplate struct {
	text []byte // the header it was made of; the entries of cmd point into it
	cmd  templateCommand
	// What lies before, between and behind the two places is compared.
	before, between, behind []byte
	topicFirst              bool // the first place is the topic, the second one the correlation id
	hits                    uint32
}

// templateHole is where something stands that changes.
type templateHole struct{ start, end int }

// templateCommand is what the header says, apart from the two places.
type templateCommand struct {
	code, version, flag int32
	language            LanguageCode
	topicAt             int // which ext field the topic is
	n                   int
	ext                 [extInline]extEntry
}

// Predictor decodes frames like Command.Decode, faster when it has seen a request of the
// same client software before. Its zero value is ready for use. It holds a few kilobytes;
// keep one for each event loop.
type Predictor struct {
	templates [templatesMax]headerTemplate
	last      int // the template that fitted last
	misses    int // lookups in a row that had to be scanned, since one was learned
}

const (
	// templatesMax: a cluster has a handful of client versions and languages.
	templatesMax = 8
	// templateBytesMax bounds the header that is learned: an honest one has 200 bytes.
	templateBytesMax = 512
	// learnEvery: a client whose headers differ in other places too, because they carry a
	// signature, fits no template, and should not pay for a new one each time.
	learnEvery = 16
)

// RouteRequest is a route request that a Predictor knew: what changes from one to the next,
// and the header it is like.
type RouteRequest struct {
	// Topic points into the frame, with no spare capacity.
	Topic  []byte
	Opaque int32

	frameBytes int    // of a request of a run
	digits     int    // of Opaque as the request writes it: as a reply does, without zeros before it
	opaqueText uint64 // these digits, the first one lowest
	t          *headerTemplate
}

// Command returns what is true of the whole kind of requests, in c: everything but the
// topic, the correlation id and the body. c is valid until the Predictor decodes.
func (r *RouteRequest) Command(c *Command) {
	r.t.fill(c)
	c.Opaque, c.Body = r.Opaque, nil
	c.ext.inline[r.t.cmd.topicAt].value = r.Topic
}

// FrameBytes is the length of the whole frame, when PredictRun read it.
func (r *RouteRequest) FrameBytes() int { return r.frameBytes }

// Like reports whether the headers of both say the same, apart from what changes.
func (r *RouteRequest) Like(o *RouteRequest) bool { return r.t == o.t }

// Version is the sender's.
func (r *RouteRequest) Version() int32 { return r.t.cmd.version }

// Flag are the flags of the request.
func (r *RouteRequest) Flag() int32 { return r.t.cmd.flag }

// HasExt reports whether there is an ext field of that name, other than the topic.
func (r *RouteRequest) HasExt(key string) bool {
	k := &r.t.cmd
	for i := range k.ext[:k.n] {
		if string(k.ext[i].key) == key {
			return true
		}
	}
	return false
}

// PredictRun reads the whole frames that lie one behind the other at the beginning of chunk, as
// long as they are route requests without a body like one before, in next to no time: len(rs) at
// most. It fills in one of rs for each, and returns how many they are. Decode has to look at
// what comes then.
func (p *Predictor) PredictRun(rs []RouteRequest, chunk []byte, lim *Limits) (n int) {
	headerMax := uint64(min(lim.HeaderBytesMax, headerLengthMax, lim.FrameBytesMax-FramePrefixBytes))
	t := &p.templates[p.last]
	for n < len(rs) && len(chunk) >= FramePrefixBytes {
		// Without a body, and of type JSON, which is 0, the length is the header's and its own.
		word := binary.BigEndian.Uint64(chunk)
		headerBytes := word>>32 - frameWordBytes
		if headerBytes != word&math.MaxUint32 || headerBytes > headerMax || headerBytes > uint64(len(chunk)-FramePrefixBytes) {
			break
		}
		end := FramePrefixBytes + int(headerBytes)
		r, header := &rs[n], chunk[FramePrefixBytes:end:end]
		if !t.fits(r, header, lim) {
			if t = p.findOther(r, header, lim); t == nil {
				break
			}
		}
		t.hits++
		r.t, r.frameBytes = t, end
		chunk = chunk[end:]
		n++
	}
	return n
}

// Decode is c.Decode(frame, lim), for any bytes. Slices of c may also point into p: they
// are valid until p or c decodes again, or the frame is discarded.
func (p *Predictor) Decode(c *Command, frame []byte, lim *Limits) error {
	if header := templateHeader(frame, lim); header != nil {
		var r RouteRequest
		if p.find(&r, header, lim) != nil {
			r.Command(c)
			if bodyStart := FramePrefixBytes + len(header); bodyStart < len(frame) {
				c.Body = frame[bodyStart:len(frame):len(frame)]
			}
			return nil
		}
	}
	if err := c.Decode(frame, lim); err != nil {
		return err
	}
	if c.Code == CodeGetRouteInfoByTopic && c.Serialize == SerializeJSON {
		p.missed(c, frame, lim)
	}
	return nil
}

// find fills in r if header fits a template, which it returns; nil if there is none.
func (p *Predictor) find(r *RouteRequest, header []byte, lim *Limits) *headerTemplate {
	t := &p.templates[p.last]
	if !t.fits(r, header, lim) {
		if t = p.findOther(r, header, lim); t == nil {
			return nil
		}
	}
	t.hits++
	r.t = t
	return t
}

// findOther tries the templates but the last one.
func (p *Predictor) findOther(r *RouteRequest, header []byte, lim *Limits) *headerTemplate {
	for i := range p.templates {
		if t := &p.templates[i]; i != p.last && t.fits(r, header, lim) {
			p.last = i
			return t
		}
	}
	return nil
}

// templateHeader returns the header of a frame whose prefix is in order and says JSON, else
// nil.
func templateHeader(frame []byte, lim *Limits) []byte {
	if len(frame) < FramePrefixBytes || len(frame) > lim.FrameBytesMax {
		return nil
	}
	if int(binary.BigEndian.Uint32(frame)) != len(frame)-frameLengthBytes {
		return nil
	}
	// A type byte other than JSON's makes it larger than any frame.
	headerBytes := int(binary.BigEndian.Uint32(frame[frameLengthBytes:]))
	if headerBytes > len(frame)-FramePrefixBytes || headerBytes > min(lim.HeaderBytesMax, headerLengthMax) {
		return nil
	}
	end := FramePrefixBytes + headerBytes
	return frame[FramePrefixBytes:end:end]
}

// fits reports whether header is the template's, and reads what changes.
func (t *headerTemplate) fits(r *RouteRequest, header []byte, lim *Limits) bool {
	start, end := len(t.before), len(header)-len(t.behind)
	if end < start || !t.learned() || string(header[end:]) != string(t.behind) || string(header[:start]) != string(t.before) {
		return false
	}
	// Where the two places are: from start to stop, and from next to end.
	stop := start
	if t.topicFirst {
		if stop = templateStringEnd(header, start); stop < 0 {
			return false
		}
	} else {
		for stop < end && header[stop]-'0' <= 9 {
			stop++
		}
	}
	next := stop + len(t.between)
	if next > end || string(header[stop:next]) != string(t.between) {
		return false
	}
	topic, digits := templateHole{start, stop}, templateHole{next, end}
	if !t.topicFirst {
		if topic, digits = digits, topic; templateStringEnd(header, topic.start) != end {
			return false
		}
	}
	opaque, text, ok := templateDigits(header, digits.start, digits.end)
	if !ok || t.cmd.n > lim.ExtFieldsMax {
		return false
	}
	r.Opaque, r.digits, r.opaqueText = opaque, digits.end-digits.start, text
	r.Topic = header[topic.start:topic.end:topic.end]
	return true
}

// fill makes c the command that the template was made of.
func (t *headerTemplate) fill(c *Command) {
	k := &t.cmd
	c.Code, c.Version, c.Flag = k.code, k.version, k.flag
	c.Language, c.Serialize = k.language, SerializeJSON
	c.HasOpaque, c.HasExt = true, true
	c.Remark = nil
	if cap(c.scratch) > scratchKeepBytes {
		c.scratch = nil
	}
	c.ext.n = k.n
	copy(c.ext.inline[:k.n], k.ext[:k.n])
}

// templateStringEnd is plainStringEnd, also for a string at the end of b.
func templateStringEnd(b []byte, i int) int {
	if end := plainStringEnd(b, i); end >= 0 {
		return end
	}
	for ; i < len(b); i++ {
		switch ch := b[i]; {
		case ch == '"':
			return i
		case ch < ' ' || ch == '\\' || ch >= 0x80:
			return -1
		}
	}
	return -1
}

const templateDigitsMax = 8

// templateDigits reads the decimal number b[start:end], which must have one to eight digits
// and nothing else, and no zero to begin with. There are at least eight bytes of header before
// its end. text is the digits, the first one lowest.
func templateDigits(b []byte, start, end int) (value int32, text uint64, ok bool) {
	const zeros, highs = 0x3030303030303030, 0xF0F0F0F0F0F0F0F0
	n := end - start
	if n < 1 || n > templateDigitsMax || end < templateDigitsMax {
		return 0, 0, false
	}
	// The eight bytes that end with the number, with zeros for those before it.
	w := loadWord(b[end-templateDigitsMax : end])
	text = w >> (64 - 8*n)
	before := uint64(1)<<(64-8*n) - 1
	w = w&^before | zeros&before
	if w&highs != zeros || (w+0x0606060606060606)&highs != zeros || text&0xFF == '0' && n > 1 {
		return 0, 0, false
	}
	// Pairs, fours, and all: the first digit is the lowest byte.
	w -= zeros
	w = w*10 + w>>8
	const pairs = 0x000000FF000000FF
	const high, low = 100 + 1_000_000<<32, 1 + 10_000<<32
	w = ((w&pairs)*high + (w>>16&pairs)*low) >> 32
	return int32(uint32(w)), text, true
}
