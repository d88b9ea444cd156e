package client

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/pharosmq/pharos/client/internal/choice"
	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// ResolverOptions say which name servers there are and when one is left. The zero value of
// every field but Servers and Source is its default.
type ResolverOptions struct {
	// Servers is the list of name servers, each "host:port". Source is asked instead if it is
	// set. Without both, EnvAddresses is.
	Servers []string
	Source  AddressSource
	// KeepOrder: the list is gone through in its order. By default it is shuffled, so that
	// clients spread over the servers, as in Java.
	KeepOrder bool

	// ConnectTimeout bounds connecting, default 3 s. RPCTimeout bounds one request to one
	// server, default 3 s; a request that takes longer counts against the connection.
	// LookupTimeout bounds a lookup with all its fail-over when its context has no deadline
	// before that; default twice RPCTimeout.
	ConnectTimeout time.Duration
	RPCTimeout     time.Duration
	LookupTimeout  time.Duration
	// FailureThreshold is how many time-outs in a row, with no answer to anybody in any of them,
	// end the use of a connection. Default 1.
	FailureThreshold int
	// KeepOnTimeout: such a connection is left but not closed, and used again when it answers
	// probes. By default it is closed (Java: clientCloseSocketIfTimeout).
	KeepOnTimeout bool

	// ProbeInUse and ProbeStandBy are after how much silence a connection is probed with a
	// cheap request. Defaults 10 s and 30 s.
	ProbeInUse   time.Duration
	ProbeStandBy time.Duration
	// RestMin and RestMax bound how long a server that failed is left alone: the time doubles
	// with every failure in a row. Defaults 0.5 s and 30 s.
	RestMin time.Duration
	RestMax time.Duration
	// ProofCount is how many probes in a row it then has to answer. Default 2.
	ProofCount int

	// NoHedge: a late lookup is not asked of a second server, and the server in use is left
	// only after RPCTimeout. By default it is asked again after what 95 of 100 recent lookups
	// did not take, but not before HedgeMin (10 ms) and at HedgeMax (300 ms) at the latest; one
	// in ten lookups at most. Under the same budget a topic that the server in use does not know
	// is asked of another one, which has HedgeMax to answer. And a server that answers nobody
	// for Silence (0.5 s) while it owes an answer, and another one answers, is left.
	NoHedge  bool
	HedgeMin time.Duration
	HedgeMax time.Duration
	Silence  time.Duration

	// KeepAliveIdle, KeepAliveInterval and UserTimeout are the sockets' TCP options; defaults
	// 10 s, 3 s and 10 s, negative: off.
	KeepAliveIdle     time.Duration
	KeepAliveInterval time.Duration
	UserTimeout       time.Duration
	// Serialize is how request headers are written; default JSON.
	Serialize codec.SerializeType
	// Language is what requests say of this program; default Go.
	Language codec.LanguageCode
	// Limits bound what is read; fields that are 0 are codec.DefaultLimits'. A route with more than
	// RouteBrokersMax brokers (default 10,000; Routes take no more) or RouteEntriesMax entries
	// (default 524,288) is a bad answer, and another server is asked; negative: no such limit.
	Limits codec.Limits
	// Dial replaces net.Dialer, for TLS, network namespaces and tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Log is told which server is in use, and why another one was left. Nil: nobody is.
	Log *slog.Logger
}

const defaultSilence = 500 * time.Millisecond

// doubtMax is how long a second server has to know a topic that the first one did not.
const doubtMax = 300 * time.Millisecond

func (o *ResolverOptions) hedgeMax() time.Duration { return orDuration(o.HedgeMax, doubtMax) }

func (o ResolverOptions) withDefaults() ResolverOptions {
	o.RPCTimeout = orDuration(o.RPCTimeout, 3*time.Second)
	o.LookupTimeout = orDuration(o.LookupTimeout, 2*o.RPCTimeout)
	o.Limits = limitsWithDefaults(o.Limits)
	if o.Language == codec.LanguageJava {
		o.Language = codec.LanguageGo
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Source == nil {
		o.Source = EnvAddresses("")
		if o.Servers != nil {
			o.Source = StaticAddresses(o.Servers...)
		}
	}
	o.Silence = orDuration(o.Silence, defaultSilence)
	if o.NoHedge {
		o.Silence = 0
	}
	return o
}

func limitsWithDefaults(l codec.Limits) codec.Limits {
	d := codec.DefaultLimits()
	return codec.Limits{
		FrameBytesMax:    cmp.Or(l.FrameBytesMax, d.FrameBytesMax),
		HeaderBytesMax:   cmp.Or(l.HeaderBytesMax, d.HeaderBytesMax),
		ExtFieldsMax:     cmp.Or(l.ExtFieldsMax, d.ExtFieldsMax),
		InflatedBytesMax: cmp.Or(l.InflatedBytesMax, d.InflatedBytesMax),
		JSONDepthMax:     cmp.Or(l.JSONDepthMax, d.JSONDepthMax),
		TopicsMax:        cmp.Or(l.TopicsMax, d.TopicsMax),
		RouteBrokersMax:  cmp.Or(l.RouteBrokersMax, brokersMax),
		RouteEntriesMax:  cmp.Or(l.RouteEntriesMax, routeEntriesMax),
	}
}

func (o *ResolverOptions) dialer() wire.Dialer {
	return wire.Dialer{
		Timeout: o.ConnectTimeout, KeepAliveIdle: o.KeepAliveIdle, KeepAliveInterval: o.KeepAliveInterval,
		UserTimeout: o.UserTimeout, Serialize: o.Serialize, Language: o.Language, Limits: o.Limits, DialFunc: o.Dial,
	}
}

func (o *ResolverOptions) params(seed uint64) choice.Params {
	return choice.Params{
		RPCTimeout: o.RPCTimeout, FailureThreshold: o.FailureThreshold, KeepOnTimeout: o.KeepOnTimeout,
		ProbeInUse: o.ProbeInUse, ProbeStandBy: o.ProbeStandBy, RestMin: o.RestMin, RestMax: o.RestMax,
		ProofCount: o.ProofCount, Silence: o.Silence, HedgeMin: o.HedgeMin, HedgeMax: o.HedgeMax,
		KeepOrder: o.KeepOrder, Seed: seed,
	}
}
