package connhealth

// Class names what is wrong with a connection.
type Class uint8

// The classes. ClassHealthy is none of the ten.
const (
	ClassHealthy          Class = iota
	ClassPeerSilent             // data unanswered, nothing heard: host, cable or NAT entry gone
	ClassIdleSilent             // the same with nothing in flight: probes unanswered
	ClassUnreachable            // a router says so
	ClassOneWay                 // it is heard, but our packets don't arrive
	ClassBigPacketsLost         // small ones arrive: check the MTU
	ClassZeroWindowAlive        // acknowledges, but does not read
	ClassZeroWindowSilent       // window closed, and its probes unanswered
	ClassLossy                  // loses packets, and recovers
	ClassLocalDrop              // our own host refuses to send
	ClassAppSilent              // the kernel answers, the process says nothing
)

var classNames = [...]string{"healthy", "peer_silent", "idle_silent", "unreachable", "one_way", "big_packets_lost",
	"zero_window_alive", "zero_window_silent", "lossy", "local_drop", "app_silent"}

// String is the label of the class.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unknown"
}

// Rule names what decided.
type Rule uint8

// The rules. Names in explanations are these in lower case.
const (
	RuleNone            Rule = iota
	RuleSuspect              // tested silence of SuspectMillis
	RuleSilence              // tested silence, phi and a witness
	RuleOneWay               // the same for answers of a peer that is heard
	RuleMax                  // MaxMillis of tested silence
	RuleClient               // silence of a connection without a broker
	RuleParkedConn           // the connection of a parked broker stayed silent
	RuleCleanClose           // closed out of health
	RuleDoubtfulClose        // closed out of trouble
	RuleConfirmClose         // closed out of health, to be confirmed by a dial-back
	RuleHoldOver             // held, and nothing settled it
	RuleDialRefused          // dial-back: process gone
	RuleDialSilent           // dial-backs unanswered
	RuleDialConnected        // dial-back: alive
	RuleNamed                // a request named the broker
	RuleHeard                // a packet on its own connection
	RuleNewConnection        // a new connection from its host
	RuleNotTheBroker         // the connection taken for the broker's is not
	RuleSynAckLost           // SYN-ACKs to its host unanswered while it is held
	RuleBehindHop            // dead, but only up to the hop in between
	RuleClocksRestarted      // silence so far was forgotten: a fault of our own
	RuleBoundLate            // its connection closed while a request that named it was worked on
)

var ruleNames = [...]string{"none", "suspect", "silence", "one_way", "max", "client", "parked_conn", "clean_close",
	"doubtful_close", "confirm_close", "hold_over", "dial_refused", "dial_silent", "dial_connected", "named", "heard",
	"new_connection", "not_the_broker", "synack_lost", "behind_hop", "clocks_restarted", "bound_late"}

// String is the label of the rule.
func (r Rule) String() string {
	if int(r) < len(ruleNames) {
		return ruleNames[r]
	}
	return "unknown"
}
