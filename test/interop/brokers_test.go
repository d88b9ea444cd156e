package interop

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stopTimeout is how long a broker may take to stop gracefully.
const stopTimeout = 2 * time.Minute

// brokerVersions are the releases of the matrix; the short tier runs the newest.
func brokerVersions() []string {
	if Full() {
		return []string{V550, V533, V497}
	}
	return []string{V550}
}

// TestBrokers runs real brokers through what happens to brokers. After each event the
// server under test must give the same answers as the Java server beside it.
func TestBrokers(t *testing.T) {
	Require(t)
	for _, version := range brokerVersions() {
		t.Run(version, func(t *testing.T) {
			sub(t, "MasterAndSlave", func(t *testing.T) { masterAndSlave(t, version) })
			if !Full() {
				return
			}
			sub(t, "TwoMasters", func(t *testing.T) { twoMasters(t, version) })
			sub(t, "CompressedRegistration", func(t *testing.T) { compressedRegistration(t, version) })
			if version == V497 {
				return // 4.9 knows neither split registration nor acting masters
			}
			sub(t, "SplitRegistration", func(t *testing.T) { splitRegistration(t, version) })
			for _, m := range actingMasterModes {
				sub(t, "ActingMaster/"+m.name, func(t *testing.T) { actingMaster(t, version, m) })
			}
		})
	}
}

// masterAndSlave: both come, die (kill -9), return and leave, each in turn.
func masterAndSlave(t *testing.T, version string) {
	tw := StartTwins(t)
	master := LaunchBroker(t, BrokerOptions{Version: version, Addrs: tw.Addrs()})
	master.AwaitBoot(t)
	tw.AwaitMembers(t, "broker-a", "0")
	slave := StartBroker(t, BrokerOptions{Version: version, ID: 1, Addrs: tw.Addrs()})
	tw.AwaitMembers(t, "broker-a", "0,1")
	createTopics(t, master, "MS", 3)
	tw.Await(t, "MS_2 has a route", hasTopic(t, "MS_2"))

	slave.Kill()
	tw.AwaitMembers(t, "broker-a", "0")
	slave.Restart(t)
	tw.AwaitMembers(t, "broker-a", "0,1")
	master.Kill()
	tw.AwaitMembers(t, "broker-a", "1")
	tw.Await(t, "the slave alone still has MS_2", hasTopic(t, "MS_2"))
	master.Restart(t)
	tw.AwaitMembers(t, "broker-a", "0,1")
	stopBroker(t, slave)
	tw.AwaitMembers(t, "broker-a", "0")
	stopBroker(t, master)
	tw.AwaitMembers(t, "broker-a", "")
	tw.Await(t, "no topic is left", func(a *Asker) bool { return len(a.Topics(t)) == 0 })
}

// twoMasters: a topic on both groups loses one, gets it back, and survives a role's end.
func twoMasters(t *testing.T, version string) {
	tw := StartTwins(t)
	a := LaunchBroker(t, BrokerOptions{Version: version, Addrs: tw.Addrs()})
	b := LaunchBroker(t, BrokerOptions{Version: version, Name: "broker-b", Addrs: tw.Addrs()})
	a.AwaitBoot(t)
	b.AwaitBoot(t)
	tw.AwaitMembers(t, "broker-a", "0")
	tw.AwaitMembers(t, "broker-b", "0")
	createTopics(t, a, "Both", 1)
	createTopics(t, b, "Both", 1)
	createTopics(t, b, "OnlyB", 1)
	tw.Await(t, "Both_0 is on both", onGroups(t, "Both_0", "broker-a", "broker-b"))
	b.Kill()
	tw.Await(t, "Both_0 is on broker-a", onGroups(t, "Both_0", "broker-a"))
	tw.Await(t, "OnlyB_0 is gone", func(a *Asker) bool { return a.Route(t, "OnlyB_0") == nil })
	b.Restart(t)
	tw.Await(t, "Both_0 is on both again", onGroups(t, "Both_0", "broker-a", "broker-b"))
	stopBroker(t, a)
	tw.Await(t, "Both_0 is on broker-b", onGroups(t, "Both_0", "broker-b"))
}

// compressedRegistration: 4.9 announces its zlib bodies. 5.x does not; the Java server
// refuses those, Pharos recognises them by their first byte.
func compressedRegistration(t *testing.T, version string) {
	tw := StartTwins(t)
	conf := []string{"compressedRegister=true"}
	if version == V497 {
		b := StartBroker(t, BrokerOptions{Version: version, Addrs: tw.Addrs(), Conf: conf})
		createTopics(t, b, "Zip", 20)
		tw.Await(t, "Zip_19 has a route", hasTopic(t, "Zip_19"))
		return
	}
	if tw.Subject.Kind == JavaNamesrv {
		return // it refuses them, as it does beside Pharos below
	}
	b := StartBroker(t, BrokerOptions{Version: version, Addrs: tw.Addrs(), Conf: conf})
	tw.askSubject.AwaitMembers(t, "broker-a", "0")
	createTopics(t, b, "Zip", 20)
	tw.askSubject.Await(t, "Zip_19 has a route", func(a *Asker) bool { return a.Route(t, "Zip_19") != nil })
	if java := tw.askJava.Route(t, "Zip_19"); java != nil {
		t.Errorf("the Java server accepted a compressed registration of %s: docs/compatibility.md says it does not", version)
	}
}

