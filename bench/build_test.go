package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/bench/results"
)

// repository is a program of its own under version control.
type repository struct {
	t   *testing.T
	dir string
}

func (r *repository) run(name string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repository) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// commit commits everything and returns the commit's name.
func (r *repository) commit() string {
	r.t.Helper()
	r.run("git", "add", ".")
	r.run("git", "commit", "-q", "-m", "more")
	return r.run("git", "rev-parse", "HEAD")[:commitDigits]
}

// build builds the program, stamped or not, and names it.
func (r *repository) build(flags ...string) (name, path string) {
	r.t.Helper()
	path = filepath.Join(r.t.TempDir(), "program")
	r.run("go", append(append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", path}, flags...), ".")...)
	name, err := BuildOf(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return name, path
}

// What was built is who it is; the commit is only said beside it.
func TestBuildOf(t *testing.T) {
	r := &repository{t, t.TempDir()}
	r.run("git", "init", "-q")
	r.write("go.mod", "module example.com/program\n\ngo 1.26\n")
	r.write("main.go", "package main\n\nfunc main() { println(\"one\") }\n")
	first := r.commit()
	a, _ := r.build("-buildvcs=true")
	r.write("README", "more about it\n")
	second := r.commit()
	b, _ := r.build("-buildvcs=true")
	if !strings.HasPrefix(a, first+" (sha256:") || !strings.HasPrefix(b, second+" (sha256:") || first == second {
		t.Errorf("%q of commit %s, %q of commit %s", a, first, b, second)
	}
	if !results.SameBuild(a, b) {
		t.Errorf("%q and %q differ in a document", a, b)
	}
	r.write("main.go", "package main\n\nfunc main() { println(\"two\") }\n")
	if c, _ := r.build("-buildvcs=true"); !strings.HasPrefix(c, second+dirty) || results.SameBuild(b, c) {
		t.Errorf("%q and %q do not differ, or the change is not said to be uncommitted", b, c)
	}
	r.commit()
	if d, _ := r.build("-buildvcs=true"); results.SameBuild(b, d) {
		t.Errorf("%q and %q do not differ", b, d)
	}
	plain, path := r.build("-buildvcs=false")
	if !strings.HasPrefix(plain, "sha256:") {
		t.Errorf("a binary that tells no commit is %q", plain)
	}
	if got, err := BuildFrom(path, second); err != nil || got != second+" ("+plain+")" {
		t.Errorf("the same with a commit that is known: %q, %v", got, err)
	}
	if name, err := BuildOf(filepath.Join(r.dir, "README")); err == nil {
		t.Errorf("a text is build %q", name)
	}
}

// Go's benchmarks are records of a build like all others.
func TestMicroOfAnotherBuild(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, microFile)
	load := func(text, build string) (*Record, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		c := &Comparison{Servers: namedServers("limit", "pharos"), Dir: dir, records: map[string]map[string]*Record{}}
		c.Servers[1].Build = build
		err := c.loadMicro()
		return c.Record(microScenario, "pharos"), err
	}
	const benchmarks = "goos: linux\nBenchmarkX-2 \t 7 \t 5.5 ns/op \t 0 allocs/op\nBenchmarkX-2 \t 7 \t 6.5 ns/op \t 0 allocs/op\n"
	const one, other = "0123456789ab (sha256:aa)", "0123456789ab (sha256:bb)"
	r, err := load(BuildLine(one)+benchmarks, "ba9876543210 (sha256:aa)")
	if err != nil || r == nil || r.Build != one || r.Spread("BenchmarkX-2 ns/op").Median != 6 {
		t.Errorf("%+v, %v", r, err)
	}
	if !HasMicro(path, one) || HasMicro(path, other) || HasMicro(filepath.Join(dir, "nowhere"), one) {
		t.Error("what is kept is measured again, or what isn't is not")
	}
	for text, build := range map[string]string{BuildLine(one) + benchmarks: other, benchmarks: one} {
		if r, err := load(text, build); err == nil || r != nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("benchmarks %q with build %s: %+v, %v", text, build, r, err)
		}
	}
	if r, err := load(benchmarks, ""); err != nil || r == nil { // a script that starts a server tells no build
		t.Errorf("%+v, %v", r, err)
	}
}
