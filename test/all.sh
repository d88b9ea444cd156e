#!/bin/sh
# `make test`: every proof there is, with progress, and a closing table of what ran and what did not.
# Ends with 1 when anything failed. A missing tool is not a failure elsewhere than in CI
# (CI=true), where everything has to be there.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0
table=
began=$(date +%s)

record() { table="$table
  $1  $2"; }
step() { # step NAME COMMAND...
	name=$1
	shift
	echo
	echo "== $name"
	t0=$(date +%s)
	if "$@"; then result=ok; else
		result=FAILED
		failed=1
	fi
	record "$result" "$name ($(($(date +%s) - t0)) s)"
}
not_run() { record "NOT RUN" "$1: $2"; }
have() { command -v "$1" >/dev/null 2>&1; }

echo "== prerequisites"
if ! sh test/prerequisites.sh && [ "${CI:-}" = true ]; then failed=1; fi

step "unit, model and allocation tests, fuzz seeds" go test ./...
if have gcc; then
	# connhealth has neither goroutines nor locks: its long simulations have nothing for the race detector.
	# shellcheck disable=SC2046 # a list of packages
	step "the same under the race detector" go test -race $(go list ./... | grep -v '/connhealth$')
else
	not_run "race detector" "gcc is missing"
fi
step "fuzz, ${PHAROS_FUZZTIME:-15s} a target" sh test/fuzz.sh "${PHAROS_FUZZTIME:-15s}"
step "attackers beside innocents, a stopped server" env PHAROS_HOSTILE=1 go test -count=1 -timeout 8m -v ./test/hostile
if [ "$(id -u)" = 0 ]; then
	step "privileged tests" env PHAROS_PRIVILEGED=1 go test -count=1 -p 1 -run Privileged ./...
else
	not_run "privileged tests" "needs root"
fi
if have javac && have mvn; then
	step "interop with Java (short form; make interop-full for all)" \
		env PHAROS_INTEROP=1 go test -p 1 -count=1 -timeout 14m -v ./test/interop/...
else
	not_run "interop with Java" "javac or mvn is missing"
fi

echo
echo "== summary after $(($(date +%s) - began)) s$table"
exit $failed
