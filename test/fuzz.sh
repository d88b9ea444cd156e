#!/bin/sh
# Runs every fuzz target of the module, one after the other, each for the given time.
# usage: test/fuzz.sh 15s
set -eu
fuzztime=${1:-15s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Go before 1.27 sometimes takes the end of -fuzztime itself for a failure (golang/go#75804): the
# target "fails" with these words alone and no failing input. Then, and only then, it runs again.
ended_by_its_time() {
	grep -A1 '^--- FAIL: Fuzz' "$log" | grep -qx '    context deadline exceeded' &&
		! grep -qi 'failing input\|panic:' "$log"
}

# fuzz DIR TARGET
fuzz() {
	for try in 1 2 3; do
		echo "== fuzz $1 $2 for $fuzztime"
		{
			go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" -fuzzminimizetime 5s -parallel 2 ||
				echo "fuzz.sh: go test failed"
		} 2>&1 | tee "$log"
		grep -qx 'fuzz.sh: go test failed' "$log" || return 0
		ended_by_its_time || return 1
		echo "== $2 found nothing, its time ended it as a failure (golang/go#75804); try $try of 3"
	done
	return 1
}

grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
	for target in $(grep -h '^func Fuzz' "$dir"/*_test.go | sed 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/' | sort -u); do
		fuzz "$dir" "$target"
	done
done
