package differential

import (
	"maps"
	"strconv"
	"strings"
)

// Exception is a way in which Pharos may answer differently from Java 5.5.0. Each rests on
// a numbered item of the behaviour reference, or on an answer that is an exception's text
// in Java, and is explained in docs/compatibility.md.
type Exception struct {
	Number int
	Spec   string // the item it rests on
	Reason string
	// Test is the subtest of TestCompatibility that shows it on both servers.
	Test string
	// Match says whether a difference in a random history is this one. Nil: histories avoid
	// it, or the runner takes back on both servers what it leaves different; see Around.
	Match  func(*Case) bool
	Around string
}

// Case is one difference and where it happened.
type Case struct {
	*Difference
	Step *Step
	ask  func(code int32, ext []Ext) (*Reply, error) // to the reference
	// removed: a topic was deleted, or a broker went, earlier in the history.
	removed bool
	// mappedAgain: a static topic's mapping was announced under a used data version.
	mappedAgain bool
}

// Exceptions is the whole list. Nothing else may differ.
var Exceptions = []Exception{
	{
		Number: 1,
		Test:   "ExceptionText",
		Spec:   "section 1.7, a handler that throws",
		Reason: "Java's remark is the text of its exception and a line of its source; Pharos says what was wrong with the request",
		Match:  exceptionTextRemark,
	},
	{
		Number: 2,
		Test:   "UnitFlags",
		Spec:   "10.1 no. 17",
		Reason: "a topic whose brokers gave it different topicSysFlag is in Java's unit lists by the flag of whichever broker its hash order puts first; Pharos goes by the first broker name",
		Match:  mixedUnitFlags,
	},
	{
		Number: 3,
		Test:   "StaleMapping",
		Spec:   "10.1 no. 10",
		Reason: "Java never removes the mapping of a static topic, so that of a deleted topic or a vanished broker reappears; Pharos removes it with the topic and the broker. A deleted topic comes back with the next registration of its broker, under the data version it had, and its mapping, which Java still has, must come back too: so Pharos stores what is missing under any version, also in the parts of a split registration, whose mappings Java loses but for the first (both look the same)",
		Match:  staleMapping,
	},
	{
		Number: 4,
		Test:   "ZoneDialect",
		Spec:   "10.1 no. 21",
		Reason: "Java answers a zone-filtered route with bare integer keys, whoever asks; Pharos uses the JSON the requester is known to read",
		Match:  zoneDialect,
	},
	{
		Number: 5,
		Spec:   "10.1 no. 3",
		Test:   "UnregisterFromOlderConnection",
		Reason: "an UNREGISTER_BROKER from a connection that is older than the one the broker is bound to speaks of an earlier life of it; Java applies it, Pharos does not",
		Around: "every 104 of a history is said again from a new connection",
	},
	{
		Number: 6,
		Spec:   "10.1 no. 4",
		Test:   "SeveralBrokersOnOneConnection",
		Reason: "when a connection that carries several brokers closes, Java unregisters the first one it finds, Pharos all",
		Around: "all of them are unregistered after such a close",
	},
	{
		Number: 7,
		Spec:   "10.1 no. 5",
		Test:   "ReplacedAddress",
		Reason: "when another address takes a broker id over, Java keeps a live entry of the old address until it expires, Pharos ends it at once",
		Around: "the old address is unregistered after such a registration",
	},
	{
		Number: 8,
		Spec:   "10.1 no. 6",
		Test:   "RefusedRegistration",
		Reason: "a refused registration leaves an empty group and a cluster entry in Java, nothing in Pharos; if it announced another id, the live entry under the old one ends in Pharos",
		Around: "the broker is unregistered after a refusal",
	},
	{
		Number: 9,
		Spec:   "10.1 no. 9",
		Test:   "IgnoredRegistration",
		Reason: "a registration that loses by its state version sets the group's zone and acting flag in Java, not in Pharos",
		Around: "the whole group is unregistered after such a registration",
	},
	{
		Number: 10,
		Spec:   "10.1 no. 8",
		Test:   "IncompleteUnregistration",
		Reason: "an UNREGISTER_BROKER without brokerName or brokerId removes half of the broker in Java, and every incomplete one kills the batch it is in; in Pharos nothing happens to anybody",
		Around: "histories leave out only clusterName or brokerAddr, one request at a time",
	},
	{
		Number: 11,
		Spec:   "10.1 no. 12",
		Test:   "GroupChangesCluster",
		Reason: "a group that registers under another cluster stands in both in Java, with the old one in its data; in Pharos in the new one",
		Around: "groups of a history keep their cluster",
	},
	{
		Number: 12,
		Spec:   "10.1 no. 25",
		Test:   "CompressedAnnouncedPlain",
		Reason: "5.x brokers with compressedRegister announce their zlib body as plain; Java refuses it, Pharos recognises it",
		Around: "histories announce what they send",
	},
	{
		Number: 13,
		Spec:   "11, correction 4",
		Test:   "OneAddressInTwoGroups",
		Reason: "when an address stands in two groups, the close of its connection can take it out of the wrong one in Java; Pharos ends what that connection registered",
		Around: "the groups of a history share no address",
	},
	{
		Number: 14,
		Spec:   "10.1 no. 19 and 11, process facts of 318",
		Test:   "UpdateConfigNotLive",
		Reason: "Java accepts keys at run time that it never reads again; Pharos answers 1 with `needs restart: KEY` and applies nothing",
		Around: "histories set live keys, unknown ones and black-listed ones",
	},
	{
		Number: 15,
		Spec:   "10.1 no. 19 and 11, process facts of 318",
		Test:   "UpdateConfigBadValue",
		Reason: "Java ignores a number that is none and takes a boolean that is none, or has a blank behind it, for false, and writes control characters into its file; Pharos refuses the request",
		Around: "histories set valid values",
	},
	{
		Number: 16,
		Spec:   "10.1 no. 19 and 11, process facts of 318",
		Test:   "UpdateConfigProtected",
		Reason: "Java accepts a new listenPort or bindAddress and stores it for the next start; Pharos answers 16, as for every path, address or limit",
		Around: "histories name only keys that are black-listed in Java too",
	},
	{
		Number: 17,
		Spec:   "10.1 no. 19 and 11, process facts of 318",
		Test:   "UpdateConfigFileKey",
		Reason: "a key that the server does not know but its file has can be changed in Java; Pharos ignores it as every unknown key",
		Around: "the files of a history have no such key",
	},
	{
		Number: 18,
		Spec:   "1.8 and 10.1 no. 7",
		Test:   "DamagedValues",
		Reason: "what fastjson2 makes of a body can depend on more than its text: a reference is evaluated against the objects read so far, and a date where a number belongs is one in the server's time zone; Pharos refuses both",
		Around: "histories have references only where the value has no use, and no dates; everything else that is odd is read alike",
	},
	{
		Number: 19,
		Spec:   "an exception text in Java",
		Test:   "ZoneOfOddStaticTopic",
		Reason: "to filter a route by zone, Java parses the JSON it has just written, and fastjson2 fails at a map key with an escape and a character outside the basic plane (the broker name of a static topic): 1 with the exception's text; Pharos answers the route",
		Match: func(c *Case) bool {
			return c.Request.Tag == tagZone && c.ReplyA.Code == 1 && c.ReplyB.Code == 0 && c.ReplyA.Remark != nil &&
				strings.HasPrefix(*c.ReplyA.Remark, "com.alibaba.fastjson2.JSONException: malformed input")
		},
	},
	{
		Number: 20,
		Spec:   "10.1 no. 7 and no. 5: a broker that never expires",
		Test:   "UnregisterUnderAnotherName",
		Reason: "an UNREGISTER_BROKER with the address of one broker and the name of another group makes Java forget that the address lives, while it stays in its group for ever: neither the close of its connection nor expiry finds it; in Pharos both do",
		Around: "the broker is unregistered under its own name after such a request",
	},
	{
		Number: 21,
		Spec:   "10.1 no. 7 and 11, corrections 2 and 3",
		Test:   "IncompleteRegistration",
		Reason: "a registration without brokerName, brokerAddr or clusterName, with a topic that has no topicName, or with a null table or data version is half applied and answered 0 by Java, with leftovers that cannot be removed; or makes a later one so; Pharos refuses it with 1 and changes nothing",
		Around: "histories leave out brokerId only",
	},
}

