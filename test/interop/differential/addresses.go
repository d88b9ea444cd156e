package differential

import (
	"fmt"
	"net"
	"sync"
)

// movedCount is how many other addresses a group's brokers may move to.
const movedCount = 2

// addresses are those of all pretended brokers. Their ports are this process's own, so that
// several runs can listen at once; all have five digits, so that frames keep their length.
type addresses struct {
	members [groupCount][memberCount]string
	moved   [groupCount][movedCount]string
}

// ownAddresses chooses the addresses when first asked for them, among free ports.
var ownAddresses = sync.OnceValues(func() (*addresses, error) {
	a := &addresses{}
	for g := range groupCount {
		for m := range memberCount {
			if err := choose(&a.members[g][m], fmt.Sprintf("127.77.0.%d", 1+g)); err != nil {
				return nil, err
			}
		}
		for m := range movedCount {
			if err := choose(&a.moved[g][m], fmt.Sprintf("127.77.%d.1", 1+g)); err != nil {
				return nil, err
			}
		}
	}
	// One that nobody listens at, and that is no IPv4 address.
	a.members[groupCount-1][0] = "[::1]:10911"
	return a, nil
})

// choose sets addr to a free port of ip. It is listened at, and let go, so it may be taken by
// somebody else before it is listened at again; whoever does then says so.
func choose(addr *string, ip string) error {
	l, err := net.Listen("tcp", ip+":0")
	if err != nil {
		return fmt.Errorf("find a free port for a pretended broker: %w", err)
	}
	*addr = l.Addr().String()
	return l.Close()
}

// brokerAddr is the address of a member; the runner listens there when 905 is on.
func brokerAddr(group, member int) string { return mustAddresses().members[group][member] }

// movedAddr is the n-th address that a broker of the group may move to.
func movedAddr(group, n int) string { return mustAddresses().moved[group][n] }

func mustAddresses() *addresses {
	a, err := ownAddresses()
	if err != nil {
		panic(err) // a machine without a free port on its loopback
	}
	return a
}
