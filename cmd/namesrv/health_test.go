package main

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/internal/testkit"
)

// TestStopWhileProgramsLoad: a kernel that takes its time to load programs holds up neither the
// start nor the stop, and what it loads in the end is not taken into use.
func TestStopWhileProgramsLoad(t *testing.T) {
	for _, failure := range []error{nil, errors.New("the kernel refuses")} {
		s := config.DefaultSettings(t.TempDir())
		s.ListenPort, s.BindAddress, s.AdminListen = 0, "127.0.0.1", ""
		cfg := config.New(s, config.DefaultLive())
		p := &process{cfg: cfg, log: openLogs(cfg, io.Discard, false)}
		loading, load := make(chan struct{}), make(chan struct{})
		tracer, err := bpf.Open(bpf.Options{Mode: bpf.ModeOff})
		if err != nil {
			t.Fatal(err)
		}
		p.openTracer = func(bpf.Options) (*bpf.Tracer, error) {
			close(loading)
			<-load
			return tracer, failure
		}
		if err := p.up(); err != nil {
			t.Fatal(err)
		}
		<-loading
		c, err := testkit.Dial(t.Context(), p.srv.Addr().String(), testkit.ClientOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(t.Context(), codec.CodeGetBrokerClusterInfo, nil, nil); err != nil {
			t.Errorf("nobody answers while programs load: %v", err)
		}
		_ = c.Close()
		began := time.Now()
		p.down()
		if took := time.Since(began); took >= stopTimeout {
			t.Errorf("%v: stopping took %v", failure, took)
		}
		close(load)
		p.health.opened(tracer, failure) // once more, when it is sure to be after the stop
		if p.health.tracer != nil {
			t.Errorf("%v: programs are in use after the stop", failure)
		}
		p.log.close()
	}
}
