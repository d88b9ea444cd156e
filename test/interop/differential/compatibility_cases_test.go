package differential

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func (d *duel) exceptionText() {
	got := d.send("client", call{code: 322, ext: []Ext{{Key: "brokerName", Value: "x"}}})
	d.want("322 without clusterName", got, `1 remark "java.lang.NullPointerException`, `1 remark & !Exception`)
	got = d.send("client", call{code: 217, ext: []Ext{{Key: "topic", Value: "x"}}, body: []byte("{")})
	d.want("217 with a broken body", got, `1 remark "com.alibaba.fastjson2.JSONException`, `1 remark & !Exception`)
}

func (d *duel) unitFlags() {
	a, b := d.broker("a", 0, "127.0.0.1:1"), d.broker("b", 0, "127.0.0.1:2")
	for _, m := range []*member{a, b} {
		topic, other := d.topic("Unit"), d.topic("Other")
		if m == a {
			topic.sysFlag = 1
		}
		m.topics = []topicConfig{topic, other}
		d.register(m.Name, m)
	}
	d.want("the flags differ", d.route("Unit"), `"topicSysFlag":0 & "topicSysFlag":1`, `"topicSysFlag":0 & "topicSysFlag":1`)
	// Java goes by hash order, so only Pharos's answer is known: the first name decides.
	got := d.send("client", call{code: 311})
	d.want("unit topics", got, `"topicList"`, d.prefix+"Unit")
}

func (d *duel) staleMapping() {
	b := d.broker("a", 0, "127.0.0.1:1", "Static", "Plain")
	b.topics[0].mapping = true
	d.register("a", b)
	d.want("a static topic", d.route("Static"), `"topicQueueMappingByBroker"`, `"topicQueueMappingByBroker"`)
	d.unregister("a", b)
	d.eventually("unregistered", func() [2]*Reply { return d.route("Static") }, "17 remark", "17 remark")
	b.topics[0].mapping = false
	b.dv.counter++
	d.register("a", b)
	d.want("the topic is no longer static", d.route("Static"), `"topicQueueMappingByBroker"`, `"queueDatas" & !"topicQueueMappingByBroker"`)

	// A topic is deleted, and its broker registers again, under the version it had.
	e := d.broker("e", 0, "127.0.0.1:4", "Deleted", "Other")
	e.topics[0].mapping = true
	d.register("e", e)
	d.send("client", call{code: 216, ext: []Ext{{Key: "topic", Value: d.prefix + "Deleted"}}})
	d.want("deleted", d.route("Deleted"), "17 remark", "17 remark")
	d.register("e", e)
	d.want("a static topic that came back", d.route("Deleted"), `"topicQueueMappingByBroker"`, `"topicQueueMappingByBroker"`)

	// The second part of a split registration: its data version is the first part's.
	c := d.broker("c", 0, "127.0.0.1:3", "One", "Two", "Split", "Four")
	c.topics[2].mapping = true
	d.registerWith("c", c, c.registerBody(newRand(), c.topics[:2]))
	d.registerWith("c", c, c.registerBody(newRand(), c.topics[2:]))
	d.want("a static topic in the second part", d.route("Split"),
		`"queueDatas" & !"topicQueueMappingByBroker"`, `"topicQueueMappingByBroker"`)
}

func (d *duel) zoneDialect() {
	b := d.broker("a", 0, "127.0.0.1:1", "Zoned", "Other")
	b.zone = "z"
	d.register("a", b)
	got := d.route("Zoned", Ext{Key: "__ZONE_MODE", Value: "true"}, Ext{Key: "__ZONE_NAME", Value: "z"})
	d.want("zone filter", got, `{0:"127.0.0.1:1"}`, `{"0":"127.0.0.1:1"}`)
}

func (d *duel) unregisterFromOlderConnection() {
	d.on("old") // accepted first
	b := d.broker("a", 0, "127.0.0.1:1", "One", "Two")
	d.register("new", b)
	d.want("104 on the older connection", d.unregister("old", b), "0 remark absent", "0 remark absent")
	d.eventually("the broker that came back", func() [2]*Reply { return d.route("One") }, "17 remark", "0 remark")
	d.register("new", b)
	d.unregister("newest", b)
	d.eventually("104 on a newer connection", func() [2]*Reply { return d.route("One") }, "17 remark", "17 remark")
}

