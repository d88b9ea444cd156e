package routetable

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/pharosmq/pharos/codec"
)

func (h *modelHistory) compareGroups(s *Snapshot) error {
	want := h.model.clusterInfo()
	h.text = appendClusterFacts(h.text[:0], &want)
	h.facts = append(h.facts, h.text...)
	h.body = s.AppendClusterInfo(h.body[:0])
	if err := h.seen.check("clusters", h.text, h.body, parsedClusterFacts); err != nil {
		return err
	}
	info := s.ClusterInfo()
	if got := appendClusterFacts(nil, &info); !bytes.Equal(got, h.text) {
		return fmt.Errorf("decoded cluster info states\n%s\nthe model knows\n%s", got, h.text)
	}
	cluster := codec.NullString{String: modelClusters[0], Valid: true}
	for _, name := range append([]codec.NullString{{}, {String: "nobody", Valid: true}}, modelNullNames...) {
		want := h.model.memberGroup(cluster, name)
		h.text = appendMemberFacts(h.text[:0], &want)
		h.body = s.AppendMemberGroup(h.body[:0], cluster, name)
		if err := h.seen.check("members", h.text, h.body, parsedMemberFacts); err != nil {
			return err
		}
	}
	return nil
}

func (h *modelHistory) compareLists(s *Snapshot) error {
	compare := func(what string, got []byte, keep func(string, []string) bool) error {
		list, err := codec.ParseTopicList(got, nil)
		slices.Sort(list.Topics)
		if want := h.model.topicList(keep); err != nil || !slices.Equal(list.Topics, want) || list.BrokerAddr.Valid {
			return fmt.Errorf("%s: %s (%v), model %q", what, got, err, want)
		}
		return nil
	}
	all := compare("all topics", s.AppendTopicList(nil), anyTopic)
	if s.EncodeTopicList(); s.EncodedTopicList() != nil {
		all = errors.Join(all, compare("all topics, encoded", s.EncodedTopicList(), anyTopic))
	}
	if got, want := slices.Sorted(s.Topics()), h.model.topicList(anyTopic); !slices.Equal(got, want) {
		return fmt.Errorf("topics: %q, model %q", got, want)
	}
	var clusters, units error
	for _, c := range append([]string{"nowhere"}, modelClusters...) {
		clusters = errors.Join(clusters, compare("topics of "+c, s.AppendTopicsByCluster(nil, c), h.model.inCluster(c)))
	}
	for _, k := range []UnitKind{UnitTopics, UnitSubTopics, UnitSubNonUnitTopics} {
		units = errors.Join(units, compare(fmt.Sprint("unit list ", k), s.AppendUnitTopicList(nil, k), h.model.unit(k)))
	}
	want := h.model.systemTopicList()
	h.text = appendTopicFacts(h.text[:0], &want)
	h.body = s.AppendSystemTopicList(h.body[:0])
	system := h.seen.check("system topics", h.text, h.body, func(body []byte) ([]byte, error) {
		l, err := codec.ParseTopicList(body, nil)
		return appendTopicFacts(nil, &l), err
	})
	return errors.Join(all, clusters, units, system)
}

// sameInfo compares without the generation, which the model does not count.
func sameInfo(got, want BrokerInfo) bool {
	if got.Generation == 0 {
		return false
	}
	got.Generation = 0
	return got == want
}

func (h *modelHistory) compareLive(s *Snapshot) error {
	for _, key := range modelKeys {
		got, ok := s.Live(key)
		want := h.model.live[key]
		if ok != (want != nil) || ok && !sameInfo(got, want.info()) {
			return fmt.Errorf("live %v: %+v, model %+v", key, got, want)
		}
	}
	return sameInfos("brokers", slices.Collect(s.Brokers()), h.model.brokers())
}

func sameInfos(what string, got, want []BrokerInfo) error {
	if !slices.EqualFunc(got, want, sameInfo) {
		return fmt.Errorf("%s: %+v, model %+v", what, got, want)
	}
	return nil
}

func (h *modelHistory) compareScan(s *Snapshot) error {
	var got, want []BrokerInfo
	for _, e := range s.ScanNotActive(h.now) {
		got = append(got, e.BrokerInfo)
	}
	for _, e := range h.model.scan(h.now) {
		want = append(want, e.b.info())
	}
	slices.SortFunc(got, func(a, b BrokerInfo) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return sameInfos("scan", got, want)
}

func (h *modelHistory) compareStats(s *Snapshot) error {
	got, want := s.Stats(), h.model.stats()
	got.NameBytes, got.BodyBytes, got.Publication = 0, 0, 0
	if got != want {
		return fmt.Errorf("stats %+v, model %+v", got, want)
	}
	// Those of addresses without a topic are shown nowhere.
	if n := len(s.filters.servers); n != len(h.model.filters) {
		return fmt.Errorf("filter servers of %d addresses, model %v", n, h.model.filters)
	}
	return nil
}

// heldSnapshot is a snapshot that a slow reader still has.
type heldSnapshot struct {
	*Snapshot
	said []byte
}

// say returns what a snapshot says, in bytes that must never change.
func (s *Snapshot) say(topics []string) []byte {
	var said []byte
	for _, topic := range topics {
		if r, ok := s.Route([]byte(topic)); ok {
			said = append(r.AppendBody(said, RouteOptions{SupportActingMaster: true}), '\n')
		}
	}
	for _, key := range modelKeys {
		l, ok := s.Live(key)
		said = fmt.Appendf(said, "%v %v %d %v %v\n", ok, l.Name, l.ID, l.DataVersion, l.HAServerAddr)
	}
	said = append(s.AppendTopicList(s.AppendSystemTopicList(said)), '\n')
	return s.AppendClusterInfo(said)
}

func (h *modelHistory) compareHeld(*Snapshot) error {
	if h.held.Snapshot == nil {
		return nil
	}
	if now := h.held.say(h.topics); !bytes.Equal(now, h.held.said) {
		return fmt.Errorf("a snapshot that is held said\n%s\nand now\n%s", h.held.said, now)
	}
	return nil
}
