package client

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// AddressSource tells a Resolver where the name servers are.
type AddressSource interface {
	// Addresses returns the list, each "host:port".
	Addresses(ctx context.Context) ([]string, error)
	// Refresh is after how long the list is asked for again; 0: never.
	Refresh() time.Duration
}

// EnvNameServers is the environment variable that Java programs read the list from.
const EnvNameServers = "NAMESRV_ADDR"

// ParseAddresses reads a list as RocketMQ writes it: host:port, separated by semicolons.
func ParseAddresses(list string) ([]string, error) {
	var addrs []string
	for addr := range strings.SplitSeq(list, ";") {
		if addr = strings.TrimSpace(addr); addr != "" {
			addrs = append(addrs, addr)
		}
	}
	return addrs, checkAddresses(addrs)
}

// addressesMax bounds the list: every server of it is connected to and probed. It is far more
// than anybody runs, and so says that the list is something else.
const addressesMax = 256

// listError is what is wrong with a list, an ErrNoNameServer whose words would mislead.
type listError string

func (e listError) Error() string { return string(e) }
func (listError) Unwrap() error   { return ErrNoNameServer }

func checkAddresses(addrs []string) error {
	if len(addrs) == 0 {
		return listError("the list of name servers is empty")
	}
	if len(addrs) > addressesMax {
		return listError(fmt.Sprintf("the list has %d name servers, at most %d are taken", len(addrs), addressesMax))
	}
	for _, addr := range addrs {
		host, port, err := net.SplitHostPort(addr)
		number, portErr := strconv.ParseUint(port, 10, 16)
		if err != nil || portErr != nil || number == 0 || strings.ContainsFunc(host, notInHost) {
			return listError(fmt.Sprintf("%q in the list of name servers is not host:port", brief(addr)))
		}
	}
	return nil
}

func notInHost(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

type staticAddresses []string

// StaticAddresses is a list that stays as it is.
func StaticAddresses(addrs ...string) AddressSource { return staticAddresses(addrs) }

func (s staticAddresses) Addresses(context.Context) ([]string, error) {
	return s, checkAddresses(s)
}

func (staticAddresses) Refresh() time.Duration { return 0 }

type envAddresses string

// EnvAddresses is the list in an environment variable, EnvNameServers if variable is "".
func EnvAddresses(variable string) AddressSource {
	if variable == "" {
		variable = EnvNameServers
	}
	return envAddresses(variable)
}

func (e envAddresses) Addresses(context.Context) ([]string, error) {
	addrs, err := ParseAddresses(os.Getenv(string(e)))
	if err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", string(e), err)
	}
	return addrs, nil
}

func (envAddresses) Refresh() time.Duration { return 0 }
