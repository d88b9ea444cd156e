package client

import (
	"testing"
	"time"

	"github.com/pharosmq/pharos/client/internal/choice"
	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// Goal: what is set reaches those who act on it.
func TestOptionsArrive(t *testing.T) {
	o := ResolverOptions{
		ConnectTimeout: 1, KeepAliveIdle: 2, KeepAliveInterval: 3, UserTimeout: 4, Serialize: codec.SerializeRocketMQ, Language: codec.LanguageCPP,
		RPCTimeout: 5, FailureThreshold: 6, KeepOnTimeout: true, ProbeInUse: 7, ProbeStandBy: 8, RestMin: 9, RestMax: 10,
		ProofCount: 11, Silence: 12, HedgeMin: 13, HedgeMax: 14, KeepOrder: true,
	}
	d := o.dialer()
	type part struct {
		timeout, idle, interval, user time.Duration
		serialize                     codec.SerializeType
		language                      codec.LanguageCode
	}
	of := func(d wire.Dialer) part {
		return part{d.Timeout, d.KeepAliveIdle, d.KeepAliveInterval, d.UserTimeout, d.Serialize, d.Language}
	}
	want := wire.Dialer{Timeout: 1, KeepAliveIdle: 2, KeepAliveInterval: 3, UserTimeout: 4, Serialize: codec.SerializeRocketMQ, Language: codec.LanguageCPP}
	if of(d) != of(want) {
		t.Errorf("the dialer is told %+v", of(d))
	}
	params := choice.Params{
		RPCTimeout: 5, FailureThreshold: 6, KeepOnTimeout: true, ProbeInUse: 7, ProbeStandBy: 8, RestMin: 9, RestMax: 10,
		ProofCount: 11, Silence: 12, HedgeMin: 13, HedgeMax: 14, KeepOrder: true, Seed: 15,
	}
	if got := o.params(15); got != params {
		t.Errorf("the machine is told %+v", got)
	}
}
