package failover

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench"
)

//go:embed java/5.5.0.xml
var pom550 []byte

//go:embed java/4.8.0.xml
var pom480 []byte

//go:embed java/FailoverClient.java
var driverSource []byte

// java is a release of RocketMQ that is there to be run.
type java struct {
	jvm       string
	classPath string // with our driver, compiled against it
}

// buildTimeout bounds how long something may take to be downloaded and compiled.
const buildTimeout = 10 * time.Minute

// findJava fetches a release and compiles our client program against it, once.
func (o *Options) findJava(ctx context.Context, version string, pom []byte) (*java, error) {
	f := &bench.Finder{Cache: o.Cache, Progress: o.Progress}
	jvm, jars, err := f.ClassPath(ctx, fmt.Sprintf("rocketmq-%s-%.6x", version, sha256.Sum256(pom)), pom)
	if err != nil {
		return nil, fmt.Errorf("RocketMQ %s: %w", version, err)
	}
	classes := filepath.Join(o.Cache, fmt.Sprintf("failover-client-%s-%.6x", version, sha256.Sum256(driverSource)))
	j := &java{jvm: jvm, classPath: classes + string(filepath.ListSeparator) + jars}
	if _, err := os.Stat(filepath.Join(classes, "FailoverClient.class")); err == nil {
		return j, nil
	}
	if err := os.MkdirAll(classes, 0o755); err != nil {
		return nil, err
	}
	source := filepath.Join(classes, "FailoverClient.java")
	if err := os.WriteFile(source, driverSource, 0o644); err != nil {
		return nil, err
	}
	javac, err := exec.LookPath(filepath.Join(filepath.Dir(jvm), "javac"))
	if err != nil {
		return nil, fmt.Errorf("no compiler beside %s: %w; install a JDK 17", jvm, err)
	}
	return j, runTool(ctx, "", javac, "-nowarn", "-Xlint:-options,-deprecation", "-encoding", "UTF-8", "-d", classes, "-cp", jars, source)
}

// runTool runs a program that has to succeed.
func runTool(ctx context.Context, dir, path string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(path), err, out)
	}
	return nil
}

// jvmFlags let RocketMQ reach the JDK's internals, as its own scripts do, and spare it making a
// key for TLS, which nobody speaks here.
var jvmFlags = []string{
	"-Xms64m", "-XX:MaxDirectMemorySize=512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto",
	"--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
	"--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED",
	"--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED", "-Dtls.server.mode=disabled",
}

// command is a JVM that runs a class. home is where RocketMQ writes logs.
func (j *java) command(home string, heapMB int, props []string, class string, args ...string) *exec.Cmd {
	all := append([]string{fmt.Sprintf("-Xmx%dm", heapMB)}, jvmFlags...)
	all = append(all, "-Duser.home="+home, "-Djava.io.tmpdir="+home)
	for _, p := range props {
		all = append(all, "-D"+p)
	}
	cmd := exec.Command(j.jvm, append(append(all, "-cp", j.classPath, class), args...)...)
	cmd.Dir, cmd.Env = home, environment(home)
	return cmd
}

// environment is what every process gets: nothing that changes how RocketMQ behaves.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "ROCKETMQ_HOME=" + home, "LC_ALL=C.UTF-8"}
}

// writeLines writes a file of lines into a folder that is made.
func writeLines(path string, lines ...string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}
