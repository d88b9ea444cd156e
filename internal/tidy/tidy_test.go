package tidy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const (
	module          = "github.com/pharosmq/pharos/"
	functionLineMax = 70
)

// arrows lists, for each package of ours, the packages of ours that it may import. A
// folder that is missing here is an error: decide its place on purpose.
var arrows = map[string][]string{
	"codec":                      {},
	"bpf":                        {},
	"routetable":                 {"codec"},
	"connhealth":                 {"connhealth/internal/tcpsim"},
	"connhealth/internal/tcpsim": {},
	"internal/connwatch":         {"server", "routetable", "connhealth", "bpf", "bpf/tcpinfo", "internal/diag"},
	"internal/diag":              {},
	"internal/durable":           {},
	"internal/config":            {"internal/durable"},
	"internal/kvconfig":          {"codec", "internal/durable"},
	"server":                     {"routetable", "codec", "internal/kvconfig", "internal/config"},
	"internal/admin":             {"server", "routetable", "codec", "internal/config", "internal/diag"},
	"internal/testkit":           {"codec"},
	"internal/testkit/netns":     {},
	"internal/testkit/process":   {},
	"bpf/tcpinfo":                {},
	"internal/tidy":              {},
	"client":                     {"codec", "client/internal/wire", "client/internal/choice", "client/internal/pause"},
	"client/internal/wire":       {"codec", "client/internal/pause"},
	"client/internal/choice":     {"client/internal/pause"},
	"client/internal/pause":      {},
	"bench":                      {"bench/results", "codec", "client", "internal/testkit", "internal/testkit/netns", "internal/testkit/process"},
	"bench/limit":                {"codec"},
	"bench/results":              {},
	"cmd/namesrv":                {"server", "internal/admin", "internal/config", "internal/kvconfig", "routetable", "codec", "connhealth", "bpf", "internal/connwatch"},
	"cmd/nsctl":                  {"codec", "client", "internal/testkit", "internal/diag"},
	"bench/faults":               {"bench", "bench/results", "codec", "internal/testkit", "internal/testkit/netns", "internal/testkit/process"},
	"bench/failover":             {"bench", "bench/failover/openloop", "bench/results", "client", "codec", "internal/testkit", "internal/testkit/netns", "internal/testkit/process"},
	"bench/failover/openloop":    {},
	"cmd/nsbench":                {"bench", "bench/failover", "bench/faults", "bench/limit", "codec"},
	"test/interop":               {"codec", "internal/testkit", "internal/testkit/process"},
	"test/interop/differential":  {"codec", "internal/testkit", "test/interop"},
	"test/hostile":               {"codec", "internal/testkit", "internal/testkit/process"},
}

// homes lists libraries that only some folders (and their tests) may import. bench/limit
// is the yardstick for server: a gnet server that does nothing but answer.
var homes = map[string][]string{
	"github.com/panjf2000/gnet":                               {"server", "bench/limit"},
	"github.com/valyala/bytebufferpool":                       {"server"},
	"github.com/cilium/ebpf":                                  {"bpf"},
	"github.com/prometheus/client_golang/prometheus/promhttp": {"internal/admin"},
}

// pure packages take time as an argument and say what happened in values and errors.
var pure = map[string]bool{"codec": true, "routetable": true, "connhealth": true, "client/internal/choice": true, "client/internal/pause": true}

var impure = map[string][]string{
	"time": {"Now", "Since", "Sleep", "After", "NewTimer", "NewTicker", "Tick"},
	"fmt":  {"Print", "Println", "Printf"},
}

type source struct {
	path string // slash-separated, relative to the root
	dir  string
	test bool
	file *ast.File
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("the module's root is not at %s: %v", dir, err)
	}
	return dir
}

