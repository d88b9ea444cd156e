package differential

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// settle waits until what the step asked for is applied on both servers, notes who
// registered where, and takes back what is known to stay different.
func (r *runner) settle(s *Step, out [2]*Outcome) error {
	var unregistered, oneway bool
	var again, sameAddress []BrokerRef
	for i := range s.Requests {
		q := &s.Requests[i]
		unregistered = unregistered || q.Code == 104
		r.mappedAgain = r.mappedAgain || q.Tag == tagMappedAgain
		r.removed = r.removed || q.Code == 104 || q.Code == 216
		if q.Unregister != nil {
			again = append(again, *q.Unregister)
			sameAddress = append(sameAddress, r.sameAddress(*q.Unregister)...)
		}
		oneway = oneway || q.Expect == ExpectNone && q.Code != 0
	}
	if oneway {
		if err := r.flushOneways(s.Conn); err != nil {
			return err
		}
	}
	for i := range s.Requests {
		if err := r.noteRegistration(s, &s.Requests[i], out[0]); err != nil {
			return err
		}
	}
	if unregistered {
		r.last = time.Now()
		if err := r.awaitUnregistrations(); err != nil {
			return err
		}
	}
	// From an older connection it counts in Java but not in Pharos: say it again from a new
	// one, where it counts in both. Where notifications are heard, the step named a member by
	// its id: so does the repetition, for Pharos to notify as Java has done already. Java
	// does not do it twice: that id is not the smallest one any more.
	if err := r.unregisterAs(r.ears != nil, again); err != nil {
		return err
	}
	if err := r.unregister(sameAddress...); err != nil {
		return err
	}
	if out[0].Closed || out[1].Closed {
		return r.closeConn(s.Conn)
	}
	return nil
}

// sameAddress are the brokers registered at the address under other group names. Java
// forgets that they live, so that they never leave.
func (r *runner) sameAddress(b BrokerRef) []BrokerRef {
	var list []BrokerRef
	for other := range r.seen {
		if other.Cluster == b.Cluster && other.Addr == b.Addr && other.Name != b.Name {
			list = append(list, other)
		}
	}
	return list
}

// noteRegistration keeps the runner's books on one 103.
func (r *runner) noteRegistration(s *Step, q *Request, a *Outcome) error {
	if q.Register == nil {
		return nil
	}
	b := *q.Register
	r.seen[b] = true
	reply := a.Replies[q.Opaque]
	switch {
	case reply != nil && reply.Code == 1 && reply.Remark != nil && *reply.Remark == "register broker failed":
		return r.dropRefused(b)
	case reply != nil && reply.Code != 0:
		return nil
	case reply == nil: // oneway: what became of it does not show
		if addrs, err := r.membersOf(b); err != nil || addrs[b.Addr] == "" {
			return errors.Join(err, r.dropGroup(b, addrs))
		}
	}
	r.rebind(b, s.Conn)
	key := holderKey{b.Name, b.ID}
	old, held := r.holders[key]
	if held && old != b.Addr {
		return r.dropReplaced(b, old)
	}
	r.holders[key] = b.Addr
	return nil
}

func (r *runner) rebind(b BrokerRef, conn int) {
	for other := range r.bound {
		if other.Cluster == b.Cluster && other.Addr == b.Addr {
			delete(r.bound, other)
		}
	}
	r.bound[b] = conn
}

// dropRefused removes what a refused registration leaves in the Java server: a group
// without addresses, for ever, or the live entry of a broker whose old id the refusal took
// out of the group. An unregistration that names nobody's address takes an empty group away
// and leaves any other as it is.
func (r *runner) dropRefused(b BrokerRef) error {
	addrs, err := r.membersOf(b)
	if err != nil || addrs[b.Addr] != "" {
		return err
	}
	return r.unregister(b)
}

// membersOf asks the reference who is in a group: address -> id.
func (r *runner) membersOf(b BrokerRef) (map[string]string, error) {
	group, err := r.askReference(901, []Ext{{Key: "clusterName", Value: b.Cluster}, {Key: "brokerName", Value: b.Name}})
	if err != nil {
		return nil, err
	}
	body, err := parseLenient(group.Body)
	if err != nil {
		return nil, err
	}
	addrs := map[string]string{}
	if n := body.field("brokerMemberGroup").field("brokerAddrs"); n != nil {
		for i, v := range n.values {
			addrs[strings.Trim(v.text, `"`)] = n.keys[i]
		}
	}
	return addrs, nil
}

// isMember says whether the reference knows the broker under just this id.
func (r *runner) isMember(b *BrokerRef) (bool, error) {
	addrs, err := r.membersOf(*b)
	return addrs[b.Addr] == strconv.FormatInt(b.ID, 10), err
}

