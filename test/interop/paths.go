package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// repoRoot is the folder of the module's go.mod.
var repoRoot = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(fmt.Sprintf("interop: no working directory: %v", err))
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/pharosmq/pharos\n") {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("interop: not inside the pharos module")
		}
		dir = parent
	}
})

// interopDir is test/interop in the work tree.
func interopDir(elem ...string) string {
	return filepath.Join(append([]string{repoRoot(), "test", "interop"}, elem...)...)
}

// buildDir is build/interop: logs and reports, kept after the run.
func buildDir(elem ...string) string {
	return filepath.Join(append([]string{repoRoot(), "build", "interop"}, elem...)...)
}

// cacheDir keeps what is expensive to make and the same for every run: class paths and
// compiled drivers.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory for the Java side (set XDG_CACHE_HOME or HOME): %w", err)
	}
	return filepath.Join(base, "pharos-interop"), nil
}

var logDirs sync.Map // test name -> its log folder, emptied at first use

// logDir is the folder of a test's child logs. They survive the test: a failure names them.
func logDir(tb testing.TB) string {
	tb.Helper()
	name := strings.NewReplacer("/", "_", " ", "_").Replace(tb.Name())
	make := sync.OnceValue(func() string {
		dir := buildDir("logs", name)
		if err := os.RemoveAll(dir); err != nil {
			panic(fmt.Sprintf("interop: clear %s: %v", dir, err))
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			panic(fmt.Sprintf("interop: make %s: %v", dir, err))
		}
		return dir
	})
	once, _ := logDirs.LoadOrStore(name, make)
	return once.(func() string)()
}