func (d *duel) severalBrokersOnOneConnection() {
	for i, name := range []string{"a", "b", "c"} {
		d.register("container", d.broker(name, 0, "127.0.0.1:"+string(rune('1'+i)), name+"1", name+"2"))
	}
	d.hangUp("container")
	left := func() [2]*Reply {
		return d.send("client", call{code: 224, ext: []Ext{{Key: "cluster", Value: d.prefix + "C"}}})
	}
	d.eventually("the connection of three brokers closed", left, `!"topicList":[]`, `"topicList":[]`)
	time.Sleep(100 * time.Millisecond)
	if n := strings.Count(string(left()[0].Body), d.prefix); n != 4 {
		d.Errorf("Java has %d topics left, want the 4 of two brokers", n)
	}
	for i, name := range []string{"a", "b", "c"} {
		d.unregister("cleaner", d.broker(name, 0, "127.0.0.1:"+string(rune('1'+i))))
	}
}

func (d *duel) replacedAddress() {
	a, b := d.broker("a", 0, "127.0.0.1:1", "One", "Two"), d.broker("a", 0, "127.0.0.1:2", "One", "Two")
	d.register("a", a)
	d.register("b", b)
	d.want("who has the id", d.route("One"), `{"0":"127.0.0.1:2"}`, `{"0":"127.0.0.1:2"}`)
	d.want("the one that lost it", d.version(a), `changed"="false"`, `changed"="true" & body `)
	d.hangUp("a")
	time.Sleep(100 * time.Millisecond)
	d.want("after its connection closed", d.version(a), `changed"="false"`, `changed"="true"`)
	d.unregister("cleaner", a)
}

func (d *duel) refusedRegistration() {
	b := d.broker("a", 0, "127.0.0.1:1", "One")
	d.want("a single topic first", d.register("a", b), `1 remark "register broker failed" ext {}`, `1 remark "register broker failed" ext {}`)
	d.want("what it leaves", d.clusters(), `"brokerAddrs":{},"brokerName":"`+b.Name, "!"+b.Name)
	d.unregister("a", b)
	d.eventually("104 takes it away", d.clusters, "!"+b.Name, "!"+b.Name)
}

func (d *duel) ignoredRegistration() {
	a, b := d.broker("a", 0, "127.0.0.1:1", "One", "Two"), d.broker("a", 0, "127.0.0.1:2", "One", "Two")
	a.dv.state, a.zone, b.zone = 5, "first", "second"
	d.register("a", a)
	d.want("a lower state version", d.register("b", b), "0 remark absent ext {}", "0 remark absent ext {}")
	d.want("whose flags the group has", d.route("One"), `"127.0.0.1:1" & "zoneName":"second"`, `"127.0.0.1:1" & "zoneName":"first"`)
}

func (d *duel) incompleteUnregistration() {
	b := d.broker("a", 0, "127.0.0.1:1", "One", "Two")
	d.register("a", b)
	d.want("104 without brokerId", d.unregister("a", b, "brokerId"), "0 remark absent", "0 remark absent")
	d.eventually("the registration", func() [2]*Reply { return d.version(b) }, `changed"="true"`, `changed"="false"`)
	d.want("its route", d.route("One"), "0 remark", "0 remark")
}

func (d *duel) groupChangesCluster() {
	b := d.broker("a", 0, "127.0.0.1:1", "One", "Two")
	d.register("a", b)
	old := b.Cluster
	b.Cluster = d.prefix + "D"
	d.register("a", b)
	both := `"` + old + `":["` + b.Name + `"] & "` + b.Cluster + `":["` + b.Name + `"]`
	d.want("clusters", d.clusters(), both+` & "cluster":"`+old, `"`+b.Cluster+`":["`+b.Name+`"] & !`+old)
	d.unregister("a", b)
	b.Cluster = old
	d.unregister("a", b)
}

