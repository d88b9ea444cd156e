package codec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// readBody returns a file of testdata/bodies without its last line feed.
func readBody(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "bodies", name))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.TrimSuffix(string(data), "\n"))
}

// diffRegister compares two registrations; nil and empty lists differ only where a name
// server tells them apart.
func diffRegister(want, got *RegisterBody) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

func valid(s string) NullString { return NullString{String: s, Valid: true} }

func TestParseRegisterBodyShapes(t *testing.T) {
	topic := func(name string, read, write, perm, flag int32) TopicConfig {
		return TopicConfig{Name: []byte(name), Key: []byte(name), ReadQueueNums: read, WriteQueueNums: write, Perm: perm, TopicSysFlag: flag}
	}
	for _, c := range []struct {
		name, file string
		o          RegisterBodyOptions
		want       RegisterBody
	}{
		{"5.x broker with a static topic and bare keys", "register_500_static.json", RegisterBodyOptions{Version: 513},
			RegisterBody{
				DataVersion: DataVersion{Counter: 1, Timestamp: 1700000000000},
				Topics:      []TopicConfig{topic("A", 16, 16, 6, 0)},
				Mappings: []TopicQueueMapping{{Topic: "t", Info: TopicQueueMappingInfo{
					Topic: valid("t"), Scope: valid("__global__"), TotalQueues: 2, BName: valid("b"), Epoch: 5,
					CurrIDMap: map[int32]int32{0: 0, 1: 2},
				}}},
			}},
		{"4.x broker without state version, attributes and mappings", "register_498.json", RegisterBodyOptions{Version: 409},
			RegisterBody{
				DataVersion: DataVersion{Counter: 3, Timestamp: 1650000000123},
				Topics: []TopicConfig{
					topic("SELF_TEST_TOPIC", 1, 1, 6, 0), topic("DefaultCluster", 16, 16, 7, 0), topic("RMQ_SYS_TRANS_HALF_TOPIC", 1, 1, 6, 0),
					topic("%RETRY%unit_group", 1, 1, 6, 1), topic("TBW102", 8, 8, 7, 0), topic("OrderTopic", 4, 4, 6, 0),
				},
				FilterServers: []string{"10.0.0.1:30000"},
			}},
		{"before 3.0.11: the bare wrapper, no filter servers", "register_old.json", RegisterBodyOptions{Version: 36},
			RegisterBody{
				DataVersion:       DataVersion{Counter: 1, Timestamp: 2},
				Topics:            []TopicConfig{topic("T", 4, 4, 6, 0)},
				FilterServersNull: true,
			}},
		{"a new body under an old version has no topics", "register_498.json", RegisterBodyOptions{Version: 0, NowMillis: 77},
			RegisterBody{DataVersion: DataVersion{Timestamp: 77}, DataVersionStamped: true, FilterServersNull: true}},
		{"spaces and line feeds as a person writes them", "register_pretty.json", RegisterBodyOptions{Version: 513, NowMillis: 77},
			RegisterBody{
				DataVersion: DataVersion{Timestamp: 77, Counter: 9}, DataVersionStamped: true,
				Topics: []TopicConfig{topic("A", 16, 16, 6, 0), topic("B", 1, 2, 4, 3)},
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseRegisterBody(readBody(t, c.file), c.o)
			if err != nil {
				t.Fatal(err)
			}
			if d := diffRegister(&c.want, got); d != "" {
				t.Error("(-want +got)\n", d)
			}
		})
	}
}
