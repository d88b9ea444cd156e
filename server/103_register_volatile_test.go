package server

import (
	"strings"
	"testing"

	"github.com/pharosmq/pharos/routetable"
)

// A body as a 5.5.0 broker sends it, with the time of sending in the middle.
func bodyOf5x(sent string) string {
	return `{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":20,"stateVersion":0,` +
		`"timestamp":1795307016895},"mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":` + sent + `},` +
		`"topicConfigTable":{"T":{"attributes":{},"order":false,"perm":6,"readQueueNums":4,"topicFilterType":` +
		`"SINGLE_TAG","topicName":"T","topicSysFlag":0,"writeQueueNums":4}}}}`
}

func TestDigestLeavesTheTimeOfSendingOut(t *testing.T) {
	h := &handlers{table: routetable.New(routetable.Options{})}
	digest := func(body string, chunk int) routetable.Digest {
		s := h.newRegisterSink(&routetable.RegistrationHeader{})
		for len(body) > chunk {
			s.FeedBody([]byte(body[:chunk]))
			body = body[chunk:]
		}
		s.FeedBody([]byte(body))
		return s.digest()
	}
	long := strings.Repeat(" ", 3*registerHeadBytes)
	same := digest(bodyOf5x("1795307040969"), 1<<20)
	for _, chunk := range []int{1, 7, 100, registerHeadBytes, 1 << 20} {
		if digest(bodyOf5x("1795307050970"), chunk) != same {
			t.Errorf("fed in chunks of %d: another time of sending makes another digest", chunk)
		}
		if digest(bodyOf5x("1")+long, chunk) != digest(bodyOf5x("2")+long, 1<<20) {
			t.Errorf("fed in chunks of %d, a long body: another time of sending makes another digest", chunk)
		}
	}
	for what, body := range map[string]string{
		"another data version":         strings.Replace(bodyOf5x("1795307040969"), "1795307016895", "1795307016896", 1),
		"another mapping counter":      strings.Replace(bodyOf5x("1795307040969"), `"mappingDataVersion":{"counter":0`, `"mappingDataVersion":{"counter":1`, 1),
		"a topic of that name":         strings.Replace(bodyOf5x("1795307040969"), `"mappingDataVersion":{"counter"`, `"mappingDataVersion":{"attributes"`, 1),
		"a topic with other queues":    strings.Replace(bodyOf5x("1795307040969"), `"readQueueNums":4`, `"readQueueNums":5`, 1),
		"a timestamp that is no digit": bodyOf5x("-1"),
		"a timestamp that is missing":  bodyOf5x(""),
	} {
		if digest(body, 1<<20) == same {
			t.Errorf("%s makes the same digest", what)
		}
	}
	cut := func(sent string) string {
		head, _, _ := strings.Cut(bodyOf5x(sent), `},"topicConfigTable"`)
		return head
	}
	if digest(cut("1"), 10) == digest(cut("2"), 10) {
		t.Error("bodies without mappingDataVersion's end are taken for equal")
	}
}
