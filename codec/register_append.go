package codec

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/klauspost/compress/zlib"
)

// AppendRegisterBody appends the JSON body of a REGISTER_BROKER request as a broker of the
// given version writes it: below 37 the bare wrapper, from 413 on with state version,
// attributes and static topics. For pretend brokers; topics keep their order, and what a
// name server has no use for gets its default.
//
// A stamped data version is written without its timestamp, and what is null as null, so
// that parsing the result gives b again.
func AppendRegisterBody(dst []byte, b *RegisterBody, version int32) []byte {
	if version < Version3_0_11 {
		return appendRegisterWrapper(dst, b, version)
	}
	dst = append(dst, `{"filterServerList":`...)
	dst = appendFilterServers(dst, b)
	dst = append(dst, `,"topicConfigSerializeWrapper":`...)
	dst = appendRegisterWrapper(dst, b, version)
	return append(dst, '}')
}

func appendFilterServers(dst []byte, b *RegisterBody) []byte {
	if b.FilterServersNull {
		return append(dst, "null"...)
	}
	return AppendStrings(dst, b.FilterServers)
}

func appendRegisterWrapper(dst []byte, b *RegisterBody, version int32) []byte {
	dst = append(dst, `{"dataVersion":`...)
	dst = appendRegisterDataVersion(dst, b, version)
	if version >= Version5_0_0 {
		dst = append(dst, `,"mappingDataVersion":`...)
		dst = AppendDataVersion(dst, DataVersion{Timestamp: b.DataVersion.Timestamp})
	}
	dst = append(dst, `,"topicConfigTable":`...)
	if b.TopicTableMissing {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, '{')
		for i := range b.Topics {
			dst = appendComma(dst, i)
			dst = appendTopicConfig(dst, &b.Topics[i], version)
		}
		dst = append(dst, '}')
	}
	if version >= Version5_0_0 {
		dst = append(dst, `,"topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{`...)
		for i := range b.Mappings {
			dst = appendComma(dst, i)
			dst = AppendJSONString(dst, b.Mappings[i].Topic, DialectPlain)
			dst = append(dst, ':')
			dst = AppendTopicQueueMappingInfo(dst, &b.Mappings[i].Info, DialectPlain)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendRegisterDataVersion appends the version of the topic table; the state version came
// with 5.0.
func appendRegisterDataVersion(dst []byte, b *RegisterBody, version int32) []byte {
	dst = append(dst, `{"counter":`...)
	dst = strconv.AppendInt(dst, b.DataVersion.Counter, 10)
	if version >= Version5_0_0 {
		dst = append(dst, `,"stateVersion":`...)
		dst = strconv.AppendInt(dst, b.DataVersion.StateVersion, 10)
	}
	if !b.DataVersionStamped {
		dst = append(dst, `,"timestamp":`...)
		dst = strconv.AppendInt(dst, b.DataVersion.Timestamp, 10)
	}
	return append(dst, '}')
}

// appendTopicConfig appends one entry of the topic table, with its key.
func appendTopicConfig(dst []byte, t *TopicConfig, version int32) []byte {
	dst = append(dst, '"')
	dst = appendJSONText(dst, t.Key)
	dst = append(dst, `":{`...)
	if version >= Version5_0_0 {
		dst = append(dst, `"attributes":{},`...)
	}
	dst = append(dst, `"order":false,"perm":`...)
	dst = strconv.AppendInt(dst, int64(t.Perm), 10)
	dst = append(dst, `,"readQueueNums":`...)
	dst = strconv.AppendInt(dst, int64(t.ReadQueueNums), 10)
	dst = append(dst, `,"topicFilterType":"SINGLE_TAG"`...)
	if t.Name != nil {
		dst = append(dst, `,"topicName":"`...)
		dst = appendJSONText(dst, t.Name)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"topicSysFlag":`...)
	dst = strconv.AppendInt(dst, int64(t.TopicSysFlag), 10)
	dst = append(dst, `,"writeQueueNums":`...)
	dst = strconv.AppendInt(dst, int64(t.WriteQueueNums), 10)
	return append(dst, '}')
}

// AppendRegisterBodyCompressed appends the compressed body of a REGISTER_BROKER request
// (ext field compressed=true) as a broker of the given version, at least 37, writes it.
// The form has no place for keys that differ from names, names with a blank or none,
// topicSysFlag and missing tables: those are lost.
func AppendRegisterBodyCompressed(dst []byte, b *RegisterBody, version int32) []byte {
	out := bytes.NewBuffer(dst)
	w, err := zlib.NewWriterLevel(out, zlib.BestCompression)
	if err == nil {
		_, err = w.Write(appendRegisterParts(nil, b, version))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("codec: deflating into memory failed: " + err.Error()) // there is no such error
	}
	return out.Bytes()
}

// appendRegisterParts appends the compressed form before compression.
func appendRegisterParts(dst []byte, b *RegisterBody, version int32) []byte {
	dst = appendPart(dst, func(dst []byte) []byte { return appendRegisterDataVersion(dst, b, version) })
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b.Topics)))
	for i := range b.Topics {
		dst = appendPart(dst, func(dst []byte) []byte { return appendTopicPart(dst, &b.Topics[i], version) })
	}
	dst = appendPart(dst, func(dst []byte) []byte { return appendFilterServers(dst, b) })
	if version < Version5_0_0 {
		return dst
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b.Mappings)))
	for i := range b.Mappings {
		dst = appendPart(dst, func(dst []byte) []byte {
			return AppendTopicQueueMappingInfo(dst, &b.Mappings[i].Info, DialectPlain)
		})
	}
	return dst
}

// appendPart appends what content appends, with its length before it.
func appendPart(dst []byte, content func([]byte) []byte) []byte {
	start := len(dst)
	dst = content(append(dst, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

func appendTopicPart(dst []byte, t *TopicConfig, version int32) []byte {
	dst = append(dst, t.Name...)
	for _, v := range [...]int32{t.ReadQueueNums, t.WriteQueueNums, t.Perm} {
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(v), 10)
	}
	dst = append(dst, " SINGLE_TAG"...)
	if version >= Version5_0_0 {
		dst = append(dst, " {}"...)
	}
	return dst
}
