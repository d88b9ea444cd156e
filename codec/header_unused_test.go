package codec

import "testing"

// TestUnusedProperties holds what Java 5.5.0 made of each value of the properties that it
// has and a name server has no use for: it served the request, or closed the connection.
func TestUnusedProperties(t *testing.T) {
	lim := DefaultLimits()
	for key, values := range unusedPropertyValues {
		for i, list := range values {
			for _, value := range list {
				c := Command{}
				err := c.Decode(jsonFrame(`{"code":224,"`+key+`":`+value+`,"opaque":5}`, ""), &lim)
				if accepted := i == 0; accepted != (err == nil) || accepted && (c.Code != 224 || c.Opaque != 5) {
					t.Errorf("%s = %s: code %d, opaque %d, %v", key, value, c.Code, c.Opaque, err)
				}
			}
		}
	}
}

// Values that are served, and values that close the connection.
var unusedPropertyValues = map[string][2][]string{
	"body": {
		{`[""]`, `["null"]`, `["1.5"]`, `["-1"]`, `["300"]`, `[1e400]`, `["1",1,null,true]`, `[1,]`, `[1 2]`, `''`, `[{"a":"x"}]`, `["+1"]`, `["1e2"]`,
			`["0x1"]`, `["true"]`, `[false]`, `['1']`, `["007"]`, `["1\u0031"]`, `["0.1e1"]`, `["1."]`, `[".5"]`, `["-"]`, `null`, `""`, `[]`, `[1]`,
			`[1,2,3]`, `["1"]`, `[null]`, `[300]`, `[true]`, `[{}]`, `[[1]]`, `[1.5]`},
		{`[" 1"]`, `["99999999999"]`, `[99999999999]`, `[99999999999999999999]`, `[,1]`, `[["x"]]`, `[[]]`, `"AAAA"`, `"x"`, `"null"`, `"true"`, `"JSON"`,
			`"ROCKETMQ"`, `5`, `0`, `1`, `9`, `-1`, `1.5`, `1e2`, `true`, `false`, `{}`, `{"a":1}`, `["x"]`, `"Y"`, `"N"`, `"TRUE"`, `"1"`, `"0"`,
			`99999999999`, `'AAAA'`, `"AAA"`, `"AA=="`, `"A A="`, `"\u0041AAA"`, `"é"`},
	},
	"suspended": {
		{`"True"`, `"False"`, `"FALSE"`, `"false"`, `"NULL"`, `'true'`, `'Y'`, `'1'`, `'0'`, `''`, `'null'`, `"\u0074rue"`, `-0`, `1e400`, `0.0`, `null`,
			`""`, `"null"`, `"true"`, `5`, `0`, `1`, `9`, `-1`, `1.5`, `1e2`, `true`, `false`, `"Y"`, `"N"`, `"TRUE"`, `"1"`, `"0"`, `99999999999`},
		{`"y"`, `"n"`, `"T"`, `"F"`, `"f"`, `"yes"`, `" "`, `" true"`, `"2"`, `"Yes"`, `"on"`, `tru`, `nul`, `"AAAA"`, `"x"`, `"JSON"`, `"ROCKETMQ"`, `{}`,
			`{"a":1}`, `[]`, `[1]`, `[1,2,3]`, `["1"]`, `["x"]`, `[null]`, `[300]`, `[true]`, `[{}]`, `[[1]]`, `[1.5]`, `'AAAA'`, `"AAA"`, `"AA=="`, `"A A="`,
			`"\u0041AAA"`, `"é"`},
	},
	"callbackList": {
		{`[false]`, `[{},null,true]`, `{"a":"x"}`, `[{"a":[1]}]`, `''`, `'null'`, `{"@type":"x"}`, `[{},]`, `[{} {}]`, `null`, `""`, `"null"`, `true`,
			`false`, `{}`, `{"a":1}`, `[]`, `[null]`, `[true]`, `[{}]`},
		{`"[]"`, `"{}"`, `"[1]"`, `[""]`, `["null"]`, `[[]]`, `[1.5]`, `[{},1]`, `[0]`, `[,]`, `"NULL"`, `" "`, `tru`, `"AAAA"`, `"x"`, `"true"`, `"JSON"`,
			`"ROCKETMQ"`, `5`, `0`, `1`, `9`, `-1`, `1.5`, `1e2`, `[1]`, `[1,2,3]`, `["1"]`, `["x"]`, `[300]`, `[[1]]`, `[1.5]`, `"Y"`, `"N"`, `"TRUE"`,
			`"1"`, `"0"`, `99999999999`, `'AAAA'`, `"AAA"`, `"AA=="`, `"A A="`, `"\u0041AAA"`, `"é"`},
	},
	"processTimer": {
		{`{"running":true}`, `{"running":{}}`, `{"elapsedNanos":"x"}`, `{"startTick":[1]}`, `{"isRunning":5}`, `{"ticker":5}`, `''`, `'null'`,
			`{"a":{"b":[1]}}`, `{"@type":"x"}`, `null`, `""`, `"null"`, `{}`, `{"a":1}`},
		{`"NULL"`, `" "`, `"{}"`, `{,}`, `{"a":1,}`, `tru`, `"AAAA"`, `"x"`, `"true"`, `"JSON"`, `"ROCKETMQ"`, `5`, `0`, `1`, `9`, `-1`, `1.5`, `1e2`,
			`true`, `false`, `[]`, `[1]`, `[1,2,3]`, `["1"]`, `["x"]`, `[null]`, `[300]`, `[true]`, `[{}]`, `[[1]]`, `[1.5]`, `"Y"`, `"N"`, `"TRUE"`, `"1"`,
			`"0"`, `99999999999`, `'AAAA'`, `"AAA"`, `"AA=="`, `"A A="`, `"\u0041AAA"`, `"é"`},
	},
	"serializeTypeCurrentRPC": {
		{`0.5`, `-0.5`, `1.999`, `1e0`, `'JSON'`, `''`, `0e5`, `00`, `1.0e0`, `-0`, `1L`, `null`, `""`, `"AAAA"`, `"x"`, `"null"`, `"true"`, `"JSON"`,
			`"ROCKETMQ"`, `0`, `1`, `1.5`, `"Y"`, `"N"`, `"TRUE"`, `"1"`, `"0"`, `'AAAA'`, `"AAA"`, `"AA=="`, `"A A="`, `"\u0041AAA"`, `"é"`},
		{`2`, `2.0`, `0x1`, `tru`, `5`, `9`, `-1`, `1e2`, `true`, `false`, `{}`, `{"a":1}`, `[]`, `[1]`, `[1,2,3]`, `["1"]`, `["x"]`, `[null]`, `[300]`,
			`[true]`, `[{}]`, `[[1]]`, `[1.5]`, `99999999999`},
	},
}
