package config

import (
	"sync"
	"sync/atomic"
)

// Namesrv is the configuration of a running name server: what it started with, what has
// changed since, and where changes are kept. It is safe for concurrent use.
type Namesrv struct {
	// Settings never change after the start; read them without a lock.
	Settings

	live    atomic.Pointer[Live]
	listing atomic.Pointer[[]byte] // of 319

	mu       sync.Mutex // one Update at a time; guards the fields below
	boundTo  int        // the port actually bound, when listenPort is 0; 0: not yet known
	set      map[string]bool
	extras   []Property // keys of the start-up file that nobody knows, in its order
	client   clientValues
	refused  map[string]bool // configBlackList, as it was at the start
	warnings []Warning
	hints    []string
	file     string // the -c file as typed; empty without -c
}

// New returns a configuration that came from no file, with the given values: for tests
// and for programs that embed the server. 318 persists to s.ConfigStorePath.
func New(s Settings, l Live) *Namesrv {
	return newNamesrv(&values{Settings: s, Live: l, client: defaultClientValues()})
}

func newNamesrv(v *values) *Namesrv {
	c := &Namesrv{
		Settings: v.Settings,
		client:   v.client,
		set:      map[string]bool{},
		refused:  blackList(v.ConfigBlackList),
	}
	live := v.Live
	c.live.Store(&live)
	c.relistLocked()
	return c
}

// Live returns the current live settings. It never blocks and never returns nil; the
// value is immutable, so one request uses one consistent set.
func (c *Namesrv) Live() *Live { return c.live.Load() }

// SetBoundPort records the port that was bound when listenPort was 0, which 319 and the
// boot line then show, as Java does.
func (c *Namesrv) SetBoundPort(port int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.boundTo = port
	c.relistLocked()
}

// BoundPort returns the port last given to SetBoundPort, else listenPort.
func (c *Namesrv) BoundPort() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.boundPortLocked()
}

func (c *Namesrv) boundPortLocked() int {
	if c.boundTo != 0 {
		return c.boundTo
	}
	return c.ListenPort
}

// ConfigFile returns the -c file as typed; empty when there was none.
func (c *Namesrv) ConfigFile() string { return c.file }

// IsSet reports that the file, or 318, gave the key a value of its own.
func (c *Namesrv) IsSet(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set[name]
}

// Warnings returns what the start-up file says that was not taken as written.
func (c *Namesrv) Warnings() []Warning { return c.warnings }

// Hints returns remarks on the start that are no fault of the file, for the log.
func (c *Namesrv) Hints() []string { return c.hints }

// values returns the current values of all keys. The caller holds mu.
func (c *Namesrv) valuesLocked() *values {
	v := &values{Settings: c.Settings, Live: *c.live.Load(), client: c.client}
	v.ListenPort = c.boundPortLocked()
	return v
}
