//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the kernel knows about the connections of one server: retransmissions told apart,
 * SYN-ACKs sent again, resets, errors, state changes. Only rare paths are hooked: nothing here
 * runs when a segment is sent, received or acknowledged. Programs are stateless; what belongs to
 * whom is decided by marks that user space wrote, in slots and socket storage, or by network
 * namespace and port.
 */
#include "kernel.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* --- shared with Go: event.go, tracer.go and socket.go decode these by hand --- */

enum kind {
	KIND_RETRANSMIT = 1,
	KIND_SYNACK,
	KIND_ERROR,
	KIND_STATE,
	KIND_RESET_RECEIVED,
	KIND_RESET_SENT,
	KIND_SOCKET, /* a row of the iterator */
};

enum class {
	CLASS_NONE = 0,
	CLASS_TIMEOUT,
	CLASS_TAIL_LOSS_PROBE,
	CLASS_FAST,
	CLASS_SLOW_START,
	CLASS_LOCAL_FAILURE,
	CLASS_WINDOW,
	CLASS_HANDSHAKE,
	CLASS_DEFERRED,
	CLASS_MAX,
};

enum role {
	ROLE_NONE = 0, /* ours by port only */
	ROLE_CLIENT,
	ROLE_BROKER,
	ROLE_LISTENER,
	ROLE_MAX, /* 4: an index is masked with 3 */
};

struct mark {
	__u64 conn_id;
	__u32 role;
	__u32 reserved;
};

#define SLOTS (1 << 14) /* slotCount in Go */

/*
 * User space writes it without a lock. What is read of two marks, half of each, is refused:
 * to pass, the halves would have to be the same.
 */
struct slot {
	__u64 cookie;
	__u64 who;   /* conn_id << 2 | role */
	__u64 check; /* cookie ^ who */
	__u64 reserved;
};

struct event {
	__u64 time_ns;
	__u64 conn_id;
	__u64 cookie;
	__u8 kind;
	__u8 class;
	__u8 role;
	__u8 state;
	__u8 old_state;
	__u8 ca_state;
	__u8 pending;
	__u8 retransmits;
	__u8 backoff;
	__u8 probes_out;
	__u8 tcp_flags;
	__u8 family;
	__u16 local_port;
	__u16 remote_port;
	__s32 err;
	__s32 soft_err;
	__u32 rto_ticks;
	__u32 seq;
	__u32 end_seq;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u32 packets_out;
	__u32 snd_wnd;
	__u32 srtt_us;
	__u32 ack_age_ticks;
	__u32 data_age_ticks;
	__u32 total_retrans;
	__u32 lost_out;
	__u32 reset_reason;
	__u32 local_addr[4];
	__u32 remote_addr[4];
};

struct row {
	struct event e;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 rcv_wnd;
	__u32 snd_cwnd;
	__u32 mss;
	__u32 rttvar_us;
	__u32 retrans_out;
	__u32 sacked_out;
	__u32 accept_queue;
	__u32 accept_queue_max;
	__u32 uid;
	__u32 orphan;
};

/*
 * A machine that has nothing else to do finds this memory outside its caches, and each line of 64
 * bytes takes longer than the instructions. So what a record of a broker writes is in one.
 */
struct by_role {
	__u64 woken_ns; /* when a record last woke the reader */
	__u64 records;
	__u64 retransmits[CLASS_MAX];
	__u64 reserved[5]; /* the next role begins a line */
};

struct counters {
	struct by_role roles[ROLE_MAX];
	__u64 closing[CLASS_MAX];
	__u64 synacks;
	__u64 errors;
	__u64 states;
	__u64 resets_received;
	__u64 resets_sent;
	__u64 lost;
	__u64 suppressed;
};

/* --- set by the loader before the programs are verified --- */

const volatile bool has_err = false;    /* tcp_retransmit_skb has its third argument (6.17) */
const volatile bool has_reason = false; /* tcp_send_reset has its third argument (6.10) */
const volatile bool use_marks = false;  /* socket storage is there for tracing (5.11) */
const volatile __u32 own_netns = 0;
const volatile __u16 own_ports[8] = {};
const volatile __u32 ring_half = 0; /* half of the ring's bytes */

/* --- maps --- */

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct mark);
} marks SEC(".maps");

/*
 * The same marks once more, each in one line of memory where storage takes four: found by the low
 * bits of the socket's cookie, which no other socket ever has. A slot may be taken over by another
 * socket of ours, or be read while it is written; then the storage tells.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

struct counters totals __attribute__((aligned(64)));

/* Types that only Go needs to know by name. */
const struct row *unused_row __attribute__((unused));

