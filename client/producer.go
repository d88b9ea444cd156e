package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// ProducerOptions says how a Producer sends. The zero value is the default of every field.
type ProducerOptions struct {
	// Group is the producer group that brokers see. Default PHAROS_PRODUCER.
	Group string
	// Selector chooses brokers and queues. Default RoundRobin.
	Selector Selector

	// SendTimeout bounds a whole Send: the lookup of a route, every attempt, every pause. A
	// context that ends sooner does too. Default 3 s (Java: sendMsgTimeout).
	SendTimeout time.Duration
	// AttemptTimeout bounds an attempt that another can follow; the last one has all the time
	// that is left. Without it a broker that hangs would use up the whole SendTimeout, as it
	// does in Java (sendMsgMaxTimeoutPerRequest, off by default). Default 1 s.
	AttemptTimeout time.Duration
	// Retries is how many attempts may follow the first, on another broker if there is one.
	// Default 2 (Java: retryTimesWhenSendFailed); negative is none. A broker that asks for
	// less (flow control) does not use them up: it is waited for. Nor do attempts of which
	// nothing was sent because there is no connection, unless Retries is negative: other
	// brokers are tried at once, and when none can be reached the message waits for one, with
	// pauses of 50 ms doubled up to 0.5 s, as long as SendTimeout or its context allows.
	Retries int
	// RetryNotStored: an answer other than SendOK counts as a failed attempt as long as
	// others may follow (Java: retryAnotherBrokerWhenNotStoreOK).
	RetryNotStored bool

	// CreateTopicKey is the topic whose route serves for topics that do not exist, so that
	// the broker creates them. Default TBW102.
	CreateTopicKey string
	// DefaultTopicQueueNums bounds the queues of a topic that is created so. Default 4.
	DefaultTopicQueueNums int
	// NoCreateTopic: a topic that does not exist is an error.
	NoCreateTopic bool
	// BodyBytesMax bounds a message's body. Default 4 MiB (Java: maxMessageSize).
	BodyBytesMax int

	// ProbeMin and ProbeMax are the first and the longest pause between probes of a broker
	// that failed. Defaults 200 ms and 3 s.
	ProbeMin, ProbeMax time.Duration
	// ProbeTimeout bounds a probe, connecting included. Default 1 s.
	ProbeTimeout time.Duration

	// ConnectTimeout bounds connecting to a broker. Default 3 s.
	ConnectTimeout time.Duration
	// Dial replaces net.Dialer.DialContext.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (o ProducerOptions) withDefaults() ProducerOptions {
	if o.Group == "" {
		o.Group = "PHAROS_PRODUCER"
	}
	if o.Selector == nil {
		o.Selector = RoundRobin{}
	}
	o.SendTimeout = orDuration(o.SendTimeout, 3*time.Second)
	o.AttemptTimeout = orDuration(o.AttemptTimeout, time.Second)
	if o.Retries == 0 {
		o.Retries = 2
	}
	o.Retries = max(o.Retries, 0)
	if o.CreateTopicKey == "" {
		o.CreateTopicKey = "TBW102"
	}
	if o.DefaultTopicQueueNums <= 0 {
		o.DefaultTopicQueueNums = 4
	}
	if o.BodyBytesMax <= 0 {
		o.BodyBytesMax = bodyBytesMax
	}
	o.ProbeMin = orDuration(o.ProbeMin, 200*time.Millisecond)
	o.ProbeMax = max(orDuration(o.ProbeMax, 3*time.Second), o.ProbeMin)
	o.ProbeTimeout = orDuration(o.ProbeTimeout, time.Second)
	o.ConnectTimeout = orDuration(o.ConnectTimeout, 3*time.Second)
	return o
}

// Producer sends messages to brokers, over one connection to each. All methods can be called
// from any goroutine.
//
// A broker that does not answer is left out of the choice, its route is asked for again, and
// it is probed until it answers; meanwhile messages go to the others. A broker that asks for
// less is left alone for a moment. An attempt that failed is repeated on another broker, so
// that a message can be stored twice: when a broker took it and its answer was lost.
type Producer struct {
	routes *Routes
	o      ProducerOptions
	dialer wire.Dialer
	ids    *idMaker

	topics  *topicTable[topicState]
	brokers *topicTable[Broker] // by group and address
	marks   atomic.Uint64       // changes of any broker's state
	swept   atomic.Int64        // when sweep last ran, in Unix seconds
	counts  producerCounts
	watch   *stopwatch

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // dials and probes; Add only under mu and while not closed
}

// topicState is what a producer keeps of a topic beside its route.
type topicState struct {
	cursor   atomic.Uint64
	current  atomic.Pointer[Candidates]
	template atomic.Pointer[templateRoute]
}

// templateRoute is the route of a topic that does not exist, made of another topic's.
type templateRoute struct{ from, route *Route }

