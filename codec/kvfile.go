package codec

import (
	"bytes"
	"unicode/utf8"
)

// AppendKVFile appends the content of the KV configuration's file as Java writes it, in
// one line without a line feed: {"configTable":{"NS":{"key":"value"}}}, sorted.
func AppendKVFile(dst []byte, tables map[string]map[string]string) []byte {
	dst = append(dst, `{"configTable":{`...)
	for i, namespace := range sortedKeys(nil, tables) {
		dst = appendComma(dst, i)
		dst = AppendJSONString(dst, namespace, DialectPlain)
		dst = append(dst, ':')
		dst = appendStringMap(dst, tables[namespace])
	}
	return append(dst, '}', '}')
}

// ParseKVFile reads the content of the KV configuration's file. What Java reads is read: a
// byte-order mark, blanks, comments, numbers as values, and null namespaces and values,
// which count as absent. An empty file and null give a blank KVFile, which Java takes for
// an empty table. Anything else is an error and never an empty table: a truncated file,
// text behind the end, a file without configTable or with a null one, only blanks.
//
// Bytes that are not UTF-8 become U+FFFD. There is no limit but the file's size. Nothing
// of the result points into data.
func ParseKVFile(data []byte) (KVFile, error) {
	if len(data) == 0 {
		return blankKVFile(), nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		data = bytes.ToValidUTF8(data, []byte("\ufffd"))
	}
	s := newBodyScanner(data, nil)
	file := blankKVFile()
	if s.peek() == 'n' {
		s.readNull()
	} else {
		file = KVFile{ConfigTable: s.kvFile()}
	}
	s.end()
	if s.err != nil {
		return KVFile{}, s.err
	}
	return file, nil
}

func blankKVFile() KVFile {
	return KVFile{ConfigTable: map[string]map[string]string{}, Blank: true}
}

func (s *bodyScanner) kvFile() (tables map[string]map[string]string) {
	s.openObject("the KV configuration")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		if string(key) != "configTable" {
			s.skip()
			continue
		}
		if tables = nil; s.null() {
			continue
		}
		tables = map[string]map[string]string{}
		s.openMap("configTable")
		for key, ok := s.nextEntry(); ok; key, ok = s.nextEntry() {
			namespace := string(key)
			if table := s.stringMap("a namespace"); table != nil && key != nil {
				tables[namespace] = table
			} else {
				delete(tables, namespace)
			}
		}
	}
	if tables == nil {
		s.fail(s.i, "no configTable, or a null one, in the object that ends")
	}
	return tables
}
