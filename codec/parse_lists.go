package codec

// ParseTopicList reads the body of the replies to 206, 224, 304, 311, 312 and 313. No body
// and null give the zero value. lim may be nil for the default limits.
func ParseTopicList(body []byte, lim *Limits) (TopicList, error) {
	s := newBodyScanner(body, lim)
	if s.itemsMax = defaultTopicsMax; lim != nil { // names are shorter than objects
		s.itemsMax = lim.TopicsMax
	}
	t := TopicList{}
	if len(body) > 0 && !s.null() {
		s.openObject("TopicList")
		for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
			switch string(key) {
			case "brokerAddr":
				t.BrokerAddr = s.nullString()
			case "topicList":
				t.Topics = s.strings("topicList")
			default:
				s.skip()
			}
		}
	}
	s.endBody(body)
	return t, s.err
}

// ParseKVTable reads the body of the replies to 219 and 103: one namespace of the KV
// configuration. No body, null and a null table give nil; {} gives an empty table, as in
// Java. lim may be nil for the default limits.
func ParseKVTable(body []byte, lim *Limits) (map[string]string, error) {
	s := newBodyScanner(body, lim)
	var table map[string]string
	if len(body) > 0 && !s.null() {
		table = map[string]string{}
		s.openObject("KVTable")
		for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
			if string(key) == "table" {
				table = s.stringMap("table")
			} else {
				s.skip()
			}
		}
	}
	s.endBody(body)
	return table, s.err
}

// endBody fails if a body goes on behind its value. Having none is fine.
func (s *bodyScanner) endBody(body []byte) {
	if len(body) > 0 {
		s.end()
	}
}

// list calls element at each element of an array that is not null; null is an empty list.
func (s *bodyScanner) list(what string, element func()) {
	if s.null() {
		return
	}
	n := 0
	for s.openArray(what); s.nextElement() && s.fits(n+1, what); n++ {
		if !s.null() {
			element()
		}
	}
}

// entries calls entry at each value of a map that is not null; null is an empty map.
func (s *bodyScanner) entries(what string, entry func(key string)) {
	if s.null() {
		return
	}
	s.openObject(what)
	n := 0
	for key, ok := s.nextKey(); ok && s.fits(n+1, what); key, ok = s.nextKey() {
		n++
		if name := string(key); !s.null() {
			entry(name)
		}
	}
}

// strings reads a list of strings. A single string is a list of one, as in fastjson2, ""
// an empty list; null gives nil. Elements that are null are left out.
func (s *bodyScanner) strings(what string) []string {
	switch c := s.peek(); {
	case c == '"' || c == '\'':
		switch text := s.string(); text {
		case "null":
			return nil
		case "":
			return []string{}
		default:
			return []string{text}
		}
	case c != '[' && c != 0:
		s.skip()
		return nil
	}
	list := []string{}
	for s.openArray(what); s.nextElement() && s.fits(len(list)+1, what); {
		if text, ok := s.text(); ok {
			list = append(list, string(text))
		}
	}
	return list
}

// stringLists reads a map of lists of strings; null gives nil. Lists that are null are
// left out.
func (s *bodyScanner) stringLists(what string) map[string][]string {
	if s.null() {
		return nil
	}
	m := map[string][]string{}
	s.openObject(what)
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		name := string(key)
		if list := s.strings(what); list != nil {
			m[name] = list
		}
	}
	return m
}

// stringMap reads a map of strings; null gives nil. Entries that are null are left out.
func (s *bodyScanner) stringMap(what string) map[string]string {
	if s.null() {
		return nil
	}
	m := map[string]string{}
	s.openObject(what)
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		name := string(key)
		if value, ok := s.text(); ok {
			m[name] = string(value)
		} else {
			delete(m, name)
		}
	}
	return m
}
