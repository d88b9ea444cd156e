/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The part of the kernel's types, constants and BPF helpers that tcphealth.bpf.c uses. Cut down
 * by hand: CO-RE finds every field by name in the running kernel's BTF, so only names and kinds
 * matter here, not order, offsets or what is left out. Nothing else is included, so clang alone
 * builds the object and no other package's header can change it.
 */
#ifndef PHAROS_KERNEL_H
#define PHAROS_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;

enum { false, true };
typedef _Bool bool;

#define NULL ((void *)0)

/* --- attributes and accessors, as libbpf's headers spell them --- */

#define SEC(name) __attribute__((section(name), used))
#define __always_inline inline __attribute__((always_inline))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name

/* FIELD_* are the kinds of __builtin_preserve_field_info: resolved when the program is loaded. */
#define FIELD_BYTE_OFFSET 0
#define FIELD_BYTE_SIZE 1
#define FIELD_LSHIFT_U64 4
#define FIELD_RSHIFT_U64 5
#define field_info(access, kind) __builtin_preserve_field_info(access, kind)

/* A bitfield's place and width differ between kernels; a plain access would shift by ours. */
#define READ_BITFIELD(s, field)                                                \
	({                                                                     \
		const void *p = (const void *)(s) +                            \
				field_info((s)->field, FIELD_BYTE_OFFSET);     \
		__u64 val = 0;                                                 \
		asm volatile("" : "=r"(p) : "0"(p));                           \
		switch (field_info((s)->field, FIELD_BYTE_SIZE)) {             \
		case 1:                                                        \
			val = *(const __u8 *)p;                                \
			break;                                                 \
		case 2:                                                        \
			val = *(const __u16 *)p;                               \
			break;                                                 \
		case 4:                                                        \
			val = *(const __u32 *)p;                               \
			break;                                                 \
		case 8:                                                        \
			val = *(const __u64 *)p;                               \
			break;                                                 \
		}                                                              \
		val <<= field_info((s)->field, FIELD_LSHIFT_U64);              \
		val >> field_info((s)->field, FIELD_RSHIFT_U64);               \
	})

/* The low byte of an integer field whose width changed (tcp_flags: 8 bits, 16 since 6.16). */
#define READ_LOW_BYTE(s, field)                                                \
	({                                                                     \
		const void *p = (const void *)(s) +                            \
				field_info((s)->field, FIELD_BYTE_OFFSET);     \
		asm volatile("" : "=r"(p) : "0"(p));                           \
		*(const __u8 *)p;                                              \
	})

/* --- helpers of the kernel, by their numbers (UAPI, never reused) --- */

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static void *(*bpf_sk_storage_get)(void *map, void *sk, void *value, __u64 flags) = (void *)107;
static __u64 (*bpf_jiffies64)(void) = (void *)118;
static long (*bpf_seq_write)(void *seq, const void *data, __u32 len) = (void *)127;
static void *(*bpf_ringbuf_reserve)(void *ringbuf, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;
static __u64 (*bpf_ringbuf_query)(void *ringbuf, __u64 flags) = (void *)134;
static struct tcp_sock *(*bpf_skc_to_tcp_sock)(const void *sk) = (void *)137;

#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_SK_STORAGE 24
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_F_NO_PREALLOC 1
#define BPF_F_CLONE (1 << 9)
#define BPF_F_MMAPABLE (1 << 10)
#define BPF_RB_AVAIL_DATA 0
#define BPF_RB_NO_WAKEUP 1
#define BPF_RB_FORCE_WAKEUP 2

/* --- constants of the kernel's headers --- */

#define EAGAIN 11
#define EBUSY 16

#define AF_INET 2
#define AF_INET6 10

#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_TIME_WAIT 6
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_CLOSING 11

#define TCP_CA_Recovery 3
#define TCP_CA_Loss 4

#define ICSK_TIME_LOSS_PROBE 5

/* --- types --- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u32 u6_addr32[4];
	} in6_u;
};

typedef struct {
	long long counter;
} atomic64_t;

struct sock_common {
	union {
		struct {
			__u32 skc_daddr;
			__u32 skc_rcv_saddr;
		};
	};
	union {
		struct {
			__u16 skc_dport;
			__u16 skc_num;
		};
	};
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};

struct socket;
struct bpf_local_storage;

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	int sk_err_soft;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	struct socket *sk_socket;
	struct bpf_local_storage *sk_bpf_storage;
};

struct request_sock {
	struct sock_common __req_common;
	__u8 num_retrans;
};

struct inet_sock {
	struct sock sk;
	__u16 inet_sport;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	__u32 icsk_rto;
	__u8 icsk_ca_state : 5;
	__u8 icsk_retransmits;
	__u8 icsk_pending;
	__u8 icsk_backoff;
	__u8 icsk_probes_out;
	struct {
		__u32 lrcvtime;
	} icsk_ack;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 write_seq;
	__u32 snd_wnd;
	__u32 rcv_wnd;
	__u32 snd_cwnd;
	__u32 mss_cache;
	__u32 srtt_us;
	__u32 mdev_us;
	__u32 packets_out;
	__u32 retrans_out;
	__u32 sacked_out;
	__u32 lost_out;
	__u32 total_retrans;
	__u32 rcv_tstamp;
	__u64 bytes_acked;
	__u64 bytes_received;
};

struct sk_buff {
	char cb[48];
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	__u8 tcp_flags;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	__u32 uid;
};

#pragma clang attribute pop

#endif
