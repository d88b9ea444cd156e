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
	Match  func(*Case) bool
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
		Spec:   "section 1.7, a handler that throws",
		Reason: "Java's remark is the text of its exception and a line of its source; Pharos says what was wrong with the request",
		Match:  exceptionTextRemark,
	},
	{
		Number: 2,
		Spec:   "10.1 no. 17",
		Reason: "a topic whose brokers gave it different topicSysFlag is in Java's unit lists by the flag of whichever broker its hash order puts first; Pharos goes by the first broker name",
		Match:  mixedUnitFlags,
	},
	{
		Number: 3,
		Spec:   "10.1 no. 10",
		Reason: "Java never removes the mapping of a static topic, so that of a deleted topic or a vanished broker reappears; Pharos removes it with the topic and the broker, and therefore stores what is missing even under an unchanged data version (Java loses the mappings in all but the first part of a split registration)",
		Match:  staleMapping,
	},
	{
		Number: 4,
		Spec:   "10.1 no. 21",
		Reason: "Java answers a zone-filtered route with bare integer keys, whoever asks; Pharos uses the JSON the requester is known to read",
		Match:  zoneDialect,
	},
	{
		Number: 5,
		Spec:   "1.2, and an exception in Java",
		Reason: "Java reads a JSON header into its command object and closes the connection when a property of that object that is no header field (body, suspended, callbackList, processTimer), or serializeTypeCurrentRPC, has another type; Pharos has no use for them and passes over them",
		Match: func(c *Case) bool {
			return c.Field == "outcome" && c.Request.Tag == tagForeignProperty && c.A == "connection closed" &&
				c.ReplyB != nil && c.ReplyB.Code == 0
		},
	},
}

// exceptionFor finds the exception that covers a case, or nil.
func exceptionFor(c *Case) *Exception {
	for i := range Exceptions {
		if Exceptions[i].Match(c) {
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

// staleMapping: routes that are equal but for topicQueueMappingByBroker. Java has more
// after a deletion or a departure; Pharos has more, or newer ones, after a broker announced
// a mapping under a data version it had used before.
func staleMapping(c *Case) bool {
	if c.Field != "body" || c.Request.Code != 105 || c.ReplyA.Code != 0 || c.ReplyB.Code != 0 {
		return false
	}
	a, errA := parseLenient(c.ReplyA.Body)
	b, errB := parseLenient(c.ReplyB.Body)
	if errA != nil || errB != nil {
		return false
	}
	java, pharos := a.cut("topicQueueMappingByBroker"), b.cut("topicQueueMappingByBroker")
	if a.canonical(true) != b.canonical(true) {
		return false
	}
	return c.mappedAgain || c.removed && java.includes(pharos)
}

// zoneDialect: a zone was asked for by somebody who reads standard JSON, and the routes
// are equal but for the quotes of integer keys.
func zoneDialect(c *Case) bool {
	if c.Field != "body" || c.Request.Tag != tagZone {
		return false
	}
	b, err := parseLenient(c.ReplyB.Body)
	if err != nil {
		return false
	}
	b.bareIntegerKeys()
	a, err := parseLenient(c.ReplyA.Body)
	return err == nil && a.canonical(true) == b.canonical(true)
}

// bareIntegerKeys takes the quotes off integer keys.
func (n *node) bareIntegerKeys() {
	for i, v := range n.values {
		if n.kind == object {
			if bare := strings.Trim(n.keys[i], `"`); plainNumber(bare) {
				n.keys[i] = bare
			}
		}
		v.bareIntegerKeys()
	}
}
