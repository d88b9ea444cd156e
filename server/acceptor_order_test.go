package server

import (
	"net"
	"testing"

	"github.com/pharosmq/pharos/routetable"
)

// Goal: of two connections the one that was made later has the larger id, whichever loops
// have them: a broker's 104 counts by that. Method: many connections at once, one behind the
// other, on four loops.
func TestConnectionsAreNumberedInTheirOrder(t *testing.T) {
	ts := startServer(t, Options{EventLoops: 4}, testRoutes())
	var peers []string
	for range 200 {
		c, err := net.Dial("tcp", ts.addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		peers = append(peers, c.LocalAddr().String())
	}
	var ids map[string]routetable.ConnID
	eventually(t, "all have their loops", func() bool {
		ids = map[string]routetable.ConnID{}
		ts.conns.each(func(c *connection) { ids[c.remote] = c.id })
		return len(ids) == len(peers)
	})
	for i, p := range peers[1:] {
		if ids[p] <= ids[peers[i]] {
			t.Errorf("connection %d has the id %d, the one before it %d", i+1, ids[p], ids[peers[i]])
		}
	}
}
