package routetable

// RemoveReasons is the number of reasons there are.
const RemoveReasons = int(RemoveRoleSwitched) + 1

var removeReasonNames = [RemoveReasons]string{
	RemoveUnregistered: "unregistered", RemoveConnClosed: "connection_closed",
	RemoveExpired: "expired", RemoveReplaced: "replaced",
	RemoveRoleSwitched: "role_switched",
}

// String returns the reason as logs and metrics show it.
func (r RemoveReason) String() string {
	if int(r) < RemoveReasons {
		return removeReasonNames[r]
	}
	return "unknown"
}

var stateNames = [...]string{StateLive: "live", StateHeld: "held", StateParked: "parked", StateRemoved: "removed"}

// String returns the state as logs and metrics show it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}
