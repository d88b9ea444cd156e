package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"
)

// Goal: a frame that is announced large and does not come costs next to nothing.
func TestAnnouncedBytesAreNotAllocated(t *testing.T) {
	frame := binary.BigEndian.AppendUint32(nil, 16<<20-4) // the largest legal one
	frame = append(frame, 0, 0, 0, 2, '{', '}')
	var before, after runtime.MemStats
	const rounds = 20
	runtime.ReadMemStats(&before)
	for range rounds {
		in := bufio.NewReaderSize(bytes.NewReader(frame), readBufferBytes)
		if _, err := readFrame(in, &testLimits); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > 1<<20 {
		t.Errorf("%d bytes were allocated for 10 that came", each)
	}
}
