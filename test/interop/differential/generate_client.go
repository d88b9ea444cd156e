package differential

import (
	"fmt"
	"strings"
)

// route is 105 in all its forms.
func (g *generator) route() {
	t := g.anyTopic()
	ext := []Ext{{Key: "topic", Value: t}}
	note, zoned := fmt.Sprintf("%q", t), false
	switch g.r.IntN(8) {
	case 0, 1:
		v := []string{"true", "false", "TRUE", "1", ""}[g.r.IntN(5)]
		ext = append(ext, Ext{Key: "acceptStandardJsonOnly", Value: v})
		note += " standard=" + v
	case 2, 3:
		mode := []string{"true", "True", "false", ""}[g.r.IntN(4)]
		zone := []string{"zone-a", "ZONE-b", "nowhere", " ", ""}[g.r.IntN(5)]
		ext = append(ext, Ext{Key: "__ZONE_MODE", Value: mode}, Ext{Key: "__ZONE_NAME", Value: zone})
		note += fmt.Sprintf(" zone %q mode %q", zone, mode)
		zoned = strings.EqualFold(mode, "true") && strings.TrimSpace(zone) != ""
	}
	g.add(g.client(), g.ask(105, ext, nil, note))
	if zoned {
		g.tag(tagZone)
	}
}

// tag marks the last request drawn.
func (g *generator) tag(tag string) {
	requests := g.steps[len(g.steps)-1].Requests
	requests[len(requests)-1].Tag = tag
}

// list is one of the questions about everything.
func (g *generator) list() {
	var q Request
	switch g.r.IntN(8) {
	case 0:
		q = g.ask(106, nil, nil, "")
	case 1:
		q = g.ask(206, nil, nil, "")
	case 2:
		c := g.anyCluster()
		q = g.ask(224, []Ext{{Key: "cluster", Value: c}}, nil, c)
	case 3:
		q = g.ask(304, nil, nil, "")
	case 4, 5:
		q = g.ask(int32(311+g.r.IntN(3)), []Ext{}, nil, "")
	default:
		c, n := g.anyCluster(), g.anyGroup()
		q = g.ask(901, []Ext{{Key: "clusterName", Value: c}, {Key: "brokerName", Value: n}}, nil, c+"/"+n)
	}
	g.add(g.client(), q)
}

func (g *generator) writePerm() {
	n := g.anyGroup()
	code := []int32{205, 327}[g.r.IntN(2)]
	g.add(g.client(), g.ask(code, []Ext{{Key: "brokerName", Value: n}}, nil, n))
}

func (g *generator) deleteTopic() {
	t := g.anyTopic()
	ext := []Ext{{Key: "topic", Value: t}}
	note := fmt.Sprintf("%q", t)
	switch g.r.IntN(4) {
	case 0:
		c := g.anyCluster()
		ext = append(ext, Ext{Key: "clusterName", Value: c})
		note += " of " + c
	case 1:
		ext = append(ext, Ext{Key: "clusterName", Value: ""})
		note += " of the empty cluster"
	}
	g.add(g.client(), g.ask(216, ext, nil, note))
}

// registerTopic is 217: the queues of a topic, told by a broker.
func (g *generator) registerTopic() {
	t := g.anyTopic()
	var queues []string
	for range g.r.IntN(4) {
		queues = append(queues, fmt.Sprintf(
			`{"brokerName":%s,"perm":%d,"readQueueNums":%d,"topicSysFlag":0,"writeQueueNums":%d}`,
			jsonString(g.anyGroup(), false, nil), []int{6, 6, 4, 0}[g.r.IntN(4)], 1+g.r.IntN(8), 1+g.r.IntN(8)))
	}
	body := fmt.Sprintf(`{"brokerDatas":[],"filterServerTable":{},"queueDatas":[%s]}`, strings.Join(queues, ","))
	note := fmt.Sprintf("%q %d queue data", t, len(queues))
	switch g.r.IntN(12) {
	case 0:
		body, note = "", "no body"
	case 1:
		body, note = "{", "broken body"
	case 2:
		body, note = "{}", "empty object"
	case 4:
		odd := odd217[g.r.IntN(len(odd217))]
		body = `{"queueDatas":[` + fmt.Sprintf(odd, jsonString(g.groups[0], false, nil)) + `]}`
		note += " " + odd
	case 3:
		body = fmt.Sprintf(`{"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:1",1:"127.0.0.1:2"},"brokerName":"x","cluster":"y"}],"orderTopicConf":null,"queueDatas":[%s],"topicQueueMappingByBroker":{"b":{"currIdMap":{0:1},"epoch":1}}}`,
			strings.Join(queues, ","))
	}
	g.add(g.client(), g.ask(217, []Ext{{Key: "topic", Value: t}}, []byte(body), note))
}

