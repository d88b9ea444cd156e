package codec

// missed counts a route request that fitted no template, and makes one of it now and then.
// c is what frame was decoded into.
func (p *Predictor) missed(c *Command, frame []byte, lim *Limits) {
	if p.misses++; p.misses < learnEvery && p.templates[templatesMax-1].learned() {
		return
	}
	header := templateHeader(frame, lim)
	if header == nil || len(header) > templateBytesMax || c.ext.n > extInline || c.Remark != nil {
		return
	}
	r := templateReader{b: header}
	if !r.header() || r.n != c.ext.n {
		return
	}
	p.misses = 0
	p.last = p.victim()
	p.templates[p.last].learn(c, &r)
}

// victim is the place for one more template: a free one, else that of the one that fitted
// least often lately.
func (p *Predictor) victim() int {
	least := 0
	for i := range p.templates {
		t := &p.templates[i]
		if !t.learned() {
			return i
		}
		if t.hits /= 2; t.hits < p.templates[least].hits {
			least = i
		}
	}
	return least
}

func (t *headerTemplate) learned() bool { return len(t.text) > 0 }

// learn makes t the template of the header that r has read and that was decoded into c.
func (t *headerTemplate) learn(c *Command, r *templateReader) {
	t.text = append(t.text[:0], r.b...)
	first, second := r.topic, r.digit
	if t.topicFirst = first.start < second.start; !t.topicFirst {
		first, second = second, first
	}
	t.before, t.between, t.behind = t.text[:first.start], t.text[first.end:second.start], t.text[second.end:]
	t.hits = 0
	k := &t.cmd
	k.code, k.version, k.flag, k.language, k.n = c.Code, c.Version, c.Flag, c.Language, r.n
	for i, f := range r.ext[:r.n] {
		k.ext[i] = extEntry{t.piece(f.key), t.piece(f.value)}
		if f.value == r.topic {
			k.topicAt = i
		}
	}
}

func (t *headerTemplate) piece(h templateHole) []byte { return t.text[h.start:h.end:h.end] }

// templateReader walks over a header that has none of what makes JSON hard: each member
// stands there as clients write it, and once.
type templateReader struct {
	b     []byte
	i     int
	seen  [keyVersion + 1]bool
	ext   [extInline]templateField
	n     int
	topic templateHole
	digit templateHole // of the correlation id
}

// templateField is where a field's key and value stand.
type templateField struct{ key, value templateHole }

// header reports whether all of the header is simple, with a topic and a correlation id.
func (r *templateReader) header() bool {
	if !r.take("{") {
		return false
	}
	for {
		if !r.member() {
			return false
		}
		if r.take("}") {
			return r.i == len(r.b) && r.seen[keyOpaque] && r.topic.start > 0
		}
		if !r.take(",") {
			return false
		}
	}
}

// member reads one member of the header. A remark, or an unknown name, is not simple.
func (r *templateReader) member() bool {
	for k, text := range headerKeyTexts {
		if text == "" || !r.take(text) {
			continue
		}
		if r.seen[k] {
			return false
		}
		r.seen[k] = true
		switch headerKey(k) {
		case keyCode, keyFlag, keyVersion:
			_, ok := r.digits()
			return ok
		case keyOpaque:
			var ok bool
			r.digit, ok = r.digits()
			return ok
		case keyLanguage, keySerializeType:
			_, ok := r.plain()
			if !ok {
				_, ok = r.digits()
			}
			return ok
		case keyExtFields:
			return r.fields()
		}
		return false
	}
	return false
}

// fields reads an object of strings, one of which is the topic.
func (r *templateReader) fields() bool {
	if !r.take("{") {
		return false
	}
	for r.n < extInline {
		key, ok := r.plain()
		if !ok || !templateKey(r.b[key.start:key.end]) || !r.take(":") {
			return false
		}
		value, ok := r.plain()
		if !ok {
			return false
		}
		for _, f := range r.ext[:r.n] {
			if string(r.b[f.key.start:f.key.end]) == string(r.b[key.start:key.end]) {
				return false
			}
		}
		r.ext[r.n] = templateField{key, value}
		r.n++
		if string(r.b[key.start:key.end]) == "topic" {
			r.topic = value
		}
		if r.take("}") {
			return true
		}
		if !r.take(",") {
			return false
		}
	}
	return false
}

// templateKey: letters, digits and underscores, which mean nothing but themselves.
func templateKey(key []byte) bool {
	for _, ch := range key {
		if ch != '_' && ch-'0' > 9 && (ch|0x20)-'a' > 'z'-'a' {
			return false
		}
	}
	return len(key) > 0
}

// take moves over text if it is next.
func (r *templateReader) take(text string) bool {
	end := r.i + len(text)
	if end > len(r.b) || string(r.b[r.i:end]) != text {
		return false
	}
	r.i = end
	return true
}

// plain moves over a string of plain ASCII text and returns where its text stands.
func (r *templateReader) plain() (templateHole, bool) {
	if !r.take(`"`) {
		return templateHole{}, false
	}
	end := templateStringEnd(r.b, r.i)
	if end < 0 {
		return templateHole{}, false
	}
	h := templateHole{r.i, end}
	r.i = end + 1
	return h, true
}

// digits moves over a number of one to eight digits.
func (r *templateReader) digits() (templateHole, bool) {
	h := templateHole{start: r.i}
	for r.i < len(r.b) && r.b[r.i]-'0' <= 9 {
		r.i++
	}
	h.end = r.i
	return h, h.end > h.start && h.end-h.start <= templateDigitsMax
}