func (d *duel) compressedAnnouncedPlain() {
	b := d.broker("a", 0, "127.0.0.1:1", "One", "Two")
	got := d.registerWith("a", b, b.compressedBody(b.topics))
	d.want("zlib announced as plain", got, "1 remark", "0 remark absent")
	d.want("its route", d.route("One"), "17 remark", "0 remark")
	d.unregister("a", b)
}

func (d *duel) oneAddressInTwoGroups() {
	// Which of the two groups Java takes is a matter of hash order; with the groups
	// registered from one connection it takes one, Pharos both.
	a, b := d.broker("a", 0, "127.0.0.1:1", "A1", "A2"), d.broker("b", 0, "127.0.0.1:1", "B1", "B2")
	d.register("both", a)
	d.register("both", b)
	d.hangUp("both")
	left := func() [2]*Reply {
		return d.send("client", call{code: 224, ext: []Ext{{Key: "cluster", Value: d.prefix + "C"}}})
	}
	d.eventually("its connection closed", left, `!"topicList":[]`, `"topicList":[]`)
	d.unregister("cleaner", a)
	d.unregister("cleaner", b)
}

func (d *duel) updateConfigNotLive() {
	got := d.set("clientRequestThreadPoolNums=9\n")
	d.want("318 of a key that is not live", got, "0 remark absent", "1 remark & needs restart: clientRequestThreadPoolNums")
	d.want("319", d.config(), "clientRequestThreadPoolNums=9\n", "clientRequestThreadPoolNums=8\n")
	got = d.set("enableTopicList=false\nscanNotActiveBrokerInterval=7000\n")
	d.want("with a live one", got, "0 remark absent", "1 remark & needs restart: scanNotActiveBrokerInterval")
	d.want("319", d.config(), "enableTopicList=false\n", "enableTopicList=true\n")
	d.want("back", d.set("enableTopicList=true"), "0 remark absent", "0 remark absent")
}

func (d *duel) updateConfigBadValue() {
	d.want("a boolean that is none", d.set("enableTopicList=yes"), "0 remark absent", "1 remark & enableTopicList")
	d.want("319", d.config(), "enableTopicList=false\n", "enableTopicList=true\n")
	d.set("enableTopicList=true")
	d.want("a blank behind it", d.set("enableTopicList=true "), "0 remark absent", "0 remark absent")
	d.want("319", d.config(), "enableTopicList=false\n", "enableTopicList=true\n")
	d.want("a number that is none", d.set("waitSecondsForService=soon"), "0 remark absent", "1 remark & waitSecondsForService")
	d.want("a line break in a value", d.set(`productEnvName=a\nkvConfigPath=/tmp/x`), "0 remark absent", "1 remark")
	d.want("back", d.set("enableTopicList=true"), "0 remark absent", "0 remark absent")
}

func (d *duel) updateConfigProtected() {
	d.want("a black-listed key", d.set("kvConfigPath=/tmp/x"),
		`16 remark "Can not update config in black list."`, `16 remark "Can not update config in black list.`)
	d.want("the listening port", d.set("listenPort=1"), "0 remark absent", "16 remark")
}

func (d *duel) updateConfigFileKey() {
	d.want("319", d.config(), "onlyTheFileKnows=1\n", "onlyTheFileKnows=1\n")
	d.want("a key of the file", d.set("onlyTheFileKnows=2"), "0 remark absent", "0 remark absent")
	d.want("319", d.config(), "onlyTheFileKnows=2\n", "onlyTheFileKnows=1\n")
}

func (d *duel) zoneOfOddStaticTopic() {
	b := d.broker("q\"ö🚀", 0, "127.0.0.1:1", "Static", "Other")
	b.topics[0].mapping, b.zone = true, "z"
	d.register("a", b)
	zone := []Ext{{Key: "__ZONE_MODE", Value: "true"}, {Key: "__ZONE_NAME", Value: "z"}}
	d.want("without a zone", d.route("Static"), "0 remark", "0 remark")
	d.want("with a zone", d.route("Static", zone...), `1 remark "com.alibaba.fastjson2.JSONException`, `0 remark absent & "topicQueueMappingByBroker"`)
	d.want("no static topic", d.route("Other", zone...), "0 remark", "0 remark")
	d.unregister("a", b)
}