// dropReplaced puts things right after a registration found its id at another address. If
// it took the id over, the other address keeps a live entry in Java until that expires, and
// none in Pharos. If it lost, its flags are the group's in Java but not in Pharos: then the
// whole group goes.
func (r *runner) dropReplaced(b BrokerRef, old string) error {
	addrs, err := r.membersOf(b)
	if err != nil {
		return err
	}
	if addrs[b.Addr] != strconv.FormatInt(b.ID, 10) {
		return r.dropGroup(b, addrs)
	}
	r.holders[holderKey{b.Name, b.ID}] = b.Addr
	if addrs[old] != "" {
		return nil // the old address serves under another id
	}
	gone := b
	gone.Addr = old
	return r.unregister(gone)
}

func (r *runner) dropGroup(b BrokerRef, addrs map[string]string) error {
	list := []BrokerRef{b}
	for addr, id := range addrs {
		member := b
		member.Addr = addr
		var err error
		if member.ID, err = strconv.ParseInt(id, 10, 64); err != nil {
			return err
		}
		list = append(list, member)
	}
	for key := range r.holders {
		if key.name == b.Name {
			delete(r.holders, key)
		}
	}
	return r.quietly(func() error { return r.unregister(list...) })
}

// quietly does something with 905 switched off.
func (r *runner) quietly(do func() error) error {
	config, err := r.askReference(319, nil)
	if err != nil {
		return err
	}
	if !bytes.Contains(config.Body, []byte("notifyMinBrokerIdChanged=true")) {
		return do()
	}
	if err := r.controlBoth(call{code: 318, version: 513, body: []byte("notifyMinBrokerIdChanged=false")}); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return r.controlBoth(call{code: 318, version: 513, body: []byte("notifyMinBrokerIdChanged=true")})
}

// unregister sends 104 to both servers and waits until it is applied.
func (r *runner) unregister(list ...BrokerRef) error { return r.unregisterAs(false, list) }

// unregisterAs is unregister; byID says that the ids are to be named as they are.
func (r *runner) unregisterAs(byID bool, list []BrokerRef) error {
	if len(list) == 0 {
		return nil
	}
	r.removed = true
	// On new connections: Pharos does not let one that is older than the broker's present
	// connection unregister it.
	if err := r.redialControl(); err != nil {
		return err
	}
	for _, b := range list {
		if real, err := r.isMember(&b); err != nil {
			return err
		} else if !real && !byID {
			b.ID = -1 // no member has this id, so nobody is told that the smallest one went
		}
		m := member{BrokerRef: b}
		if err := r.controlBoth(call{code: 104, version: 513, ext: m.identity()}); err != nil {
			return err
		}
	}
	r.last = time.Now()
	return r.awaitUnregistrations()
}

