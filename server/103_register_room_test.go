package server

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// roomBroker is the i-th broker in a round: other names of other lengths in each.
func roomBroker(i, round int) broker {
	b := newBroker(fmt.Sprintf("b%d", i), 0)
	b.addr = fmt.Sprintf("10.0.%d.1:10911", i)
	b.version.Counter = int64(round)
	b.filterServers = []string{fmt.Sprintf("filter-%d-%d", i, round)}
	topics := 1500 // a large frame
	if round%3 == 1 {
		topics = 3
	}
	for k := range topics {
		b.topics = append(b.topics, fmt.Sprintf("topic-%d-%d-%d-%s", i, round, k, strings.Repeat("x", (k*7+i)%40)))
	}
	b.mappings = []codec.TopicQueueMapping{{Topic: b.topics[1], Info: codec.TopicQueueMappingInfo{
		Topic: codec.NullString{String: b.topics[1], Valid: true}, BName: codec.NullString{String: b.name, Valid: true},
		Scope: codec.NullString{String: "scope-" + b.name, Valid: true}, TotalQueues: 3, CurrIDMap: map[int32]int32{0: int32(round)},
	}}}
	return b
}

// Goal: nothing of the table lies in memory that the next registration is read into. Method:
// brokers register ever other topics at once, in large frames and small ones, compressed,
// and damaged; then all that they said is looked up.
func TestRegisterRoomIsUsedAgain(t *testing.T) {
	const brokers, rounds = 4, 6
	ts := startNamesrv(t, Options{EventLoops: 1, Lanes: 2})
	var wg sync.WaitGroup
	for i := range brokers {
		p := ts.dial()
		wg.Go(func() {
			for round := range rounds {
				b := roomBroker(i, round)
				body := b.body(codec.Version5_5_0)
				damaged := body[:len(body)-5]
				p.send(requestFrame(codec.CodeRegisterBroker, codec.Version5_5_0, 1, codec.SerializeJSON, damaged, b.ext(damaged)...))
				if round%4 == 3 {
					parsed, err := codec.ParseRegisterBody(body, codec.RegisterBodyOptions{Version: codec.Version5_5_0})
					if err != nil {
						t.Error(err)
						return
					}
					body = codec.AppendRegisterBodyCompressed(nil, parsed, codec.Version5_5_0)
					b.extra = []string{"compressed", "true"}
				}
				p.send(requestFrame(codec.CodeRegisterBroker, codec.Version5_5_0, 2, codec.SerializeJSON, body, b.ext(body)...))
				for _, want := range []int32{codec.SystemError, codec.Success} {
					frame, err := p.tryFrame(10 * time.Second)
					if err != nil {
						t.Errorf("no answer: %v", err)
						return
					}
					if a := decode(t, frame); a.Code != want {
						t.Errorf("answer %d %s, want %d", a.Code, a.Remark, want)
					}
				}
			}
		})
	}
	wg.Wait()
	p := ts.dial()
	for i := range brokers {
		for round := range rounds {
			b := roomBroker(i, round)
			for k := 0; k < len(b.topics); k += 1 + k*k {
				a := p.call(codec.CodeGetRouteInfoByTopic, nil, "topic", b.topics[k])
				wants := []string{`"` + b.addr + `"`, fmt.Sprintf("filter-%d-%d", i, rounds-1)}
				if k == 1 {
					wants = append(wants, `"scope-`+b.name+`"`, `"topic":"`+b.topics[k]+`"`)
				}
				for _, want := range wants {
					if !strings.Contains(string(a.Body), want) {
						t.Fatalf("%s: %d %s %s, without %s", b.topics[k], a.Code, a.Remark, a.Body, want)
					}
				}
			}
		}
	}
}
