package client

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestProperties pins Java's encoding: name 1 value 2, with WAIT and the message id.
func TestProperties(t *testing.T) {
	f := func(m Message, want string) {
		t.Helper()
		m.Topic = "T"
		got, id, err := m.encodeProperties(func() string { return "ID" })
		readable := strings.NewReplacer("\x01", "=", "\x02", ";").Replace(got)
		if err != nil || readable != want {
			t.Errorf("%+v: %s, %v, want %s", m, readable, err, want)
		}
		if id != property(got, "UNIQ_KEY") {
			t.Errorf("%+v: id %s", m, id)
		}
	}
	f(Message{}, "UNIQ_KEY=ID;WAIT=true;")
	f(Message{Tags: "a || b", Keys: []string{"k1", "k2"}}, "KEYS=k1 k2;TAGS=a || b;UNIQ_KEY=ID;WAIT=true;")
	f(Message{Properties: map[string]string{"UNIQ_KEY": "mine", "z": "", "DELAY": "3"}}, "DELAY=3;UNIQ_KEY=mine;WAIT=true;z=;")
	f(Message{Properties: map[string]string{"WAIT": "false", "ключ": "値"}}, "UNIQ_KEY=ID;WAIT=false;ключ=値;")
}

// TestIllegalMessages: what brokers would refuse or misread is refused before it is sent.
func TestIllegalMessages(t *testing.T) {
	ok := func() Message { return Message{Topic: "T", Body: []byte("x")} }
	f := func(what string, spoil func(*Message)) {
		t.Helper()
		m := ok()
		spoil(&m)
		err := m.check(100)
		if err == nil {
			_, _, err = m.encodeProperties(func() string { return "ID" })
		}
		if !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", what, err)
		}
	}
	m := ok()
	if err := m.check(100); err != nil {
		t.Error(err)
	}
	f("no topic", func(m *Message) { m.Topic = "" })
	f("a long topic", func(m *Message) { m.Topic = strings.Repeat("t", 128) })
	f("a topic with a space", func(m *Message) { m.Topic = "a b" })
	f("a topic beyond ASCII", func(m *Message) { m.Topic = "é" })
	f("a topic of the brokers", func(m *Message) { m.Topic = "SCHEDULE_TOPIC_XX" + "XX" })
	f("no body", func(m *Message) { m.Body = nil })
	f("a large body", func(m *Message) { m.Body = make([]byte, 101) })
	f("an empty key", func(m *Message) { m.Keys = []string{""} })
	f("a key with a space", func(m *Message) { m.Keys = []string{"a b"} })
	f("tags twice", func(m *Message) { m.Tags, m.Properties = "a", map[string]string{"TAGS": "b"} })
	f("keys twice", func(m *Message) { m.Keys, m.Properties = []string{"a"}, map[string]string{"KEYS": "b"} })
	f("a separator in a value", func(m *Message) { m.Properties = map[string]string{"a": "b\x02c\x01d"} })
	f("a separator in a name", func(m *Message) { m.Properties = map[string]string{"a\x01": "b"} })
	f("a separator in tags", func(m *Message) { m.Tags = "a\x02" })
	f("a separator in a key", func(m *Message) { m.Keys = []string{"\x01"} })
	f("a nameless property", func(m *Message) { m.Properties = map[string]string{"": "b"} })
	f("large properties", func(m *Message) { m.Properties = map[string]string{"a": strings.Repeat("b", 1<<15)} })
	if err := (*Message)(nil).check(100); !errors.Is(err, ErrMessage) {
		t.Errorf("nil: %v", err)
	}
	if _, err := NewProducer(nil, ProducerOptions{}); err == nil {
		t.Error("a producer without routes")
	}
	if _, err := NewProducer(&Routes{}, ProducerOptions{Group: "a b"}); !errors.Is(err, ErrMessage) {
		t.Errorf("an illegal group: %v", err)
	}
}

// TestMessageIDs: 32 hex digits, different for every message of every producer.
func TestMessageIDs(t *testing.T) {
	form := regexp.MustCompile(`^[0-9A-F]{32}$`)
	a, b := newIDMaker(), newIDMaker()
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	now := time.Now()
	for range 4 {
		wg.Go(func() {
			for i := range 10_000 {
				id := a.next(now)
				if i%2 == 0 {
					id = b.next(now)
				}
				mu.Lock()
				if seen[id] || !form.MatchString(id) {
					t.Errorf("id %s: seen %v", id, seen[id])
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	may := time.Date(2026, 5, 1, 0, 0, 1, 0, time.UTC)
	if id := a.next(may); id[20:28] != "000003E8" {
		t.Errorf("a second into the month: %s", id)
	}
}
