package differential

import (
	"fmt"
	"hash/crc32"
	"strconv"
)

// registration is a 103 of b with these topics.
func (g *generator) registration(b *member, topics []topicConfig, note string) Request {
	body := b.registerBody(g.r, topics)
	ext := b.identity()
	ext = append(ext, Ext{Key: "haServerAddr", Value: b.ha})
	if b.acting != "" {
		ext = append(ext, Ext{Key: "enableActingMaster", Value: b.acting})
	}
	if b.zone != "" {
		ext = append(ext, Ext{Key: "__ZONE_NAME", Value: b.zone})
	}
	if b.timeout != "" {
		ext = append(ext, Ext{Key: "heartbeatTimeoutMillis", Value: b.timeout})
	}
	if b.compressed || g.r.IntN(2) == 0 {
		ext = append(ext, Ext{Key: "compressed", Value: strconv.FormatBool(b.compressed)})
	}
	crc := crc32.ChecksumIEEE(body) & 0x7FFFFFFF
	switch g.r.IntN(12) {
	case 0, 1, 2: // old brokers send none
	case 3:
		crc ^= 1
		note += " wrong crc"
		fallthrough
	default:
		ext = append(ext, Ext{Key: "bodyCrc32", Value: strconv.FormatUint(uint64(crc), 10)})
	}
	g.r.Shuffle(len(ext), func(i, j int) { ext[i], ext[j] = ext[j], ext[i] })
	c := call{code: 103, version: b.version, style: b.style, ext: ext, body: body}
	if g.r.IntN(40) == 0 {
		c.flag = 2
	}
	q := g.request(c, fmt.Sprintf("%s/%d %s dv=%d/%d/%d %d topics acting=%q zone=%q compressed=%v%s", b.Name, b.ID, b.Addr,
		b.dv.state, b.dv.timestamp, b.dv.counter, len(topics), b.acting, b.zone, b.compressed, pad(note)))
	ref := b.BrokerRef
	q.Register, q.Stamped = &ref, b.dv.noTimestamp
	if hasMapping(topics) && b.said == b.dv {
		q.Tag = tagMappedAgain
	}
	b.said = b.dv
	return q
}

// register is the periodic registration of one broker, sometimes after a change of its.
func (g *generator) register() {
	b := g.anyMember()
	switch g.r.IntN(4) {
	case 0:
		b.addTopic(g.world)
		b.dv.counter++
	case 1:
		g.mutate(b)
	}
	if len(b.topics) == 1 && g.r.IntN(3) > 0 {
		b.addTopic(g.world)
	}
	q := g.registration(b, b.topics, "")
	for range g.r.IntN(2) {
		g.add(b.conn, q)
		q = g.registration(b, b.topics, "again")
	}
	g.add(b.conn, q)
}

// mutate changes something about a broker that its next registration will say.
func (g *generator) mutate(b *member) {
	switch g.r.IntN(9) {
	case 0:
		b.dv.state++
	case 1:
		b.dv.timestamp += int64(g.r.IntN(3)) - 1
	case 2:
		b.acting = []string{"", "true", "false", "TRUE", "yes"}[g.r.IntN(5)]
	case 3:
		b.zone = []string{"", "zone-a", "zone-B", "ZONE-A"}[g.r.IntN(4)]
	case 4:
		b.filters = [][]string{nil, {"127.0.0.1:30000"}, {"127.0.0.1:30001", "127.0.0.1:30000"}}[g.r.IntN(3)]
		b.noFilters = g.r.IntN(4) == 0
	case 5:
		if len(b.topics) > 0 {
			i := g.r.IntN(len(b.topics))
			b.topics = append(append([]topicConfig{}, b.topics[:i]...), b.topics[i+1:]...)
			b.dv.counter++
		}
	case 6:
		b.ha = fmt.Sprintf("127.0.0.9:%d", 20912+g.r.IntN(3))
	case 7:
		b.compressed = b.version >= 37 && !b.compressed
	case 8:
		b.dv = dataVersion{state: b.dv.state, timestamp: b.dv.timestamp, noTimestamp: g.r.IntN(4) == 0, counter: b.dv.counter + 1}
	}
}

// registerSingle is the incremental registration after one topic changed: that topic
// alone, with a new data version.
func (g *generator) registerSingle() {
	b := g.anyMember()
	b.addTopic(g.world)
	b.dv.counter++
	n := g.r.IntN(len(b.topics))
	g.add(b.conn, g.registration(b, b.topics[n:n+1], "single topic"))
}

