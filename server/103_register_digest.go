package server

import (
	"hash/crc32"

	"github.com/pharosmq/pharos/routetable"
)

// crcMask: Java keeps checksums in an int that is never negative.
const crcMask = 0x7FFFFFFF

// registerSink takes the checksum and the digest of a registration's body on its way in.
// The digest leaves out what a 5.x broker changes each time (mappingTimestamp).
type registerSink struct {
	digester *routetable.Digester
	crc      uint32
	head     [registerHeadBytes]byte // the body's first bytes, until they are digested
	headLen  int
}

// FeedBody implements BodySink.
func (s *registerSink) FeedBody(chunk []byte) {
	s.crc = crc32.Update(s.crc, crc32.IEEETable, chunk)
	if s.headLen < len(s.head) {
		n := copy(s.head[s.headLen:], chunk)
		s.headLen += n
		chunk = chunk[n:]
		if s.headLen < len(s.head) {
			return
		}
		s.digestHead()
	}
	_, _ = s.digester.Write(chunk)
}

func (s *registerSink) digestHead() {
	head := s.head[:s.headLen]
	begin, end := mappingTimestamp(head)
	_, _ = s.digester.Write(head[:begin])
	_, _ = s.digester.Write(head[end:])
	// What is left out must not look like what was never there. No body has such a byte.
	left := byte(0)
	if begin != end {
		left = 1
	}
	_, _ = s.digester.Write([]byte{left})
}

// digest is that of the whole body, and ends it.
func (s *registerSink) digest() routetable.Digest {
	if s.headLen < len(s.head) {
		s.digestHead()
	}
	return s.digester.Sum()
}

// newRegisterSink returns a sink that knows the header.
func (h *handlers) newRegisterSink(header *routetable.RegistrationHeader) *registerSink {
	s, _ := h.registerSinks.Get().(*registerSink)
	if s == nil {
		s = &registerSink{digester: h.table.NewDigester()}
	}
	s.crc, s.headLen = 0, 0
	s.digester.Reset()
	s.digester.WriteHeader(header)
	return s
}

// beginRegister has the body of a large registration fed to a sink while it arrives: at
// its end there is no callback that computes for milliseconds.
func beginRegister(h *handlers, rq *Request) BodySink {
	var header routetable.RegistrationHeader
	readRegistrationHeader(rq.Cmd, &header)
	return h.newRegisterSink(&header)
}

// checkRegisterBody returns the registration's digest, and whether its checksum is right
// or there is none to check.
func (h *handlers) checkRegisterBody(rq *Request, header *routetable.RegistrationHeader) (d routetable.Digest, crcOK bool) {
	s, fed := rq.Sink().(*registerSink)
	if !fed {
		s = h.newRegisterSink(header)
		s.FeedBody(rq.Cmd.Body)
		rq.Weigh(len(rq.Cmd.Body) / registerBytesPerLookup)
	}
	want, checked := rq.Cmd.ExtInt32("bodyCrc32")
	crcOK = !checked || want == 0 || int64(want) == int64(s.crc&crcMask)
	d = s.digest()
	h.registerSinks.Put(s)
	return d, crcOK
}
