package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseAddresses(t *testing.T) {
	f := func(list string, want ...string) {
		t.Helper()
		got, err := ParseAddresses(list)
		if want == nil {
			if !errors.Is(err, ErrNoNameServer) {
				t.Errorf("%q: %v, %v; want an error", list, got, err)
			}
			return
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", list, got, err, want)
		}
	}
	f("10.0.0.1:9876", "10.0.0.1:9876")
	f(" ns-a:9876 ; ;[::1]:9876;\n", "ns-a:9876", "[::1]:9876")
	f("")
	f(";")
	f("10.0.0.1")
	f("10.0.0.1:")
	f("::1:9876")
	f("ns-a:9876,ns-b:9876")
	f("ns-a:9876;ns-b:port")
	f("ns-a:65536")
	f("ns-a:0")
	f("ns a:9876")
	f(strings.Repeat("ns:1;", addressesMax+1))
	if _, err := ParseAddresses(strings.Repeat("\x00\xff", 30_000)); err == nil || len(err.Error()) > 4*briefBytesMax {
		t.Errorf("%.100v...", err)
	}
}

// oddSource is asked once, and does not check what it says.
type oddSource []string

func (s oddSource) Addresses(context.Context) ([]string, error) { return s, nil }
func (oddSource) Refresh() time.Duration                        { return 0 }

func TestSourceWithoutAddresses(t *testing.T) {
	f := func(want string, list ...string) {
		t.Helper()
		if _, err := NewResolver(ResolverOptions{Source: oddSource(list)}); !errors.Is(err, ErrNoNameServer) || err.Error() != want {
			t.Errorf("%v: %v, want %s", list, err, want)
		}
	}
	f("client: the list of name servers is empty")
	f(`client: "ns-a" in the list of name servers is not host:port`, "ns-a")
}

func TestEnvironment(t *testing.T) {
	t.Setenv(EnvNameServers, "")
	if _, err := NewResolver(ResolverOptions{}); !errors.Is(err, ErrNoNameServer) || !strings.Contains(err.Error(), EnvNameServers) {
		t.Errorf("nothing in the environment: %v", err)
	}
	t.Setenv(EnvNameServers, "ns-a:9876;ns-b:9876")
	r, err := NewResolver(ResolverOptions{KeepOrder: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if s := r.Servers(); len(s) != 2 || s[0].Addr != "ns-a:9876" || s[0].Role != ServerUnknown {
		t.Errorf("%+v", s)
	}
	t.Setenv("OTHER", "ns-c:9876")
	if list, err := EnvAddresses("OTHER").Addresses(t.Context()); err != nil || !slices.Equal(list, []string{"ns-c:9876"}) {
		t.Errorf("%v %v", list, err)
	}
	if _, err := NewResolver(ResolverOptions{Servers: []string{}}); !errors.Is(err, ErrNoNameServer) {
		t.Errorf("an empty list: %v", err)
	}
}

// Goal: what Java clients read of an address server is read; what is no list is an error.
func TestHTTPAddresses(t *testing.T) {
	f := func(status int, body string, want ...string) {
		t.Helper()
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !r.Close {
				t.Error("the connection is kept for two minutes")
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		defer srv.Close()
		source := HTTPAddresses(strings.Replace(srv.URL, "//", "//user:secret@", 1), srv.Client())
		if source.Refresh() != 2*time.Minute {
			t.Errorf("asked every %v", source.Refresh())
		}
		got, err := source.Addresses(t.Context())
		if want == nil {
			if err == nil || !strings.Contains(err.Error(), "address server") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%d %.40q: %v, %v; want an error", status, body, got, err)
			}
			return
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d %.40q: %v, %v; want %v", status, body, got, err, want)
		}
	}
	f(200, "10.0.0.1:9876;10.0.0.2:9876", "10.0.0.1:9876", "10.0.0.2:9876")
	f(200, "10.0.0.1:9876;10.0.0.2:9876\r\nsomething else", "10.0.0.1:9876", "10.0.0.2:9876")
	f(200, "")
	f(200, "\n 10.0.0.1:9876\n10.0.0.2:9876", "10.0.0.1:9876")
	f(200, "\n")
	f(200, "<html>")
	f(404, "10.0.0.1:9876")
	f(200, strings.Repeat("10.0.0.1:9876;", 100_000))
	if _, err := HTTPAddresses("http://127.0.0.1:1/", nil).Addresses(t.Context()); err == nil {
		t.Error("nobody listens on port 1")
	}
}