// registerSplit sends the table in parts that share one data version.
func (g *generator) registerSplit() {
	b := g.anyMember()
	for len(b.topics) < 4 {
		b.addTopic(g.world)
		if g.r.IntN(6) == 0 {
			break
		}
	}
	if g.r.IntN(2) == 0 {
		b.dv.counter++
	}
	cut := len(b.topics) / 2
	g.add(b.conn, g.registration(b, b.topics[:cut], "split 1/2"))
	g.add(b.conn, g.registration(b, b.topics[cut:], "split 2/2"))
}

// registerElsewhere is a registration that collides: the same id from another address, or
// from another connection than the broker's own.
func (g *generator) registerElsewhere() {
	b := g.anyMember()
	if g.r.IntN(2) == 0 {
		g.add(g.r.IntN(g.conns-scratchConns), g.registration(b, b.topics, "from another connection"))
		return
	}
	moved := *b
	moved.Addr = movedAddr(indexOf(g.groups, b.Name), g.r.IntN(movedCount))
	moved.dv.state += int64(g.r.IntN(3)) - 1
	moved.dv.noState = false
	g.add(b.conn, g.registration(&moved, b.topics, "from another address"))
	if g.r.IntN(2) == 0 {
		b.Addr, b.dv = moved.Addr, moved.dv // it stays there
	}
}

func indexOf(list []string, s string) int {
	for i, e := range list {
		if e == s {
			return i
		}
	}
	return -1
}

// switchRole registers a broker under another id of its group, as a slave that became
// master does, or one that returned as a slave.
func (g *generator) switchRole() {
	b := g.anyMember()
	b.ID = []int64{0, 1, 2, 7}[g.r.IntN(4)]
	b.dv.state += int64(g.r.IntN(2))
	b.dv.noState = false
	g.add(b.conn, g.registration(b, b.topics, "role switch"))
}

// registerOdd is a registration with a body that is wrong, missing or of another form than
// the version says.
func (g *generator) registerOdd() { g.addOddBody(g.anyMember(), g.r.IntN(len(oddBodies))) }

func (g *generator) addOddBody(b *member, n int) {
	odd := *b
	note, q := "", Request{}
	send := func(body []byte, compressed bool) {
		ext := append(odd.identity(), Ext{Key: "haServerAddr", Value: odd.ha},
			Ext{Key: "compressed", Value: strconv.FormatBool(compressed)})
		if odd.acting != "" {
			ext = append(ext, Ext{Key: "enableActingMaster", Value: odd.acting})
		}
		q = g.request(call{code: 103, version: odd.version, style: odd.style, ext: ext, body: body},
			fmt.Sprintf("%s/%d %s %s", odd.Name, odd.ID, odd.Addr, note))
		ref := odd.BrokerRef
		q.Register, q.Stamped = &ref, true
	}
	form := oddBodies[n]
	note = form.note
	body, compressed := form.body(g, &odd)
	send(body, compressed)
	b.dv, b.said = odd.dv, odd.dv
	g.add(b.conn, q)
}