// walk calls visit for every file of the repository that is ours to keep tidy.
func walk(t *testing.T, visit func(rel string)) {
	t.Helper()
	base := root(t)
	err := filepath.WalkDir(base, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(base, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			name := d.Name()
			if rel != "." && (strings.HasPrefix(name, ".") || name == "build" || name == "testdata" || name == "node_modules" || name == "target") {
				return filepath.SkipDir
			}
			return nil
		}
		visit(rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// nested reports whether rel lies in a module of its own below the root.
func nested(base, rel string) bool {
	for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
		if _, err := os.Stat(filepath.Join(base, dir, "go.mod")); err == nil {
			return true
		}
	}
	return false
}

func sources(t *testing.T, fset *token.FileSet) []source {
	t.Helper()
	base := root(t)
	var all []source
	walk(t, func(rel string) {
		if !strings.HasSuffix(rel, ".go") || nested(base, rel) {
			return
		}
		f, err := parser.ParseFile(fset, filepath.Join(base, rel), nil, parser.ParseComments)
		if err != nil {
			t.Errorf("%s: %v", rel, err)
			return
		}
		all = append(all, source{rel, path.Dir(rel), strings.HasSuffix(rel, "_test.go"), f})
	})
	if len(all) < 10 {
		t.Fatalf("found only %d Go files: the walk is broken", len(all))
	}
	return all
}

func TestImportArrows(t *testing.T) {
	for _, s := range sources(t, token.NewFileSet()) {
		allowed, known := arrows[s.dir]
		if !known {
			t.Errorf("%s: folder %s has no place in the arrows of this test", s.path, s.dir)
			continue
		}
		for _, spec := range s.file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			checkHome(t, s, imported)
			ours, ok := strings.CutPrefix(imported, module)
			if !ok || ours == s.dir || s.test {
				continue
			}
			if !contains(allowed, ours) {
				t.Errorf("%s: %s must not import %s", s.path, s.dir, ours)
			}
		}
	}
}

func checkHome(t *testing.T, s source, imported string) {
	t.Helper()
	for library, folders := range homes {
		if strings.HasPrefix(imported, library) && !contains(folders, s.dir) {
			t.Errorf("%s: %s belongs to %s only", s.path, library, strings.Join(folders, " and "))
		}
	}
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

func TestPurePackages(t *testing.T) {
	for _, s := range sources(t, token.NewFileSet()) {
		if !pure[s.dir] || s.test {
			continue
		}
		for _, spec := range s.file.Imports {
			switch imported, _ := strconv.Unquote(spec.Path.Value); imported {
			case "log", "log/slog", "net", "os":
				t.Errorf("%s: a pure package must not import %s", s.path, imported)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && contains(impure[pkg.Name], sel.Sel.Name) {
				t.Errorf("%s: a pure package must not call %s.%s", s.path, pkg.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

func TestFunctionsFitAScreen(t *testing.T) {
	fset := token.NewFileSet()
	for _, s := range sources(t, fset) {
		if generated(s.file) {
			continue
		}
		for _, decl := range s.file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			lines := fset.Position(fn.Body.Rbrace).Line - fset.Position(fn.Pos()).Line + 1
			if lines > functionLineMax {
				t.Errorf("%s: %s has %d lines, more than %d", s.path, fn.Name.Name, lines, functionLineMax)
			}
		}
	}
}

func generated(f *ast.File) bool {
	return ast.IsGenerated(f)
}

func TestEveryFolderHasADocComment(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t, token.NewFileSet()) {
		if !s.test {
			documented[s.dir] = documented[s.dir] || s.file.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no file has a package comment", dir)
		}
	}
}

func TestNoMarkersOfUnfinishedWork(t *testing.T) {
	markers := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)
	base := root(t)
	walk(t, func(rel string) {
		switch path.Ext(rel) {
		case ".go", ".c", ".h", ".sh", ".java", ".md":
		default:
			return
		}
		text, err := os.ReadFile(filepath.Join(base, rel))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if markers.MatchString(line) {
				t.Errorf("%s:%d: %s", rel, i+1, strings.TrimSpace(line))
			}
		}
	})
}

func TestDocLinksResolve(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	base := root(t)
	walk(t, func(rel string) {
		if path.Ext(rel) != ".md" {
			return
		}
		text, err := os.ReadFile(filepath.Join(base, rel))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(base, path.Dir(rel), m[1])); err != nil {
				t.Errorf("%s: dead link %s", rel, m[1])
			}
		}
	})
}
