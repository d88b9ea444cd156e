package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// httpRefresh is how often Java clients ask their address server.
	httpRefresh = 2 * time.Minute
	// httpTimeout bounds one question to it.
	httpTimeout = 3 * time.Second
	// httpListBytesMax bounds its answer: a thousand addresses are 30 kB.
	httpListBytesMax = 64 << 10
)

// HTTPAddresses is the list that an HTTP server has, asked for every two minutes: the first
// line of its answer that is not blank, separated by semicolons. client may be nil. What Java
// clients ask by default is http://jmenv.tbsite.net:8080/rocketmq/nsaddr; nothing is asked here
// without being told.
//
// Java: DefaultTopAddressing#fetchNSAddr, MQClientInstance#startScheduledTask.
func HTTPAddresses(url string, client *http.Client) AddressSource {
	if client == nil {
		client = http.DefaultClient
	}
	return &httpAddresses{url, client}
}

type httpAddresses struct {
	url    string
	client *http.Client
}

func (h *httpAddresses) Refresh() time.Duration { return httpRefresh }

func (h *httpAddresses) Addresses(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url, nil)
	if err != nil {
		return nil, fmt.Errorf("address server: %w", err)
	}
	from := request.URL.Redacted() // without a password
	request.Close = true           // the next question is minutes away: no connection is to be left behind
	response, err := h.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("address server: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("address server %s: it answered %s", from, brief(response.Status))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, httpListBytesMax))
	if err != nil {
		return nil, fmt.Errorf("address server %s: %w", from, err)
	}
	list := strings.TrimSpace(string(body))
	if end := strings.IndexAny(list, "\r\n"); end >= 0 {
		list = list[:end]
	} else if len(body) == httpListBytesMax {
		return nil, fmt.Errorf("address server %s: the list is longer than %d bytes", from, httpListBytesMax)
	}
	addrs, err := ParseAddresses(list)
	if err != nil {
		return nil, fmt.Errorf("address server %s: %w", from, err)
	}
	return addrs, nil
}
