#!/bin/sh
# gofmt, vet, staticcheck, govulncheck (where its data can be had), shellcheck (where installed),
# and generated files up to date.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0
fail() {
	echo "lint: $1" >&2
	failed=1
}

files=$(git ls-files 2>&1) && [ -n "$files" ] || fail "git can't list the files: $files"
unformatted=$(git ls-files '*.go' | xargs -r gofmt -l)
[ -z "$unformatted" ] || fail "not gofmt-ed: $unformatted"
go vet ./... || fail "go vet"
for dir in test/interop/goclient bench/failover/goclient; do
	(cd "$dir" && go vet ./...) || fail "go vet in $dir"
done
go tool -modfile=tools/go.mod staticcheck ./... || fail "staticcheck"

vuln=$(go tool -modfile=tools/go.mod govulncheck ./... 2>&1)
case $? in
0) echo "govulncheck: no known vulnerability" ;;
3)
	echo "$vuln"
	fail "govulncheck"
	;;
*) echo "lint: govulncheck NOT RUN, its data can't be had: $(echo "$vuln" | tail -n 1)" >&2 ;;
esac

if command -v shellcheck >/dev/null 2>&1; then
	git ls-files '*.sh' '.ci/run' 'deploy/bin/*' | xargs -r shellcheck -S warning || fail "shellcheck"
else
	echo "lint: shellcheck NOT RUN, it is not installed" >&2
fi

go mod verify >/dev/null || fail "go mod verify"
if git ls-files | xargs -r grep -ls '^//go:generate' | grep -q .; then
	go generate ./... || fail "go generate"
	git diff --exit-code --stat || fail "generated files are not up to date: run make generate and commit"
fi
exit $failed