// odd217 are queue data as nobody sends them.
var odd217 = []string{
	`{"brokerName":%s}`, `{"brokerName":%s,"perm":"4","readQueueNums":null}`, `{"brokerName":%s,"perm":6.5}`, `{"brokerName":%s,"perm":-1,"writeQueueNums":-3}`,
	`{"brokername":%s,"perm":6}`, `{"brokerName":%s,"perm":true}`, `{"brokerName":%s,"x":{"y":[]}}`, `{"brokerName":%s,"topicSynFlag":3,"topicSysFlag":1}`,
}

// kv is one operation on the KV table.
func (g *generator) kv() {
	ns, key := g.spaces[g.r.IntN(len(g.spaces))], g.keys[g.r.IntN(len(g.keys))]
	if g.r.IntN(12) == 0 {
		ns = g.prefix + "no such namespace"
	}
	value := []string{g.groups[0] + ":4", g.groups[0] + ":4;" + g.groups[1] + ":8", "plain", "",
		"quote\" back\\slash / <&> \u0001 \u2028 \u007f é 🚀", "a\nb\tc"}[g.r.IntN(6)]
	ext := []Ext{{Key: "namespace", Value: ns}, {Key: "key", Value: key}}
	note := fmt.Sprintf("%q %q", ns, key)
	var q Request
	switch g.r.IntN(7) {
	case 0, 1, 2:
		if ns == g.prefix+"no such namespace" {
			ns = g.spaces[1]
			ext[0].Value = ns
		}
		q = g.ask(100, append(ext, Ext{Key: "value", Value: value}), nil, fmt.Sprintf("%s = %q", note, value))
	case 3:
		q = g.ask(102, ext, nil, note)
	case 4, 5:
		q = g.ask(101, ext, nil, note)
	default:
		q = g.ask(219, ext[:1], nil, fmt.Sprintf("%q", ns))
	}
	g.add(g.client(), q)
}

// liveSwitches are the keys of 318 that act at once, with values to toggle between. The
// first value is the default, restored at the end of a history.
var liveSwitches = []struct {
	key    string
	values []string
}{
	{"orderMessageEnable", []string{"false", "true"}},
	{"returnOrderTopicConfigToBroker", []string{"true", "false"}},
	{"supportActingMaster", []string{"false", "true"}},
	{"enableAllTopicList", []string{"true", "false"}},
	{"enableTopicList", []string{"true", "false"}},
	{"deleteTopicWithBrokerRegistration", []string{"false", "true"}},
	{"needWaitForService", []string{"false", "true"}},
	{"waitSecondsForService", []string{"45", "1000000"}},
	{"notifyMinBrokerIdChanged", []string{"false", "true"}},
}

// updateConfig is 318.
func (g *generator) updateConfig() {
	if g.r.IntN(5) == 0 {
		g.updateConfigOddly()
		return
	}
	var lines []string
	for range 1 + g.r.IntN(2) {
		s := liveSwitches[g.r.IntN(6)]
		v := s.values[g.r.IntN(2)]
		lines = append(lines, s.key+[]string{"=", " = ", ":", " "}[g.r.IntN(4)]+v)
	}
	switch g.r.IntN(12) {
	case 0: // refuse all lookups, then serve them again
		g.set("needWaitForService=true\nwaitSecondsForService=1000000\n")
		g.add(g.client(), g.ask(105, []Ext{{Key: "topic", Value: g.anyTopic()}}, nil, "while not ready"))
		g.set("needWaitForService=false\nwaitSecondsForService=45\n")
		return
	case 1:
		lines = append(lines, "# a comment", "! another", "", "aKeyNobodyKnows=1")
	case 2, 3, 4:
		if g.notify {
			lines = append(lines, "notifyMinBrokerIdChanged="+[]string{"true", "true", "false"}[g.r.IntN(3)])
		}
	}
	g.set(strings.Join(lines, []string{"\n", "\r\n", "\n\n"}[g.r.IntN(3)]) + []string{"", "\n"}[g.r.IntN(2)])
}

func (g *generator) set(text string) {
	q := g.request(call{code: 318, version: 513, style: styleJava, body: []byte(text)}, fmt.Sprintf("%q", text))
	g.add(g.client(), q)
}

// updateConfigOddly is a 318 that is refused, ignored or empty.
func (g *generator) updateConfigOddly() {
	texts := []string{
		"", "\n", "# only a comment", `enableTopicList=\u12`, "aKeyNobodyKnows=1\n", "=nothing\n",
		"configBlackList=\n", "configStorePath=/tmp/x\n", "enableTopicList=false\nkvConfigPath=/tmp/x\n",
		`enableTopic\u004cist=\u0074rue`, "enableTopicList=\\\n  true\n", "EnableTopicList=false\n",
	}
	g.set(texts[g.r.IntN(len(texts))])
}

func (g *generator) getConfig() { g.add(g.client(), g.ask(319, nil, nil, "")) }
