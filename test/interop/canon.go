package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
)

// quoteBareKeys turns fastjson's map keys without quotes ({0:"a"}) into legal JSON, and
// counts them. It reads the body without Pharos' own codec, so that a mistake there cannot
// hide itself.
func quoteBareKeys(body []byte) (legal []byte, bare int) {
	inString := false
	for i := 0; i < len(body); i++ {
		b := body[i]
		if inString {
			if b == '\\' && i+1 < len(body) {
				legal = append(legal, b)
				i++
				b = body[i]
			} else if b == '"' {
				inString = false
			}
			legal = append(legal, b)
			continue
		}
		if n := integerLen(body[i:]); n > 0 && i+n < len(body) && body[i+n] == ':' {
			legal = append(append(append(legal, '"'), body[i:i+n]...), '"')
			i += n - 1
			bare++
			continue
		} else if n > 0 {
			legal = append(legal, body[i:i+n]...)
			i += n - 1
			continue
		}
		inString = b == '"'
		legal = append(legal, b)
	}
	return legal, bare
}

// integerLen is how many bytes at the start of s are an integer.
func integerLen(s []byte) int {
	n := 0
	if n < len(s) && s[n] == '-' {
		n++
	}
	digits := n
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == digits {
		return 0
	}
	return n
}

// canonical is one spelling for all bodies that say the same to a client: keys and array
// elements sorted, and whether map keys were bare, which clients do notice. A body that is
// no JSON is itself.
func canonical(body []byte) string {
	legal, bare := quoteBareKeys(body)
	dec := json.NewDecoder(bytes.NewReader(legal))
	dec.UseNumber()
	var v any
	if len(body) == 0 || dec.Decode(&v) != nil || dec.More() {
		return string(body)
	}
	text, err := json.Marshal(sortArrays(v))
	if err != nil {
		return string(body)
	}
	return fmt.Sprintf("%s (%d bare keys)", text, bare)
}

func sortArrays(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = sortArrays(e)
		}
	case []any:
		spelled := make([]string, len(v))
		for i, e := range v {
			text, err := json.Marshal(sortArrays(e))
			if err != nil {
				return v
			}
			spelled[i] = string(text)
		}
		sort.Strings(spelled)
		for i, s := range spelled {
			v[i] = json.RawMessage(s)
		}
	}
	return v
}
