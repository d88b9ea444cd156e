#!/bin/sh
# Makes sure that the tools the tests need are there: JDK 17 and Maven (interop tests), gcc (race
# detector), unshare and mount (privileged tests); and clang, llvm, nftables and iproute2, which the
# tests of BPF programs and of half-dead connections are made with.
# As root on Debian it installs what is missing. Elsewhere it prints one line for each missing tool
# that says what is not tested without it, and ends with 1.
set -u

missing=
need() { # need COMMAND DEBIAN-PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
check() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "MISSING: $1 (Debian package $2). NOT TESTED without it: $3" >&2
	lacking=1
}
each() {
	"$1" javac openjdk-17-jdk-headless "interop with Java brokers, clients, mqadmin and the differential test"
	"$1" mvn maven "interop with Java brokers, clients, mqadmin and the differential test"
	"$1" gcc gcc "everything under the race detector"
	"$1" unshare util-linux "single-file mounts and full disks (privileged)"
	"$1" clang clang "that the committed BPF object is what its sources give (privileged)"
	"$1" llvm-strip llvm "that the committed BPF object is what its sources give (privileged)"
	"$1" nft nftables "BPF programs and half-dead connections, by faults in network namespaces (privileged)"
	"$1" ip iproute2 "BPF programs and half-dead connections, by faults in network namespaces (privileged)"
}

each need
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing:$missing"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # a list of package names
	apt-get update -qq && apt-get install -y -qq --no-install-recommends libc6-dev $missing >/dev/null ||
		echo "installing$missing failed; the tests that need them will say so" >&2
fi
lacking=0
each check
exit $lacking
