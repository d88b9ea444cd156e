package routetable

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pharosmq/pharos/codec"
)

// seenBodies remembers the body of every text of facts, over all histories: equal facts
// must have equal bytes, whatever happened before, in this table or another. It also
// spares parsing the same body again. The outer key is the form of the body.
type seenBodies map[string]map[string]string

// seenBodiesMax bounds its memory, for each form.
const seenBodiesMax = 50_000

// check compares a body with the facts that it should state. parse returns those that it
// does.
func (s seenBodies) check(form string, facts, got []byte, parse func([]byte) ([]byte, error)) error {
	if want, ok := s[form][string(facts)]; ok {
		if want != string(got) {
			return fmt.Errorf("%s:\n got %s\nwant %s,\nas a table said that knew the same:\n%s", form, got, want, facts)
		}
		return nil
	}
	stated, err := parse(got)
	if err != nil {
		return fmt.Errorf("%s: %w in\n%s", form, err, got)
	}
	if !bytes.Equal(stated, facts) {
		return fmt.Errorf("%s:\n%s\nstates\n%s\nthe model knows\n%s", form, got, stated, facts)
	}
	if s[form] == nil || len(s[form]) >= seenBodiesMax {
		s[form] = make(map[string]string)
	}
	s[form][string(facts)] = string(got)
	return nil
}

func parsedRouteFacts(body []byte) ([]byte, error) {
	d, err := codec.ParseTopicRouteData(body, nil)
	slices.SortFunc(d.QueueDatas, func(a, b codec.QueueData) int { return cmp.Compare(a.BrokerName, b.BrokerName) })
	slices.SortFunc(d.BrokerDatas, func(a, b codec.BrokerData) int { return cmp.Compare(a.BrokerName, b.BrokerName) })
	return appendRouteFacts(nil, &d), err
}

func parsedClusterFacts(body []byte) ([]byte, error) {
	c, err := codec.ParseClusterInfo(body, nil)
	return appendClusterFacts(nil, &c), err
}

func parsedMemberFacts(body []byte) ([]byte, error) {
	g, err := codec.ParseBrokerMemberGroup(body, nil)
	return appendMemberFacts(nil, &g), err
}

// compare compares everything that can be seen of the table with the model.
func (h *modelHistory) compare() error {
	s := h.table.Snapshot()
	h.facts = h.facts[:0]
	for _, check := range []func(*Snapshot) error{
		h.compareRoutes, h.compareGroups, h.compareLists, h.compareLive, h.compareScan, h.compareStats, h.compareHeld,
	} {
		if err := check(s); err != nil {
			return err
		}
	}
	same := bytes.Equal(h.facts, h.before)
	if h.claim && !same {
		return fmt.Errorf("a registration that claims to have changed nothing changed\n%s\nto\n%s", h.before, h.facts)
	}
	if h.again && same {
		return errors.New("a registration that changed nothing claims to have changed something")
	}
	h.claim, h.again = false, false
	h.before = append(h.before[:0], h.facts...)
	return nil
}

var modelOrder = codec.NullString{String: "o:4;\"ü/", Valid: true}

func (h *modelHistory) compareRoutes(s *Snapshot) error {
	if _, ok := s.Route([]byte("never")); ok {
		return errors.New("a route of a topic that never was")
	}
	if h.wide {
		return h.compareWide(s)
	}
	for _, topic := range h.topics {
		r, ok := s.Route([]byte(topic))
		for _, acting := range [...]bool{false, true} {
			want, known := h.model.route(topic, acting)
			if ok != known {
				return fmt.Errorf("topic %q: found %v, model %v", topic, ok, known)
			}
			if !known {
				continue
			}
			h.facts = appendStringFact(append(h.facts, '\n'), topic)
			h.facts = appendRouteFacts(h.facts, &want)
			h.tallyRoute(topic, &want)
			if err := h.compareForms(r, &want, acting); err != nil {
				return fmt.Errorf("topic %q, acting %v: %w", topic, acting, err)
			}
		}
	}
	return nil
}

// compareForms compares a route in both dialects, with order string and without.
func (h *modelHistory) compareForms(r Route, want *codec.TopicRouteData, acting bool) error {
	for _, order := range [...]codec.NullString{{}, modelOrder} {
		want.OrderTopicConf = order
		h.text = appendRouteFacts(h.text[:0], want)
		for d := range codec.Dialect(dialects) {
			o := RouteOptions{Dialect: d, SupportActingMaster: acting, OrderTopicConf: order}
			if err := h.compareRoute(r, o, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// tallyRoute counts what is rare in routes.
func (h *modelHistory) tallyRoute(topic string, d *codec.TopicRouteData) {
	h.tally.countIf(len(d.TopicQueueMappingByBroker) > 0, "static topic shown")
	h.tally.countIf(len(d.FilterServerTable) > 0, "filter servers shown")
	h.tally.countIf(len(d.QueueDatas) < len(h.model.topics[topic]), "group hidden")
	for _, b := range d.BrokerDatas {
		g := h.model.groups[b.BrokerName]
		h.tally.countIf(g.masked(), "group masked")
		h.tally.countIf(b.BrokerAddrs[0] != g.shownAddrs()[0], "acting master shown")
		h.tally.countIf(b.ZoneName.Valid, "zone shown")
	}
}

// compareRoute compares a route with want, whose facts are h.text, and now and then its
// decoded form too.
func (h *modelHistory) compareRoute(r Route, o RouteOptions, want *codec.TopicRouteData) error {
	h.body = r.AppendBody(h.body[:0], o)
	if n := r.BodyBytes(o); n < len(h.body) {
		return fmt.Errorf("BodyBytes %d, body has %d", n, len(h.body))
	}
	if h.turn++; h.turn%11 == 0 {
		data := r.TopicRouteData(o)
		if got := appendRouteFacts(nil, &data); !bytes.Equal(got, h.text) {
			return fmt.Errorf("decoded form states\n%s\nthe model knows\n%s", got, h.text)
		}
	}
	form := [dialects]string{"plain route", "standard route"}[o.Dialect]
	return h.seen.check(form, h.text, h.body, func(body []byte) ([]byte, error) {
		// The lists of the model are in the order that bodies promise.
		if exact := codec.AppendTopicRouteData(nil, want, o.Dialect); !bytes.Equal(body, exact) {
			return nil, fmt.Errorf("not\n%s", exact)
		}
		if o.Dialect == codec.DialectStandard && !json.Valid(body) {
			return nil, errors.New("illegal JSON")
		}
		return parsedRouteFacts(body)
	})
}

// effectText returns one line an effect, sorted: their order among themselves is free.
func effectText(list []Effect) []string {
	var lines []string
	for _, e := range list {
		n := e.Notify
		e.Notify = nil
		line := fmt.Sprintf("%+v", e)
		if n != nil {
			c := *n
			c.Targets = slices.Sorted(slices.Values(c.Targets))
			line += fmt.Sprintf(" %+v", c)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}
