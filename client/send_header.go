package client

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// Requests that brokers answer (Java: RequestCode).
const (
	codeGetMaxOffset  int32 = 30
	codeSendMessageV2 int32 = 310
)

// Answers of brokers beyond those that name servers give (Java: ResponseCode).
const (
	codeFlushDiskTimeout    int32 = 10
	codeSlaveNotAvailable   int32 = 11
	codeFlushSlaveTimeout   int32 = 12
	codeMessageIllegal      int32 = 13
	codeServiceNotAvailable int32 = 14
	codeNoBuyerID           int32 = 204
	codeNotInCurrentUnit    int32 = 205
	codeFlowControl         int32 = 215
)

// sendHeader is the header of SEND_MESSAGE_V2, whose fields have names of one letter.
//
// Java: SendMessageRequestHeaderV2, DefaultMQProducerImpl#sendKernelImpl.
func sendHeader(o *ProducerOptions, m *Message, properties string, q *Candidate, born time.Time) codec.Header {
	return codec.Header{Code: codeSendMessageV2, Ext: []codec.ExtField{
		{Key: "a", Value: o.Group},
		{Key: "b", Value: m.Topic},
		{Key: "c", Value: o.CreateTopicKey},
		{Key: "d", Value: strconv.Itoa(o.DefaultTopicQueueNums)},
		{Key: "e", Value: strconv.Itoa(int(q.Queue.QueueID))},
		{Key: "f", Value: "0"}, // sysFlag: not compressed, no transaction
		{Key: "g", Value: strconv.FormatInt(born.UnixMilli(), 10)},
		{Key: "h", Value: strconv.Itoa(int(m.Flag))},
		{Key: "i", Value: properties},
		{Key: "j", Value: "0"},     // reconsumeTimes
		{Key: "k", Value: "false"}, // unitMode
		{Key: "m", Value: "false"}, // batch
		{Key: "n", Value: q.Broker.name},
	}}
}

// SendStatus is how safe a broker that took a message says it is (Java: SendStatus).
type SendStatus uint8

const (
	// SendOK: stored, flushed and replicated as the broker is configured.
	SendOK SendStatus = iota
	// SendFlushDiskTimeout: stored, but not on disk in the broker's time.
	SendFlushDiskTimeout
	// SendFlushSlaveTimeout: stored, but not on a slave in the broker's time.
	SendFlushSlaveTimeout
	// SendSlaveNotAvailable: stored, but there is no slave to replicate to.
	SendSlaveNotAvailable
)

// String returns Java's name of the status.
func (s SendStatus) String() string {
	switch s {
	case SendOK:
		return "SEND_OK"
	case SendFlushDiskTimeout:
		return "FLUSH_DISK_TIMEOUT"
	case SendFlushSlaveTimeout:
		return "FLUSH_SLAVE_TIMEOUT"
	case SendSlaveNotAvailable:
		return "SLAVE_NOT_AVAILABLE"
	}
	return "SendStatus(" + strconv.Itoa(int(s)) + ")"
}

// SendResult is what became of a message that a broker took (Java: SendResult).
type SendResult struct {
	Status SendStatus
	// MessageID is the producer's id of the message, its UNIQ_KEY. All attempts have the
	// same, so that a consumer can tell a message that came twice.
	MessageID string
	// OffsetMessageID is the broker's: its address and where in its log the message lies.
	OffsetMessageID string
	Queue           MessageQueue // as the broker says; its BrokerName is the broker group
	QueueOffset     int64
	TransactionID   string
	Addr            string // of the broker
	Attempts        int    // 1 if the first one succeeded
}

// stored returns the status an answer means, and whether the message was taken at all.
func stored(code int32) (SendStatus, bool) {
	switch code {
	case codec.Success:
		return SendOK, true
	case codeFlushDiskTimeout:
		return SendFlushDiskTimeout, true
	case codeFlushSlaveTimeout:
		return SendFlushSlaveTimeout, true
	case codeSlaveNotAvailable:
		return SendSlaveNotAvailable, true
	}
	return 0, false
}

// readSendReply reads the answer of a broker that took a message.
//
// Java: MQClientAPIImpl#processSendResponse.
func readSendReply(r *wire.Reply, topic string, b *Broker) (*SendResult, error) {
	status, ok := stored(r.Code)
	if !ok {
		return nil, &BrokerError{Addr: b.addr, Code: r.Code, Remark: r.Remark}
	}
	res := &SendResult{Status: status, Addr: b.addr}
	res.OffsetMessageID, _ = r.Field("msgId")
	res.TransactionID, _ = r.Field("transactionId")
	id, _ := r.Field("queueId")
	queueID, err := strconv.ParseInt(id, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("%w: broker %s took the message and says queueId %q", ErrBadAnswer, b.addr, brief(id))
	}
	offset, _ := r.Field("queueOffset")
	if res.QueueOffset, err = strconv.ParseInt(offset, 10, 64); err != nil {
		return nil, fmt.Errorf("%w: broker %s took the message and says queueOffset %q", ErrBadAnswer, b.addr, brief(offset))
	}
	res.Queue = MessageQueue{Topic: topic, BrokerName: b.name, QueueID: int32(queueID)}
	return res, nil
}

// verdict is what an answer with an error code means for the next step.
type verdict struct {
	retry   bool          // another broker may take the message
	restMin time.Duration // > 0: the broker is left alone so long at first
	restMax time.Duration
	reload  bool // the route may be out of date
	fault   bool // the broker's, not the message's
	flow    bool // the broker asks for less
	lost    bool // there was no answer
	unsent  bool // the broker could not be reached, and nothing was sent
}

// judgeSend says what an error code means. The codes that are retried are Java's
// (DefaultMQProducer#retryResponseCodes), flow control, and that of a process that is no broker: a
// name server, say, to which a dead broker's address has gone.
func judgeSend(code int32) verdict {
	switch code {
	case codec.SystemBusy, codeFlowControl:
		return verdict{retry: true, restMin: 20 * time.Millisecond, restMax: time.Second, fault: true, flow: true}
	case codec.SystemError:
		return verdict{retry: true, restMin: 50 * time.Millisecond, restMax: 5 * time.Second, fault: true}
	case codeServiceNotAvailable, codec.GoAway, codec.RequestCodeNotSupported:
		return verdict{retry: true, restMin: 200 * time.Millisecond, restMax: 5 * time.Second, fault: true, reload: true}
	case codec.TopicNotExist, codec.NoPermission:
		return verdict{retry: true, fault: true, reload: true}
	case codeNoBuyerID, codeNotInCurrentUnit:
		return verdict{retry: true, fault: true}
	case codeMessageIllegal:
		return verdict{}
	}
	return verdict{fault: true}
}
