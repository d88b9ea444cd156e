package config

import (
	"bytes"
	"fmt"
)

// setProperties returns data with the given keys set, in this order, and everything else
// (comments, blank lines, order, other entries) as it was. A key that data does not have
// is added at the end. The values must need no escaping.
func setProperties(data []byte, changes []Change) ([]byte, error) {
	old, err := parseProperties(data)
	if err != nil {
		return nil, err
	}
	out := bytes.Clone(data)
	var missing []Change
	for _, c := range changes {
		i := lastIndex(old, c.Key)
		if i < 0 {
			missing = append(missing, c)
			continue
		}
		if out, err = replaceValue(out, c); err != nil {
			return nil, err
		}
	}
	for _, c := range missing {
		out = appendProperty(out, c)
	}
	return out, checkEdit(old, out, changes)
}

func lastIndex(props []Property, key string) int {
	for i := len(props) - 1; i >= 0; i-- {
		if props[i].Key == key {
			return i
		}
	}
	return -1
}

// replaceValue changes the last entry of c.Key, the one that counts.
func replaceValue(data []byte, c Change) ([]byte, error) {
	props, err := parseProperties(data)
	if err != nil {
		return nil, err
	}
	p := props[lastIndex(props, c.Key)]
	entry := bytes.Clone(data[p.start:p.value])
	if !p.hasSeparator {
		entry = append(entry, '=')
	}
	entry = append(entry, c.New...)
	entry = append(entry, lineEndOf(data[p.start:p.end])...)
	return append(append(bytes.Clone(data[:p.start]), entry...), data[p.end:]...), nil
}

// lineEndOf returns the line end that s ends with.
func lineEndOf(s []byte) []byte {
	return s[len(bytes.TrimRight(s, "\r\n")):]
}

func appendProperty(data []byte, c Change) []byte {
	eol := "\n"
	if i := bytes.IndexAny(data, "\r\n"); i >= 0 && bytes.HasPrefix(data[i:], []byte("\r\n")) {
		eol = "\r\n"
	}
	if len(data) > 0 && len(lineEndOf(data)) == 0 {
		data = append(data, eol...)
	}
	// An empty line ends a continued one. It takes two line ends if the first only makes
	// a CR a CR LF.
	for range 2 {
		if endsContinued(data) {
			data = append(data, eol...)
		}
	}
	return append(data, c.Key+"="+c.New+eol...)
}

// endsContinued: what is appended to data would belong to its last entry.
func endsContinued(data []byte) bool {
	props, err := parseProperties(append(bytes.Clone(data), "#x\n"...))
	before, errBefore := parseProperties(data)
	if err != nil || errBefore != nil || len(props) != len(before) {
		return true
	}
	if len(props) == 0 {
		return false
	}
	last, was := props[len(props)-1], before[len(before)-1]
	return last.Key != was.Key || last.Value != was.Value
}

// checkEdit proves that an edit did what it was meant to do and nothing else, whatever
// the file looked like.
func checkEdit(old []Property, edited []byte, changes []Change) error {
	now, err := parseProperties(edited)
	if err != nil {
		return fmt.Errorf("edit: %w", err)
	}
	want := effective(old)
	for _, c := range changes {
		want[c.Key] = c.New
	}
	got := effective(now)
	// A lone backslash at the end of a file reads as an entry without a key, which goes
	// when something is added. It means nothing to anybody.
	delete(want, "")
	delete(got, "")
	if len(got) != len(want) {
		return fmt.Errorf("edit: %d keys instead of %d", len(got), len(want))
	}
	for k, v := range want {
		if got[k] != v {
			return fmt.Errorf("edit: key %q would become %q instead of %q", k, got[k], v)
		}
	}
	return nil
}

// effective returns the last value of each key.
func effective(props []Property) map[string]string {
	m := make(map[string]string, len(props))
	for _, p := range props {
		m[p.Key] = p.Value
	}
	return m
}