// NewProducer returns a producer that finds its brokers in routes, which it does not close.
// It connects when it sends. Close it to end its connections.
func NewProducer(routes *Routes, o ProducerOptions) (*Producer, error) {
	o = o.withDefaults()
	if err := checkName("producer group", o.Group, groupBytesMax); err != nil {
		return nil, err
	}
	if routes == nil {
		return nil, errors.New("client: a producer needs Routes")
	}
	p := &Producer{
		routes: routes, o: o, ids: newIDMaker(), watch: newStopwatch(),
		dialer: wire.Dialer{Timeout: o.ConnectTimeout, Language: codec.LanguageGo, DialFunc: o.Dial},
		topics: newTopicTable[topicState](), brokers: newTopicTable[Broker](),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Close ends the connections and probes and waits for them. Sends under way fail with
// ErrClosed.
func (p *Producer) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.wg.Wait()
	p.watch.close()
	for _, b := range p.brokers.All() {
		if conn := b.conn.Load(); conn != nil {
			conn.Close(ErrClosed)
		}
	}
	return nil
}

// enter says that a goroutine of the producer starts; every true needs one p.wg.Done.
func (p *Producer) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.wg.Add(1)
	}
	return !p.closed
}

// candidates returns what there is to choose from for a topic, which is never nothing.
func (p *Producer) candidates(ctx context.Context, topic string) (*Candidates, error) {
	r, err := p.route(ctx, topic)
	if err != nil {
		return nil, err
	}
	if c := p.current(r, time.Now()); c != nil {
		return c, nil
	}
	// The route known has no queue to send to: perhaps it has one now.
	if r, err = p.routes.again(ctx, topic); err == nil {
		if c := p.current(r, time.Now()); c != nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: topic %s has no queue on a writable broker with a master", ErrNoQueue, topic)
}

// current returns the Candidates of a route, nil if it has no queue to send to. They are made
// anew when the route or any broker's state has changed.
func (p *Producer) current(r *Route, now time.Time) *Candidates {
	ts := p.topic(r.Topic)
	c, marks := ts.current.Load(), p.marks.Load()
	if c != nil && c.route == r && c.marks == marks && (c.until.IsZero() || now.Before(c.until)) {
		return c
	}
	p.sweep(now, sweepInterval)
	c = newCandidates(r, p.broker, &ts.cursor, marks, now, brokerUp)
	ts.current.Store(c)
	return c
}

func (p *Producer) topic(topic string) *topicState {
	if ts := p.topics.Get(topic); ts != nil {
		return ts
	}
	return p.topics.Add(topic, func() *topicState {
		ts := &topicState{}
		ts.cursor.Store(rand.Uint64N(1 << 32))
		return ts
	})
}

// broker returns the Broker of a target.
func (p *Producer) broker(t Target) *Broker {
	key := brokerKey(t)
	if b := p.brokers.Get(key); b != nil {
		return b
	}
	return p.brokers.Add(key, func() *Broker { return &Broker{name: t.Broker, addr: t.Addr} })
}

func brokerKey(t Target) string { return t.Broker + "\n" + t.Addr }

// route returns the topic's route, or one that makes a broker create the topic.
//
// Java: DefaultMQProducerImpl#tryToFindTopicPublishInfo.
func (p *Producer) route(ctx context.Context, topic string) (*Route, error) {
	r, err := p.routes.Fetch(ctx, topic)
	if err == nil || !notFound(err) || p.o.NoCreateTopic {
		return r, err
	}
	from, fromErr := p.routes.Fetch(ctx, p.o.CreateTopicKey)
	if fromErr != nil {
		return nil, fmt.Errorf("%w, and topic %s, which would create it: %w", err, p.o.CreateTopicKey, fromErr)
	}
	ts := p.topic(topic)
	if t := ts.template.Load(); t != nil && t.from == from {
		return t.route, nil
	}
	data := *from.Data
	data.QueueDatas = append([]codec.QueueData(nil), data.QueueDatas...)
	for i := range data.QueueDatas {
		q := &data.QueueDatas[i]
		q.ReadQueueNums = min(int32(p.o.DefaultTopicQueueNums), q.ReadQueueNums)
		q.WriteQueueNums = q.ReadQueueNums
	}
	if r, err = newRoute(topic, &data, nil, from.Fetched); err != nil {
		return nil, err
	}
	ts.template.Store(&templateRoute{from, r})
	return r, nil
}

// sweepInterval is how often what is not used any more is looked for.
const sweepInterval = time.Minute

// sweep drops topics whose route is not known any more, and brokers that are in no route,
// with their connections. It does nothing if it ran less than interval ago.
func (p *Producer) sweep(now time.Time, interval time.Duration) {
	before := p.swept.Load()
	if now.Unix()-before < int64(interval/time.Second) || !p.swept.CompareAndSwap(before, now.Unix()) {
		return
	}
	used := map[string]bool{}
	for topic, ts := range p.topics.All() {
		r := p.routes.peek(topic)
		if r == nil {
			if t := ts.template.Load(); t != nil && p.routes.peek(t.from.Topic) == t.from {
				r = t.route
			}
		}
		if r == nil {
			p.topics.Remove(topic, ts)
			continue
		}
		for i := range r.targets {
			used[brokerKey(r.targets[i])] = true
		}
	}
	for key, b := range p.brokers.All() {
		if used[key] || b.inFlight.Load() > 0 {
			continue
		}
		p.brokers.Remove(key, b)
		b.gone.Store(true)
		if conn := b.conn.Load(); conn != nil {
			conn.Abort(errors.New("the broker is in no route any more"))
		}
		p.changed(true)
	}
}
