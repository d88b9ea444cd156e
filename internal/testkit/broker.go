package testkit

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// ErrRefused: the name server answered, with a code other than SUCCESS.
var ErrRefused = errors.New("testkit: refused")

// crcMask drops the sign of a checksum, as Java's UtilAll.crc32 does.
const crcMask = 0x7FFFFFFF

// BrokerOptions is who a pretend broker is. The zero value is the master of broker-a in
// DefaultCluster, as 5.5.0 registers it.
type BrokerOptions struct {
	Cluster string // default DefaultCluster
	Name    string // default broker-a
	Addr    string // the address it claims; default 127.0.0.1:10911, where nobody listens
	HAAddr  string // default 127.0.0.1:10912
	ID      int64  // 0 is the master
	// TimeoutMillis is heartbeatTimeoutMillis; 0 leaves it out.
	TimeoutMillis int64
	// ActingMaster is enableActingMaster; "" leaves it out, as brokers before 5.0 do.
	ActingMaster string
	Zone         string // __ZONE_NAME; "" leaves it out
	Compressed   bool
	Client       ClientOptions
}

// Broker is a pretend broker on one connection to one name server. Its methods must not be
// called at the same time, apart from those of Client.
type Broker struct {
	*Client
	o    BrokerOptions
	body codec.RegisterBody
}

// DialBroker connects as a broker that has no topics yet. It registers when told to.
func DialBroker(ctx context.Context, namesrv string, o BrokerOptions) (*Broker, error) {
	for _, d := range []struct {
		field  *string
		normal string
	}{
		{&o.Cluster, "DefaultCluster"}, {&o.Name, "broker-a"},
		{&o.Addr, "127.0.0.1:10911"}, {&o.HAAddr, "127.0.0.1:10912"},
	} {
		if *d.field == "" {
			*d.field = d.normal
		}
	}
	c, err := Dial(ctx, namesrv, o.Client)
	if err != nil {
		return nil, err
	}
	b := &Broker{Client: c, o: o}
	b.body.DataVersion = codec.DataVersion{Timestamp: time.Now().UnixMilli()}
	return b, nil
}

// Topic is a readable and writable topic with as many queues for both.
func Topic(name string, queues int32) codec.TopicConfig {
	return codec.TopicConfig{
		Name: []byte(name), Key: []byte(name), ReadQueueNums: queues, WriteQueueNums: queues,
		Perm: codec.PermRead | codec.PermWrite,
	}
}

// SetTopics replaces the broker's topics; its data version counts on. The next registration
// tells the name server.
func (b *Broker) SetTopics(topics ...codec.TopicConfig) {
	b.body.Topics = topics
	b.body.DataVersion.Counter++
}

// Body is what the broker registers, for tests that change more than topics.
func (b *Broker) Body() *codec.RegisterBody { return &b.body }

// Registration is the request that Register sends: its ext fields and body.
func (b *Broker) Registration() ([]codec.ExtField, []byte) {
	var body []byte
	if b.o.Compressed {
		body = codec.AppendRegisterBodyCompressed(nil, &b.body, b.Client.o.Version)
	} else {
		body = codec.AppendRegisterBody(nil, &b.body, b.Client.o.Version)
	}
	ext := append(b.identity(), Ext(
		"haServerAddr", b.o.HAAddr,
		"compressed", strconv.FormatBool(b.o.Compressed),
		"bodyCrc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)&crcMask), 10))...)
	if b.o.TimeoutMillis != 0 {
		ext = append(ext, Ext("heartbeatTimeoutMillis", strconv.FormatInt(b.o.TimeoutMillis, 10))...)
	}
	if b.o.ActingMaster != "" {
		ext = append(ext, Ext("enableActingMaster", b.o.ActingMaster)...)
	}
	if b.o.Zone != "" {
		ext = append(ext, Ext("__ZONE_NAME", b.o.Zone)...)
	}
	return ext, body
}

// Register registers (103) and returns the reply. A code other than SUCCESS is ErrRefused.
func (b *Broker) Register(ctx context.Context) (*Message, error) {
	ext, body := b.Registration()
	return b.mustSucceed(ctx, codec.CodeRegisterBroker, ext, body)
}

// Unregister says good-bye (104). The name server may apply it after its reply.
func (b *Broker) Unregister(ctx context.Context) error {
	_, err := b.mustSucceed(ctx, codec.CodeUnregisterBroker, b.identity(), nil)
	return err
}

// Heartbeat sends a BROKER_HEARTBEAT (904), which is not answered.
func (b *Broker) Heartbeat(ctx context.Context) error {
	return b.Oneway(ctx, codec.CodeBrokerHeartbeat, b.identity(), nil)
}

// QueryDataVersion asks whether the name server has other topics of this broker than it has
// itself (322); asking counts as a heartbeat.
func (b *Broker) QueryDataVersion(ctx context.Context) (changed bool, err error) {
	m, err := b.mustSucceed(ctx, codec.CodeQueryDataVersion, b.identity(), codec.AppendDataVersion(nil, b.body.DataVersion))
	if err != nil {
		return false, err
	}
	return m.Ext["changed"] != "false", nil
}

// Run registers, registers again every period, and unregisters when ctx ends; it returns
// nil then. Any failure ends it, and leaves the broker as it is.
func (b *Broker) Run(ctx context.Context, period time.Duration) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		if _, err := b.Register(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return b.Unregister(context.WithoutCancel(ctx))
		case <-b.Done():
			return b.Err()
		case <-tick.C:
		}
	}
}

// identity is what every request of a broker says.
func (b *Broker) identity() []codec.ExtField {
	return Ext("clusterName", b.o.Cluster, "brokerName", b.o.Name, "brokerAddr", b.o.Addr,
		"brokerId", strconv.FormatInt(b.o.ID, 10))
}

func (b *Broker) mustSucceed(ctx context.Context, code int32, ext []codec.ExtField, body []byte) (*Message, error) {
	m, err := b.Call(ctx, code, ext, body)
	if err != nil {
		return nil, err
	}
	if m.Code != codec.Success {
		return m, fmt.Errorf("%w: request %d of %s answered with code %d %s", ErrRefused, code, b.o.Name, m.Code, m.Remark)
	}
	return m, nil
}
