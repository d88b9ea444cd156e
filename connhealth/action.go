package connhealth

import "net/netip"

// ActionKind says what the owner is to do.
type ActionKind uint8

// The kinds of actions.
const (
	// ActSuspect and ActRecovered tell of a connection whose silence began or ended; nothing
	// is to be done.
	ActSuspect ActionKind = iota
	ActRecovered
	// ActHold: move Broker to HELD, until UntilMillis at the latest (informative: another
	// action ends it). Its connection is closed; do not unregister it.
	ActHold
	// ActPark: hide Broker.
	ActPark
	// ActRestore: show Broker again, or end its hold. Renew says whether that counts as a
	// heartbeat; otherwise its last-seen time stays, so that its own expiry still comes.
	ActRestore
	// ActRemove: unregister Broker as Java does on a close.
	ActRemove
	// ActCloseConn: close Conn with a reset, and free it. Report Closed(CloseOurs) then.
	ActCloseConn
	// ActDialBack: connect to Broker.Addr within TimeoutMillis, close at once, and report
	// DialResult with Dial.
	ActDialBack
	// ActKeepalive: set the keepalive of Conn to that of broker connections: it stands for a
	// broker now, or a witness is needed. It may be set back after UntilMillis; 0: never.
	ActKeepalive
	// ActFreeze and ActThaw tell that the detector began or ceased to be patient for its own
	// fault; nothing is to be done.
	ActFreeze
	ActThaw
)

var actionNames = [...]string{"suspect", "recovered", "hold", "park", "restore", "remove", "close_conn", "dial_back",
	"keepalive", "freeze", "thaw"}

// String names the action.
func (k ActionKind) String() string {
	if int(k) < len(actionNames) {
		return actionNames[k]
	}
	return "unknown"
}

// Action is one thing for the owner to do or to note. The slices of actions that methods
// return are valid until the next call; explanations are the caller's to keep.
type Action struct {
	Kind          ActionKind
	Conn          ConnID
	Peer          netip.AddrPort // of Conn, if it is open, or closed just now; else zero
	Broker        Broker         // zero: about a connection alone
	UntilMillis   int64
	TimeoutMillis int64
	Renew         bool
	Dial          uint64       // of ActDialBack: to be given back with its result
	Why           *Explanation // nil of ActDialBack and ActKeepalive
}
