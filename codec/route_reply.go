package codec

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

// Answers to route requests that a Predictor knew. Such a request says its correlation id in
// as many digits as the answer has to, so that the answer is pieces that were written before,
// around these digits.

// routeSuccess is successJSONPrefix, as an array: it is copied without a call.
var routeSuccess = [len(successJSONPrefix)]byte([]byte(successJSONPrefix))

// routeSuffix is responseJSONSuffix.
var routeSuffix = [len(responseJSONSuffix)]byte([]byte(responseJSONSuffix))

// AppendSuccess appends the whole reply SUCCESS with that body, in JSON: what BeginResponse,
// the body and EndFrame make. False: it would be larger than lim allows, and dst is as it was.
func (r *RouteRequest) AppendSuccess(dst, body []byte, lim *Limits) ([]byte, bool) {
	return r.appendSuccess(dst, body, 0, lim)
}

// AppendSuccessBefore is AppendSuccess without the body, of bodyBytes, which the caller sends
// behind it.
func (r *RouteRequest) AppendSuccessBefore(dst []byte, bodyBytes int, lim *Limits) ([]byte, bool) {
	return r.appendSuccess(dst, nil, bodyBytes, lim)
}

// BeginSuccess is BeginResponse for the reply SUCCESS, in JSON, with a body whose size is not
// known yet: the caller appends it and calls EndFrame.
func (r *RouteRequest) BeginSuccess(dst []byte) ([]byte, FrameMark) {
	start := len(dst)
	dst, _ = r.appendSuccess(dst, nil, 0, &unlimited)
	return dst, FrameMark{start: start, body: len(dst)}
}

// unlimited: EndFrame compares with the limit.
var unlimited = Limits{FrameBytesMax: math.MaxInt}

// appendSuccess appends a reply with body, and room in its length for restBytes more.
func (r *RouteRequest) appendSuccess(dst, body []byte, restBytes int, lim *Limits) ([]byte, bool) {
	header := len(routeSuccess) - FramePrefixBytes + r.digits + len(routeSuffix)
	size := FramePrefixBytes + header + len(body)
	total := size + restBytes
	if total > lim.FrameBytesMax {
		return dst, false
	}
	start := len(dst)
	// Digits are written eight at a time.
	dst = slices.Grow(dst, size+templateDigitsMax)[:start+size]
	p := dst[start:cap(dst)]
	*(*[len(routeSuccess)]byte)(p) = routeSuccess
	binary.BigEndian.PutUint32(p, uint32(total-frameLengthBytes))
	binary.BigEndian.PutUint32(p[frameLengthBytes:], uint32(header)) // of type JSON, which is 0
	p = p[len(routeSuccess):]
	binary.LittleEndian.PutUint64(p, r.opaqueText)
	p = p[r.digits:]
	*(*[len(routeSuffix)]byte)(p) = routeSuffix
	copy(p[len(routeSuffix):], body)
	return dst, true
}

// RouteRefusal makes replies to route requests without a body, whose remark names the topic.
type RouteRefusal struct {
	// What stands before the correlation id, from there to the topic, and behind that.
	before, between, behind []byte
}

// NewRouteRefusal prepares replies of that code, with the remark before + topic + after.
func NewRouteRefusal(code int32, before, after string) *RouteRefusal {
	r := new(RouteRefusal)
	r.before, _ = beginFrame(nil)
	r.before = strconv.AppendInt(append(r.before, `{"code":`...), int64(code), 10)
	r.before = append(r.before, `,"flag":1,"language":"JAVA","opaque":`...)
	r.between = AppendJSONString([]byte(`,"remark":`), before, DialectPlain)
	r.between = r.between[:len(r.between)-1]
	r.behind = AppendJSONString(nil, after, DialectPlain)[1:]
	r.behind = append(r.behind, responseJSONSuffix...)
	return r
}

// AppendRefusal appends the whole reply that t prepares, in JSON: the topic of a request that
// was predicted has nothing to escape. False: as for AppendSuccess.
func (r *RouteRequest) AppendRefusal(dst []byte, t *RouteRefusal, lim *Limits) ([]byte, bool) {
	total := len(t.before) + r.digits + len(t.between) + len(r.Topic) + len(t.behind)
	if total > lim.FrameBytesMax {
		return dst, false
	}
	start := len(dst)
	dst = slices.Grow(dst, total+templateDigitsMax)[:start+total]
	p := dst[start:cap(dst)]
	p = p[copy(p, t.before):]
	binary.LittleEndian.PutUint64(p, r.opaqueText)
	p = p[r.digits:]
	p = p[copy(p, t.between):]
	p = p[copy(p, r.Topic):]
	copy(p, t.behind)
	binary.BigEndian.PutUint32(dst[start:], uint32(total-frameLengthBytes))
	binary.BigEndian.PutUint32(dst[start+frameLengthBytes:], uint32(total-FramePrefixBytes)) // of type JSON, which is 0
	return dst, true
}
