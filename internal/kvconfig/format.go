package kvconfig

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/pharosmq/pharos/codec"
)

// parseFile reads Java's KVConfigSerializeWrapper: {"configTable":{namespace:{key:value}}}.
// A null namespace is none, a null value no entry.
func parseFile(data []byte) (map[string]map[string]string, error) {
	var file struct {
		ConfigTable map[string]map[string]*string `json:"configTable"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.ConfigTable == nil {
		return nil, errors.New("no configTable")
	}
	tables := map[string]map[string]string{}
	for name, entries := range file.ConfigTable {
		if entries == nil {
			continue
		}
		table := map[string]string{}
		for k, v := range entries {
			if v != nil {
				table[k] = *v
			}
		}
		tables[name] = table
	}
	return tables, nil
}

// appendFile appends the file's content, sorted.
func appendFile(dst []byte, s *snapshot) []byte {
	dst = append(dst, `{"configTable":{`...)
	for i, name := range slices.Sorted(maps.Keys(s.namespaces)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = codec.AppendJSONString(dst, name, codec.DialectPlain)
		dst = append(dst, ':')
		// The body is {"table":{...}}; the file wants the inner object.
		body := s.namespaces[name].body
		dst = append(dst, body[len(`{"table":`):len(body)-1]...)
	}
	return append(dst, "}}"...)
}
