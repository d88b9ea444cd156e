// Package bpf reads what the kernel knows about the TCP connections of one server:
// retransmissions with their cause, SYN-ACKs sent again, resets, errors and state changes, as
// they happen, by BPF programs on tracepoints of rare paths. Nothing runs when a segment is
// sent, received or acknowledged.
//
// It knows kernels, not RocketMQ. What is seen is limited to sockets that the caller marked
// with a connection id and a role ([Tracer.MarkSocket]), or that use one of its ports in its
// network namespace. Where BPF can't run, [Open] says why in one sentence and the caller
// samples instead, with package bpf/tcpinfo, which needs no privilege.
//
// CAP_BPF and CAP_PERFMON are enough to open a [Tracer]; on Linux 5.19 and later all
// capabilities can be dropped afterwards and everything goes on.
package bpf

//go:generate sh generate.sh
