// Package interop proves Pharos against the real thing: the official RocketMQ brokers,
// clients and mqadmin, resolved from Maven Central, run against a name server that is
// either build/namesrv or the Java one.
//
// The files of this package without _test are the harness: resolver.go finds and compiles
// the Java side, proc.go owns every child process, ports.go hands out ports, namesrv.go,
// broker.go, driver.go and mqadmin.go start one kind of program each. The Java programs of
// our own are in java/src.
//
// Nothing here runs in a plain `go test ./...`: `make interop` (a few minutes) and
// `make interop-full` (every version, faults) set PHAROS_INTEROP.
package interop
