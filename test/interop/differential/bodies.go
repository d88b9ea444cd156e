package differential

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

func (d dataVersion) json() string {
	var parts []string
	parts = append(parts, fmt.Sprintf(`"counter":%d`, d.counter))
	if !d.noState {
		parts = append(parts, fmt.Sprintf(`"stateVersion":%d`, d.state))
	}
	if !d.noTimestamp {
		parts = append(parts, fmt.Sprintf(`"timestamp":%d`, d.timestamp))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// registerBody writes the registration body of the broker's version and options.
func (b *member) registerBody(r *rand.Rand, topics []topicConfig) []byte {
	if b.compressed && b.version >= 37 {
		return b.compressedBody(topics)
	}
	wrapper := b.wrapper(r, topics)
	if b.version < 37 && r.IntN(6) > 0 {
		return []byte(wrapper)
	}
	filter := ""
	if !b.noFilters {
		filter = `"filterServerList":` + stringList(b.filters) + ","
	}
	return []byte("{" + filter + `"topicConfigSerializeWrapper":` + wrapper + "}")
}

func stringList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// wrapper is the TopicConfigSerializeWrapper as a 4.x or a 5.x broker writes it.
func (b *member) wrapper(r *rand.Rand, topics []topicConfig) string {
	table := make([]string, len(topics))
	for i, t := range topics {
		table[i] = jsonString(t.name, false, r) + ":" + b.topicConfigJSON(r, t)
	}
	out := `{"dataVersion":` + b.dv.json()
	if b.version >= 413 {
		out += `,"mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":1700000000000}`
	}
	out += `,"topicConfigTable":{` + strings.Join(table, ",") + "}"
	if b.version >= 413 || b.version >= 37 && hasMapping(topics) {
		out += `,"topicQueueMappingDetailMap":` + b.mappings(topics, true) +
			`,"topicQueueMappingInfoMap":` + b.mappings(topics, false)
	}
	return out + "}"
}

func hasMapping(topics []topicConfig) bool {
	for _, t := range topics {
		if t.mapping {
			return true
		}
	}
	return false
}

// topicConfigJSON writes one TopicConfig, by the habits of versions and, now and then, with
// fields left to their defaults or numbers as strings.
func (b *member) topicConfigJSON(r *rand.Rand, t topicConfig) string {
	name := jsonString(t.name, r.IntN(16) == 0, r)
	switch r.IntN(12) {
	case 0:
		return fmt.Sprintf(`{"topicName":%s,"topicSysFlag":%d}`, name, t.sysFlag)
	case 1:
		return fmt.Sprintf(`{"writeQueueNums":"%d","readQueueNums":"%d","perm":"%d","topicName":%s,"x":[{}],"topicSysFlag":%d}`,
			t.write, t.read, t.perm, name, t.sysFlag)
	}
	attributes := ""
	if b.version >= 413 {
		attributes = `"attributes":{},`
	}
	return fmt.Sprintf(`{%s"order":false,"perm":%d,"readQueueNums":%d,"topicFilterType":"SINGLE_TAG","topicName":%s,"topicSysFlag":%d,"writeQueueNums":%d}`,
		attributes, t.perm, t.read, name, t.sysFlag, t.write)
}

// mappings writes the static-topic maps, whose integer keys are bare: that is how 5.x
// brokers send them.
func (b *member) mappings(topics []topicConfig, detail bool) string {
	var parts []string
	for _, t := range topics {
		if !t.mapping {
			continue
		}
		hosted := ""
		if detail {
			hosted = `"hostedQueues":{0:[{"bname":` + jsonString(b.Name, false, nil) + `,"endOffset":-1,"gen":0,"logicOffset":0,"queueId":1,"startOffset":0,"timeOfEnd":-1,"timeOfStart":-1}]},`
		}
		parts = append(parts, fmt.Sprintf(`"%s":%s`, t.name, strings.Replace(b.mappingInfo(t), `"scope"`, hosted+`"scope"`, 1)))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// mappingInfo is what the broker says of a static topic; it depends on its data version.
func (b *member) mappingInfo(t topicConfig) string {
	epoch := 1234 + b.dv.counter
	if b.dv.counter%3 == 0 {
		epoch = 9007199254740993 // beyond what a double holds exactly
	}
	return fmt.Sprintf(`{"bname":%s,"currIdMap":{0:0,1:%d,10:3},"dirty":false,"epoch":%d,"scope":"__global__","topic":"%s","totalQueues":%d}`,
		jsonString(b.Name, false, nil), b.dv.counter, epoch, t.name, 4+b.dv.counter%4)
}

// compressedBody is the zlib form.
func (b *member) compressedBody(topics []topicConfig) []byte {
	var lines, mapped []string
	for _, t := range topics {
		if !t.plain {
			continue
		}
		line := fmt.Sprintf("%s %d %d %d SINGLE_TAG", t.name, t.read, t.write, t.perm)
		if b.version >= 413 {
			line += " {}"
		}
		lines = append(lines, line)
		if t.mapping {
			mapped = append(mapped, b.mappingInfo(t))
		}
	}
	return zipped(b.version, b.dv.json(), lines, stringList(b.filters), mapped)
}

// zipped compresses length-prefixed strings as a broker of the version does.
func zipped(version int32, dataVersion string, lines []string, filters string, mapped []string) []byte {
	var plain bytes.Buffer
	put := func(list ...string) {
		for _, s := range list {
			plain.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
			plain.WriteString(s)
		}
	}
	count := func(n int) { plain.Write(binary.BigEndian.AppendUint32(nil, uint32(n))) }
	put(dataVersion)
	count(len(lines))
	put(lines...)
	put(filters)
	if version >= 413 {
		count(len(mapped))
		put(mapped...)
	}
	return deflate(plain.Bytes())
}

func deflate(plain []byte) []byte {
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		panic(err) // the level is a constant that exists
	}
	if _, err := z.Write(plain); err != nil {
		panic(err) // a buffer does not fail
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}
