package codec

import "strconv"

// ExtField is one ext field to send.
type ExtField struct {
	Key   string // a name of the protocol, at most 32767 bytes
	Value string
}

// Header is a command to send, without its body (Java: RemotingCommand).
type Header struct {
	Code     int32
	Version  int32
	Opaque   int32
	Flag     int32
	Language LanguageCode
	// Remark is sent if HasRemark; an absent remark is null to the receiver.
	Remark    string
	HasRemark bool
	// Ext: nil is absent, empty is an empty object (only JSON can tell them apart).
	Ext []ExtField
}

// AppendCommand appends a whole frame: a request of ours (905, nsctl), or a reply on a
// path where BeginResponse's in-place body does not matter. It does not check any limit:
// what it sends is ours, and a reply that could grow goes through EndFrame.
func AppendCommand(dst []byte, st SerializeType, h *Header, body []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendHeader(dst, st, h)
	m := endHeader(dst, start, st)
	dst = append(dst, body...)
	putFrameLength(dst, m, 0)
	return dst
}

func appendHeader(dst []byte, st SerializeType, h *Header) []byte {
	if st == SerializeRocketMQ {
		return appendBinaryHeader(dst, h)
	}
	return appendJSONHeader(dst, h)
}

// appendJSONHeader appends a JSON header, its keys in alphabetical order and those of
// null values left out, as Java writes it. C++ and Node clients read it with strict
// parsers: it has no integer keys, so both dialects are one.
func appendJSONHeader(dst []byte, h *Header) []byte {
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(h.Code), 10)
	dst = appendJSONExt(dst, h.Ext)
	dst = append(dst, `,"flag":`...)
	dst = strconv.AppendInt(dst, int64(h.Flag), 10)
	if h.Language != LanguageUnknown {
		dst = append(dst, `,"language":"`...)
		dst = append(dst, h.Language.String()...)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"opaque":`...)
	dst = strconv.AppendInt(dst, int64(h.Opaque), 10)
	if h.HasRemark {
		dst = append(dst, `,"remark":`...)
		dst = AppendJSONString(dst, h.Remark, DialectPlain)
	}
	dst = append(dst, `,"serializeTypeCurrentRPC":"JSON","version":`...)
	dst = strconv.AppendInt(dst, int64(h.Version), 10)
	return append(dst, '}')
}

// appendJSONExt appends the extFields member with the comma before it; nothing for nil.
func appendJSONExt(dst []byte, ext []ExtField) []byte {
	if ext == nil {
		return dst
	}
	dst = append(dst, `,"extFields":{`...)
	for i, f := range ext {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendJSONString(dst, f.Key, DialectPlain)
		dst = append(dst, ':')
		dst = AppendJSONString(dst, f.Value, DialectPlain)
	}
	return append(dst, '}')
}
