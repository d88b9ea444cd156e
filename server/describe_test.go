package server

import (
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

func TestConnectionsSayWhatTheyAre(t *testing.T) {
	w := &recorder{}
	ts := startWatched(t, Options{}, w)
	p := ts.dial()
	eventually(t, "the connection is open", func() bool { return w.has("opened 1 127.0.0.1 127.0.0.1 <nil>") })
	info, open := ts.Connection(1)
	if !open || info.Spoke || info.Peer != p.LocalAddr().String() {
		t.Errorf("before it spoke: %+v, %v", info, open)
	}
	send := func(language codec.LanguageCode, version int32) {
		t.Helper()
		h := codec.Header{Code: codec.CodeGetBrokerClusterInfo, Language: language, Version: version, Opaque: 1}
		if _, err := p.Write(codec.AppendCommand(nil, codec.SerializeJSON, &h, nil)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "its request was looked at", func() bool {
			info, open = ts.Connection(1)
			return open && info.Spoke && info.Language == language && info.Version == version
		})
	}
	send(codec.LanguageJava, 0)
	send(codec.LanguageGo, 317)
	send(codec.LanguageRust, -5)
	_ = p.Close()
	eventually(t, "it closed", func() bool { _, open := ts.Connection(1); return !open })
	if strings.Contains(ts.logs.String(), "panic") {
		t.Error(ts.logs.String())
	}
}
