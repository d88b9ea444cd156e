package client

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/pharosmq/pharos/client/internal/choice"
	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// Reply is what a name server answered. Its receiver owns it and all of its bytes.
type Reply = wire.Reply

var errNoAnswerYet = errors.New("no answer yet")

// Route asks for a topic's route: the server in use, and others if it fails, is late or is
// left meanwhile. The result is the caller's. The error is an *Error; that the topic does not
// exist is an ErrTopicNotFound.
//
// Java: MQClientAPIImpl#getTopicRouteInfoFromNameServer.
func (r *Resolver) Route(ctx context.Context, topic string) (*codec.TopicRouteData, error) {
	q := routeQuestion{topic: topic, last: noAnswer}
	r.routeIfNew(ctx, r.o.LookupTimeout, &q)
	return q.data, q.err
}

// answerID stands for the bytes of an answer: equal bytes have the same, others have another
// but for one pair in 2^64.
type answerID uint64

// noAnswer is no answer's.
const noAnswer answerID = 0

var answerSeed = maphash.MakeSeed()

func idOf(body []byte) answerID { return max(answerID(maphash.Bytes(answerSeed, body)), 1) }

// routeQuestion asks for a topic's route, and takes the answer: data, or err. Without either
// it is the last one again.
type routeQuestion struct {
	topic string
	last  answerID
	data  *codec.TopicRouteData
	id    answerID
	err   error
}

// routeIfNew is Route within some time, and within LookupTimeout; but there is no data, and it
// was not parsed, if the answer is the last one again.
func (r *Resolver) routeIfNew(ctx context.Context, within time.Duration, q *routeQuestion) {
	l := r.routeLookup(within, q)
	q.err = l.run(ctx)
}

// routeLookup is a lookup that has a question answered.
func (r *Resolver) routeLookup(within time.Duration, q *routeQuestion) lookup {
	return lookup{r: r, header: routeHeader(q.topic), hedge: !r.o.NoHedge, within: min(within, r.o.LookupTimeout), take: func(reply *Reply) (choice.Answer, error) {
		a := judge(reply, true)
		if reply.Code != codec.Success {
			return a, &Refusal{reply.Code, reply.Remark}
		}
		if q.id = idOf(reply.Body); q.id == q.last {
			return a, nil
		}
		parsed, err := codec.ParseTopicRouteData(reply.Body, &r.o.Limits)
		if err != nil {
			return choice.Senseless, fmt.Errorf("%w: %w", ErrBadReply, err)
		}
		if len(parsed.BrokerDatas) == 0 { // no body, {}: what no broker has does not exist, and has another code
			return choice.Senseless, fmt.Errorf("%w: a route without brokers", ErrBadReply)
		}
		q.data = &parsed
		return a, nil
	}}
}

// Call sends any other request that may be repeated, with the same fail-over but no hedging.
// A reply is returned whatever its code, except one that says that the server is busy, not
// ready or leaving: then another one is asked, and the error is an ErrRefused if all are.
func (r *Resolver) Call(ctx context.Context, h codec.Header, body []byte) (*Reply, error) {
	var answer *Reply
	l := lookup{r: r, header: h, body: body, within: r.o.LookupTimeout, take: func(reply *Reply) (choice.Answer, error) {
		a := judge(reply, false)
		if a != choice.Good {
			return a, &Refusal{reply.Code, reply.Remark}
		}
		answer = reply
		return a, nil
	}}
	if err := l.run(ctx); err != nil {
		return nil, err
	}
	return answer, nil
}

// CallAt sends a request to one server, in the list or not, on the connection there is or on
// one for this request alone. A reply is returned whatever its code. The error is an *Error
// with one attempt; it is an ErrNoNameServer if the server can't be reached.
func (r *Resolver) CallAt(ctx context.Context, server string, h codec.Header, body []byte) (*Reply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.RPCTimeout, ErrTimeout)
	defer cancel()
	began := time.Now()
	l := lookup{r: r, header: h}
	fail := func(sentinel, err error) error {
		return &Error{Op: l.op(), Topic: l.topic(), Err: sentinel, Attempts: []Attempt{{server, err, max(time.Since(began), 1)}}}
	}
	conn, own, err := r.connTo(ctx, server)
	if err != nil {
		if errors.Is(err, ErrClosed) {
			return nil, fail(ErrClosed, err)
		}
		return nil, fail(ErrNoNameServer, err)
	}
	if own {
		defer conn.Close(nil)
		defer context.AfterFunc(r.ctx, func() { conn.Abort(ErrClosed) })()
	}
	reply, err := conn.Call(ctx, h, body)
	if err == nil {
		return reply, nil
	}
	err = ofWire(err)
	for _, sentinel := range []error{ErrClosed, ErrTimeout, ErrBadReply, context.Canceled, codec.ErrFrameTooLarge} {
		if errors.Is(err, sentinel) {
			return nil, fail(sentinel, err)
		}
	}
	return nil, fail(ErrNoNameServer, err)
}

// connTo returns the connection to a server; own: it was made for the caller, who closes it.
func (r *Resolver) connTo(ctx context.Context, server string) (conn *wire.Conn, own bool, err error) {
	r.mu.Lock()
	l, closed := r.links[server], r.closed
	r.mu.Unlock()
	switch {
	case closed:
		return nil, false, ErrClosed
	case l != nil:
		return l.conn, false, nil
	}
	conn, err = r.dialer.Dial(ctx, server)
	return conn, true, err
}

func routeHeader(topic string) codec.Header {
	return codec.Header{Code: codec.CodeGetRouteInfoByTopic, Ext: []codec.ExtField{{Key: "topic", Value: topic}}}
}

// judge says what a reply means for the trust in its server. To a lookup SYSTEM_ERROR is never
// an answer; to another request it may be. One that does not know lookups is no name server:
// a broker's address, perhaps.
func judge(reply *Reply, lookup bool) choice.Answer {
	switch reply.Code {
	case codec.SystemBusy:
		return choice.Busy
	case codec.GoAway:
		return choice.Leaving
	case codec.RequestCodeNotSupported:
		if lookup {
			return choice.Senseless
		}
	case codec.SystemError:
		switch {
		case strings.Contains(reply.Remark, "not ready"):
			return choice.NotReady
		case lookup:
			return choice.Busy
		}
	}
	return choice.Good
}

// sentinelOfReply is what an answer comes down to that no other server is asked about.
func sentinelOfReply(err error) error {
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code == codec.TopicNotExist:
		return ErrTopicNotFound
	case errors.As(err, &refusal):
		return ErrRefused
	}
	return ErrBadReply
}
