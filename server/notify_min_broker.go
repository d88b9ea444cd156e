package server

import (
	"context"
	"hash/maphash"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

const (
	notifyWorkers  = 8
	notifyQueueMax = 256 // notifications that wait for one worker
	// notifyWriteMillis: Java gives its oneway calls 300 ms.
	notifyWriteMillis = 300
)

// minBrokerNotifier tells brokers that the smallest id of their group has changed
// (NOTIFY_MIN_BROKER_ID_CHANGE, 905): oneway, on a connection of our own to the broker's
// address, one for each notification. Brokers that can act as master ask for the same
// thing each second, so a failure is counted and nothing more.
//
// Java: RouteInfoManager#notifyMinBrokerIdChanged, which keeps a client connection to each
// broker, and dials while it holds the lock of the route table.
type minBrokerNotifier struct {
	serialize      codec.SerializeType
	connectTimeout time.Duration
	seed           maphash.Seed
	queues         [notifyWorkers]chan notification

	opaque  atomic.Int32
	sent    atomic.Uint64
	failed  atomic.Uint64
	dropped atomic.Uint64

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

type notification struct {
	addr   string
	change *routetable.MinBrokerIDChange
}

func newMinBrokerNotifier(serialize codec.SerializeType, connectTimeoutMillis int) *minBrokerNotifier {
	n := &minBrokerNotifier{
		serialize: serialize, seed: maphash.MakeSeed(),
		connectTimeout: time.Duration(connectTimeoutMillis) * time.Millisecond,
	}
	for i := range n.queues {
		n.queues[i] = make(chan notification, notifyQueueMax)
	}
	return n
}

// start starts the workers. What is notified before waits for them.
func (n *minBrokerNotifier) start() {
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	for i := range n.queues {
		queue := n.queues[i]
		n.wg.Go(func() { n.work(ctx, queue) })
	}
}

// stop ends the workers; what waits is not sent.
func (n *minBrokerNotifier) stop() {
	if n.cancel != nil {
		n.cancel()
		n.wg.Wait()
	}
}

// notify queues a change for all its targets. It never blocks. Notifications of the same
// target stay in order.
func (n *minBrokerNotifier) notify(change *routetable.MinBrokerIDChange) {
	for _, addr := range change.Targets {
		select {
		case n.queues[maphash.String(n.seed, addr)%notifyWorkers] <- notification{addr, change}:
		default:
			n.dropped.Add(1)
		}
	}
}

func (n *minBrokerNotifier) work(ctx context.Context, queue <-chan notification) {
	for {
		select {
		case <-ctx.Done():
			return
		case one := <-queue:
			if err := n.send(ctx, one); err != nil {
				n.failed.Add(1)
			} else {
				n.sent.Add(1)
			}
		}
	}
}

// send delivers one notification.
func (n *minBrokerNotifier) send(ctx context.Context, one notification) error {
	dialer := net.Dialer{Timeout: n.connectTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", one.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(notifyWriteMillis * time.Millisecond)); err != nil {
		return err
	}
	_, err = conn.Write(n.frame(one.change))
	return err
}

// frame is the notification as it is sent.
func (n *minBrokerNotifier) frame(c *routetable.MinBrokerIDChange) []byte {
	ext := make([]codec.ExtField, 0, 4)
	if c.HABrokerAddr.Valid {
		ext = append(ext, codec.ExtField{Key: "haBrokerAddr", Value: c.HABrokerAddr.String})
	}
	ext = append(ext,
		codec.ExtField{Key: "minBrokerAddr", Value: c.MinBrokerAddr},
		codec.ExtField{Key: "minBrokerId", Value: strconv.FormatInt(c.MinBrokerID, 10)})
	if c.OfflineBrokerAddr.Valid {
		ext = append(ext, codec.ExtField{Key: "offlineBrokerAddr", Value: c.OfflineBrokerAddr.String})
	}
	return codec.AppendCommand(nil, n.serialize, &codec.Header{
		Code: codec.CodeNotifyMinBrokerIDChange, Version: codec.Version5_5_0, Language: codec.LanguageJava,
		Opaque: n.opaque.Add(1), Flag: codec.FlagOneway, Ext: ext,
	}, nil)
}
