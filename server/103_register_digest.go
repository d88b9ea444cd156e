package server

import (
	"hash/crc32"

	"github.com/pharosmq/pharos/routetable"
)

// crcMask: Java keeps checksums in an int that is never negative.
const crcMask = 0x7FFFFFFF

// registerSink takes the checksum and the digest of a registration's body on its way in.
type registerSink struct {
	digester *routetable.Digester
	crc      uint32
}

// FeedBody implements BodySink.
func (s *registerSink) FeedBody(chunk []byte) {
	s.crc = crc32.Update(s.crc, crc32.IEEETable, chunk)
	_, _ = s.digester.Write(chunk)
}

// newRegisterSink returns a sink that knows the header.
func (h *handlers) newRegisterSink(header *routetable.RegistrationHeader) *registerSink {
	s, _ := h.registerSinks.Get().(*registerSink)
	if s == nil {
		s = &registerSink{digester: h.table.NewDigester()}
	}
	s.crc = 0
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
	d = s.digester.Sum()
	h.registerSinks.Put(s)
	return d, crcOK
}
