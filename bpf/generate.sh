#!/bin/sh
# Builds tcphealth.bpf.c into the committed object and its Go side (`make generate`). Needs clang
# and llvm-strip (Debian: clang, llvm); nothing else is included, so no header package.
#
# The committed object comes from the compiler named in clang-version. Another version would
# rewrite it for no gain, so it is left alone then; ANY_CLANG=1 takes the compiler that is there.
# CLANG=clang-19 chooses one; OUT=DIR writes elsewhere (the rebuild test does).
set -eu
cd "$(dirname "$0")"
recorded=$(cat clang-version)

version() { "$1" --version | sed -n '1s/.*clang version \([0-9.]*\).*/\1/p'; }
clang=${CLANG:-}
if [ -z "$clang" ]; then
	for clang in "clang-${recorded%%.*}" clang; do
		command -v "$clang" >/dev/null 2>&1 && break
	done
fi
if ! command -v "$clang" >/dev/null 2>&1; then
	echo "bpf: $clang is not installed, the object stays as it is" >&2
	exit 0
fi
found=$(version "$clang")
if [ "$found" != "$recorded" ] && [ -z "${ANY_CLANG:-}" ]; then
	echo "bpf: the object was built by clang $recorded and stays as it is; this is $found (ANY_CLANG=1 to use it)" >&2
	exit 0
fi
suffix=${clang#clang}
strip=llvm-strip$suffix
command -v "$strip" >/dev/null 2>&1 || strip=llvm-strip
GOPACKAGE=bpf exec "${GO:-go}" tool -modfile=../tools/go.mod bpf2go \
	-cc "$clang" -strip "$strip" -target bpfel -tags linux -output-dir "${OUT:-.}" \
	-type event -type row \
	tcphealth tcphealth.bpf.c -- -mcpu=v3 -Wall -Wextra -Werror
