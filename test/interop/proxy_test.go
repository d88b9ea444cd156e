package interop

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestProxy starts the 5.5.0 proxy in local mode: one process that is broker and gRPC
// server. Its broker registers with the server under test; a remoting client finds it there,
// and a gRPC client that only knows the proxy sends and receives through it.
func TestProxy(t *testing.T) {
	RequireFull(t)
	ns := StartNamesrv(t, Subject(t), NamesrvOptions{})
	p := startProxy(t, ns)
	ask := ns.Ask(t)
	ask.AwaitMembers(t, "broker-a", "0")
	p.broker.CreateTopic(t, "Proxied", 4)
	ask.Await(t, "Proxied has a route", hasTopic(t, "Proxied"))
	sub(t, "RemotingClient", func(t *testing.T) {
		client := StartDriver(t, V550)
		client.Do(t, "producer", "name=p", "ns="+ns.Addr())
		sent := client.Do(t, "send", "name=p", "topic=Proxied", "n=20")
		if sent.Int(t, "sent") != 20 {
			t.Errorf("sent %v, want all 20", sent)
		}
	})
	p.broker.CreateTopic(t, "ProxiedGRPC", 4)
	ask.Await(t, "ProxiedGRPC has a route", hasTopic(t, "ProxiedGRPC"))
	// A proxy knows only groups that were made, whatever autoCreateSubscriptionGroup says.
	out, errs := StartMqadmin(t, V550).Run(t, ns.Addr(), "updateSubGroup", "-b", p.broker.Addr(), "-g", "gGRPC")
	if !strings.Contains(out, "success") {
		t.Fatalf("make the group gGRPC: %s%s", out, errs)
	}
	sub(t, "GRPCClient", func(t *testing.T) { grpcClient(t, p) })
	if code := p.Stop(t, stopTimeout); code != 143 {
		t.Errorf("the proxy ended with code %d after SIGTERM", code)
	}
	ask.AwaitMembers(t, "broker-a", "")
}

// proxyProc is a proxy with the broker inside it.
type proxyProc struct {
	*Proc
	broker   *Broker
	grpcPort int
}

// grpcClient sends and receives by the gRPC client, which must be there within minutes.
func grpcClient(t *testing.T, p *proxyProc) {
	c := startProc(t, ResolveJava(t, V507GRPC).command(t, jvm{
		Name: "client-" + V507GRPC, HeapMB: 256, Home: t.TempDir(), ShortLived: true,
		Props: []string{"rocketmq.log.root=" + logDir(t)},
		Class: "GrpcDriver",
		Args:  []string{fmt.Sprintf("127.0.0.1:%d", p.grpcPort), "ProxiedGRPC", "gGRPC", "20"},
	}))
	c.awaitLog(t, "sent=20 received=20", 4*time.Minute)
}

func startProxy(t *testing.T, ns *Namesrv) *proxyProc {
	t.Helper()
	b := &Broker{
		Options: BrokerOptions{Version: V550, Cluster: "DefaultCluster", Name: "broker-a", Addrs: ns.Addr()},
		Port:    brokerPort(t), Dir: t.TempDir(),
	}
	writeFile(t, b.path("broker.properties"), b.properties())
	p := &proxyProc{broker: b, grpcPort: freePort(t)}
	conf, err := json.Marshal(map[string]any{
		"proxyMode": "LOCAL", "namesrvAddr": ns.Addr(), "brokerConfigPath": b.path("broker.properties"),
		"rocketMQClusterName": "DefaultCluster", "proxyClusterName": "DefaultCluster",
		"grpcServerPort": p.grpcPort, "remotingListenPort": freePort(t),
		"localServeAddr": "127.0.0.1", "remotingAccessAddr": "127.0.0.1",
	})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, b.path("rmq-proxy.json"), string(conf))
	p.Proc = startProc(t, ResolveJava(t, V550Proxy).command(t, jvm{
		Name: "proxy-" + V550, HeapMB: 512, Home: b.Dir,
		Class: "org.apache.rocketmq.proxy.ProxyStartup",
		Args:  []string{"-pc", b.path("rmq-proxy.json")},
		Env:   []string{"ROCKETMQ_HOME=" + b.Dir, "RMQ_PROXY_HOME=" + b.Dir},
	}))
	b.Proc = p.Proc
	p.awaitLog(t, "startup successfully", 3*time.Minute)
	return p
}