// splitRegistration: a registration in several requests shows every topic, and none half.
func splitRegistration(t *testing.T, version string) {
	const topics = 35
	tw := StartTwins(t)
	b := StartBroker(t, BrokerOptions{Version: version, Addrs: tw.Addrs(), Conf: []string{
		"enableSplitRegistration=true", "splitRegistrationSize=10",
	}})
	tw.AwaitMembers(t, "broker-a", "0")
	createTopics(t, b, "Split", topics)
	all := func(a *Asker) bool {
		n := 0
		for _, topic := range a.Topics(t) {
			if strings.HasPrefix(topic, "Split_") {
				n++
			}
		}
		return n == topics
	}
	tw.Await(t, "all topics are there", all)
	b.Kill()
	tw.AwaitMembers(t, "broker-a", "")
	b.Restart(t)
	tw.Await(t, "all topics are there again", all)
}

// actingMasterMode is one combination of the settings around acting masters.
type actingMasterMode struct {
	name    string
	namesrv []string
	broker  []string
	// acts: with the master gone, clients see the slave as a read-only master.
	acts bool
}

var actingMasterModes = []actingMasterMode{
	{name: "On", acts: true,
		namesrv: []string{"supportActingMaster=true", "notifyMinBrokerIdChanged=true"},
		broker:  []string{"enableSlaveActingMaster=true"}},
	{name: "OnNewNamesrv", acts: true, // heartbeats by 904 and member groups by 901
		namesrv: []string{"supportActingMaster=true", "notifyMinBrokerIdChanged=true"},
		broker:  []string{"enableSlaveActingMaster=true", "compatibleWithOldNameSrv=false"}},
	{name: "OffAtNamesrv",
		namesrv: []string{"supportActingMaster=false"},
		broker:  []string{"enableSlaveActingMaster=true"}},
	{name: "OffAtBroker",
		namesrv: []string{"supportActingMaster=true"},
		broker:  []string{"enableSlaveActingMaster=false"}},
}

func actingMaster(t *testing.T, version string, m actingMasterMode) {
	tw := StartTwins(t, m.namesrv...)
	master := StartBroker(t, BrokerOptions{Version: version, Addrs: tw.Addrs(), Conf: m.broker})
	slave := StartBroker(t, BrokerOptions{Version: version, ID: 1, Addrs: tw.Addrs(), Conf: m.broker})
	tw.AwaitMembers(t, "broker-a", "0,1")
	createTopics(t, master, "Acting", 1)
	tw.Await(t, "Acting_0 has a route", hasTopic(t, "Acting_0"))
	slaveIsMaster := func(a *Asker) bool {
		r := a.Route(t, "Acting_0")
		return r != nil && len(r.BrokerDatas) == 1 && r.BrokerDatas[0].BrokerAddrs[0] == slave.Addr()
	}
	master.Kill()
	tw.AwaitMembers(t, "broker-a", "1")
	tw.Await(t, fmt.Sprintf("the slave acts as master: %v", m.acts), func(a *Asker) bool {
		return slaveIsMaster(a) == m.acts
	})
	master.Restart(t)
	tw.AwaitMembers(t, "broker-a", "0,1")
	tw.Await(t, "the master is master again and writeable", func(a *Asker) bool {
		r := a.Route(t, "Acting_0")
		return r != nil && r.BrokerDatas[0].BrokerAddrs[0] == master.Addr() && r.QueueDatas[0].Perm == 6
	})
	stopBroker(t, slave)
	tw.AwaitMembers(t, "broker-a", "0")
}

// createTopics makes topics PREFIX_0 to PREFIX_n-1 on one broker.
func createTopics(t *testing.T, b *Broker, prefix string, n int) {
	t.Helper()
	for i := range n {
		b.CreateTopic(t, fmt.Sprintf("%s_%d", prefix, i), 4)
	}
}

// stopBroker ends a broker as its script does and expects a clean end.
func stopBroker(t *testing.T, b *Broker) {
	t.Helper()
	if code := b.Stop(t, stopTimeout); code != 128+int(syscall.SIGTERM) {
		t.Errorf("%s ended with code %d after SIGTERM", b.Name, code)
	}
}

func hasTopic(t *testing.T, topic string) func(*Asker) bool {
	return func(a *Asker) bool { return a.Route(t, topic) != nil }
}

func onGroups(t *testing.T, topic string, groups ...string) func(*Asker) bool {
	return func(a *Asker) bool {
		r := a.Route(t, topic)
		if r == nil || len(r.QueueDatas) != len(groups) || len(r.BrokerDatas) != len(groups) {
			return false
		}
		for _, g := range groups {
			found := false
			for _, d := range r.BrokerDatas {
				found = found || d.BrokerName == g
			}
			if !found {
				return false
			}
		}
		return true
	}
}