// redialControl gives the runner new connections of its own.
func (r *runner) redialControl() error {
	for side, s := range r.servers {
		if old := r.control[side]; old != nil {
			if err := old.close(); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
		var err error
		if r.control[side], err = dial(s.Addr); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return nil
}

// controlBoth sends one request to both servers on connections of the runner's own.
func (r *runner) controlBoth(c call) error {
	c.opaque = r.nextOpaque()
	for side, l := range r.control {
		reply, err := l.one(c)
		if err != nil {
			return fmt.Errorf("%s: %w", r.servers[side].Name, err)
		}
		if reply.Code != 0 && c.code != 101 {
			return fmt.Errorf("%s: %d answered with %d, remark %s", r.servers[side].Name, c.code, reply.Code, spell(reply.Remark))
		}
	}
	return nil
}

// awaitUnregistrations waits until both servers have applied every unregistration they
// accepted so far. Java queues them in order and applies them from one thread: when one
// that is queued now has been applied, so have all before it.
func (r *runner) awaitUnregistrations() error {
	mark := r.newMark()
	if err := r.controlBoth(call{code: 103, version: 513, ext: mark.registerExt()}); err != nil {
		return err
	}
	// In Java an incomplete 104 takes the batch it is in with it, this mark perhaps: the mark
	// is unregistered until it is gone.
	for range 20 {
		if err := r.controlBoth(call{code: 104, version: 513, ext: mark.identity()}); err != nil {
			return err
		}
		if gone, err := r.awaitGone(mark.BrokerRef, agreeTime); gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("%+v cannot be unregistered", mark.BrokerRef)
}

func (r *runner) newMark() *member {
	r.barrier++
	n := fmt.Sprintf("%smark-%d", r.history.world.prefix, r.barrier)
	return &member{BrokerRef: BrokerRef{Cluster: n, Name: n, Addr: "127.0.0.1:9"}, ha: "127.0.0.1:8"}
}

func (b *member) registerExt() []Ext {
	return append(b.identity(), Ext{Key: "haServerAddr", Value: b.ha})
}

// awaitGone waits until the address is no longer in its group on either server, and reports
// whether that happened within the limit.
func (r *runner) awaitGone(b BrokerRef, limit time.Duration) (gone bool, err error) {
	ask := call{code: 901, version: 513, ext: []Ext{{Key: "clusterName", Value: b.Cluster}, {Key: "brokerName", Value: b.Name}}}
	addr := []byte(strconv.Quote(b.Addr))
	deadline := time.Now().Add(limit)
	for side, l := range r.control {
		for {
			ask.opaque = r.nextOpaque()
			reply, err := l.one(ask)
			if err != nil {
				return false, fmt.Errorf("%s: %w", r.servers[side].Name, err)
			}
			if !bytes.Contains(reply.Body, addr) {
				break
			}
			if time.Now().After(deadline) {
				return false, nil
			}
			time.Sleep(time.Millisecond)
		}
	}
	return true, nil
}

// flushOneways waits until the oneway requests sent on a connection have run: Java takes
// requests off one queue in order, so when a row of later ones is answered, those before
// have been taken; the pause lets the last of them finish.
func (r *runner) flushOneways(conn int) error {
	var row []Request
	for range 32 {
		c := call{code: 904, version: 513, opaque: r.nextOpaque(), ext: []Ext{
			{Key: "clusterName", Value: "none"}, {Key: "brokerAddr", Value: "none"}, {Key: "brokerName", Value: "none"}}}
		row = append(row, Request{Code: 904, Opaque: c.opaque, Frame: c.frame(nil)})
	}
	if _, err := r.both(conn, row); err != nil {
		return err
	}
	r.last = time.Now()
	time.Sleep(5 * time.Millisecond)
	return r.awaitAgreement()
}

// awaitAgreement gives the servers time to come to the same state. If they do not, the next
// look shows it.
func (r *runner) awaitAgreement() error {
	deadline := time.Now().Add(2 * time.Second)
	for {
		look := r.look()
		var out [2]*Outcome
		for side, l := range r.control {
			var err error
			if out[side], err = l.exchange(look.Requests); err != nil {
				return fmt.Errorf("%s: %w", r.servers[side].Name, err)
			}
		}
		if len(r.tolerate(look, compare(look.Requests, out[0], out[1]))) == 0 || time.Now().After(deadline) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// look asks for what a oneway request can change.
func (r *runner) look() *Step {
	s := &Step{}
	add := func(code int32, key, value string) {
		c := call{code: code, version: 513, opaque: r.nextOpaque(), ext: []Ext{{Key: key, Value: value}}}
		s.Requests = append(s.Requests, Request{Code: code, Opaque: c.opaque, Frame: c.frame(nil)})
	}
	w := r.history.world
	for _, t := range w.topics {
		add(105, "topic", t.name)
	}
	for _, ns := range w.spaces {
		add(219, "namespace", ns)
	}
	add(106, "", "")
	return s
}

// closeConn closes a connection on both servers and waits until both have drawn their
// conclusions.
func (r *runner) closeConn(conn int) error {
	for side := range r.links {
		l := r.links[side][conn]
		if l == nil {
			continue
		}
		r.links[side][conn] = nil
		if err := l.close(); err != nil {
			return fmt.Errorf("%s, connection %d: %w", r.servers[side].Name, conn, err)
		}
	}
	r.last, r.removed = time.Now(), true
	var lost []BrokerRef
	for b, c := range r.bound {
		if c == conn {
			lost = append(lost, b)
			delete(r.bound, b)
		}
	}
	if err := r.awaitCloses(); err != nil {
		return err
	}
	if len(lost) == 1 {
		_, err := r.awaitGone(lost[0], agreeTime) // if it stays, the next look shows whether on both
		return err
	}
	// Java unregisters only one of several brokers of a connection.
	return r.unregister(lost...)
}

// awaitCloses waits until both servers have worked off the closed connections so far: a
// broker on a connection that closes now has to disappear.
func (r *runner) awaitCloses() error {
	mark := r.newMark()
	for side, s := range r.servers {
		l, err := dial(s.Addr)
		if err != nil {
			return err
		}
		if _, err := l.one(call{code: 103, version: 513, opaque: r.nextOpaque(), ext: mark.registerExt()}); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if err := l.close(); err != nil {
			return fmt.Errorf("%s: %w", r.servers[side].Name, err)
		}
	}
	if gone, err := r.awaitGone(mark.BrokerRef, replyTimeout); !gone || err != nil {
		return errors.Join(err, fmt.Errorf("%+v is still there %v after its connection closed", mark.BrokerRef, replyTimeout))
	}
	return nil
}