func (d *duel) unregisterUnderAnotherName() {
	b := d.broker("a", 0, "127.0.0.1:1", "One", "Two")
	d.register("a", b)
	other := *b
	other.Name = d.prefix + "other"
	d.unregister("z", &other)
	d.eventually("its registration", func() [2]*Reply { return d.version(b) }, `changed"="true"`, `changed"="true"`)
	d.want("its route", d.route("One"), "0 remark", "0 remark")
	d.hangUp("a")
	d.eventually("after its connection closed", func() [2]*Reply { return d.route("One") }, "0 remark", "17 remark")
	d.unregister("z", b)
}

func (d *duel) damagedValues() {
	b := d.broker("a", 0, "127.0.0.1:1")
	send := func(config, filters, version string) [2]*Reply {
		return d.registerWith("a", b, []byte(fmt.Sprintf(`{"filterServerList":%s,"topicConfigSerializeWrapper":{"dataVersion":%[4]s,`+
			`"topicConfigTable":{"%[2]sA":{"topicName":"%[2]sA"},"%[2]sB":{"topicName":"%[2]sB",%[3]s}}}}`, filters, d.prefix, config, version)))
	}
	// Java unregisters by a queue: it must be through before the next registration.
	end := func() {
		d.Helper()
		d.unregister("a", b)
		d.eventually("the broker is gone", func() [2]*Reply { return d.route("A") }, "17 remark", "17 remark")
	}
	const fine, refused = "0 remark absent", "1 remark & Failed to decode RegisterBrokerBody"
	version := `{"counter":1,"timestamp":5}`
	d.want("a date", send(`"perm":6`, "[]", `{"counter":1,"timestamp":"2026-01-01 00:00:00"}`), fine, refused)
	end()
	d.want("a reference", send(`"perm":6`, `{"$ref":"$"}`, version), fine, refused)
	end()
	d.want("a reference to nothing", send(`"attributes":{"$ref":"$.nothing"}`, "[]", version), fine, fine)
	end()
	// What is only a guess is the same guess.
	for _, config := range []string{`"perm":-`, `"perm":"0x7"`, `"topicName":"\u00G0"`, "\"topicName\":\"\xc0\x80\"", `"perm":6,/*c*/"order":1`} {
		d.want(config, send(config, `["x",null]`, version), fine, fine)
		d.want("the route of a topic beside "+config, d.route("A"), `["x",null]`, `["x",null]`)
		end()
	}
}

func (d *duel) incompleteRegistration() {
	b := d.broker("a", 0, "127.0.0.1:1", "One", "Two")
	body := b.registerBody(newRand(), b.topics)
	nameless := []byte(strings.ReplaceAll(string(body), `"topicName":"`+d.prefix+`One",`, ""))
	d.want("a topic without topicName", d.registerWith("a", b, nameless), "0 remark absent", "1 remark & topicName")
	d.want("a null table", d.registerWith("a", d.broker("n", 0, "127.0.0.1:4"),
		[]byte(`{"topicConfigSerializeWrapper":{"topicConfigTable":null}}`)), "0 remark absent", "1 remark & topicConfigTable")
	d.nullDataVersion()
	for _, field := range []string{"brokerName", "clusterName", "brokerAddr"} {
		d.want("without "+field, d.registerWith("a", b, body, field), "0 remark absent", "1 remark & "+field)
	}
	d.want("what they leave", d.clusters(), b.Name, "!"+b.Name)
}

// nullDataVersion: Java takes one, and then no other broker can take over that one's id.
func (d *duel) nullDataVersion() {
	d.Helper()
	first, second := d.broker("v", 0, "127.0.0.1:5", "V1", "V2"), d.broker("v", 0, "127.0.0.1:6", "V1", "V2")
	body := first.registerBody(newRand(), first.topics)
	null := strings.Replace(string(body), first.dv.json(), "null", 1)
	d.want("a null data version", d.registerWith("v", first, []byte(null)), "0 remark absent", "1 remark & dataVersion is null")
	d.want("another address", d.register("w", second), "0 remark absent", "0 remark absent")
	d.want("who has the id", d.route("V1"), `"127.0.0.1:5"`, `"127.0.0.1:6"`)
	d.unregister("w", first)
	d.unregister("w", second)
}
