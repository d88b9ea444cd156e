package codec

import (
	"bytes"
	"unsafe"
)

// Defaults of a TopicConfig (Java: TopicConfig's fields).
const (
	defaultQueueNums = 16
	defaultTopicPerm = PermRead | PermWrite
)

// topicConfigTable reads the topics of a registration, by far the largest part of all that
// a name server parses.
func (s *registerScanner) topicConfigTable() {
	topics := s.rb.Topics[:0]
	s.rb.Topics, s.rb.TopicTableMissing = topics, false
	if s.null() {
		s.rb.TopicTableMissing = true
		return
	}
	s.noReference()
	s.openMap("topicConfigTable")
	first, end := s.i, s.i
	for key, ok := s.nextEntry(); ok; key, ok = s.nextEntry() {
		if key == nil {
			s.fail(s.i, "null as a key of topicConfigTable")
			return
		}
		if !s.countTopic() {
			return
		}
		if len(topics) == cap(topics) {
			topics = growTopics(topics, end-first, len(s.b)-end, s.topicsMax)
		}
		topics = append(topics, TopicConfig{Key: key})
		s.topicConfig(&topics[len(topics)-1])
		end = s.i
	}
	s.rb.Topics = topics
}

// growTopics makes room for as many topics as the rest of the body probably holds, judged
// by the bytes that those read so far took. Where they took less than a struct does, no
// broker has written them, and nothing is guessed: a guess never allocates more than there
// are bytes in the body.
func growTopics(topics []TopicConfig, bytesRead, bytesLeft, topicsMax int) []TopicConfig {
	const sample = 16 // topics to read before the first guess
	n := len(topics)
	room := 2*n + sample
	if structBytes := int(unsafe.Sizeof(TopicConfig{})); n >= sample && bytesRead/n >= structBytes {
		guess := bytesLeft / (bytesRead / n)
		room = n + max(guess+guess/16, n/4) + 1
	}
	grown := make([]TopicConfig, n, max(min(room, topicsMax), n+1))
	copy(grown, topics)
	return grown
}

// topicConfig reads one TopicConfig into t, whose Key is set.
func (s *registerScanner) topicConfig(t *TopicConfig) {
	if s.typicalTopic(t) {
		return
	}
	t.Name = nil
	t.ReadQueueNums, t.WriteQueueNums = defaultQueueNums, defaultQueueNums
	t.Perm, t.TopicSysFlag = defaultTopicPerm, 0
	if s.noReference(); s.null() {
		s.fail(s.i, "null instead of a TopicConfig")
		return
	}
	s.openObject("a TopicConfig")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch string(key) {
		case "topicName":
			t.Name, _ = s.text()
		case "readQueueNums":
			t.ReadQueueNums = s.int32()
		case "writeQueueNums":
			t.WriteQueueNums = s.int32()
		case "perm":
			t.Perm = s.int32()
		case "topicSysFlag":
			t.TopicSysFlag = s.int32()
		case "topicFilterType":
			s.topicFilterType()
		case "order":
			s.bool()
		case "attributes":
			s.attributes()
		default:
			s.skip()
		}
	}
}

// attributes checks the attributes, which a name server has no use for: an object of
// strings, or null.
func (s *registerScanner) attributes() {
	if !s.null() {
		s.pairs("attributes", func(_, _ []byte) {})
	}
}

// topicFilterType checks a filter type, which a name server has no use for: any name will
// do (an unknown one is null in Java), a number must be an ordinal that exists.
func (s *registerScanner) topicFilterType() {
	const filterTypes = 2
	s.enum(filterTypes, "topicFilterType")
}

// What Java brokers write between the values of a TopicConfig, in their order. The
// attributes came with 5.0.
const (
	topicText0 = `"attributes":`
	topicText1 = `"order":false,"perm":`
	topicText2 = `,"readQueueNums":`
	topicText3 = `,"topicFilterType":"SINGLE_TAG","topicName":`
	topicText4 = `,"topicSysFlag":`
	topicText5 = `,"writeQueueNums":`
)