// exceptionFor finds the exception that covers a case, or nil.
func exceptionFor(c *Case) *Exception {
	for i := range Exceptions {
		if m := Exceptions[i].Match; m != nil && m(c) {
			return &Exceptions[i]
		}
	}
	return nil
}

func exceptionTextRemark(c *Case) bool {
	return c.Field == "remark" && c.ReplyA.Code == 1 && c.ReplyB.Code == 1 &&
		c.ReplyA.Remark != nil && exceptionText.MatchString(*c.ReplyA.Remark) &&
		c.ReplyB.Remark != nil && *c.ReplyB.Remark != ""
}

// mixedUnitFlags: the lists differ only in topics whose brokers disagree about the flags.
func mixedUnitFlags(c *Case) bool {
	if c.Field != "body" || c.Request.Code < 311 || c.Request.Code > 313 {
		return false
	}
	a, b := topicList(c.ReplyA), topicList(c.ReplyB)
	for topic := range union(a, b) {
		if a[topic] == b[topic] {
			continue
		}
		route, err := c.ask(105, []Ext{{Key: "topic", Value: topic}})
		if err != nil || len(sysFlags(route)) < 2 {
			return false
		}
	}
	return true
}

func topicList(r *Reply) map[string]bool {
	set := map[string]bool{}
	body, err := parseLenient(r.Body)
	if err != nil {
		return nil
	}
	if list := body.field("topicList"); list != nil {
		for _, v := range list.values {
			if name, err := strconv.Unquote(v.text); err == nil {
				set[name] = true
			}
		}
	}
	return set
}