// oddBodies are registration bodies that are not what the header promises.
var oddBodies = []struct {
	note string
	body func(*generator, *member) ([]byte, bool)
}{
	{"no body", func(*generator, *member) ([]byte, bool) { return nil, false }},
	{"no body, compressed", func(*generator, *member) ([]byte, bool) { return nil, true }},
	{"garbage", func(*generator, *member) ([]byte, bool) { return []byte("garbage"), false }},
	{"garbage, compressed", func(*generator, *member) ([]byte, bool) { return []byte("garbage"), true }},
	{"truncated", func(g *generator, b *member) ([]byte, bool) {
		b.compressed = false
		body := b.registerBody(g.r, b.topics)
		return body[:len(body)-1-g.r.IntN(len(body)-1)], false
	}},
	{"empty object", func(*generator, *member) ([]byte, bool) { return []byte("{}"), false }},
	{"unknown properties", func(*generator, *member) ([]byte, bool) {
		return []byte(`{"filterServerList":["127.0.0.1:1"],"something":{"a":[1,{}]},"topicConfigSerializeWrapper":{"else":1,"dataVersion":{"counter":9,"timestamp":9,"more":[]},"topicConfigTable":{}}}`), false
	}},
	{"white space", func(g *generator, b *member) ([]byte, bool) {
		return []byte("\r\n { \"topicConfigSerializeWrapper\" :\t{ \"topicConfigTable\" : { } , \"dataVersion\" : { \"counter\" : 5 , \"timestamp\" : 6 } } } \n"), false
	}},
	{"nulls", func(*generator, *member) ([]byte, bool) {
		return []byte(`{"filterServerList":null,"topicConfigSerializeWrapper":{"dataVersion":{"counter":3,"timestamp":4,"stateVersion":0},"topicConfigTable":{},"topicQueueMappingInfoMap":{}}}`), false
	}},
	{"text after the object", func(g *generator, b *member) ([]byte, bool) {
		b.compressed = false
		return append(b.registerBody(g.r, b.topics), "{}"...), false
	}},
	{"compressed, cut", func(g *generator, b *member) ([]byte, bool) {
		body := b.compressedBody(b.topics)
		return body[:len(body)/2], true
	}},
	{"compressed by another version's rules", func(g *generator, b *member) ([]byte, bool) {
		other := *b
		other.version = []int32{409, 413}[g.r.IntN(2)]
		return other.compressedBody(b.topics), true
	}},
	{"array", func(*generator, *member) ([]byte, bool) { return []byte("[]"), false }},
	{"odd topic configs", func(g *generator, b *member) ([]byte, bool) { return g.oddConfigs(b), false }},
	{"odd topic configs again", func(g *generator, b *member) ([]byte, bool) { return g.oddConfigs(b), false }},
	{"odd topic lines", func(g *generator, b *member) ([]byte, bool) { return g.oddLines(b), true }},
	{"odd topic lines again", func(g *generator, b *member) ([]byte, bool) { return g.oddLines(b), true }},
	{"odd data version", func(g *generator, b *member) ([]byte, bool) {
		return []byte(fmt.Sprintf(`{"topicConfigSerializeWrapper":{"dataVersion":%s,"topicConfigTable":{}}}`,
			oddVersions[g.r.IntN(len(oddVersions))])), false
	}},
	{"odd filter servers", func(g *generator, b *member) ([]byte, bool) {
		list := []string{`["127.0.0.1:1","127.0.0.1:1"]`, `[1,true]`, `""`, `"127.0.0.1:1"`, `null`, `"null"`, `{}`, `{"a":1}`, `5`, `true`}
		return []byte(fmt.Sprintf(`{"filterServerList":%s,"topicConfigSerializeWrapper":{"dataVersion":{"counter":7,"timestamp":7},"topicConfigTable":{}}}`,
			list[g.r.IntN(len(list))])), false
	}},
}

// oddVersions are data versions as nobody sends them.
var oddVersions = []string{
	`{}`, `{"counter":5,"timestamp":5,"stateVersion":null}`, `{"counter":1.9,"timestamp":5}`, `{"counter":"8","timestamp":"9","stateVersion":"1"}`,
	`{"counter":-1,"timestamp":-5,"stateVersion":-7}`, `{"counter":9223372036854775807,"timestamp":5}`, `{"counter":9223372036854775808,"timestamp":5}`,
	`{"counter":true,"timestamp":5}`, `{"counter":1e3,"timestamp":5}`, `{"counter":"x","timestamp":5}`, `{"counter":{},"timestamp":5}`, `[]`, `5`, `"x"`,
	`{"counter":null,"timestamp":5}`, `{"counter":"true","timestamp":5}`, `{"counter":[7],"timestamp":[5]}`, `{"counter":1e19,"timestamp":5}`, `{"counter":7L,"timestamp":5}`,
	`{"Counter":4,"timestamp":5}`, `{"counter":4,"counter":6,"timestamp":5}`, `{"timestamp":5,"extra":{"counter":9}}`,
}

// oddConfigs is a body whose topic configs are unusual.
func (g *generator) oddConfigs(b *member) []byte {
	table := ""
	for i := range 2 {
		t := g.topics[(b.conn+i)%4]
		table += fmt.Sprintf(`,%s:{"topicName":%s,"topicSysFlag":%d,%s}`, jsonString(t.name, false, nil), jsonString(t.name, false, nil),
			t.sysFlag, oddConfigs[g.r.IntN(len(oddConfigs))])
	}
	b.dv.counter++
	return []byte(fmt.Sprintf(`{"topicConfigSerializeWrapper":{"dataVersion":%s,"topicConfigTable":{%s}}}`, b.dv.json(), table[1:]))
}

// oddConfigs are members of topic configs as nobody sends them.
var oddConfigs = []string{
	`"perm":null`, `"perm":"6"`, `"perm":6.9`, `"perm":-1`, `"perm":4294967302`, `"perm":true`, `"perm":"x"`,
	`"readQueueNums":0`, `"readQueueNums":-4`, `"writeQueueNums":2147483647`, `"writeQueueNums":2147483648`, `"writeQueueNums":""`,
	`"topicFilterType":"MULTI_TAG"`, `"topicFilterType":"NO_TAG"`, `"topicFilterType":null`, `"topicFilterType":1`, `"topicFilterType":9`,
	`"order":"true"`, `"order":1`, `"attributes":null`, `"attributes":{"a":1,"b":null}`,
	`"order":"x"`, `"order":"Y"`, `"order":{}`, `"order":[]`, `"attributes":[]`, `"attributes":"x"`, `"attributes":""`, `"attributes":5`,
	`"perm":{}`, `"perm":{"a":[1]}`, `"perm":[4]`, `"perm":[]`, `"perm":[4,2]`, `"perm":"true"`, `"perm":1e10`, `"perm":-1e10`, `"perm":4L`, `"topicFilterType":true`,
	`"topicSysFlag":null`, `"topicSysFlag":"3"`, `"TopicSysFlag":3`, `"perm":6,"perm":4`, `"unknown":[[[{"perm":1}]]]`,
}

