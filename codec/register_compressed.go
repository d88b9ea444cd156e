package codec

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parseRegisterCompressed reads the compressed form of a registration: a zlib stream of
// length-prefixed parts. It is read as it is inflated, so that what does not fit, or does
// not look right, stops the inflation; only topic names are kept.
func parseRegisterCompressed(body []byte, o *RegisterBodyOptions) (*RegisterBody, error) {
	z := takeInflater(body, o.Limits.InflatedBytesMax, o.Yield)
	defer z.putBack()
	p := registerParts{
		inflater:  z,
		rb:        &RegisterBody{FilterServers: []string{}, Topics: o.TopicsRoom[:0]},
		nowMillis: o.NowMillis,
		topicsMax: o.Limits.TopicsMax,
		lim:       o.Limits,
	}
	p.dataVersion()
	p.topics(len(body))
	p.filterServers()
	if o.Version >= Version5_0_0 {
		p.mappings()
	}
	z.checkSum()
	if z.err != nil {
		return nil, z.err
	}
	return p.rb, nil
}

// registerParts reads the parts of an inflated registration. Errors are sticky in the
// inflater.
type registerParts struct {
	*inflater
	rb        *RegisterBody
	nowMillis int64
	topicsMax int
	lim       *Limits
	arena     []byte // where topic names go
}

// count reads the number of things that follow, at most limit. A negative one is none, as
// in Java.
func (p *registerParts) count(what string, limit int) int {
	offset := p.offset()
	n := p.int32()
	switch {
	case n < 0:
		return 0
	case int(n) > limit:
		p.stop(bodyTooLargef(offset, "%d %s, more than %d,", n, what, limit))
		return 0
	}
	return int(n)
}

// part reads a length and as many bytes, which are valid until the next read.
func (p *registerParts) part(what string) []byte {
	offset := p.offset()
	n := p.int32()
	switch {
	case n < 0:
		p.stop(bodyErrorf(offset, "%s of %d bytes", what, n))
		return nil
	case int(n) > p.lim.FrameBytesMax:
		p.stop(bodyTooLargef(offset, "%s of %d bytes, more than a frame holds,", what, n))
		return nil
	}
	return p.next(int(n))
}

// int32 reads a big-endian integer.
func (p *registerParts) int32() int32 {
	if b := p.next(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// json returns a scanner of a part that was just read.
func (p *registerParts) json(part []byte) bodyScanner {
	s := newBodyScanner(part, p.lim)
	s.base = p.offset() - len(part)
	s.setYield(p.yield)
	return s
}

func (p *registerParts) dataVersion() {
	part := p.part("data version")
	if p.err != nil {
		return
	}
	s := p.json(part)
	if len(part) == 0 || s.null() {
		s.fail(0, "dataVersion is null")
	} else {
		p.rb.DataVersion, p.rb.DataVersionStamped = s.dataVersion(p.nowMillis)
	}
	s.endBody(part)
	p.stop(s.err)
}

// topics reads the topics. What is allocated in advance is bounded by the bytes that came
// over the wire, whatever the count says.
func (p *registerParts) topics(bodyBytes int) {
	n := p.count("topics", p.topicsMax)
	if p.err != nil {
		return
	}
	const bytesEachMin = 2 // of a compressed topic; it can be less, then the slice grows
	if want := min(n, bodyBytes/bytesEachMin+1); cap(p.rb.Topics) < want {
		p.rb.Topics = make([]TopicConfig, 0, want)
	}
	for range n {
		offset := p.offset()
		part := p.part("topic")
		if p.err != nil {
			return
		}
		t, problem := p.topic(part)
		if problem != "" {
			p.stop(bodyErrorf(offset, "topic %q with %s", clip(part, 64), problem))
			return
		}
		if topics := p.rb.Topics; len(topics) == cap(topics) {
			p.rb.Topics = append(make([]TopicConfig, 0, min(n, 2*len(topics))), topics...)
		}
		p.rb.Topics = append(p.rb.Topics, t)
	}
}

// topic reads "name readQueueNums writeQueueNums perm topicFilterType attributes". The
// attributes, and whatever follows, are of no use to a name server and may be absent.
// topicSysFlag is not transported: it is 0.
func (p *registerParts) topic(part []byte) (t TopicConfig, problem string) {
	name, rest, _ := bytes.Cut(part, []byte{' '})
	for _, v := range [...]*int32{&t.ReadQueueNums, &t.WriteQueueNums, &t.Perm} {
		field := rest
		field, rest, _ = bytes.Cut(rest, []byte{' '})
		n, err := strconv.ParseInt(asciiDigits(string(field)), 10, 32)
		if err != nil {
			return t, "a number of queues or a permission that is none"
		}
		*v = int32(n)
	}
	filter, _, _ := bytes.Cut(rest, []byte{' '})
	if string(filter) != "SINGLE_TAG" && string(filter) != "MULTI_TAG" {
		return t, "an unknown topicFilterType"
	}
	t.Name = p.keep(name)
	t.Key = t.Name
	return t, ""
}

// asciiDigits is text with 0 to 9 for the decimal digits of other scripts, which Java's
// Integer.parseInt reads too if they are in the basic plane.
func asciiDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf || !unicode.IsDigit(r) {
			return r
		}
		for _, block := range unicode.Nd.R16 {
			if r >= rune(block.Lo) && r <= rune(block.Hi) {
				return '0' + (r-rune(block.Lo))%10
			}
		}
		return r
	}, text)
}

// keep copies a name into the arena.
func (p *registerParts) keep(name []byte) []byte {
	const arenaBytesMin, arenaBytesMax = 16 << 10, 1 << 20
	if !utf8.Valid(name) {
		name = appendValidText(nil, name)
	}
	if cap(p.arena)-len(p.arena) < len(name) {
		size := min(max(2*cap(p.arena), arenaBytesMin), arenaBytesMax)
		p.arena = make([]byte, 0, max(size, len(name)))
	}
	if p.arena == nil {
		p.arena = []byte{} // the empty name is not the absent one
	}
	start := len(p.arena)
	p.arena = append(p.arena, name...)
	return p.arena[start:len(p.arena):len(p.arena)]
}

// filterServers reads the filter servers. A list that cannot be read is an empty one, as
// in Java.
func (p *registerParts) filterServers() {
	part := p.part("filter server list")
	if p.err != nil {
		return
	}
	if len(part) == 0 {
		p.rb.FilterServers, p.rb.FilterServersNull = nil, true
		return
	}
	s := p.json(part)
	var list []string
	if s.peek() == '{' { // a list of its text, unlike in the other form
		list = []string{s.string()}
	} else {
		list = s.strings("the filter server list")
	}
	if s.end(); s.err == nil {
		p.rb.FilterServers, p.rb.FilterServersNull = list, list == nil
	}
}

// mappings reads the shares of static topics, keyed by their own topic.
func (p *registerParts) mappings() {
	for range p.count("topic queue mappings", bodyItemsMax(p.lim)) {
		offset := p.offset()
		part := p.part("topic queue mapping")
		if p.err != nil {
			return
		}
		s := p.json(part)
		info := s.mappingInfo()
		s.end()
		p.stop(s.err)
		if !info.Topic.Valid && s.err == nil {
			p.stop(bodyErrorf(offset, "topic queue mapping without a topic"))
		}
		p.rb.Mappings = append(p.rb.Mappings, TopicQueueMapping{Topic: info.Topic.String, Info: info})
	}
}