func union(a, b map[string]bool) map[string]bool {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// sysFlags are the different values of topicSysFlag in a route.
func sysFlags(r *Reply) map[string]bool {
	flags := map[string]bool{}
	body, err := parseLenient(r.Body)
	if err != nil {
		return nil
	}
	if queues := body.field("queueDatas"); queues != nil {
		for _, q := range queues.values {
			if f := q.field("topicSysFlag"); f != nil {
				flags[f.text] = true
			}
		}
	}
	return flags
}

// routes reads both bodies of a difference between two routes, in one dialect if the route
// was kept to a zone.
func (c *Case) routes() (java, pharos *node, ok bool) {
	if c.Field != "body" || c.Request.Code != 105 || c.ReplyA.Code != 0 || c.ReplyB.Code != 0 {
		return nil, nil, false
	}
	java, errA := parseLenient(c.ReplyA.Body)
	pharos, errB := parseLenient(c.ReplyB.Body)
	if errA != nil || errB != nil {
		return nil, nil, false
	}
	if c.Request.Tag == tagZone {
		pharos.plainDialect()
	}
	return java, pharos, true
}

// staleMapping: routes that are equal but for topicQueueMappingByBroker. Java has more
// after a deletion or a departure; Pharos has more, or newer ones, after a broker announced
// a mapping under a data version it had used before.
func staleMapping(c *Case) bool {
	a, b, ok := c.routes()
	if !ok {
		return false
	}
	java, pharos := a.cut("topicQueueMappingByBroker"), b.cut("topicQueueMappingByBroker")
	if java == nil && pharos == nil || a.canonical(true) != b.canonical(true) || java.includes(pharos) && pharos.includes(java) {
		return false
	}
	return c.mappedAgain || c.removed && java.includes(pharos)
}

// zoneDialect: a zone was asked for by somebody who reads standard JSON, and the routes
// are equal but for the quotes of integer keys and of integers beyond what a double holds.
func zoneDialect(c *Case) bool {
	a, b, ok := c.routes()
	return ok && c.Request.Tag == tagZone && a.canonical(true) == b.canonical(true)
}

// plainDialect takes the quotes off integer keys and off the epochs of static topics.
func (n *node) plainDialect() {
	for i, v := range n.values {
		if n.kind == object {
			bare := strings.Trim(n.keys[i], `"`)
			if plainNumber(bare) {
				n.keys[i] = bare
			}
			if bare == "epoch" {
				v.text = strings.Trim(v.text, `"`)
			}
		}
		v.plainDialect()
	}
}
