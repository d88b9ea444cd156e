package interop

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestUnchangedRegistrationsAreIdentical shows what Pharos' shortcut for unchanged
// registrations rests on: a broker whose topics did not change sends the same bytes again,
// but for the time at which a 5.x broker sends its mappingDataVersion. And Pharos notices.
func TestUnchangedRegistrationsAreIdentical(t *testing.T) {
	RequireFull(t)
	for _, version := range []string{V550, V533, V497} {
		sub(t, version, func(t *testing.T) {
			admin := fmt.Sprintf("127.0.0.1:%d", freePort(t))
			ns := StartNamesrv(t, Subject(t), NamesrvOptions{Conf: []string{"adminListen=" + admin}})
			rec := StartRecorder(t, ns)
			b := StartBroker(t, BrokerOptions{Version: version, Addrs: rec.Addr})
			ask := ns.Ask(t)
			ask.AwaitMembers(t, "broker-a", "0")
			for i := range 20 {
				b.CreateTopic(t, fmt.Sprint("Same_", i), 4)
			}
			ask.Await(t, "Same_19 has a route", hasTopic(t, "Same_19"))
			// The last two of four more rounds, 10 s apart, are long after the last change.
			want := len(rec.Bodies(t)) + 4
			for deadline := time.Now().Add(settleTime); len(rec.Bodies(t)) < want; time.Sleep(time.Second) {
				if time.Now().After(deadline) {
					t.Fatalf("%d registrations after %v, want %d", len(rec.Bodies(t)), settleTime, want)
				}
			}
			bodies := rec.Bodies(t)
			last, before := withoutSendTime(bodies[len(bodies)-1]), withoutSendTime(bodies[len(bodies)-2])
			if !bytes.Equal(last, before) {
				t.Errorf("two registrations without a change between them differ:\n%q\n%q", before, last)
			}
			note(t, "consecutive bodies of %d bytes, equal but for the time of sending", len(last))
			if ns.Kind == Pharos {
				if n := unchangedRegistrations(t, admin); n < 2 {
					t.Errorf("%d of %d registrations took the shortcut, want 2 or more", n, len(bodies))
				}
			}
		})
	}
}

var sendTime = regexp.MustCompile(`("mappingDataVersion":\{"counter":\d+,"stateVersion":\d+,"timestamp":)\d+`)

func withoutSendTime(body []byte) []byte { return sendTime.ReplaceAll(body, []byte("${1}0")) }

// unchangedRegistrations reads how many registrations Pharos recognised as unchanged.
func unchangedRegistrations(t *testing.T, admin string) int {
	t.Helper()
	resp, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`registrations_total\{outcome="unchanged"\} (\d+)`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no count of unchanged registrations among the metrics:\n%s", text)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
