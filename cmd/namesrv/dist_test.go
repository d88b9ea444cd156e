package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// layOut makes a RocketMQ home with deploy/dist.sh, this test's binary as the server.
func layOut(t *testing.T) (home string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a home") // with a blank, as some are
	build := filepath.Join(dir, "build")
	if err := os.MkdirAll(build, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"namesrv", "nsctl"} {
		if err := os.WriteFile(filepath.Join(build, name), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	home = filepath.Join(dir, "rocketmq")
	for range 2 { // the second one replaces the first
		if out, err := exec.Command("sh", "../../deploy/dist.sh", build, home).CombinedOutput(); err != nil {
			t.Fatalf("dist.sh: %v\n%s", err, out)
		}
	}
	return home
}

func TestDistLayout(t *testing.T) {
	home := layOut(t)
	for name, mode := range map[string]os.FileMode{
		"bin/mqnamesrv": 0o755, "bin/mqshutdown": 0o755, "bin/namesrv": 0o755, "conf/namesrv.properties": 0o644, "LICENSE": 0,
	} {
		fi, err := os.Stat(filepath.Join(home, name))
		if err != nil || mode != 0 && fi.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, fi, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(home)); len(entries) != 2 {
		t.Errorf("something is left beside the home: %v", entries)
	}
}

// sh mqnamesrv works from anywhere, through links, and passes arguments on as they are.
func TestMqnamesrv(t *testing.T) {
	home := layOut(t)
	script := filepath.Join(home, "bin", "mqnamesrv")
	links := t.TempDir()
	if err := os.Symlink(script, filepath.Join(links, "absolute")); err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(links, script)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(relative, filepath.Join(links, "relative")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("relative", filepath.Join(links, "twice")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(links, "a b.conf"), []byte("listenPort=1234\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{script, "./absolute", "relative", "./twice"} {
		for _, rocketmqHome := range []string{"", "/opt/java"} {
			cmd := exec.Command("sh", path, "-p", "-c", "a b.conf")
			cmd.Dir = links
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ROCKETMQ_HOME=" + rocketmqHome}
			out, err := cmd.CombinedOutput()
			want := rocketmqHome
			if want == "" {
				want = home
			}
			for _, line := range []string{"load config properties file OK, a b.conf\n", "- rocketmqHome=" + want + "\n", "- listenPort=1234\n"} {
				if err != nil || !strings.Contains(string(out), line) {
					t.Errorf("%s with ROCKETMQ_HOME=%s: %v, no %q in\n%.300s", path, rocketmqHome, err, line, out)
				}
			}
		}
	}
	if err := os.Remove(filepath.Join(home, "bin", "namesrv")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", script).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "bin/namesrv is missing or not executable") {
		t.Errorf("without the binary: %v, %s", err, out)
	}
}

const shutdownScript = `
set -u
mount -t proc proc /proc || exit 1
shutdown="$HOME_DIR/bin/mqshutdown"
sh "$shutdown" namesrv; echo "none: $?"
sh "$HOME_DIR/bin/mqnamesrv" -c "$WORK/ns.conf" >"$WORK/out" 2>&1 &
server=$!
while ! grep -q 'boot success' "$WORK/out"; do
	kill -0 $server || { cat "$WORK/out"; exit 1; }
	sleep 0.05
done
# Another program of the same name, and another user, are not ours.
cp /bin/sleep "$WORK/namesrv"
"$WORK/namesrv" 60 &
other=$!
setpriv --reuid=65534 sh "$shutdown" namesrv; echo "nobody: $?"
kill -0 $server && echo "the server lives"
echo "pid $server"
sh "$shutdown" namesrv; echo "root: $?"
wait $server; echo "exit code: $?"
kill $other && echo "the other program lives"
sh "$shutdown"; echo "usage: $?"
sh "$shutdown" broker; echo "broker: $?"
`

// mqshutdown finds the servers of its user and nothing else. It looks at all processes,
// so it gets a process namespace of its own.
func TestPrivilegedMqshutdown(t *testing.T) {
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("not tested: mqshutdown stops every server of its user, so its test wants a process namespace: root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	home, work := layOut(t), t.TempDir()
	for d := home; d != "/"; d = filepath.Dir(d) { // for nobody
		if fi, err := os.Stat(d); err == nil && fi.Mode().Perm()&0o001 == 0 {
			if err := os.Chmod(d, fi.Mode().Perm()|0o011); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(work, "ns.conf"), []byte("listenPort=0\nadminListen=\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", shutdownScript)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME_DIR=" + home, "WORK=" + work, "JAVA_OPT=-Duser.home=" + work}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pid := ""
	for _, line := range strings.Split(string(out), "\n") {
		if p, ok := strings.CutPrefix(line, "pid "); ok {
			pid = p
		}
	}
	want := strings.ReplaceAll(`No mqnamesrv running.
none: 1
No mqnamesrv running.
nobody: 1
the server lives
pid PID
The mqnamesrv(PID) is running...
Send shutdown request to mqnamesrv(PID) OK
root: 0
exit code: 143
the other program lives
Usage: mqshutdown namesrv
usage: 0
mqshutdown: Pharos is a name server; stop a broker with the mqshutdown of its own installation
broker: 1
`, "PID", pid)
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
