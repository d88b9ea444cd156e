package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"github.com/pharosmq/pharos/client"
	"github.com/pharosmq/pharos/codec"
)

// answersFile has the hashes, by stage and server.
const answersFile = "answers.json"

// digestTopics is how many topics' whole answers are compared between servers.
const digestTopics = 50

// digestTimeout bounds all of a server's answers: it may be slow, and is compared all the same.
const digestTimeout = time.Minute

// digest asks a filled server the same questions as all others and keeps a hash of the facts
// it answers, whatever their order: Reply comparison looks at them.
func (c *Comparison) digest(ctx context.Context, s *Stage, l *contender) error {
	if l.server.Yardstick || l.world != nil || len(s.Renew) > 0 { // they change meanwhile
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, digestTimeout)
	defer cancel()
	asked, err := client.NewResolver(client.ResolverOptions{Servers: []string{l.process.Addr}, RPCTimeout: digestTimeout})
	if err != nil {
		return err
	}
	defer asked.Close()
	h := sha256.New()
	for _, w := range s.Worlds {
		for i := range digestTopics {
			topic := w.TopicName(i * w.Topics / digestTopics)
			if i == 0 {
				topic = w.unknownName(0)
			}
			facts, err := routeFacts(ctx, asked, topic)
			if err != nil {
				return fmt.Errorf("topic %s: %w", topic, err)
			}
			h.Write(facts)
		}
	}
	if c.digests[s.Name] == nil {
		c.digests[s.Name] = map[string]string{}
	}
	c.digests[s.Name][l.server.Name] = hex.EncodeToString(h.Sum(nil))[:16]
	return c.keepIn(answersFile, c.digests)
}

// routeFacts is the answer to a lookup in a form that equal facts share.
func routeFacts(ctx context.Context, asked *client.Resolver, topic string) ([]byte, error) {
	m, err := asked.Call(ctx, codec.Header{Code: codec.CodeGetRouteInfoByTopic, Ext: []codec.ExtField{{Key: "topic", Value: topic}}}, nil)
	if err != nil {
		return nil, err
	}
	if m.Code != codec.Success {
		return fmt.Appendf(nil, "%d %s", m.Code, m.Remark), nil
	}
	r, err := codec.ParseTopicRouteData(m.Body, nil)
	if err != nil {
		return nil, err
	}
	sort.Slice(r.QueueDatas, func(i, j int) bool { return r.QueueDatas[i].BrokerName < r.QueueDatas[j].BrokerName })
	sort.Slice(r.BrokerDatas, func(i, j int) bool { return r.BrokerDatas[i].BrokerName < r.BrokerDatas[j].BrokerName })
	return json.Marshal(r)
}

// Differing are the servers whose answers in some stage differ from the first server's.
func (c *Comparison) Differing() (lines []string) {
	for stage, byServer := range c.digests {
		first := ""
		for _, server := range c.Servers {
			d, ok := byServer[server.Name]
			switch {
			case !ok:
			case first == "":
				first = server.Name
			case d != byServer[first]:
				lines = append(lines, fmt.Sprintf("%s: %s answers otherwise than %s", stage, server.Name, first))
			}
		}
	}
	sort.Strings(lines)
	return lines
}
