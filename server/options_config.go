package server

import (
	"fmt"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
)

// OptionsFrom returns the options that the configuration asks for. serverSocketBacklog is
// ignored, as in Java, which always uses 1024.
func OptionsFrom(c *config.Namesrv) (Options, error) {
	o := Options{
		BindAddress:              c.BindAddress,
		Port:                     c.ListenPort,
		SocketSendBufferBytes:    c.ServerSocketSndBufSize,
		SocketReceiveBufferBytes: c.ServerSocketRcvBufSize,
		EventLoops:               c.EventLoops,
		OneProcessorWhenQuiet:    true,
		Lanes:                    c.Lanes,
		ConnectionsMax:           c.ConnectionsMax,
		Limits: codec.Limits{
			FrameBytesMax:    c.FrameBytesMax,
			HeaderBytesMax:   c.HeaderBytesMax,
			ExtFieldsMax:     c.ExtFieldsMax,
			InflatedBytesMax: c.InflatedBytesMax,
			JSONDepthMax:     c.JSONDepthMax,
			TopicsMax:        c.TopicsMax,
		},
		PartialFrameBytesMax:       c.PartialFrameBytesMax,
		PartialFrameStallMillis:    int64(c.PartialFrameStallSeconds) * 1000,
		LaneBytesMax:               c.LaneBytesMax,
		OutboundBytesMax:           c.OutboundBytesMax,
		ConnectionOutboundBytesMax: c.ConnectionOutboundBytesMax,
		OutboundStallMillis:        int64(c.OutboundStallSeconds) * 1000,
		IdleSeconds:                c.ServerChannelMaxIdleTimeSeconds,
		ShutdownGracefully:         c.EnableShutdownGracefully,
		ShutdownWaitSeconds:        c.ShutdownWaitTimeSeconds,
	}
	if o.IdleSeconds <= 0 {
		o.IdleSeconds = -1 // Java's idle handler: zero disables it
	}
	switch c.SerializeType {
	case "", codec.SerializeJSON.String():
		o.SerializeType = codec.SerializeJSON
	case codec.SerializeRocketMQ.String():
		o.SerializeType = codec.SerializeRocketMQ
	default:
		return o, fmt.Errorf("serialize type %q is neither JSON nor ROCKETMQ", c.SerializeType)
	}
	return o, nil
}
