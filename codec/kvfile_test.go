package codec

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestParseKVFileReadsWhatJavaReads. More of it, checked against Java, is in java550.txt.
func TestParseKVFileReadsWhatJavaReads(t *testing.T) {
	type table = map[string]map[string]string
	for _, c := range []struct {
		name, data string
		want       KVFile
	}{
		{"as Java writes it", `{"configTable":{"ORDER_TOPIC_CONFIG":{"TopicTest":"broker-a:4"}}}`, KVFile{ConfigTable: table{"ORDER_TOPIC_CONFIG": {"TopicTest": "broker-a:4"}}}},
		{"an empty table", `{"configTable":{}}`, KVFile{ConfigTable: table{}}},
		{"an empty namespace is one", `{"configTable":{"NS":{}}}`, KVFile{ConfigTable: table{"NS": {}}}},
		{"a null namespace is none", `{"configTable":{"NS":null,"B":{"k":"v"}}}`, KVFile{ConfigTable: table{"B": {"k": "v"}}}},
		{"a null value is none", `{"configTable":{"NS":{"k":null,"l":"v"}}}`, KVFile{ConfigTable: table{"NS": {"l": "v"}}}},
		{"other values keep their text", `{"configTable":{"NS":{"a":5,"b":1.50,"c":true,"d":{"x":[1]}}}}`, KVFile{ConfigTable: table{"NS": {"a": "5", "b": "1.50", "c": "true", "d": `{"x":[1]}`}}}},
		{"a byte-order mark", "\ufeff{\"configTable\":{\"NS\":{\"k\":\"v\"}}}", KVFile{ConfigTable: table{"NS": {"k": "v"}}}},
		{"edited by hand", "// ours\n{ \"configTable\" :\n\t{ \"NS\" : { \"k\" : \"v\" , } } }\r\n", KVFile{ConfigTable: table{"NS": {"k": "v"}}}},
		{"the last of two wins", `{"configTable":{"NS":{"k":"v"},"NS":{"l":"w","l":"x"}}}`, KVFile{ConfigTable: table{"NS": {"l": "x"}}}},
		{"other encodings are marked", "{\"configTable\":{\"NS\":{\"k\":\"caf\xe9\"}}}", KVFile{ConfigTable: table{"NS": {"k": "caf\ufffd"}}}},
		{"an empty file", "", KVFile{ConfigTable: table{}, Blank: true}},
		{"null", " null\n", KVFile{ConfigTable: table{}, Blank: true}},
	} {
		got, err := ParseKVFile([]byte(c.data))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, d)
		}
	}
}

// TestParseKVFileDamaged: a damaged file is never an empty table.
func TestParseKVFileDamaged(t *testing.T) {
	whole := `{"configTable":{"ORDER_TOPIC_CONFIG":{"TopicTest":"broker-a:4"},"NS":{}}}`
	damaged := []string{
		" ", "\n\n", "\x00\x00\x00\x00", "{}", "[]", `""`, "5", "garbage", "nul", "nullx", "null null", "\ufeff",
		`{"configTable":null}`, `{"configTable":[]}`, `{"configTable":"x"}`, `{"configtable":{}}`, `{"configTable":{"NS":5}}`, `{"configTable":{"NS":["k"]}}`,
		`{"configTable":{"NS":{"k":"v"}},"configTable":null}`,
		whole + "x", whole + whole, whole + "\x01", whole + "}", "x" + whole,
	}
	for i := 1; i < len(whole); i++ {
		damaged = append(damaged, whole[:i])
	}
	for _, data := range damaged {
		got, err := ParseKVFile([]byte(data))
		if !errors.Is(err, ErrBody) || got.ConfigTable != nil || got.Blank {
			t.Errorf("%q: %+v, %v", data, got, err)
		}
	}
}

func TestKVFileComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables := rapid.MapOf(rapid.String(), rapid.MapOf(rapid.String(), rapid.String())).Draw(t, "tables")
		data := AppendKVFile(nil, tables)
		got, err := ParseKVFile(data)
		checkBack(t, data, KVFile{ConfigTable: tables}, got, err)
		if again := AppendKVFile(nil, got.ConfigTable); string(again) != string(data) {
			t.Fatalf("not the same bytes again:\n%s\n%s", data, again)
		}
	})
}
