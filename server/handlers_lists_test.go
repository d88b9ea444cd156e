package server

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
)

// topicList returns the sorted topics of a list answer.
func topicList(t *testing.T, a *answer) []string {
	t.Helper()
	list, err := codec.ParseTopicList(a.Body, nil)
	if err != nil || a.Code != codec.Success || len(a.Remark) > 0 || a.HasExt {
		t.Fatalf("answer %d %q %q: %v", a.Code, a.Remark, a.Body, err)
	}
	slices.Sort(list.Topics)
	return list.Topics
}

func TestTopicLists(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	f := func(code int32, want string, ext ...string) {
		t.Helper()
		if got := topicList(t, c.call(code, nil, ext...)); strings.Join(got, " ") != want {
			t.Errorf("%d %v: %v, want %q", code, ext, got, want)
		}
	}
	f(codec.CodeGetAllTopicListFromNameserver, "")
	f(codec.CodeGetSystemTopicListFromNS, "")
	f(codec.CodeGetTopicsByCluster, "", "cluster", "c1")

	plain, unit, sub, both := newBroker("b1", 0, "A", "B"), newBroker("b2", 0, "U1", "U2"), newBroker("b3", 0, "S1", "S2"), newBroker("b4", 0, "X1", "X2")
	unit.addr, sub.addr, both.addr = "u:1", "s:1", "x:1"
	both.cluster = "c2"
	unit.sysFlag, sub.sysFlag, both.sysFlag = codec.TopicSysFlagUnit, codec.TopicSysFlagUnitSub, codec.TopicSysFlagUnit|codec.TopicSysFlagUnitSub
	for _, b := range []broker{plain, unit, sub, both} {
		c.mustRegister(b)
	}
	f(codec.CodeGetAllTopicListFromNameserver, "A B S1 S2 U1 U2 X1 X2")
	f(codec.CodeGetTopicsByCluster, "A B S1 S2 U1 U2", "cluster", "c1")
	f(codec.CodeGetTopicsByCluster, "X1 X2", "cluster", "c2")
	f(codec.CodeGetTopicsByCluster, "", "cluster", "none")
	f(codec.CodeGetTopicsByCluster, "")
	f(codec.CodeGetUnitTopicList, "U1 U2 X1 X2")
	f(codec.CodeGetHasUnitSubTopicList, "S1 S2 X1 X2")
	f(codec.CodeGetHasUnitSubUnunitTopicList, "S1 S2")
	f(codec.CodeGetSystemTopicListFromNS, "b1 b2 b3 b4 c1 c2")
	a := c.call(codec.CodeGetSystemTopicListFromNS, nil)
	if !strings.HasPrefix(string(a.Body), `{"brokerAddr":"`) {
		t.Errorf("304 names no broker: %s", a.Body)
	}
}

func TestTopicListsDisabled(t *testing.T) {
	r := newRig(t, func(_ *config.Settings, l *config.Live) { l.EnableAllTopicList, l.EnableTopicList = false, false })
	c := r.dial()
	for _, code := range []int32{codec.CodeGetAllTopicListFromNameserver, codec.CodeGetTopicsByCluster,
		codec.CodeGetUnitTopicList, codec.CodeGetHasUnitSubTopicList, codec.CodeGetHasUnitSubUnunitTopicList} {
		c.call(code, nil, "cluster", "c1").want(t, codec.SystemError, "disable", "")
	}
	c.call(codec.CodeGetSystemTopicListFromNS, nil).want(t, codec.Success, "", `{"topicList":[]}`) // has no switch
	c.call(codec.CodeUpdateNamesrvConfig, []byte("enableAllTopicList=true\nenableTopicList=true\n")).want(t, codec.Success, "", "")
	c.call(codec.CodeGetAllTopicListFromNameserver, nil).want(t, codec.Success, "", `{"topicList":[]}`)
	c.call(codec.CodeGetUnitTopicList, nil).want(t, codec.Success, "", `{"topicList":[]}`)
}

// Lists of a large table are made off the loop, and are the same.
func TestTopicListsLarge(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0)
	for i := range listTopicsMax + 1 {
		b.topics = append(b.topics, "T"+strconv.Itoa(i))
	}
	c.mustRegister(b)
	release := make(chan struct{})
	r.lanes.SubmitAlways(ListLane, 0, func() { <-release })
	for _, code := range []int32{codec.CodeGetAllTopicListFromNameserver, codec.CodeGetBrokerClusterInfo, codec.CodeGetSystemTopicListFromNS} {
		c.push(c.frame(code, nil))
	}
	c.push(c.frame(codec.CodeGetTopicsByCluster, nil, "cluster", "c1"))
	if len(c.out) > 0 {
		t.Fatal("a list of a large table was made on the loop")
	}
	c.call(codec.CodeGetRouteInfoByTopic, nil, "topic", "T7") // goes on meanwhile
	close(release)
	if got := topicList(t, c.answer()); len(got) != listTopicsMax+1 {
		t.Errorf("206: %d topics", len(got))
	}
	c.answer()
	if got := topicList(t, c.answer()); len(got) != 2 {
		t.Errorf("304: %v", got)
	}
	if got := topicList(t, c.answer()); len(got) != listTopicsMax+1 {
		t.Errorf("224: %d topics", len(got))
	}
}
