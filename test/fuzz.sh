#!/bin/sh
# Runs every fuzz target of the module, one after the other, each for the given time.
# usage: test/fuzz.sh 15s
set -eu
fuzztime=${1:-15s}
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
	for target in $(grep -h '^func Fuzz' "$dir"/*_test.go | sed 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/' | sort -u); do
		echo "== fuzz $dir $target for $fuzztime"
		go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" -fuzzminimizetime 5s -parallel 2
	done
done
