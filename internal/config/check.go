package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

// check refuses what would silently not do what the operator asked for.
func (l *loader) check() error {
	s := &l.v.Settings
	if s.EnableControllerInNamesrv {
		return errors.New(l.places["enableControllerInNamesrv"] + "enableControllerInNamesrv=true: Pharos has no controller inside; " +
			"run RocketMQ's own (bin/mqcontroller) as a process of its own and remove the line")
	}
	if s.ClusterTest {
		return errors.New(l.places["clusterTest"] + "clusterTest=true: Pharos has no cluster-test mode (Java answers every request code " +
			"as a route query in it); remove the line, or keep a Java name server for that environment")
	}
	if s.AdminListen != "" {
		if _, _, err := net.SplitHostPort(s.AdminListen); err != nil {
			return fmt.Errorf("%sadminListen=%s: want host:port, or nothing to turn it off", l.places["adminListen"], s.AdminListen)
		}
	}
	if err := l.oneOf("connectionHealth", s.ConnectionHealth, "evict", "observe", "off"); err != nil {
		return err
	}
	if err := l.oneOf("tcpTracing", s.TCPTracing, "auto", "on", "off"); err != nil {
		return err
	}
	if err := l.oneOf("logLevel", s.LogLevel, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return l.oneOf("logToStderr", s.LogToStderr, "auto", "always", "never")
}

func (l *loader) oneOf(name, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s%s=%s: want %s", l.places[name], name, value, strings.Join(allowed, ", "))
}
