package client

import (
	"strings"
	"time"

	"github.com/pharosmq/pharos/client/internal/choice"
)

// ServerRole is what a name server is used for.
type ServerRole string

// The roles of a name server.
const (
	ServerInUse   ServerRole = "in use"
	ServerStandBy ServerRole = "stand-by"
	ServerResting ServerRole = "resting" // it failed, and has not proved itself since
	ServerUnknown ServerRole = "unknown" // it has not been needed, or has not answered, yet
)

// ServerStatus is what a Resolver knows of a name server.
type ServerStatus struct {
	Addr      string
	Role      ServerRole
	Since     time.Time // when it took that role
	Connected bool
	Heard     time.Time     // when an answer last came; zero: none, or not connected
	Latency   time.Duration // of its answers, smoothed; 0: there were none
	InFlight  int           // requests it has not answered
	Fails     int           // failures in a row
	RetryAt   time.Time     // of a resting one: when it is tried again
	LastError error         // what last went wrong; nil: nothing
}

// whom is who is being asked, for an error.
func (r *Resolver) whom() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if addr := r.machine.InUse(); addr != "" {
		return addr
	}
	var all []string
	for _, s := range r.machine.Status() {
		all = append(all, s.Server)
	}
	return "any of " + strings.Join(all, ";")
}

// Servers returns what is known of every name server, in the order in which they are tried.
func (r *Resolver) Servers() []ServerStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hear()
	var all []ServerStatus
	for _, s := range r.machine.Status() {
		status := ServerStatus{
			Addr: s.Server, Role: ServerRole(s.Role.String()), Since: r.time(s.Since), Connected: s.Connected,
			Latency: s.Latency, Fails: s.Fails, LastError: r.lastErr[s.Server],
		}
		if s.Role == choice.Resting {
			status.RetryAt = r.time(s.Due)
		}
		if l := r.links[s.Server]; l != nil {
			status.InFlight = l.conn.InFlight()
			if heard := l.conn.Heard(); heard.After(l.conn.Opened()) {
				status.Heard = heard
			}
		}
		all = append(all, status)
	}
	return all
}
