package interop

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mqadminCase is one command, run against either server in the same state. {a} and {b} stand
// for the brokers' addresses, in the command and in what it prints.
type mqadminCase struct {
	command string
	// mask hides what differs between two runs against one server: times and rates.
	mask func(line string) string
	// says must stand in the output, so that two equal failures don't pass for success.
	says string
}

var mqadminCases = []mqadminCase{
	{command: "clusterList", mask: maskClusterList, says: "broker-b"},
	{command: "clusterList -m", mask: maskNumbers, says: "broker-a"},
	{command: "clusterList -c DefaultCluster", mask: maskClusterList, says: "broker-a"},
	{command: "clusterList -c NoSuchCluster", mask: maskClusterList},
	{command: "topicList", says: "TBW102"},
	{command: "topicList -c", says: "DefaultCluster"},
	{command: "updateTopic -b {a} -t OnA -r 4 -w 8", says: "create topic to {a} success"},
	{command: "updateTopic -c DefaultCluster -t OnBoth -r 6 -w 6 -p 6", says: "create topic to {b} success"},
	{command: "updateTopic -c DefaultCluster -t Ordered -r 3 -w 3 -o true", says: "broker-a:3"},
	{command: "updateTopic -b {b} -t OrderedB -r 5 -w 5 -o true", says: "broker-b:5"},
	{command: "updateTopic -c DefaultCluster -t Unit -u true -s true", says: "success"},
	{command: "topicRoute -t OnA", says: "broker-a"},
	{command: "topicRoute -t OnBoth -l", says: "broker-b"},
	{command: "topicRoute -t Ordered", says: "{b}"},
	{command: "topicRoute -t NoSuchTopic", says: "CODE: 17"},
	{command: "topicClusterList -t OnBoth", says: "DefaultCluster"},
	{command: "topicClusterList -t NoSuchTopic", says: "CODE: 17"},
	{command: "topicStatus -t OnBoth", says: "broker-b"},
	{command: "updateOrderConf -t OnBoth -m put -v broker-a:2;broker-b:2", says: "update orderConf success"},
	{command: "updateOrderConf -t OnBoth -m get", says: "broker-b:2"},
	{command: "updateOrderConf -t OnBoth -m delete", says: "delete orderConf success"},
	{command: "updateOrderConf -t OnBoth -m get", says: "CODE: 22"},
	{command: "updateKvConfig -s someNamespace -k k1 -v v1", says: "success"},
	{command: "updateKvConfig -s someNamespace -k schlüssel -v wért/ü\"", says: "success"},
	{command: "deleteKvConfig -s someNamespace -k k1", says: "success"},
	{command: "deleteKvConfig -s noSuchNamespace -k k1", says: "success"},
	{command: "getNamesrvConfig", says: "orderMessageEnable"},
	{command: "updateNamesrvConfig -k orderMessageEnable -v true", says: "success"},
	{command: "updateNamesrvConfig -k enableTopicList -v false", says: "success"},
	{command: "updateNamesrvConfig -k enableTopicList -v true", says: "success"},
	{command: "updateNamesrvConfig -k noSuchKey -v 1", says: "success"},
	{command: "updateNamesrvConfig -k configStorePath -v /tmp/elsewhere", says: "CODE: 16"},
	{command: "updateNamesrvConfig -k kvConfigPath -v /tmp/elsewhere", says: "CODE: 16"},
	{command: "getNamesrvConfig", says: "orderMessageEnable"},
	{command: "wipeWritePerm -b broker-a", says: "OK, "},
	{command: "topicRoute -t OnA", says: `"perm":4`},
	{command: "wipeWritePerm -b broker-a", says: "OK, "},
	{command: "wipeWritePerm -b noSuchBroker", says: "OK, 0"},
	{command: "addWritePerm -b broker-a", says: "OK, "},
	{command: "topicRoute -t OnA", says: `"perm":6`},
	{command: "addWritePerm -b noSuchBroker", says: "OK, 0"},
	{command: "brokerStatus -b {a}", mask: maskBrokerStatus, says: "brokerVersionDesc"},
	{command: "brokerStatus -c DefaultCluster", mask: maskBrokerStatus, says: "{b}"},
	{command: "statsAll", mask: maskRates, says: "OnBoth"},
	{command: "statsAll -a", mask: maskRates},
	{command: "statsAll -t OnA", mask: maskRates, says: "OnA"},
	{command: "cleanUnusedTopic -c DefaultCluster", says: "success"},
	{command: "cleanUnusedTopic -b {a}", says: "success"},
	{command: "deleteTopic -c DefaultCluster -t OnBoth", says: "from NameServer success"},
	{command: "deleteTopic -c DefaultCluster -t Ordered", says: "from NameServer success"},
	{command: "deleteTopic -c NoSuchCluster -t OnA"},
	{command: "topicRoute -t OnBoth", says: "CODE: 17"},
	{command: "topicList", says: "OnA"},
}

