package main

import (
	"maps"
	"slices"
)

// difference is something that name servers answer differently.
type difference struct {
	What    string   `json:"what"` // "broker" or "topic"
	Name    string   `json:"name"`
	Answers []answer `json:"answers"`
}

// answer is what one server says of it.
type answer struct {
	Server string `json:"server"`
	Answer string `json:"answer"`
}

const notThere = "not there"

// differences compares the servers that could be asked: brokers, then topics by their queues.
// Only if nothing differs there are topics compared with all that their routes say of brokers:
// else one broker's address would be a difference of all its topics.
func differences(surveys []survey) []difference {
	var asked []survey
	for _, v := range surveys {
		if v.err == nil {
			asked = append(asked, v)
		}
	}
	found := differ("broker", asked, func(v survey) map[string]string { return v.brokers })
	found = append(found, differ("topic", asked, func(v survey) map[string]string { return texts(v, false) })...)
	if len(found) == 0 {
		found = differ("topic", asked, func(v survey) map[string]string { return texts(v, true) })
	}
	return found
}

func texts(v survey, whole bool) map[string]string {
	out := make(map[string]string, len(v.topics))
	for topic, says := range v.topics {
		out[topic] = says.queues
		if whole {
			out[topic] = says.whole
		}
	}
	return out
}

// differ lists the names of which not all servers say the same.
func differ(what string, surveys []survey, of func(survey) map[string]string) []difference {
	names := map[string]bool{}
	var says []map[string]string
	for _, v := range surveys {
		facts := of(v)
		says = append(says, facts)
		for name := range facts {
			names[name] = true
		}
	}
	found := []difference{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		d := difference{What: what, Name: name}
		same := true
		for i, v := range surveys {
			text, there := says[i][name]
			if !there {
				text = notThere
			}
			d.Answers = append(d.Answers, answer{v.server, text})
			same = same && text == d.Answers[0].Answer
		}
		if !same {
			found = append(found, d)
		}
	}
	return found
}
