package differential

import (
	"fmt"
	"sort"
	"strings"
)

// nodeKind is what a JSON value is.
type nodeKind uint8

const (
	scalar nodeKind = iota // a string, number, true, false or null, kept as spelled
	object
	array
)

// node is a JSON value as it was written: keys and scalars keep their spelling, quotes and
// escapes included, so that 0 and "0", or / and \/, stay different.
type node struct {
	kind   nodeKind
	text   string
	keys   []string
	values []*node // of an object (one per key) or an array
}

const nodeDepthMax = 64

// parseLenient reads one JSON value that may have bare integer keys, and nothing after it.
func parseLenient(text []byte) (*node, error) {
	p := &lenientParser{s: text}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.i != len(p.s) {
		return nil, fmt.Errorf("%d bytes after the value", len(p.s)-p.i)
	}
	return n, nil
}

// lenientParser knows no white space: neither server writes any.
type lenientParser struct {
	s []byte
	i int
}

func (p *lenientParser) value(depth int) (*node, error) {
	if depth > nodeDepthMax {
		return nil, fmt.Errorf("deeper than %d", nodeDepthMax)
	}
	switch {
	case p.i >= len(p.s):
		return nil, fmt.Errorf("ends early")
	case p.s[p.i] == '{':
		return p.object(depth)
	case p.s[p.i] == '[':
		return p.array(depth)
	}
	text, err := p.token()
	return &node{text: text}, err
}

// token reads a string or a bare word, spelled as it is.
func (p *lenientParser) token() (string, error) {
	start := p.i
	if p.i < len(p.s) && p.s[p.i] == '"' {
		for p.i++; p.i < len(p.s); p.i++ {
			switch p.s[p.i] {
			case '\\':
				p.i++
			case '"':
				p.i++
				return string(p.s[start:p.i]), nil
			}
		}
		return "", fmt.Errorf("string at %d does not end", start)
	}
	for p.i < len(p.s) && strings.IndexByte(`{}[],:" `, p.s[p.i]) < 0 {
		p.i++
	}
	if p.i == start {
		return "", fmt.Errorf("no value at %d: %.20q", start, p.s[start:])
	}
	return string(p.s[start:p.i]), nil
}

// next skips b, or says that something else is there.
func (p *lenientParser) next(b byte) error {
	if p.i >= len(p.s) || p.s[p.i] != b {
		return fmt.Errorf("want %q at %d: %.20q", b, p.i, p.s[p.i:])
	}
	p.i++
	return nil
}

// more skips a comma and reports true, or the closing byte and reports false.
func (p *lenientParser) more(closing byte) (bool, error) {
	if p.i < len(p.s) && p.s[p.i] == ',' {
		p.i++
		return true, nil
	}
	return false, p.next(closing)
}

func (p *lenientParser) empty(closing byte) bool {
	p.i++ // the opening byte
	if p.i < len(p.s) && p.s[p.i] == closing {
		p.i++
		return true
	}
	return false
}

func (p *lenientParser) object(depth int) (*node, error) {
	n := &node{kind: object}
	if p.empty('}') {
		return n, nil
	}
	for {
		key, err := p.token()
		if err != nil {
			return nil, err
		}
		if err := p.next(':'); err != nil {
			return nil, err
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.keys, n.values = append(n.keys, key), append(n.values, v)
		if again, err := p.more('}'); !again || err != nil {
			return n, err
		}
	}
}

func (p *lenientParser) array(depth int) (*node, error) {
	n := &node{kind: array}
	if p.empty(']') {
		return n, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, v)
		if again, err := p.more(']'); !again || err != nil {
			return n, err
		}
	}
}

// field is the value of a key given without quotes, or nil.
func (n *node) field(name string) *node {
	if n == nil || n.kind != object {
		return nil
	}
	for i, k := range n.keys {
		if strings.Trim(k, `"`) == name {
			return n.values[i]
		}
	}
	return nil
}

// cut removes a property, given without quotes, and returns its value, or nil.
func (n *node) cut(name string) *node {
	for i, k := range n.keys {
		if strings.Trim(k, `"`) == name {
			v := n.values[i]
			n.keys = append(n.keys[:i:i], n.keys[i+1:]...)
			n.values = append(n.values[:i:i], n.values[i+1:]...)
			return v
		}
	}
	return nil
}

// includes says whether every member of less is in n with the same value. Nil is empty.
func (n *node) includes(less *node) bool {
	if n == nil || less == nil {
		return less == nil || len(less.keys) == 0
	}
	for i, k := range less.keys {
		v := n.field(strings.Trim(k, `"`))
		if v == nil || v.canonical(true) != less.values[i].canonical(true) {
			return false
		}
	}
	return true
}

// mapFields are the properties whose value is a Java map: the order of its entries is
// nobody's promise. Every other object is a bean, whose properties have a fixed order.
var mapFields = map[string]bool{
	"brokerAddrs": true, "filterServerTable": true, "topicQueueMappingByBroker": true,
	"currIdMap": true, "table": true, "brokerAddrTable": true, "clusterAddrTable": true,
}

// orderedFields are properties whose array or array values keep their order.
var orderedFields = map[string]bool{"filterServerTable": true}

// canonical writes the value in one spelling for all orders of maps and sets. sortMaps
// false keeps the order of maps, for replies whose maps both servers sort.
func (n *node) canonical(sortMaps bool) string {
	var b strings.Builder
	n.write(&b, "", sortMaps, false)
	return b.String()
}

func (n *node) write(b *strings.Builder, property string, sortMaps, ordered bool) {
	switch n.kind {
	case scalar:
		b.WriteString(n.text)
	case array:
		parts := make([]string, len(n.values))
		for i, v := range n.values {
			var e strings.Builder
			v.write(&e, "", sortMaps, false)
			parts[i] = e.String()
		}
		if !ordered {
			sort.Strings(parts)
		}
		b.WriteString("[" + strings.Join(parts, ",") + "]")
	case object:
		isMap := mapFields[property]
		parts := make([]string, len(n.values))
		for i, v := range n.values {
			var e strings.Builder
			inner := strings.Trim(n.keys[i], `"`)
			if isMap {
				inner = ""
			}
			v.write(&e, inner, sortMaps, orderedFields[property])
			parts[i] = n.keys[i] + ":" + e.String()
		}
		if isMap && sortMaps {
			sort.Strings(parts)
		}
		b.WriteString("{" + strings.Join(parts, ",") + "}")
	}
}
