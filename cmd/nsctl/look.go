package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/pharosmq/pharos/codec"
)

// print writes v as JSON, or rows under a heading as a table.
func (s *session) print(v any, heading []string, rows [][]string) error {
	if s.json {
		enc := json.NewEncoder(s.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(heading, "\t"))
	for _, row := range rows {
		fmt.Fprintln(w, plainRow(row))
	}
	return w.Flush()
}

// routeRow is one broker group of a topic.
type routeRow struct {
	Broker             string            `json:"broker"`
	Cluster            string            `json:"cluster"`
	Addrs              map[string]string `json:"addrs"`
	ReadQueueNums      int32             `json:"readQueueNums"`
	WriteQueueNums     int32             `json:"writeQueueNums"`
	Perm               string            `json:"perm"`
	EnableActingMaster bool              `json:"enableActingMaster"`
}

func showRoute(ctx context.Context, s *session, args []string) error {
	r, err := s.connect()
	if err != nil {
		return err
	}
	route, err := r.Route(ctx, args[0])
	if err != nil {
		return err
	}
	groups := map[string]codec.BrokerData{}
	for _, g := range route.BrokerDatas {
		groups[g.BrokerName] = g
	}
	var out []routeRow
	var rows [][]string
	slices.SortFunc(route.QueueDatas, func(a, b codec.QueueData) int { return strings.Compare(a.BrokerName, b.BrokerName) })
	for _, q := range route.QueueDatas {
		g := groups[q.BrokerName]
		r := routeRow{q.BrokerName, g.Cluster, textKeys(g.BrokerAddrs), q.ReadQueueNums, q.WriteQueueNums, permText(q.Perm), g.EnableActingMaster}
		out = append(out, r)
		rows = append(rows, []string{r.Broker, r.Cluster, strconv.Itoa(int(r.ReadQueueNums)), strconv.Itoa(int(r.WriteQueueNums)), r.Perm, addrsText(g.BrokerAddrs)})
	}
	return s.print(out, []string{"BROKER", "CLUSTER", "READ QUEUES", "WRITE QUEUES", "PERM", "ADDRESSES"}, rows)
}

// permText is a topic's permission as RocketMQ's tools write it.
func permText(perm int32) string {
	text := []byte("---")
	if perm&codec.PermRead != 0 {
		text[0] = 'R'
	}
	if perm&codec.PermWrite != 0 {
		text[1] = 'W'
	}
	if perm&codec.PermInherit != 0 {
		text[2] = 'X'
	}
	return string(text)
}

func sortedIDs(addrs map[int64]string) []int64 { return slices.Sorted(maps.Keys(addrs)) }

func addrsText(addrs map[int64]string) string {
	var parts []string
	for _, id := range sortedIDs(addrs) {
		parts = append(parts, fmt.Sprintf("%d=%s", id, addrs[id]))
	}
	return strings.Join(parts, " ")
}

// textKeys makes broker ids legal JSON keys.
func textKeys(addrs map[int64]string) map[string]string {
	out := make(map[string]string, len(addrs))
	for id, addr := range addrs {
		out[strconv.FormatInt(id, 10)] = addr
	}
	return out
}

func (s *session) clusterInfo(ctx context.Context) (codec.ClusterInfo, error) {
	body, err := s.ask(ctx, codec.CodeGetBrokerClusterInfo, nil)
	if err != nil {
		return codec.ClusterInfo{}, err
	}
	return codec.ParseClusterInfo(body, &limits)
}

func showClusters(ctx context.Context, s *session, _ []string) error {
	info, err := s.clusterInfo(ctx)
	if err != nil {
		return err
	}
	out := map[string][]string{}
	var rows [][]string
	for _, cluster := range slices.Sorted(maps.Keys(info.ClusterAddrTable)) {
		groups := slices.Sorted(slices.Values(info.ClusterAddrTable[cluster]))
		out[cluster] = groups
		addrs := 0
		for _, g := range groups {
			addrs += len(info.BrokerAddrTable[g].BrokerAddrs)
		}
		rows = append(rows, []string{cluster, strconv.Itoa(len(groups)), strconv.Itoa(addrs), strings.Join(groups, " ")})
	}
	return s.print(out, []string{"CLUSTER", "GROUPS", "BROKERS", "NAMES"}, rows)
}

func showTopics(ctx context.Context, s *session, _ []string) error {
	body, err := s.ask(ctx, codec.CodeGetAllTopicListFromNameserver, nil)
	if err != nil {
		return err
	}
	list, err := codec.ParseTopicList(body, &limits)
	if err != nil {
		return err
	}
	topics := slices.Sorted(slices.Values(list.Topics))
	var rows [][]string
	for _, topic := range topics {
		rows = append(rows, []string{topic})
	}
	return s.print(topics, []string{"TOPIC"}, rows)
}
