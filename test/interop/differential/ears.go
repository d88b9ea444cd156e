package differential

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

// ears listens at the addresses of the pretended brokers for NOTIFY_MIN_BROKER_ID_CHANGE,
// which a name server sends on a connection of its own making, and tells by the process at
// the other end which server it came from.
type ears struct {
	mu        sync.Mutex
	reference int               // its process
	heard     [2]map[string]int // address and content -> how often
	fault     error
	// counted is how many of the heard ones the statistics have.
	counted int
	lists   []net.Listener
}

// newEars listens on every IPv4 address brokers of any history may have.
func newEars() (*ears, error) {
	e := &ears{}
	e.forget()
	var addrs []string
	for g := range groupCount {
		for m := range memberCount {
			addrs = append(addrs, brokerAddr(g, m))
		}
		for m := range movedCount {
			addrs = append(addrs, movedAddr(g, m))
		}
	}
	for _, addr := range addrs {
		if strings.HasPrefix(addr, "[") {
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			e.close()
			return nil, fmt.Errorf("listen for 905: %w", err)
		}
		e.lists = append(e.lists, l)
		go e.accept(l)
	}
	return e, nil
}

func (e *ears) close() {
	for _, l := range e.lists {
		_ = l.Close() // nothing is pending
	}
}

func (e *ears) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard, e.counted, e.fault = [2]map[string]int{{}, {}}, 0, nil
}

// attribute says which servers the next connections may come from.
func (e *ears) attribute(servers [2]*Server) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reference = servers[0].Pid()
}

func (e *ears) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		go e.listen(c, l.Addr().String())
	}
}

func (e *ears) listen(c net.Conn, addr string) {
	defer c.Close()
	e.mu.Lock()
	reference := e.reference
	e.mu.Unlock()
	side, err := sideOf(c, reference)
	in := bufio.NewReader(c)
	for err == nil {
		var r *Reply
		if r, err = ReadReply(in); err != nil {
			return // the server closed it, or was stopped
		}
		e.mu.Lock()
		e.heard[side][addr+" "+notification(r)]++
		e.mu.Unlock()
	}
	e.mu.Lock()
	e.fault = err
	e.mu.Unlock()
}

// notification is a 905 as spelled, but for its opaque, which counts the sender's requests.
func notification(r *Reply) string {
	return headerShape(&Request{Expect: ExpectAny, Opaque: r.Opaque + 1}, r) + string(r.Body)
}

// hearTime is how long the slower server may take to send a notification: it first has to
// connect.
const hearTime = 5 * time.Second

// compare waits until both servers have sent the same notifications.
func (e *ears) compare(servers [2]*Server, s *Step, stats *Stats) []Difference {
	deadline := time.Now().Add(hearTime)
	for {
		a, b, total, fault := e.tally()
		if fault != nil {
			a, b = "every 905 has a sender", fault.Error()
		}
		if a == b {
			stats.Notified += total - e.counted
			e.counted = total
			return nil
		}
		if time.Now().After(deadline) || fault != nil {
			q := Request{Code: 905, Note: "notifications up to: " + s.String()}
			return []Difference{{Request: &q, Field: "notifications", A: a, B: b + logLines(servers[0])}}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// logLines are the last lines of a Java server's log; they tell of notifications that it
// could not deliver.
func logLines(s *Server) string {
	text, err := os.ReadFile(filepath.Join(s.Home, "namesrv.log"))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "\n      the log of " + s.Name + " ends:\n        " + strings.Join(lines[max(0, len(lines)-12):], "\n        ")
}

func (e *ears) tally() (a, b string, total int, fault error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var text [2]string
	for side, heard := range e.heard {
		var lines []string
		for what, n := range heard {
			total += n
			if n != e.heard[1-side][what] {
				lines = append(lines, fmt.Sprintf("%d x %s", n, what))
			}
		}
		sort.Strings(lines)
		text[side] = strings.Join(lines, "\n              ")
	}
	return text[0], text[1], total, e.fault
}

// sideOf finds which server has the other end of a loopback connection: the reference, in
// whose descriptors it is, or else the subject, which may have closed it again.
func sideOf(c net.Conn, reference int) (int, error) {
	inode, err := socketInode(c.RemoteAddr().(*net.TCPAddr), c.LocalAddr().(*net.TCPAddr))
	if err != nil || inode == "0" {
		return 1, err
	}
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", reference))
	if err != nil {
		return 0, err
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == "socket:["+inode+"]" {
			return 0, nil
		}
	}
	return 1, nil
}

// socketInode looks a TCP socket up in the kernel's tables, where addresses are written in
// the machine's byte order. A Java program's IPv4 sockets are in the IPv6 table.
func socketInode(local, remote *net.TCPAddr) (string, error) {
	for file, mapped := range map[string]string{"/proc/net/tcp": "", "/proc/net/tcp6": "0000000000000000FFFF0000"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a kernel without IPv6
		}
		want := fmt.Sprintf(" %s%s %s%s ", mapped, kernelAddr(local), mapped, kernelAddr(remote))
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, want) {
				return strings.Fields(line)[9], nil
			}
		}
	}
	return "", fmt.Errorf("socket %v -> %v is in no table", local, remote)
}

func kernelAddr(a *net.TCPAddr) string {
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(a.IP.To4()), a.Port)
}
