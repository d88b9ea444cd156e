package codec

import "testing"

// TestCompositeKeyIsNotPlain: a key that is an object is refused wherever it stands, also behind
// a topic that is like it, where names are compared as they stand.
func TestCompositeKeyIsNotPlain(t *testing.T) {
	config := func(name string) string {
		return `{"attributes":{},"order":false,"perm":6,"readQueueNums":16,"topicFilterType":"SINGLE_TAG","topicName":"` + name + `","topicSysFlag":0,"writeQueueNums":16}`
	}
	parse := func(topics string) ([]TopicConfig, error) {
		rb, err := ParseRegisterBody([]byte(`{"topicConfigSerializeWrapper":{"topicConfigTable":{`+topics+`}}}`), RegisterBodyOptions{Version: 513})
		if err != nil {
			return nil, err
		}
		return rb.Topics, nil
	}
	odd := `{"A":1}:` + config(`{"A":1}`)
	if _, err := parse(odd); err == nil {
		t.Fatal("alone: accepted")
	} else {
		t.Log("alone:", err)
	}
	if topics, err := parse(`"T":` + config("T") + "," + odd); err == nil {
		t.Errorf("behind a plain topic: accepted as %q with name %q", topics[1].Key, topics[1].Name)
	}
}