#define count(field) __sync_fetch_and_add(&totals.field, 1)
#define of_role(m) roles[(m)->role & (ROLE_MAX - 1)]

/* --- whose socket is it --- */

static __always_inline bool own_port(const struct sock *sk)
{
	__u16 port = sk->__sk_common.skc_num;

	if (!port) {
		/* A closing socket has given its port back; inet_sport stays. */
		const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

		if (!tp)
			return false;
		port = __builtin_bswap16(tp->inet_conn.icsk_inet.inet_sport);
		if (!port)
			return false;
	}
#pragma unroll
	for (int i = 0; i < 8; i++)
		if (own_ports[i] == port)
			return sk->__sk_common.skc_net.net->ns.inum == own_netns;
	return false;
}

/* Fills m for a socket of ours. A child inherits its listener's mark until it gets its own. */
static __always_inline bool owned_if(const struct sock *sk, struct mark *m, bool has_storage)
{
	if (has_storage) {
		struct mark *stored = bpf_sk_storage_get(&marks, (void *)sk, NULL, 0);

		if (stored) {
			m->conn_id = stored->conn_id;
			m->role = stored->role;
			if (m->role == ROLE_LISTENER && sk->__sk_common.skc_state != TCP_LISTEN) {
				m->conn_id = 0;
				m->role = ROLE_CLIENT;
			}
			return true;
		}
	}
	m->conn_id = 0;
	m->role = ROLE_NONE;
	return own_ports[0] && own_port(sk);
}

/*
 * The mark of a socket whose slot nobody has taken over. Sockets of others have no cookie, mostly.
 * What is left of a socket in TIME_WAIT keeps its cookie, and is nobody's any more.
 */
static __always_inline bool in_slot(const struct sock *sk, struct mark *m)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;
	__u32 i = cookie & (SLOTS - 1);
	const struct slot *s;
	__u64 who;

	if (!cookie || sk->__sk_common.skc_state == TCP_TIME_WAIT)
		return false;
	s = bpf_map_lookup_elem(&slots, &i);
	if (!s || s->cookie != cookie)
		return false;
	who = s->who;
	m->conn_id = who >> 2;
	m->role = who & (ROLE_MAX - 1);
	return s->check == (cookie ^ who);
}

/* Most sockets of others have no storage at all: that is seen without asking for ours. */
static __always_inline bool owned(const struct sock *sk, struct mark *m)
{
	if (use_marks && in_slot(sk, m))
		return true;
	return owned_if(sk, m, use_marks && sk->sk_bpf_storage);
}

/* --- records --- */

/*
 * The upper half of the ring is the brokers': a flood of client connections, which anybody can
 * cause, can't make their records lost.
 */
static __always_inline struct event *reserve(const struct mark *m)
{
	struct event *e;

	if (m->role != ROLE_BROKER && bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > ring_half) {
		count(suppressed);
		return NULL;
	}
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		count(lost);
	else
		count(of_role(m).records);
	return e;
}

/*
 * Waking the reader interrupts this processor, which on a virtual machine costs more than all the
 * rest: a microsecond. So of the records of a role, that may come by the hundreds, one in WAKE_NS
 * wakes it; it looks for the others by itself after longer than that (Tracer.Read). Another
 * processor's newer time makes the difference huge, and one wake-up more.
 */
#define WAKE_NS 20000000

static __always_inline void submit(struct event *e, const struct mark *m)
{
	struct by_role *r = &totals.of_role(m);
	__u64 now = e->time_ns;

	if (now - r->woken_ns < WAKE_NS) {
		bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
		return;
	}
	r->woken_ns = now;
	bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP);
}

static __always_inline void fill_addresses(struct event *e, const struct sock_common *skc)
{
	e->family = skc->skc_family;
	e->cookie = skc->skc_cookie.counter;
	e->local_port = skc->skc_num;
	e->remote_port = __builtin_bswap16(skc->skc_dport);
	if (e->family == AF_INET6) {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			e->local_addr[i] = skc->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			e->remote_addr[i] = skc->skc_v6_daddr.in6_u.u6_addr32[i];
		}
		return;
	}
	e->local_addr[0] = skc->skc_rcv_saddr;
	e->remote_addr[0] = skc->skc_daddr;
	e->local_addr[1] = e->local_addr[2] = e->local_addr[3] = 0;
	e->remote_addr[1] = e->remote_addr[2] = e->remote_addr[3] = 0;
}

