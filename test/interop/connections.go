package interop

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// tcpEstablished is a connection's state in /proc/net/tcp.
const tcpEstablished = "01"

// connections counts the established connections to a port of this machine.
func connections(tb testing.TB, port int) int {
	tb.Helper()
	n := 0
	want := fmt.Sprintf(":%04X", port)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			tb.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			// sl local_address rem_address st ...
			if f := strings.Fields(line); len(f) > 3 && strings.HasSuffix(f[2], want) && f[3] == tcpEstablished {
				n++
			}
		}
	}
	return n
}
