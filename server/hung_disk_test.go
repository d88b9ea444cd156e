package server

import (
	"strconv"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// Goal: a disk that hangs, and as many requests behind it as may wait, take nothing from
// anybody else. Method: the lane of the disk is held up and its budget used up; a
// registration, the configuration and the lists of a large table are answered meanwhile,
// and one more request for the disk is turned away.
func TestHungDiskHoldsUpNobodyElse(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0)
	for i := range listTopicsMax + 1 {
		b.topics = append(b.topics, "T"+strconv.Itoa(i))
	}
	c.mustRegister(b)
	disk := r.lanes.pool(AdminLane)
	release := make(chan struct{})
	r.lanes.SubmitAlways(AdminLane, int(disk.bytesMax), func() { <-release })
	b.version.Counter++ // so it goes to its lane
	body := b.body(c.version)
	c.call(codec.CodeRegisterBroker, body, b.ext(body)...).want(t, codec.Success, "", "")
	if a := c.call(codec.CodeGetNamesrvConfig, nil); a.Code != codec.Success || len(a.Body) == 0 {
		t.Errorf("319: %d %q", a.Code, a.Body)
	}
	if a := c.call(codec.CodeGetBrokerClusterInfo, nil); a.Code != codec.Success || len(a.Body) == 0 {
		t.Errorf("106: %d %q", a.Code, a.Body)
	}
	if got := topicList(t, c.call(codec.CodeGetAllTopicListFromNameserver, nil)); len(got) != listTopicsMax+1 {
		t.Errorf("206: %d topics", len(got))
	}
	c.call(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k", "value", "v").want(t, codec.SystemBusy, remarkOverload, "")
	close(release)
	r.settle()
	c.call(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k", "value", "v").want(t, codec.Success, "", "")
}

// Lists have a budget of their own, too: as many as may wait cost no broker its place.
func TestListsTakeNoRoomFromBrokers(t *testing.T) {
	l := startLanes(t, 1, 1<<20)
	hold := make(chan struct{})
	defer close(hold)
	for n := 0; l.Submit(ListLane, 1000, func() { <-hold }); n++ {
		if n > 1<<20/1000 {
			t.Fatal("never full")
		}
	}
	if l.lists.rejected.Load() != 1 || l.brokers.bytes.Load() != 0 || l.disk.bytes.Load() != 0 {
		t.Errorf("%d rejected, %d bytes of brokers, %d of the disk", l.lists.rejected.Load(), l.brokers.bytes.Load(), l.disk.bytes.Load())
	}
	ran := make(chan struct{})
	if !l.Submit(BrokerLane(routetable.BrokerKey{Addr: "a"}), 1<<20*7/8, func() { close(ran) }) {
		t.Fatal("no room for a broker")
	}
	<-ran
}