static __always_inline void fill_tcp(struct event *e, const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	__u32 now = (__u32)bpf_jiffies64();

	if (!e->local_port)
		e->local_port = __builtin_bswap16(icsk->icsk_inet.inet_sport);
	e->ca_state = READ_BITFIELD(icsk, icsk_ca_state);
	e->pending = icsk->icsk_pending;
	e->retransmits = icsk->icsk_retransmits;
	e->backoff = icsk->icsk_backoff;
	e->probes_out = icsk->icsk_probes_out;
	e->rto_ticks = icsk->icsk_rto;
	e->snd_una = tp->snd_una;
	e->snd_nxt = tp->snd_nxt;
	e->write_seq = tp->write_seq;
	e->packets_out = tp->packets_out;
	e->snd_wnd = tp->snd_wnd;
	e->srtt_us = tp->srtt_us >> 3;
	e->ack_age_ticks = now - tp->rcv_tstamp;
	e->data_age_ticks = now - icsk->icsk_ack.lrcvtime;
	e->total_retrans = tp->total_retrans;
	e->lost_out = tp->lost_out;
}

/* Everything of a record that any socket can tell; tp may be NULL. */
static __always_inline void fill(struct event *e, const struct sock *sk, const struct tcp_sock *tp,
				 const struct mark *m, __u8 kind)
{
	__builtin_memset(e, 0, sizeof(*e));
	e->time_ns = bpf_ktime_get_ns();
	e->conn_id = m->conn_id;
	e->role = m->role;
	e->kind = kind;
	e->state = sk->__sk_common.skc_state;
	fill_addresses(e, &sk->__sk_common);
	if (!tp) /* not a whole socket: it ends before these */
		return;
	e->err = sk->sk_err;
	e->soft_err = sk->sk_err_soft;
	fill_tcp(e, tp);
}

/* --- retransmissions --- */

/*
 * Which of the kernel's reasons made it send this segment again. The timer that fires clears
 * icsk_pending before it retransmits, except the tail loss probe's; an ICMP error that ends a
 * back-off early calls the timer's function with the timer still pending, which shows by the
 * head going out with nothing else retransmitted.
 */
static __always_inline __u8 classify(const struct sock *sk, const struct tcp_sock *tp, __u32 seq,
				     int err)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	__u8 state = sk->__sk_common.skc_state;
	__u8 ca_state = READ_BITFIELD(icsk, icsk_ca_state);
	__u8 pending = icsk->icsk_pending;

	/*
	 * Of a hole being repaired, "not now" is no failure: the segment is still in our own queue
	 * (EBUSY) or beyond the peer's window (EAGAIN). From the timer it would be one.
	 */
	if ((err == -EBUSY || err == -EAGAIN) && pending)
		return CLASS_DEFERRED;
	if (err)
		return CLASS_LOCAL_FAILURE;
	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV)
		return CLASS_HANDSHAKE;
	if (pending == ICSK_TIME_LOSS_PROBE && ca_state < TCP_CA_Recovery)
		return CLASS_TAIL_LOSS_PROBE;
	if (ca_state != TCP_CA_Loss)
		return CLASS_FAST;
	/* A closed window on a socket that still has its owner: a probe, not a time-out. */
	if (!pending && !tp->snd_wnd && sk->sk_socket)
		return CLASS_WINDOW;
	if (!pending)
		return CLASS_TIMEOUT;
	if (icsk->icsk_retransmits && !tp->retrans_out && seq == tp->snd_una)
		return CLASS_TIMEOUT;
	return CLASS_SLOW_START;
}

/* A broker's every retransmission; of others, what tells a stalled peer or a fault of ours. */
static __always_inline bool worth_a_record(const struct mark *m, __u8 class, __u8 retransmits)
{
	if (class == CLASS_DEFERRED)
		return false;
	if (m->role == ROLE_BROKER || class == CLASS_LOCAL_FAILURE)
		return true;
	return class == CLASS_TIMEOUT && retransmits >= 2;
}

