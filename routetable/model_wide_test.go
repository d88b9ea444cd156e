package routetable

import (
	"flag"
	"fmt"
	"strconv"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"pgregory.net/rapid"
)

// modelWideTopics are so many that ids of topics and shapes fill several chunks, that the
// dictionary grows, and that it is rebuilt when they vanish.
var modelWideTopics = func() (names []string) {
	for i := range 1600 {
		names = append(names, "wide-"+strconv.Itoa(i))
	}
	return names
}()

var (
	drawWideTopic = rapid.SampledFrom(modelWideTopics)
	drawWideIndex = rapid.IntRange(0, len(modelWideTopics)-1)
	drawWideKinds = rapid.SampledFrom([]int{1, 3, 400, len(modelWideTopics)})
)

// drawWideTopics returns a stretch of topics of so many different kinds.
func (h *modelHistory) drawWideTopics(rt *rapid.T) []codec.TopicConfig {
	var list []codec.TopicConfig
	from, to := drawWideIndex.Draw(rt, "from"), len(h.topics)
	if one(rt, 4, "to less than the end") {
		to = drawWideIndex.Draw(rt, "to")
	}
	if one(rt, 5, "from the first") {
		from = 0
	}
	c := modelConfigs[1]
	c.Perm = rapid.SampledFrom([]int32{6, 4}).Draw(rt, "perm")
	kinds := drawWideKinds.Draw(rt, "kinds")
	for i := from; i < to; i++ {
		c.WriteQueueNums = int32(i % kinds)
		c.Name, c.Key = []byte(h.topics[i]), []byte(h.topics[i])
		list = append(list, c)
	}
	return list
}

// compareWide compares all routes in one form, another one each time.
func (h *modelHistory) compareWide(s *Snapshot) error {
	h.turn++
	o := RouteOptions{Dialect: codec.Dialect(h.turn % dialects), SupportActingMaster: h.turn/2%2 == 0}
	for _, topic := range h.topics {
		want, known := h.model.route(topic, false)
		h.facts = appendRouteFacts(append(h.facts, '\n'), &want)
		if o.SupportActingMaster {
			want, _ = h.model.route(topic, true)
		}
		r, ok := s.Route([]byte(topic))
		if ok != known {
			return fmt.Errorf("topic %q: found %v, model %v", topic, ok, known)
		}
		if !known {
			continue
		}
		h.text = appendRouteFacts(h.text[:0], &want)
		if err := h.compareRoute(r, o, &want); err != nil {
			return fmt.Errorf("topic %q, %+v: %w", topic, o, err)
		}
	}
	return nil
}

// TestModelWide is TestModel with 1,600 topics, for one history of each 120.
func TestModelWide(t *testing.T) {
	setRapidDefault(t, "rapid.checks", modelChecks)
	setRapidDefault(t, "rapid.nofailfile", "true")
	checks, err := strconv.Atoi(flag.Lookup("rapid.checks").Value.String())
	if err != nil {
		t.Fatal(err)
	}
	setRapid(t, "rapid.checks", strconv.Itoa(checks/120+1))
	seen := make(seenBodies)
	tally := modelTally{events: make(map[string]int)}
	rapid.Check(t, func(rt *rapid.T) {
		h := newModelHistory(rt, seen, &tally)
		h.wide, h.topics, h.drawTopic = true, modelWideTopics, drawWideTopic
		h.play(rt)
	})
	t.Logf("%d steps: %v", tally.steps, tally.events)
}
