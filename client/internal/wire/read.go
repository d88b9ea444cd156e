package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pharosmq/pharos/codec"
)

const (
	readBufferBytes = 16 << 10
	// firstBytes is what is allocated for a frame before more than that has arrived.
	firstBytes = 64 << 10
)

// unaskedMax bounds the frames that nobody asked for between two answers: reading them costs
// time. Brokers tell their clients something a few times a minute.
const unaskedMax = 10_000

// errPeerClosed makes a close by the peer read better than "EOF".
var errPeerClosed = fmt.Errorf("closed by the server: %w", io.EOF)

// progress counts the bytes of a frame on their way to the reader: a large one that arrives is
// a sign of life before it is whole.
type progress struct {
	c    *Conn
	some int // bytes since the frame began, or since they were last heard
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.c.nc.Read(b)
	if p.some += n; p.some >= firstBytes {
		p.some = 0
		p.c.hear()
	}
	return n, err
}

func (c *Conn) hear() { c.heardNanos.Store(int64(time.Since(c.opened))) }

// read hands out replies until the connection ends.
func (c *Conn) read() {
	counted := &progress{c: c}
	in := bufio.NewReaderSize(counted, readBufferBytes)
	var cmd codec.Command
	inARow := 0 // frames that nobody asked for, since the last answer
	for {
		counted.some = 0
		frame, err := readFrame(in, &c.limits)
		if err != nil {
			c.fail(readCause(err))
			return
		}
		if err := cmd.Decode(frame, &c.limits); err != nil {
			c.fail(fmt.Errorf("%w: %w", ErrGarbage, err))
			return
		}
		if cmd.IsResponse() && c.calls.asked(cmd.Opaque) {
			inARow = 0
			c.hear()
			if !c.calls.deliver(cmd.Opaque, own(&cmd, c.addr)) {
				c.late.Add(1)
			}
		} else {
			c.unasked.Add(1)
			if inARow++; inARow > unaskedMax {
				c.fail(fmt.Errorf("%w: %d frames that nobody asked for, and no answer", ErrGarbage, inARow))
				return
			}
		}
		cmd.Reset()
	}
}

func readCause(err error) error {
	if errors.Is(err, io.EOF) {
		return errPeerClosed
	}
	return err
}

// readFrame reads one frame into memory of its own. What is allocated follows what arrives:
// at most twice that, and never more than the frame.
func readFrame(in *bufio.Reader, lim *codec.Limits) ([]byte, error) {
	prefix, err := in.Peek(codec.FramePrefixBytes)
	if err != nil {
		if errors.Is(err, io.EOF) && len(prefix) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	totalBytes, err := codec.FrameSize(prefix, lim)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	frame := make([]byte, min(totalBytes, firstBytes))
	for filled := 0; ; {
		n, err := io.ReadFull(in, frame[filled:])
		if err != nil {
			return nil, err
		}
		filled += n
		if filled == totalBytes {
			return frame, nil
		}
		grown := make([]byte, min(totalBytes, 2*filled))
		copy(grown, frame)
		frame = grown
	}
}
