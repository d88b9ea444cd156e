package server

import (
	"os"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
)

func TestKVConfig(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()

	a := c.call(codec.CodeGetKVConfig, nil, "namespace", "n", "key", "k")
	a.want(t, codec.QueryNotFound, "No config item, Namespace: n Key: k", "")
	a.wantExt(t, map[string]string{})

	a = c.call(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k", "value", "v1")
	a.want(t, codec.Success, "", "")
	a.wantExt(t, nil)
	if file, err := os.ReadFile(r.kvFile()); err != nil || string(file) != `{"configTable":{"n":{"k":"v1"}}}` {
		t.Errorf("the file when the answer is sent: %q, %v", file, err)
	}
	a = c.call(codec.CodeGetKVConfig, nil, "namespace", "n", "key", "k")
	a.want(t, codec.Success, "", "")
	a.wantExt(t, map[string]string{"value": "v1"})

	c.call(codec.CodeGetKVListByNamespace, nil, "namespace", "n").want(t, codec.Success, "", `{"table":{"k":"v1"}}`)
	c.call(codec.CodeGetKVListByNamespace, nil, "namespace", "none").
		want(t, codec.QueryNotFound, "No config item, Namespace: none", "")

	c.call(codec.CodeDeleteKVConfig, nil, "namespace", "n", "key", "k").want(t, codec.Success, "", "")
	c.call(codec.CodeDeleteKVConfig, nil, "namespace", "none", "key", "k").want(t, codec.Success, "", "")
	c.call(codec.CodeGetKVConfig, nil, "namespace", "n", "key", "k").
		want(t, codec.QueryNotFound, "No config item, Namespace: n Key: k", "")
	// The namespace stays, empty.
	c.call(codec.CodeGetKVListByNamespace, nil, "namespace", "n").want(t, codec.Success, "", `{"table":{}}`)
}

// What a missing field leads to (Java: the exception is swallowed, the field null).
func TestKVConfigMissingFields(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.call(codec.CodePutKVConfig, nil).want(t, codec.SystemError, "namespace or key is null", "")
	c.call(codec.CodePutKVConfig, nil, "namespace", "n", "value", "v").want(t, codec.SystemError, "namespace or key is null", "")
	c.call(codec.CodePutKVConfig, nil, "key", "k", "value", "v").want(t, codec.SystemError, "namespace or key is null", "")
	c.call(codec.CodeGetKVConfig, nil).want(t, codec.QueryNotFound, "No config item, Namespace: null Key: null", "")
	c.call(codec.CodeGetKVConfig, nil, "namespace", "n").want(t, codec.QueryNotFound, "No config item, Namespace: n Key: null", "")
	c.call(codec.CodeDeleteKVConfig, nil).want(t, codec.Success, "", "")
	c.call(codec.CodeGetKVListByNamespace, nil).want(t, codec.QueryNotFound, "No config item, Namespace: null", "")

	// Without a value: 0, and reads act as if it were absent. The namespace exists.
	c.call(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k").want(t, codec.Success, "", "")
	c.call(codec.CodeGetKVConfig, nil, "namespace", "n", "key", "k").want(t, codec.QueryNotFound, "No config item, Namespace: n Key: k", "")
	c.call(codec.CodeGetKVListByNamespace, nil, "namespace", "n").want(t, codec.Success, "", `{"table":{}}`)

	// Empty strings are values like others in the JSON form, null in the binary one.
	c.call(codec.CodePutKVConfig, nil, "namespace", "", "key", "", "value", "").want(t, codec.Success, "", "")
	a := c.call(codec.CodeGetKVConfig, nil, "namespace", "", "key", "")
	a.want(t, codec.Success, "", "")
	a.wantExt(t, map[string]string{"value": ""})
	c.serialize = codec.SerializeRocketMQ
	c.call(codec.CodePutKVConfig, nil, "namespace", "", "key", "k", "value", "v").want(t, codec.SystemError, "namespace or key is null", "")
}

// A write that does not reach the disk is an error in the answer, never a 0.
func TestKVConfigUnwritable(t *testing.T) {
	r := newRig(t, nil)
	if err := os.WriteFile(r.dir+"/namesrv", nil, 0o644); err != nil { // a file where a folder has to be
		t.Fatal(err)
	}
	c := r.dial()
	a := c.call(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k", "value", "v")
	if a.Code != codec.SystemError || !strings.Contains(string(a.Remark), r.kvFile()) {
		t.Errorf("answer %d %q: want 1 and the name of the file", a.Code, a.Remark)
	}
	c.call(codec.CodeGetKVConfig, nil, "namespace", "n", "key", "k").want(t, codec.QueryNotFound, "No config item, Namespace: n Key: k", "")
	if !strings.Contains(r.logs.String(), "KV value set: refused") {
		t.Errorf("no line about the refusal:\n%s", r.logs)
	}
}

func TestKVConfigIsLogged(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.call(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k", "value", "v1")
	c.call(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k", "value", "v2")
	c.call(codec.CodeDeleteKVConfig, nil, "namespace", "n", "key", "k")
	for _, line := range []string{
		`msg="KV value set" caller=` + c.conn.remote + ` namespace=n key=k value=v1 old=null`,
		`msg="KV value set" caller=` + c.conn.remote + ` namespace=n key=k value=v2 old=v1`,
		`msg="KV value deleted" caller=` + c.conn.remote + ` namespace=n key=k old=v2`,
	} {
		if !strings.Contains(r.logs.String(), line) {
			t.Errorf("missing line: %s\n%s", line, r.logs)
		}
	}
}

// A namespace that would not fit into the answers to brokers is refused.
func TestKVNamespaceLimit(t *testing.T) {
	r := newRig(t, func(s *config.Settings, _ *config.Live) { s.KVNamespaceBytesMax = 1024 })
	c := r.dial()
	a := c.call(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k", "value", strings.Repeat("x", 2000))
	if a.Code != codec.SystemError || !strings.Contains(string(a.Remark), "kvNamespaceBytesMax") {
		t.Errorf("answer %d %q", a.Code, a.Remark)
	}
}
