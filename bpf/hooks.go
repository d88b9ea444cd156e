package bpf

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// hook is one tracepoint: the program of the same name, and what is lost without it.
type hook struct {
	name    string
	feature string
}

const (
	hookRetransmit = "tcp_retransmit_skb"
	hookSendReset  = "tcp_send_reset"
	progDump       = "dump_sockets"
)

var hooks = []hook{
	{hookRetransmit, "retransmissions and their causes"},
	{"tcp_retransmit_synack", "unanswered SYN-ACKs (evidence of a path that works one way only)"},
	{"inet_sk_error_report", "the moment and number of a socket's final error"},
	{"inet_sock_set_state", "the order of FIN, RST and close on broker connections"},
	{"tcp_receive_reset", "resets by the peer"},
	{hookSendReset, "resets by us and their reasons"},
}

// Missing is something this kernel, or this process, could not do.
type Missing struct {
	Hook    string // a tracepoint, "sk_storage" or "iter/tcp"
	Feature string // what is lost with it
	Reason  string // why, in one line
}

func (m Missing) String() string {
	return fmt.Sprintf("%s: no %s: %s", m.Hook, m.Feature, m.Reason)
}

// parameters returns how many arguments a tracepoint hands to a program, not counting the
// tracepoint's own context; an error if the kernel has no such tracepoint.
func parameters(kernel *btf.Spec, tracepoint string) (int, error) {
	var t *btf.Typedef
	if err := kernel.TypeByName("btf_trace_"+tracepoint, &t); err != nil {
		return 0, fmt.Errorf("this kernel has no tracepoint %s", tracepoint)
	}
	pointer, ok := btf.UnderlyingType(t).(*btf.Pointer)
	if !ok {
		return 0, fmt.Errorf("btf_trace_%s is a %T", tracepoint, btf.UnderlyingType(t))
	}
	proto, ok := btf.UnderlyingType(pointer.Target).(*btf.FuncProto)
	if !ok {
		return 0, fmt.Errorf("btf_trace_%s points to a %T", tracepoint, pointer.Target)
	}
	return len(proto.Params) - 1, nil
}