// TestMqadmin runs every mqadmin command that speaks to a name server against the Java
// server and the one under test, with the same brokers behind both. What it prints must be
// equal, and afterwards so must every answer of the two servers.
func TestMqadmin(t *testing.T) {
	Require(t)
	tw := StartTwins(t)
	a := LaunchBroker(t, BrokerOptions{Addrs: tw.Addrs()})
	b := LaunchBroker(t, BrokerOptions{Name: "broker-b", Addrs: tw.Addrs()})
	admin := StartMqadmin(t, V550)
	tw.AwaitMembers(t, "broker-a", "0")
	tw.AwaitMembers(t, "broker-b", "0")
	brokers := strings.NewReplacer("{a}", a.Addr(), "{b}", b.Addr())
	names := strings.NewReplacer(a.Addr(), "{a}", b.Addr(), "{b}")
	defer func() { note(t, "%d commands compared with a Java name server", len(mqadminCases)) }()
	for i, c := range mqadminCases {
		name := strings.ReplaceAll(c.command, " ", "_")
		t.Run(fmt.Sprintf("%02d_%s", i, name), func(t *testing.T) {
			args := strings.Fields(brokers.Replace(c.command))
			want := printed(t, admin, tw.Java, args, names, c.mask)
			got := printed(t, admin, tw.Subject, args, names, c.mask)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("mqadmin %s prints (-java +%s):\n%s", c.command, tw.Subject.Kind, diff)
			}
			text := strings.Join(want, "\n")
			if c.says != "" && !strings.Contains(text, c.says) {
				t.Errorf("mqadmin %s against the Java server does not say %q:\n%s", c.command, c.says, text)
			}
			tw.Await(t, "both answer alike after "+c.command, func(*Asker) bool { return true })
		})
	}
}

// printed runs a command and returns its lines, sorted, with addresses and the server's own
// port and folder replaced and the rest masked.
func printed(t *testing.T, admin *Mqadmin, ns *Namesrv, args []string, names *strings.Replacer, mask func(string) string) []string {
	t.Helper()
	stdout, stderr := admin.Run(t, ns.Addr(), args...)
	own := strings.NewReplacer(ns.Addr(), "NAMESRV", fmt.Sprint(ns.Port), "PORT", ns.Home, "HOME")
	lines := strings.Split(names.Replace(own.Replace(stdout+"\n--- stderr\n"+stderr)), "\n")
	for i, line := range lines {
		if mask != nil {
			line = mask(line)
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	sort.Strings(lines)
	return lines
}

var (
	blanks   = regexp.MustCompile(` +`)
	decimals = regexp.MustCompile(`\d+\.\d+`)
	numbers  = regexp.MustCompile(`\d+(\.\d+)?`)
)

// maskNumbers keeps the words and hides every number, with the width it is padded to.
func maskNumbers(line string) string {
	return blanks.ReplaceAllString(numbers.ReplaceAllString(line, "N"), " ")
}

// maskBrokerStatus is maskNumbers without the broker's rates: a broker that has not run for
// ten seconds has none yet.
func maskBrokerStatus(line string) string {
	if name, _, ok := strings.Cut(line, ":"); ok && strings.HasSuffix(strings.TrimSpace(name), "Tps") {
		return name
	}
	return maskNumbers(line)
}

// maskRates hides rates, which have decimals, and keeps counts.
func maskRates(line string) string {
	return blanks.ReplaceAllString(decimals.ReplaceAllString(line, "RATE"), " ")
}

// maskClusterList keeps cluster, broker, id, address, version and the last column, and
// hides what is between: loads, waits, hours and disk space.
func maskClusterList(line string) string {
	words := strings.Fields(line)
	if len(words) < 7 || strings.HasPrefix(line, "#") {
		return line
	}
	return strings.Join(append(words[:5:5], "MASKED", words[len(words)-1]), " ")
}
