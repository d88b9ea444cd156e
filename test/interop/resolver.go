package interop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// The releases the tests run. Each has a folder java/<version> with the pom that names its
// artifacts.
const (
	V550      = "5.5.0" // name server, broker, tools, client
	V533      = "5.3.3" // name server, broker, tools
	V497      = "4.9.7" // name server, broker, tools
	V498      = "4.9.8" // client
	V480      = "4.8.0" // client
	V550Proxy = "5.5.0-proxy"
	V507GRPC  = "5.0.7-grpc" // the gRPC client
)

// resolveTimeout bounds one run of Maven, which downloads about 90 MB the first time.
const resolveTimeout = 10 * time.Minute

// Java is one release, ready to run.
type Java struct {
	Version   string
	ClassPath string // its jars
	Drivers   string // class folder of our own drivers, compiled against it; "" if none
	java      string // the JVM
}

var javas sync.Map // version -> func() (*Java, error)

// ResolveJava finds a release, through Maven when it is not in the cache, and compiles our
// drivers against it. It fails the test, saying what to install, when the JDK or Maven is
// missing.
func ResolveJava(tb testing.TB, version string) *Java {
	tb.Helper()
	once, _ := javas.LoadOrStore(version, sync.OnceValues(func() (*Java, error) {
		return resolveJava(version)
	}))
	j, err := once.(func() (*Java, error))()
	if err != nil {
		tb.Fatalf("RocketMQ %s: %v", version, err)
	}
	return j
}

func resolveJava(version string) (*Java, error) {
	tools, err := findTools("java", "javac", "mvn")
	if err != nil {
		return nil, err
	}
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	j := &Java{Version: version, java: tools["java"]}
	if j.ClassPath, err = classPath(cache, version, tools["mvn"]); err != nil {
		return nil, err
	}
	j.Drivers, err = compileDrivers(cache, j, tools["javac"])
	return j, err
}

// findTools looks programs up, in JAVA_HOME first where Java's are meant.
func findTools(names ...string) (map[string]string, error) {
	found := map[string]string{}
	var missing []string
	for _, name := range names {
		if home := os.Getenv("JAVA_HOME"); home != "" && strings.HasPrefix(name, "java") {
			if path, err := exec.LookPath(filepath.Join(home, "bin", name)); err == nil {
				found[name] = path
				continue
			}
		}
		path, err := exec.LookPath(name)
		if err != nil {
			missing = append(missing, name)
			continue
		}
		found[name] = path
	}
	if missing != nil {
		return nil, fmt.Errorf("%s not found: the interop tests need a JDK 17 and Maven "+
			"(Debian: apt-get install openjdk-17-jdk-headless maven)", strings.Join(missing, ", "))
	}
	return found, nil
}

