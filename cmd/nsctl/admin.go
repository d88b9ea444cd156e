package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const (
	adminDefault    = "127.0.0.1:9877"
	namesrvPort     = "9876"
	adminBytesMax   = 1 << 30 // of an answer; a row of a connection has about 700
	adminErrorBytes = 4 << 10
)

// adminOptions say where the admin port of the name server is.
type adminOptions struct {
	addr string // "": not said
}

func (o *adminOptions) define(fs *flag.FlagSet) {
	fs.StringVar(&o.addr, "admin", "", "admin port of the name server, `host:port` on this machine; default "+adminDefault)
}

// adminAddr is the admin port; for commands that ask nothing else.
func (s *session) adminAddr() string {
	if s.admin.addr != "" {
		return s.admin.addr
	}
	return adminDefault
}

// ownAdmin is the admin port of the name server that -n names, "" if it is not known: with
// several on one machine the default port belongs to the one on the default port, and of a
// list nobody knows beforehand which one answers.
func (s *session) ownAdmin() string {
	if s.admin.addr != "" {
		return s.admin.addr
	}
	if len(s.servers) != 1 {
		return ""
	}
	host, port, err := net.SplitHostPort(s.servers[0])
	if err != nil || port != namesrvPort {
		return ""
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return adminDefault
	}
	return ""
}

// errNotTold is an answer of the admin port other than 200.
var errNotTold = errors.New("not told")

// get asks the admin port and hands the answer's body to read.
func (s *session) get(ctx context.Context, addr, path string, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return fmt.Errorf("-admin %s: %w", addr, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the admin port can't be reached (adminListen of the name server; -admin names another): %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, adminErrorBytes))
		return fmt.Errorf("%s: %w: %s", addr, errNotTold, strings.TrimSpace(string(text)))
	}
	if err := read(io.LimitReader(response.Body, adminBytesMax)); err != nil {
		return fmt.Errorf("answer of %s: %w", addr, err)
	}
	return nil
}

// getJSON asks the admin port for one value.
func (s *session) getJSON(ctx context.Context, addr, path string, v any) error {
	return s.get(ctx, addr, path, func(r io.Reader) error { return json.NewDecoder(r).Decode(v) })
}