// oddLines is a compressed body whose topic lines are unusual.
func (g *generator) oddLines(b *member) []byte {
	lines := []string{
		fmt.Sprintf(oddLines[g.r.IntN(len(oddLines))], g.topics[b.conn%4].name),
		g.topics[(b.conn+1)%4].name + " 8 8 6 SINGLE_TAG {}",
	}
	b.dv.counter++
	return zipped(b.version, b.dv.json(), lines, stringList(b.filters), nil)
}

// oddLines are topic lines of compressed bodies as nobody sends them.
var oddLines = []string{
	"%s 4 4 6 SINGLE_TAG {}", "%s 4 4 6 SINGLE_TAG", "%s 4 4 6", "%s 4 4 6 MULTI_TAG {}", "%s 4 4 6 NO_TAG", "%s x 4 6 SINGLE_TAG",
	"%s 4 4 6 SINGLE_TAG {", "%s 4 4 6 SINGLE_TAG {\"a\":\"b c\"} more", "%s  4 4 6 SINGLE_TAG", " %s 4 4 6 SINGLE_TAG", "%s +4 -4 06 SINGLE_TAG",
	"%s 4 4 6 single_tag", "%s 4 4 2147483648 SINGLE_TAG", "%.0s", "%s\t4 4 6 SINGLE_TAG {}", "%s 4 4 6 SINGLE_TAG {} ", "%s 4 4 6 SINGLE_TAG null", "%s 4 4 6 SINGLE_TAG []",
}

// unregister is a 104, right or slightly wrong.
func (g *generator) unregister() {
	b := g.anyMember()
	u := *b
	note := ""
	kind := g.r.IntN(8)
	switch kind {
	case 0:
		u.ID += 3
		note = "wrong id"
	case 1:
		u.Addr = "127.0.0.1:1"
		note = "unknown address"
	case 2:
		u.Name = g.anyMember().Name
		note = "another group"
	case 3:
		u.Name = g.prefix + "nobody"
		u.Addr = "127.0.0.1:1"
		note = "unknown group"
	}
	q := g.request(call{code: 104, version: b.version, style: b.style, ext: u.identity()},
		fmt.Sprintf("%s/%d %s%s", u.Name, u.ID, u.Addr, pad(note)))
	ref := u.BrokerRef
	q.Unregister = &ref
	conn := b.conn
	if g.r.IntN(4) == 0 {
		conn = g.client()
	}
	g.add(conn, q)
}

func (g *generator) closeConn() {
	g.steps = append(g.steps, Step{Conn: g.r.IntN(g.conns), Close: true})
}

// heartbeat is 904, or 322 as the heartbeat it doubles as.
func (g *generator) heartbeat() {
	b := g.anyMember()
	ext := append(b.identity(), Ext{Key: "epoch", Value: "3"}, Ext{Key: "maxOffset", Value: "x"})
	g.add(b.conn, g.ask(904, ext, nil, b.Addr))
}

// queryVersion is 322 with the broker's version, another one, a broken one, or none.
func (g *generator) queryVersion() {
	b := g.anyMember()
	dv := b.dv
	body := []byte(dv.json())
	note := "its version"
	switch g.r.IntN(8) {
	case 0:
		body, note = nil, "no body"
	case 1:
		body, note = []byte("{"), "broken body"
	case 2:
		body, note = []byte("{}"), "empty object"
	case 3:
		body, note = []byte(`{"counter":"`+fmt.Sprint(dv.counter)+`","timestamp":"`+fmt.Sprint(dv.timestamp)+`","x":1}`), "strings"
	case 4:
		dv.counter++
		body, note = []byte(dv.json()), "another version"
	case 5:
		odd := oddVersions[g.r.IntN(len(oddVersions))]
		body, note = []byte(odd), odd
	}
	conn := b.conn
	if g.r.IntN(3) == 0 {
		conn = g.client()
	}
	g.add(conn, g.ask(322, b.identity(), body, b.Addr+" "+note))
}