// classPath asks Maven for the jars of java/<version>/pom.xml. The answer is kept under the
// pom's hash and used as long as every jar in it still exists.
func classPath(cache, version, mvn string) (string, error) {
	pom := interopDir("java", version, "pom.xml")
	hash, err := hashFiles(pom)
	if err != nil {
		return "", err
	}
	file := filepath.Join(cache, "classpath", version+"-"+hash)
	if cp, err := os.ReadFile(file); err == nil && allExist(string(cp)) {
		return string(cp), nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	Progress("resolving RocketMQ %s from Maven Central (once; up to 90 MB)", version)
	begin := time.Now()
	fresh := fmt.Sprintf("%s.%d", file, os.Getpid())
	defer os.Remove(fresh)
	err = runTool(mvn, "-B", "-q", "-f", pom, "dependency:build-classpath", "-Dmdep.outputFile="+fresh)
	if err != nil {
		return "", fmt.Errorf("resolve %s by Maven: %w", pom, err)
	}
	cp, err := os.ReadFile(fresh)
	if err != nil || !allExist(string(cp)) {
		return "", fmt.Errorf("resolved %s by Maven, but not all its jars are there (%v)", pom, err)
	}
	Progress("resolved RocketMQ %s in %.0f s", version, time.Since(begin).Seconds())
	return string(cp), os.Rename(fresh, file)
}

func allExist(classPath string) bool {
	jars := filepath.SplitList(classPath)
	for _, jar := range jars {
		if _, err := os.Stat(jar); err != nil {
			return false
		}
	}
	return len(jars) > 0
}

// compileDrivers compiles the programs of java/src that fit the release: those of
// src/client need only its client, those of src/tools its admin tools, those of src/grpc the
// gRPC client.
func compileDrivers(cache string, j *Java, javac string) (string, error) {
	var sources []string
	for folder, jar := range map[string]string{
		"client": "rocketmq-client-[0-9]", "tools": "rocketmq-tools-[0-9]", "grpc": "rocketmq-client-java-[0-9]",
	} {
		if !regexp.MustCompile(jar).MatchString(j.ClassPath) {
			continue
		}
		files, err := filepath.Glob(interopDir("java", "src", folder, "*.java"))
		if err != nil {
			return "", err
		}
		sources = append(sources, files...)
	}
	if sources == nil {
		return "", nil
	}
	sort.Strings(sources)
	hash, err := hashFiles(append([]string{interopDir("java", j.Version, "pom.xml")}, sources...)...)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "drivers", j.Version+"-"+hash)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	Progress("compiling our drivers against RocketMQ %s", j.Version)
	fresh := fmt.Sprintf("%s.%d", dir, os.Getpid())
	defer os.RemoveAll(fresh)
	args := append([]string{"-nowarn", "-Xlint:-options,-deprecation", "-encoding", "UTF-8",
		"-d", fresh, "-cp", j.ClassPath}, sources...)
	if err := runTool(javac, args...); err != nil {
		return "", fmt.Errorf("drivers for RocketMQ %s: %w", j.Version, err)
	}
	if err := os.Rename(fresh, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(dir); there != nil { // another run was faster: fine
			return "", err
		}
	}
	return dir, nil
}

func runTool(path string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(path), err, out)
	}
	return nil
}

func hashFiles(paths ...string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(path), len(text))
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// jvm is a small machine: heap in MB, our system properties, then the class and its
// arguments. Its user.home is home, where RocketMQ 5 writes its logs.
type jvm struct {
	Name       string
	HeapMB     int
	Home       string
	Props      []string // key=value
	Class      string
	Args       []string
	Env        []string
	ShortLived bool // short-lived: compile quickly rather than well
}

// moduleOpens lets 4.x and 5.x reach the JDK's internals, as RocketMQ's own scripts do.
var moduleOpens = []string{
	"--add-opens=java.base/java.nio=ALL-UNNAMED",
	"--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
	"--add-opens=java.base/java.lang=ALL-UNNAMED",
	"--add-opens=java.base/java.util=ALL-UNNAMED",
	"--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
}

// noTLS: a RocketMQ server makes a throw-away key at each start, for up to 10 s of CPU time.
// No test here speaks TLS.
const noTLS = "-Dtls.server.mode=disabled"

func (j *Java) command(tb testing.TB, m jvm) procSpec {
	tb.Helper()
	args := []string{
		fmt.Sprintf("-Xms%dm", min(m.HeapMB, 128)), fmt.Sprintf("-Xmx%dm", m.HeapMB),
		"-XX:MaxDirectMemorySize=512m", "-XX:+UseSerialGC", "-XX:-UsePerfData",
		"-XX:+ExitOnOutOfMemoryError", "-Xshare:auto",
	}
	if m.ShortLived {
		args = append(args, "-XX:TieredStopAtLevel=1")
	}
	args = append(args, moduleOpens...)
	args = append(args, noTLS, "-Duser.home="+m.Home, "-Djava.io.tmpdir="+m.Home,
		"-Dinterop.log="+filepath.Join(logDir(tb), m.Name+".rocketmq.log"))
	for _, p := range m.Props {
		args = append(args, "-D"+p)
	}
	cp := []string{interopDir("java", "resources")}
	if j.Drivers != "" {
		cp = append(cp, j.Drivers)
	}
	cp = append(cp, j.ClassPath)
	args = append(args, "-cp", strings.Join(cp, string(filepath.ListSeparator)), m.Class)
	return procSpec{Name: m.Name, Path: j.java, Args: append(args, m.Args...), Env: m.Env, Dir: m.Home}
}
