package server

import (
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// Goal: requests that change nothing cannot flood the log, nor keep the lines of changes
// out of it. Method: more deletions of unknown topics and wipes of unknown brokers than
// have a line, then one that deletes something.
func TestFutileRequestsDoNotFloodTheLog(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.mustRegister(newBroker("b1", 0, "Deleted", "Kept"))
	for range eventsInWindow {
		c.call(codec.CodeDeleteTopicInNamesrv, nil, "topic", "none")
		c.call(codec.CodeWipeWritePermOfBroker, nil, "brokerName", "none")
	}
	c.call(codec.CodeDeleteTopicInNamesrv, nil, "topic", "Deleted")
	lines := r.logs.String()
	futile := strings.Count(lines, "existed=false") + strings.Count(lines, "brokerName=none topics=0")
	if futile < eventsInWindow/2 || futile > eventsInWindow {
		t.Errorf("%d lines of requests that changed nothing", futile)
	}
	if !strings.Contains(lines, "topic=Deleted clusterName=\"\" existed=true") {
		t.Error("no line of the change")
	}
}
