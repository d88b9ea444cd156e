package client

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/pharosmq/pharos/codec"
)

// startExampleCluster has the examples run as they stand: it names in NAMESRV_ADDR a loopback
// address that is name server and broker in one. It serves until the process ends.
func startExampleCluster() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go serveExample(conn, ln.Addr().String())
		}
	}()
	return os.Setenv(EnvNameServers, ln.Addr().String())
}

// serveExample answers route lookups and messages until the connection ends.
func serveExample(conn net.Conn, addr string) {
	defer conn.Close()
	lim, cmd := codec.DefaultLimits(), codec.Command{}
	for stored := 0; ; {
		frame := make([]byte, 4)
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		frame = append(frame, make([]byte, binary.BigEndian.Uint32(frame))...)
		if _, err := io.ReadFull(conn, frame[4:]); err != nil || cmd.Decode(frame, &lim) != nil {
			return
		}
		h := codec.Header{Opaque: cmd.Opaque, Flag: codec.FlagResponse, Version: codec.Version5_5_0}
		var body []byte
		switch topic, _ := cmd.Ext("topic"); {
		case cmd.Code == codeSendMessageV2:
			id, _ := cmd.Ext("e")
			h.Ext = []codec.ExtField{{Key: "msgId", Value: "0"}, {Key: "queueId", Value: string(id)}, {Key: "queueOffset", Value: fmt.Sprint(stored)}}
			stored++
		case cmd.Code != codec.CodeGetRouteInfoByTopic || string(topic) == probeTopic:
			h.Code = codec.TopicNotExist
		default:
			body = fmt.Appendf(nil, `{"brokerDatas":[{"brokerAddrs":{"0":%q},"brokerName":"broker-a","cluster":"DefaultCluster"}],`+
				`"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`, addr)
		}
		if _, err := conn.Write(codec.AppendCommand(nil, codec.SerializeJSON, &h, body)); err != nil {
			return
		}
	}
}