SEC("tp_btf/tcp_retransmit_skb")
int tcp_retransmit_skb(__u64 *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	const struct sk_buff *skb = (void *)ctx[1];
	const struct tcp_skb_cb *cb;
	const struct tcp_sock *tp;
	struct event *e;
	struct mark m;
	__u8 class, state;
	int err = 0;

	if (!owned(sk, &m))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	if (has_err)
		err = (int)ctx[2];
	cb = (const struct tcp_skb_cb *)&skb->cb[0];
	class = classify(sk, tp, cb->seq, err);
	count(of_role(&m).retransmits[class]);
	state = sk->__sk_common.skc_state;
	if (state == TCP_FIN_WAIT1 || state == TCP_CLOSING || state == TCP_LAST_ACK)
		count(closing[class]);
	if (!worth_a_record(&m, class, tp->inet_conn.icsk_retransmits))
		return 0;
	e = reserve(&m);
	if (!e)
		return 0;
	fill(e, sk, tp, &m, KIND_RETRANSMIT);
	e->class = class;
	if (err)
		e->err = err < 0 ? -err : err;
	e->seq = cb->seq;
	e->end_seq = cb->end_seq;
	e->tcp_flags = READ_LOW_BYTE(cb, tcp_flags);
	submit(e, &m);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int tcp_retransmit_synack(__u64 *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	const struct request_sock *req = (void *)ctx[1];
	struct event *e;
	struct mark m;

	if (!owned(sk, &m))
		return 0;
	count(synacks);
	e = reserve(&m);
	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof(*e));
	e->time_ns = bpf_ktime_get_ns();
	e->conn_id = m.conn_id;
	e->role = m.role;
	e->kind = KIND_SYNACK;
	e->class = CLASS_HANDSHAKE;
	e->state = TCP_SYN_RECV;
	/* The kernel counts this one only after the tracepoint. */
	e->retransmits = req->num_retrans + 1;
	fill_addresses(e, &req->__req_common);
	submit(e, &m);
	return 0;
}

/* --- ends --- */

static __always_inline struct event *record(const struct sock *sk, const struct mark *m, __u8 kind)
{
	struct event *e = reserve(m);

	if (e)
		fill(e, sk, bpf_skc_to_tcp_sock(sk), m, kind);
	return e;
}

SEC("tp_btf/inet_sk_error_report")
int inet_sk_error_report(__u64 *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	struct event *e;
	struct mark m;

	if (!owned(sk, &m))
		return 0;
	count(errors);
	e = record(sk, &m, KIND_ERROR);
	if (e)
		submit(e, &m);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int inet_sock_set_state(__u64 *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	struct event *e;
	struct mark m;

	if (!owned(sk, &m))
		return 0;
	count(states);
	if (m.role != ROLE_BROKER)
		return 0;
	e = record(sk, &m, KIND_STATE);
	if (!e)
		return 0;
	e->old_state = (__u8)ctx[1];
	e->state = (__u8)ctx[2];
	submit(e, &m);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int tcp_receive_reset(__u64 *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	struct event *e;
	struct mark m;

	if (!owned(sk, &m))
		return 0;
	count(resets_received);
	e = record(sk, &m, KIND_RESET_RECEIVED);
	if (e)
		submit(e, &m);
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int tcp_send_reset(__u64 *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	struct event *e;
	struct mark m;

	/* Also called for segments that belong to no socket, and for those of a listener. */
	if (!sk || sk->__sk_common.skc_state == TCP_LISTEN)
		return 0;
	if (!owned(sk, &m))
		return 0;
	count(resets_sent);
	e = record(sk, &m, KIND_RESET_SENT);
	if (!e)
		return 0;
	if (has_reason)
		e->reset_reason = (__u32)ctx[2];
	submit(e, &m);
	return 0;
}

/* --- one look at every socket of ours --- */

static __always_inline void fill_row(struct row *r, const struct tcp_sock *tp)
{
	const struct sock *sk = &tp->inet_conn.icsk_inet.sk;

	fill_tcp(&r->e, tp);
	r->e.err = sk->sk_err;
	r->e.soft_err = sk->sk_err_soft;
	r->bytes_acked = tp->bytes_acked;
	r->bytes_received = tp->bytes_received;
	r->rcv_nxt = tp->rcv_nxt;
	r->copied_seq = tp->copied_seq;
	r->rcv_wnd = tp->rcv_wnd;
	r->snd_cwnd = tp->snd_cwnd;
	r->mss = tp->mss_cache;
	r->rttvar_us = tp->mdev_us >> 2;
	r->retrans_out = tp->retrans_out;
	r->sacked_out = tp->sacked_out;
	r->accept_queue = sk->sk_ack_backlog;
	r->accept_queue_max = sk->sk_max_ack_backlog;
	r->orphan = sk->sk_socket == NULL;
}

SEC("iter/tcp")
int dump_sockets(struct bpf_iter__tcp *ctx)
{
	const struct sock_common *skc = ctx->sk_common;
	const struct tcp_sock *tp;
	struct row r = {};
	struct mark m;

	if (!skc)
		return 0;
	/* Not all of them are whole sockets. */
	if (!owned_if((const struct sock *)skc, &m, use_marks))
		return 0;
	r.e.time_ns = bpf_ktime_get_ns();
	r.e.conn_id = m.conn_id;
	r.e.role = m.role;
	r.e.kind = KIND_SOCKET;
	r.e.state = skc->skc_state;
	r.uid = ctx->uid;
	fill_addresses(&r.e, skc);
	tp = bpf_skc_to_tcp_sock(skc);
	if (tp)
		fill_row(&r, tp);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
