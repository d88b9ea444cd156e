package bench

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// firstAnswer connects to addr and asks for the route of a topic that nobody has: it is there
// when the server answers, not when its kernel accepts. Package client would not do: whatever
// comes is an answer here, while a yardstick's first replies bear no opaque of ours.
func firstAnswer(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(bootTimeout))
	h := codec.Header{Code: codec.CodeGetRouteInfoByTopic, Version: codec.Version5_5_0, Opaque: 1, Ext: []codec.ExtField{{Key: "topic", Value: "nobody-has-this-topic"}}}
	if _, err := c.Write(codec.AppendCommand(nil, codec.SerializeJSON, &h, nil)); err != nil {
		return err
	}
	var length [lengthBytes]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > frameMax {
		return fmt.Errorf("its first answer says that it has %d bytes", n)
	}
	_, err = io.CopyN(io.Discard, c, int64(n))
	return err
}
