package main

import (
	"context"
	"fmt"

	"github.com/pharosmq/pharos/client"
	"github.com/pharosmq/pharos/codec"
)

// limits bound what a name server may answer.
var limits = codec.DefaultLimits()

// resolverOf returns a resolver for some name servers, asked in their order.
func (s *session) resolverOf(servers ...string) (*client.Resolver, error) {
	return client.NewResolver(client.ResolverOptions{
		Servers: servers, KeepOrder: true, Limits: limits,
		ConnectTimeout: s.timeout, RPCTimeout: s.timeout, LookupTimeout: s.timeout,
	})
}

// connect returns the session's resolver, for all servers of the list.
func (s *session) connect() (*client.Resolver, error) {
	if s.resolver != nil {
		return s.resolver, nil
	}
	var err error
	s.resolver, err = s.resolverOf(s.servers...)
	return s.resolver, err
}

func (s *session) close() {
	if s.resolver != nil {
		_ = s.resolver.Close()
	}
}

// ask sends one request to the first server that answers, and returns the reply's body,
// which the caller owns.
func (s *session) ask(ctx context.Context, code int32, ext []codec.ExtField) ([]byte, error) {
	r, err := s.connect()
	if err != nil {
		return nil, err
	}
	return askOf(ctx, r, codec.Header{Code: code, Ext: ext}, nil)
}

// askOf is ask of a resolver's servers, with a body to send.
func askOf(ctx context.Context, r *client.Resolver, h codec.Header, body []byte) ([]byte, error) {
	reply, err := r.Call(ctx, h, body)
	if err != nil {
		return nil, err
	}
	if reply.Code != codec.Success {
		return nil, fmt.Errorf("%s: %w", reply.Server, &client.Refusal{Code: reply.Code, Remark: reply.Remark})
	}
	return reply.Body, nil
}
