package codec

// AppendTopicList appends the body of the topic list replies (206, 224, 311, 312, 313):
// {"topicList":["A","B"]}. The topics keep their order; the caller sorts.
func AppendTopicList(dst []byte, topics []string) []byte {
	dst = append(dst, `{"topicList":`...)
	dst = AppendStrings(dst, topics)
	return append(dst, '}')
}

// AppendSystemTopicList appends the body of a 304 reply. brokerAddr is left out when not
// valid: there is no broker.
func AppendSystemTopicList(dst []byte, brokerAddr NullString, topics []string) []byte {
	dst = append(dst, '{')
	if brokerAddr.Valid {
		dst = append(dst, `"brokerAddr":`...)
		dst = AppendJSONString(dst, brokerAddr.String, DialectPlain)
		dst = append(dst, ',')
	}
	dst = append(dst, `"topicList":`...)
	dst = AppendStrings(dst, topics)
	return append(dst, '}')
}

// AppendKVTable appends one namespace of the KV configuration, the body of 219 and 103
// replies: {"table":{"key":"value"}}, sorted by key. A nil table is an empty one.
func AppendKVTable(dst []byte, table map[string]string) []byte {
	dst = append(dst, `{"table":`...)
	dst = appendStringMap(dst, table)
	return append(dst, '}')
}

// appendStringMap appends a map of strings, sorted by key.
func appendStringMap(dst []byte, m map[string]string) []byte {
	dst = append(dst, '{')
	for i, k := range sortedKeys(nil, m) {
		dst = appendComma(dst, i)
		dst = AppendJSONString(dst, k, DialectPlain)
		dst = append(dst, ':')
		dst = AppendJSONString(dst, m[k], DialectPlain)
	}
	return append(dst, '}')
}
