package server

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Options says where a Server listens and what it may use. The zero value of a field is
// its default, unless it says otherwise.
type Options struct {
	// BindAddress is an IP address (v4, or v6 without brackets) or host name. Empty,
	// 0.0.0.0 and :: mean all addresses, of both families, as in Java.
	BindAddress string
	// Port to listen on; 0 is any free one, see Server.Addr.
	Port int
	// SocketSendBufferBytes and SocketReceiveBufferBytes; 0 leaves them to the kernel.
	SocketSendBufferBytes    int
	SocketReceiveBufferBytes int
	// BacklogMax bounds the queue of connections the kernel has accepted for us; less
	// with few descriptors. Default 1024, as in Java.
	BacklogMax int

	// EventLoops that read and answer. Default: one less than the processors, at least 1.
	// GOMAXPROCS is raised to one more than this, so that a lane that parses cannot keep
	// the loops from running.
	EventLoops int
	// OneProcessorWhenQuiet lets a server with one event loop set GOMAXPROCS to 1 while it has
	// little to do (processors.go). For a process that has nothing else to do.
	OneProcessorWhenQuiet bool
	// Lanes for heavy requests. Default: a quarter of GOMAXPROCS, at least 1.
	Lanes int
	// ReadBufferBytes is what is read from one connection at a time. Small is fair.
	// Default 16 KiB.
	ReadBufferBytes int

	// Limits of the codec; FrameBytesMax among them. Zero: codec.DefaultLimits.
	Limits codec.Limits
	// SerializeType is the header form of every reply, whatever the request's was.
	SerializeType codec.SerializeType

	// ConnectionsMax: one more is accepted and closed. Default: the descriptor limit
	// less a reserve (see descriptors.go). A larger value than that is cut down to it.
	ConnectionsMax int

	// PartialFrameBytesMax bounds what was read and not yet handled, over all
	// connections; beyond it those whose frames rest longest are closed. Frames above 64 KiB
	// may have half of it (or of LaneBytesMax, if that is less): one that does not fit is not
	// read until it does. Bytes are counted, not what holds them, which can be twice as much.
	// Default 256 MiB.
	PartialFrameBytesMax int64
	// PartialFrameStallMillis: an unfinished frame that nothing was added to for so long
	// closes its connection. Default 30 s.
	PartialFrameStallMillis int64
	// LaneBytesMax bounds what waits in brokers' lanes; the lanes for the disk and for lists
	// have a quarter of it each besides. Default 256 MiB.
	LaneBytesMax int64
	// OutboundBytesMax bounds what was answered and the kernel has not taken, over all
	// connections; beyond it those with the most are closed. Default 512 MiB.
	OutboundBytesMax int64
	// ConnectionOutboundBytesMax is the same for one connection. Default (and least): the
	// largest reply and 1 MiB. Long before it, from OutboundPauseBytes on, no further
	// request of the connection is read.
	ConnectionOutboundBytesMax int64
	// OutboundPauseBytes: see above. Default 512 KiB.
	OutboundPauseBytes int
	// OutboundStallMillis: a peer that took none of what waits for it for so long is
	// closed. Slow is fine: any progress counts. Default 30 s.
	OutboundStallMillis int64

	// IdleSeconds: a connection with neither a whole frame in nor anything out for so
	// long is closed (serverChannelMaxIdleTimeSeconds). Default 120; negative: never.
	IdleSeconds int

	// ShutdownGracefully (enableShutdownGracefully): Stop first answers requests of
	// clients that understand it with GO_AWAY for ShutdownWaitSeconds.
	ShutdownGracefully  bool
	ShutdownWaitSeconds int

	// batchFrames and batchOutBytes bound the work of one callback; tests lower them.
	batchFrames   int
	batchOutBytes int
	// intakeLookMillis is how often it is looked whether large frames come in; tests lower it.
	intakeLookMillis int64
	// quietAfterMillis is how long a server with one processor was quiet; tests lower it.
	quietAfterMillis int64
}

const (
	defaultBacklog         = 1024
	defaultReadBuffer      = 16 << 10
	defaultBatchFrames     = 512
	defaultBatchOutBytes   = 256 << 10
	defaultOutboundPause   = 512 << 10
	outboundHeadroom       = 1 << 20
	inboundHeadroom        = 1 << 20
	defaultStallMillis     = 30_000
	defaultIdleSeconds     = 120
	defaultPartialBytesMax = 256 << 20
	defaultLaneBytesMax    = 256 << 20
	defaultOutboundBytes   = 512 << 20
)

// withDefaults fills in what is zero, and checks what is not.
func (o Options) withDefaults() (Options, error) {
	if o.Port < 0 || o.Port > math.MaxUint16 {
		return o, fmt.Errorf("listenPort is %d: a port is between 0 and %d", o.Port, math.MaxUint16)
	}
	if o.SerializeType > codec.SerializeRocketMQ {
		return o, fmt.Errorf("serialize type %d is neither JSON (0) nor ROCKETMQ (1)", o.SerializeType)
	}
	o.Limits = limitsWithDefaults(o.Limits)
	set(&o.BacklogMax, defaultBacklog)
	set(&o.EventLoops, max(1, runtime.GOMAXPROCS(0)-1)) // which knows a container's share
	set(&o.Lanes, max(1, max(runtime.GOMAXPROCS(0), o.EventLoops+1)/4))
	set(&o.ReadBufferBytes, defaultReadBuffer)
	set(&o.PartialFrameBytesMax, defaultPartialBytesMax)
	set(&o.PartialFrameStallMillis, defaultStallMillis)
	set(&o.LaneBytesMax, defaultLaneBytesMax)
	set(&o.OutboundBytesMax, defaultOutboundBytes)
	set(&o.OutboundPauseBytes, defaultOutboundPause)
	set(&o.OutboundStallMillis, defaultStallMillis)
	set(&o.intakeLookMillis, defaultIntakeLook)
	set(&o.quietAfterMillis, defaultQuietAfter)
	set(&o.batchFrames, defaultBatchFrames)
	set(&o.batchOutBytes, defaultBatchOutBytes)
	if o.IdleSeconds == 0 {
		o.IdleSeconds = defaultIdleSeconds
	}
	o.ConnectionOutboundBytesMax = max(o.ConnectionOutboundBytesMax, int64(o.Limits.FrameBytesMax)+outboundHeadroom)
	return o, nil
}

func (o *Options) shutdownWait() time.Duration {
	return time.Duration(max(0, o.ShutdownWaitSeconds)) * time.Second
}

// inboundBytesMax bounds what one connection may have read and not handled: the largest
// frame, and what can pile up behind a peer that reads slower than it asks.
func (o *Options) inboundBytesMax() int64 { return int64(o.Limits.FrameBytesMax) + inboundHeadroom }

func set[T int | int64](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

func limitsWithDefaults(l codec.Limits) codec.Limits {
	d := codec.DefaultLimits()
	set(&l.FrameBytesMax, d.FrameBytesMax)
	set(&l.HeaderBytesMax, d.HeaderBytesMax)
	set(&l.ExtFieldsMax, d.ExtFieldsMax)
	set(&l.InflatedBytesMax, d.InflatedBytesMax)
	set(&l.JSONDepthMax, d.JSONDepthMax)
	set(&l.TopicsMax, d.TopicsMax)
	return l
}
