package server

import "bytes"

// detectBytes is how many bytes of a new connection must be there before anything is made
// of them, as in Java, whose PROXY detection looks ahead that far. (A frame with the
// header {} and no body has 10: its sender waits, there as here.)
const detectBytes = 12

var (
	proxyV1 = []byte("PROXY ")
	proxyV2 = []byte("\r\n\r\n\x00\r\nQUIT\n")
)

const tlsHandshakeRecord = 0x16

// detectProtocol names what a connection that begins with these bytes speaks, if it is
// something we recognise and do not serve; "" is the RocketMQ protocol, or garbage.
func detectProtocol(first []byte) string {
	switch {
	case first[0] == tlsHandshakeRecord:
		return "TLS"
	case bytes.HasPrefix(first, proxyV2):
		return "PROXY protocol v2"
	case bytes.HasPrefix(first, proxyV1):
		return "PROXY protocol v1"
	}
	return ""
}
