package server

// CloseReason says why a connection ended. It is what the log and the metrics show, and
// what decides whether a broker's registration goes with its connection (unregisters).
type CloseReason uint8

// The reasons a connection ends for. The first two are the peer's doing (or the
// network's); all others are ours.
const (
	// ClosePeer: the peer closed its side in order (FIN).
	ClosePeer CloseReason = iota
	// CloseBroken: the connection was reset or timed out, or a write to it failed.
	CloseBroken
	// CloseIdle: neither a whole frame came nor anything was sent for
	// serverChannelMaxIdleTimeSeconds.
	CloseIdle
	// CloseBadFrame: what came is not a frame that can be decoded.
	CloseBadFrame
	// CloseUnsupported: the first bytes are TLS or the PROXY protocol.
	CloseUnsupported
	// ClosePartialStalled: an unfinished frame made no progress for its time.
	ClosePartialStalled
	// CloseInboundMemory: unread input, of this connection or of all, is over its limit.
	CloseInboundMemory
	// CloseOutboundStalled: the peer took none of the bytes that wait for it in its time.
	CloseOutboundStalled
	// CloseOutboundMemory: unsent output, of this connection or of all, is over its limit.
	CloseOutboundMemory
	// CloseExpired: its broker was not heard of within its heartbeat timeout.
	CloseExpired
	// CloseHalfDead: the kernel's evidence says that its peer cannot be reached any more.
	CloseHalfDead
	// CloseInternal: serving it panicked.
	CloseInternal
	// CloseEngine: the event engine ended and is being restarted.
	CloseEngine
	// CloseShutdown: the server stops.
	CloseShutdown

	closeReasons = int(CloseShutdown) + 1
)

var closeReasonNames = [closeReasons]string{
	ClosePeer: "peer", CloseBroken: "broken", CloseIdle: "idle", CloseBadFrame: "bad_frame",
	CloseUnsupported: "unsupported_protocol", ClosePartialStalled: "partial_frame_stalled",
	CloseInboundMemory: "inbound_memory", CloseOutboundStalled: "outbound_stalled",
	CloseOutboundMemory: "outbound_memory", CloseExpired: "expired", CloseHalfDead: "half_dead", CloseInternal: "internal_error",
	CloseEngine: "engine_restart", CloseShutdown: "shutdown",
}

// String returns the reason as the metrics label it.
func (r CloseReason) String() string {
	if int(r) < closeReasons {
		return closeReasonNames[r]
	}
	return "unknown"
}
