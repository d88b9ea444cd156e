package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed java/pom.xml
var javaPom []byte

// buildTimeout bounds how long a peer may take to be downloaded and built.
const buildTimeout = 20 * time.Minute

// officialFlags are those of bin/runserver.sh of 5.5.0 for Java 9 and later; its log of the
// collector goes to the home folder.
func officialFlags(home string) []string {
	return []string{
		"-server", "-Xms4g", "-Xmx4g", "-XX:MetaspaceSize=128m", "-XX:MaxMetaspaceSize=320m",
		"-XX:+UseG1GC", "-XX:G1HeapRegionSize=16m", "-XX:G1ReservePercent=25", "-XX:InitiatingHeapOccupancyPercent=30",
		"-XX:SoftRefLRUPolicyMSPerMB=0", "-Xlog:gc*:file=" + home + "/gc.log:time,tags:filecount=5,filesize=30M",
		"-XX:-OmitStackTraceInFastThrow", "-XX:-UseLargePages",
	}
}

// tunedFlags are for little memory and short pauses.
func tunedFlags(string) []string {
	return []string{"-server", "-Xms256m", "-Xmx2g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=10", "-XX:-UsePerfData"}
}

func (f *Finder) java(ctx context.Context, name string, flags func(home string) []string) Server {
	s := Server{Name: name, Warms: true}
	java, classPath, err := f.ClassPath(ctx, "java-5.5.0", javaPom)
	if err != nil {
		s.Unavailable = err.Error()
		return s
	}
	s.Command = func(home string, port int) *exec.Cmd {
		args := append(flags(home), "-Duser.home="+home, "-cp", classPath,
			"org.apache.rocketmq.namesrv.NamesrvStartup", "-c", writeConfig(home, port, ""))
		cmd := exec.Command(java, args...)
		cmd.Env = environment(home)
		return cmd
	}
	return s
}

// ClassPath has Maven fetch what a pom names from Maven Central, once for each name, and returns
// the path of the JVM and the jars. Its errors say what to install.
func (f *Finder) ClassPath(ctx context.Context, name string, pom []byte) (java, classPath string, err error) {
	java, err = exec.LookPath("java")
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java, err = exec.LookPath(filepath.Join(home, "bin", "java"))
	}
	mvn, mvnErr := exec.LookPath("mvn")
	if err := errors.Join(err, mvnErr); err != nil {
		return "", "", fmt.Errorf("it needs a JDK 17 and Maven (Debian: apt-get install openjdk-17-jdk-headless maven): %w", err)
	}
	dir := filepath.Join(f.Cache, name)
	file := filepath.Join(dir, "classpath")
	if text, err := os.ReadFile(file); err == nil && allExist(string(text)) {
		return java, string(text), nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	pomFile := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(pomFile, pom, 0o644); err != nil {
		return "", "", err
	}
	f.say("fetching %s from Maven Central (once)", name)
	if err := runTool(ctx, mvn, "-B", "-q", "-f", pomFile, "dependency:build-classpath", "-Dmdep.outputFile="+file); err != nil {
		return "", "", fmt.Errorf("fetch it by Maven: %w", err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !allExist(string(text)) {
		return "", "", fmt.Errorf("fetched it by Maven, but not all its jars are there (%v)", err)
	}
	return java, string(text), nil
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

func runTool(ctx context.Context, path string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		text := strings.TrimSpace(string(out))
		return fmt.Errorf("%s: %w: %s", filepath.Base(path), err, text[max(0, len(text)-outputBytesMax):])
	}
	return nil
}
