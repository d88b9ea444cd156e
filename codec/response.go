package codec

import "strconv"

// The reply that says nothing but its code 0, around the opaque. The version is 513
// (Version5_5_0); a test holds the two together.
const (
	successJSONPrefix  = "\x00\x00\x00\x00\x00\x00\x00\x00" + `{"code":0,"flag":1,"language":"JAVA","opaque":`
	responseJSONSuffix = `,"serializeTypeCurrentRPC":"JSON","version":513}`
)

// BeginResponse begins the reply to the request with that opaque: it appends a length
// that EndFrame will fill in, and the whole header (version 513, language JAVA, response
// flag). The caller then appends the body, if there is one, and calls EndFrame with the
// mark. An empty remark is none; ext nil is absent, empty is an empty object.
//
// Java: RemotingCommand#createResponseCommand, #fastEncodeHeader.
func BeginResponse(dst []byte, st SerializeType, opaque, code int32, remark string, ext []ExtField) ([]byte, FrameMark) {
	if st == SerializeJSON && code == Success && remark == "" && ext == nil {
		start := len(dst)
		dst = append(dst, successJSONPrefix...)
		dst = strconv.AppendInt(dst, int64(opaque), 10)
		dst = append(dst, responseJSONSuffix...)
		return dst, endHeader(dst, start, st)
	}
	h := Header{
		Code: code, Version: Version5_5_0, Opaque: opaque, Flag: FlagResponse,
		Language: LanguageJava, Remark: remark, HasRemark: remark != "", Ext: ext,
	}
	dst, start := beginFrame(dst)
	dst = appendHeader(dst, st, &h)
	return dst, endHeader(dst, start, st)
}
