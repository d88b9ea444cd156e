package codec

import "fmt"

// Bits of a command's flag. The others are ignored, as in Java.
const (
	FlagResponse int32 = 1 << 0
	FlagOneway   int32 = 1 << 1
)

// Command is a borrowed view of one frame (Java: RemotingCommand). It is made to be
// reused: Decode resets it, and in steady state allocates nothing. Keep one for each event
// loop rather than one for each connection; it is about a kilobyte.
//
// Every slice it holds or returns points into the frame, or into c where escapes had to
// be resolved, with no spare capacity. All of them are valid until the frame is discarded
// or c decodes again, whichever comes first. Do not store them; make a copy instead.
type Command struct {
	Code    int32
	Version int32
	Opaque  int32
	Flag    int32

	Language  LanguageCode
	Serialize SerializeType // of this frame's header

	// HasOpaque: the header named its correlation id. Java makes one up otherwise.
	HasOpaque bool
	// HasExt: the header had ext fields, if only an empty object.
	HasExt bool

	Remark []byte // nil: none
	Body   []byte // nil: none; a body is never empty

	ext extTable
	// scratch is what resolving escapes and replacing what is not UTF-8 made: at most
	// three times the header. Its array is reused.
	scratch []byte
}

// scratchKeepBytes is the largest scratch array a Command keeps from frame to frame.
const scratchKeepBytes = 64 << 10

// IsResponse: the frame answers a request of ours (Java: isResponseType).
func (c *Command) IsResponse() bool { return c.Flag&FlagResponse != 0 }

// IsOneway: the sender wants no answer, not even to an error (Java: isOnewayRPC).
func (c *Command) IsOneway() bool { return c.Flag&FlagOneway != 0 }

// Reset forgets the last frame, and lets go of everything it pointed to.
func (c *Command) Reset() {
	*c = Command{
		ext:     extTable{more: c.ext.more[:0]},
		scratch: c.scratch[:0],
	}
	clear(c.ext.more[:cap(c.ext.more)])
}

// Decode reads a whole frame, its 4 length bytes included, and borrows it. Fields a
// header does not name are as in a new RemotingCommand of Java: 0, language JAVA, no
// remark, no ext fields; the opaque, which Java then draws itself, is for the caller to
// choose when HasOpaque is false.
//
// After an error (those of FrameSize, ErrHeader, ErrTooManyExtFields) the content of c is
// meaningless and the connection must be closed without a reply, as Java does.
//
// Java: RemotingCommand#decode.
func (c *Command) Decode(frame []byte, lim *Limits) error {
	c.begin()
	if len(frame) < FramePrefixBytes {
		return fmt.Errorf("%w: %d bytes are no frame", ErrFrameLength, len(frame))
	}
	totalBytes, err := FrameSize(frame[:frameLengthBytes], lim)
	if err != nil {
		return err
	}
	if totalBytes != len(frame) {
		return fmt.Errorf("%w: %d bytes announced, %d there", ErrFrameLength, totalBytes, len(frame))
	}
	st, headerBytes, err := frameWord(frame, int64(len(frame)-FramePrefixBytes), lim)
	if err != nil {
		return err
	}
	c.Serialize = st
	bodyStart := FramePrefixBytes + headerBytes
	if bodyStart < len(frame) {
		c.Body = frame[bodyStart:len(frame):len(frame)]
	}
	header := frame[FramePrefixBytes:bodyStart:bodyStart]
	if st == SerializeJSON {
		return c.decodeJSONHeader(header, lim)
	}
	return c.decodeBinaryHeader(header, lim)
}

// begin makes c a new command without giving its arrays away. The ext entries themselves
// stay as they are: n says how many count.
func (c *Command) begin() {
	c.Code, c.Version, c.Opaque, c.Flag = 0, 0, 0, 0
	c.Language, c.Serialize = LanguageJava, SerializeJSON
	c.HasOpaque, c.HasExt = false, false
	c.Remark, c.Body = nil, nil
	c.ext.reset()
	if cap(c.scratch) > scratchKeepBytes {
		c.scratch = nil
	}
	c.scratch = c.scratch[:0]
}