// typicalTopic reads a TopicConfig that looks exactly as a Java broker writes it, several
// times faster than by looking at its keys. False: nothing is read, use the general way.
func (s *registerScanner) typicalTopic(t *TopicConfig) bool {
	start := s.i
	if s.i >= len(s.b) || s.b[s.i] != '{' || s.depth >= s.depthMax {
		return false
	}
	s.i++
	plain := s.compact
	if s.typicalAttributes() && (plain && s.fieldsAlike(t) || s.typicalFields(t)) {
		return true
	}
	if s.err == nil {
		s.i = start
	}
	return false
}

// typicalAttributes reads the attributes and their comma, if there are any.
func (s *registerScanner) typicalAttributes() bool {
	rest := s.b[s.i:]
	if !bytes.HasPrefix(rest, []byte(topicText0)) {
		return true
	}
	s.i += len(topicText0)
	if rest = rest[len(topicText0):]; len(rest) > 3 && string(rest[:3]) == "{}," {
		s.i += 3
		return true
	}
	if len(rest) == 0 || rest[0] != '{' {
		return false
	}
	s.depth++ // the TopicConfig itself
	s.attributes()
	s.depth--
	return s.err == nil
}

// topicTexts is what stands around the name of a topic, whatever its attributes, and what
// that says. Most topics of a broker differ in their names alone.
type topicTexts struct {
	before, after []byte // with the name's quotes
	numbers       TopicConfig
}

// fieldsAlike is typicalFields for a topic whose key is plain ASCII, is its name as well, and
// that otherwise is like the one before.
func (s *registerScanner) fieldsAlike(t *TopicConfig) bool {
	like, rest := &s.like, s.b[s.i:]
	start := len(like.before)
	end := start + len(t.Key)
	if start == 0 || len(rest) < end+len(like.after) || string(rest[:start]) != string(like.before) ||
		string(rest[start:end]) != string(t.Key) || string(rest[end:end+len(like.after)]) != string(like.after) {
		return false
	}
	n := &like.numbers
	t.Name = rest[start:end:end]
	t.ReadQueueNums, t.WriteQueueNums, t.Perm, t.TopicSysFlag = n.ReadQueueNums, n.WriteQueueNums, n.Perm, n.TopicSysFlag
	return s.closeTopic(s.i + end + len(like.after) - 1)
}

// closeTopic reads the closing brace at i.
func (s *registerScanner) closeTopic(i int) bool {
	s.i = i
	s.depth++ // which close takes back
	return s.close('}')
}

// typicalFields reads what follows the attributes, up to the closing brace.
func (s *registerScanner) typicalFields(t *TopicConfig) bool {
	b, i := s.b, s.i
	start, ok := i, false
	if i, ok = s.typicalInt(i, topicText1, &t.Perm); !ok {
		return false
	}
	if i, ok = s.typicalInt(i, topicText2, &t.ReadQueueNums); !ok {
		return false
	}
	if len(b)-i <= len(topicText3) || string(b[i:i+len(topicText3)]) != topicText3 {
		return false
	}
	name := i + len(topicText3)
	if s.i = name; b[s.i] != '"' {
		return false
	}
	t.Name = s.quotedText()
	nameEnd := s.i
	if i, ok = s.typicalInt(s.i, topicText4, &t.TopicSysFlag); !ok {
		return false
	}
	if i, ok = s.typicalInt(i, topicText5, &t.WriteQueueNums); !ok {
		return false
	}
	if i >= len(b) || b[i] != '}' {
		return false
	}
	s.like = topicTexts{before: b[start : name+1], after: b[nameEnd-1 : i+1], numbers: *t}
	return s.closeTopic(i)
}

// typicalInt reads text and a number of up to nine digits at i, and returns where it ends.
func (s *registerScanner) typicalInt(i int, text string, v *int32) (int, bool) {
	b := s.b
	if len(b)-i < len(text) || string(b[i:i+len(text)]) != text {
		return 0, false
	}
	i += len(text)
	start, n := i, int32(0)
	for ; i < len(b) && b[i]-'0' <= 9 && i < start+9; i++ {
		n = n*10 + int32(b[i]-'0')
	}
	*v = n
	return i, i > start && i < len(b) && (b[i] == ',' || b[i] == '}')
}
