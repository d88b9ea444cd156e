package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pharosmq/pharos/client"
	"github.com/pharosmq/pharos/codec"
)

const (
	// surveyTopic is no legal name: it costs a server next to nothing to say so.
	surveyTopic = "!nsctl"
	// surveyRounds is how many questions the latency is the median of.
	surveyRounds = 7
	// surveyAtOnce is how many routes are asked for at the same time.
	surveyAtOnce = 32
)

// survey is all that one name server says, in texts that are equal where the facts are.
type survey struct {
	server  string
	err     error // it could not be asked; the rest is empty then
	latency time.Duration
	topics  map[string]topicSays
	brokers map[string]string // broker name and id -> address and the rest
}

// topicSays is a topic's route: its queues, and the same with the brokers' addresses.
type topicSays struct{ queues, whole string }

// surveyOf asks a server for everything.
func surveyOf(ctx context.Context, server string, r *client.Resolver) survey {
	v := survey{server: server, topics: map[string]topicSays{}, brokers: map[string]string{}}
	if v.err = v.time(ctx, r); v.err == nil {
		v.err = v.askBrokers(ctx, r)
	}
	if v.err == nil {
		v.err = v.askTopics(ctx, r)
	}
	return v
}

// time measures the latency, connecting not included.
func (v *survey) time(ctx context.Context, r *client.Resolver) error {
	var took []time.Duration
	for range surveyRounds + 1 {
		began := time.Now()
		if _, err := r.Route(ctx, surveyTopic); err != nil && !errors.Is(err, client.ErrTopicNotFound) {
			return err
		}
		took = append(took, time.Since(began))
	}
	took = took[1:] // the first one connected
	slices.Sort(took)
	v.latency = took[len(took)/2]
	return nil
}

func (v *survey) askBrokers(ctx context.Context, r *client.Resolver) error {
	body, err := askOf(ctx, r, codec.Header{Code: codec.CodeGetBrokerClusterInfo}, nil)
	if err != nil {
		return err
	}
	info, err := codec.ParseClusterInfo(body, &limits)
	if err != nil {
		return err
	}
	for name, group := range info.BrokerAddrTable {
		for id, addr := range group.BrokerAddrs {
			text := addr + " " + group.Cluster
			if !slices.Contains(info.ClusterAddrTable[group.Cluster], name) {
				text += ", not in the cluster's list"
			}
			if group.ZoneName.String != "" {
				text += " zone " + group.ZoneName.String
			}
			if group.EnableActingMaster {
				text += " acting master"
			}
			v.brokers[name+"/"+strconv.FormatInt(id, 10)] = text
		}
	}
	return nil
}

// askTopics asks for the route of every topic the server lists.
func (v *survey) askTopics(ctx context.Context, r *client.Resolver) error {
	body, err := askOf(ctx, r, codec.Header{Code: codec.CodeGetAllTopicListFromNameserver}, nil)
	if err != nil {
		return err
	}
	list, err := codec.ParseTopicList(body, &limits)
	if err != nil {
		return err
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	next := make(chan string)
	texts := map[string]string{} // many topics have one text
	var failed error
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range min(surveyAtOnce, len(list.Topics)) {
		workers.Go(func() {
			for topic := range next {
				says, err := askTopic(asking, r, topic)
				mu.Lock()
				if v.topics[topic] = (topicSays{shared(texts, says.queues), shared(texts, says.whole)}); err != nil && failed == nil {
					failed = err
					stop()
				}
				mu.Unlock()
			}
		})
	}
	for _, topic := range list.Topics {
		next <- topic
	}
	close(next)
	workers.Wait()
	return failed
}

func shared(texts map[string]string, text string) string {
	if same, ok := texts[text]; ok {
		return same
	}
	texts[text] = text
	return text
}

func askTopic(ctx context.Context, r *client.Resolver, topic string) (topicSays, error) {
	route, err := r.Route(ctx, topic)
	switch {
	case errors.Is(err, client.ErrTopicNotFound):
		return topicSays{"listed, without a route", "listed, without a route"}, nil
	case err != nil:
		return topicSays{}, err
	}
	var queues, brokers []string
	for _, q := range route.QueueDatas {
		text := fmt.Sprintf("%s r%d w%d %s", q.BrokerName, q.ReadQueueNums, q.WriteQueueNums, permText(q.Perm))
		if q.TopicSysFlag != 0 {
			text += fmt.Sprintf(" flag %d", q.TopicSysFlag)
		}
		queues = append(queues, text)
	}
	if route.OrderTopicConf.Valid {
		queues = append(queues, "order "+route.OrderTopicConf.String)
	}
	for broker, m := range route.TopicQueueMappingByBroker {
		ids := fmt.Sprint(m.CurrIDMap) // fmt sorts keys
		queues = append(queues, fmt.Sprintf("static %s: epoch %d, %d queues, %s", broker, m.Epoch, m.TotalQueues, strings.TrimPrefix(ids, "map")))
	}
	for _, b := range route.BrokerDatas {
		brokers = append(brokers, fmt.Sprintf("%s of %s: %s zone %q acting %t", b.BrokerName, b.Cluster, addrsText(b.BrokerAddrs), b.ZoneName.String, b.EnableActingMaster))
	}
	for broker, filters := range route.FilterServerTable {
		brokers = append(brokers, fmt.Sprintf("filter %s: %v", broker, filters))
	}
	slices.Sort(queues)
	slices.Sort(brokers)
	text := strings.Join(queues, ", ")
	return topicSays{text, text + "; " + strings.Join(brokers, ", ")}, nil
}

// digest is a short text that is equal where all facts are.
func (v *survey) digest() string {
	h := sha256.New()
	for _, topic := range slices.Sorted(maps.Keys(v.topics)) {
		fmt.Fprintf(h, "topic %q %q\n", topic, v.topics[topic].whole)
	}
	for _, broker := range slices.Sorted(maps.Keys(v.brokers)) {
		fmt.Fprintf(h, "broker %q %q\n", broker, v.brokers[broker])
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
