package differential

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The largest reply the test is willing to read, in bytes.
const replyBytesMax = 16 << 20

// Frame builds a frame from a header as it is, legal or not.
func Frame(serialize byte, header, body []byte) []byte {
	out := make([]byte, 8, 8+len(header)+len(body))
	binary.BigEndian.PutUint32(out, uint32(4+len(header)+len(body)))
	binary.BigEndian.PutUint32(out[4:], uint32(serialize)<<24|uint32(len(header)))
	out = append(out, header...)
	return append(out, body...)
}

// Reply is one frame that came back from a server.
type Reply struct {
	Serialize byte
	RawHeader []byte
	Body      []byte

	Code     int32
	Flag     int32
	Opaque   int32
	Version  int32
	Language string
	Remark   *string           // nil: absent
	Ext      map[string]string // nil: absent
}

// replyHeader is the JSON header of a reply; a reply's header is legal JSON.
type replyHeader struct {
	Code     int32             `json:"code"`
	Flag     int32             `json:"flag"`
	Opaque   int32             `json:"opaque"`
	Version  int32             `json:"version"`
	Language string            `json:"language"`
	Remark   *string           `json:"remark"`
	Ext      map[string]string `json:"extFields"`
}

// ReadReply reads one frame. It returns io.EOF only at a frame boundary.
func ReadReply(r io.Reader) (*Reply, error) {
	var prefix [8]byte
	if _, err := io.ReadFull(r, prefix[:4]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(prefix[:4])
	if length < 4 || length > replyBytesMax {
		return nil, fmt.Errorf("reply with length field %d", length)
	}
	if _, err := io.ReadFull(r, prefix[4:]); err != nil {
		return nil, noEOF(err)
	}
	word := binary.BigEndian.Uint32(prefix[4:])
	headerLen := word & 0xFFFFFF
	if headerLen > length-4 {
		return nil, fmt.Errorf("reply of length %d with header length %d", length, headerLen)
	}
	rest := make([]byte, length-4)
	if _, err := io.ReadFull(r, rest); err != nil {
		return nil, noEOF(err)
	}
	return parseReply(byte(word>>24), rest[:headerLen], rest[headerLen:])
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseReply decodes the header strictly: a reply that is not legal JSON is an error.
func parseReply(serialize byte, header, body []byte) (*Reply, error) {
	if serialize != 0 {
		return nil, fmt.Errorf("reply with serialize type %d; both servers run with JSON", serialize)
	}
	var h replyHeader
	dec := json.NewDecoder(bytes.NewReader(header))
	dec.DisallowUnknownFields()
	// serializeTypeCurrentRPC is always there; it is read through a second, wider type so
	// that any other unexpected key is an error.
	wide := struct {
		*replyHeader
		Serialize string `json:"serializeTypeCurrentRPC"`
	}{replyHeader: &h}
	if err := dec.Decode(&wide); err != nil {
		return nil, fmt.Errorf("reply header %q: %w", header, err)
	}
	return &Reply{
		Serialize: serialize, RawHeader: header, Body: body,
		Code: h.Code, Flag: h.Flag, Opaque: h.Opaque, Version: h.Version,
		Language: h.Language, Remark: h.Remark, Ext: h.Ext,
	}, nil
}

// binaryHeader writes a ROCKETMQ header. Fields outside what the form can carry are cut.
func binaryHeader(code int32, language byte, version, opaque, flag int32, remark string, ext []Ext) []byte {
	var b []byte
	b = binary.BigEndian.AppendUint16(b, uint16(code))
	b = append(b, language)
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(opaque))
	b = binary.BigEndian.AppendUint32(b, uint32(flag))
	b = binary.BigEndian.AppendUint32(b, uint32(len(remark)))
	b = append(b, remark...)
	var m []byte
	for _, e := range ext {
		m = binary.BigEndian.AppendUint16(m, uint16(len(e.Key)))
		m = append(m, e.Key...)
		m = binary.BigEndian.AppendUint32(m, uint32(len(e.Value)))
		m = append(m, e.Value...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(m)))
	return append(b, m...)
}

// Ext is one ext field of a request, in the order it is sent. Raw, when set, replaces the
// JSON string of the value in a JSON header (a number, null, ...).
type Ext struct {
	Key, Value string
	Raw        string
}
