//go:build !linux

package wire

import (
	"net"
	"time"
)

// setUserTimeout: only Linux has TCP_USER_TIMEOUT; keepalive's count decides elsewhere.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }
