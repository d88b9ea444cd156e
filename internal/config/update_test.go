package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUpdateLiveKeys(t *testing.T) {
	const file = "# mine\nwaitSecondsForService = 45\n\nzz=unknown\n"
	c, path := mustLoad(t, file)
	before := c.Live()
	res, err := c.Update([]byte("orderMessageEnable=TRUE\nwaitSecondsForService= 7 \nenableTopicList=true\nnobody=x\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := UpdateResult{
		Changes: []Change{{"orderMessageEnable", "false", "true"}, {"waitSecondsForService", "45", "7"}},
		Ignored: []string{"nobody"},
		Path:    path,
	}
	if diff := cmp.Diff(want, res); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if l := c.Live(); !l.OrderMessageEnable || l.WaitSecondsForService != 7 || !l.EnableTopicList {
		t.Errorf("live %+v", *l)
	}
	if before.OrderMessageEnable {
		t.Error("a Live that somebody holds has changed")
	}
	wantFile := "# mine\nwaitSecondsForService = 7\n\nzz=unknown\nenableTopicList=true\norderMessageEnable=true\n"
	if got := readFile(t, path); got != wantFile {
		t.Errorf("file %q, want %q", got, wantFile)
	}
	if got := readFile(t, path+".bak"); got != file {
		t.Errorf(".bak %q, want %q", got, file)
	}
	if !strings.Contains(string(c.Listing()), "\norderMessageEnable=true\n") {
		t.Error("the listing has the old value")
	}
	again, err := Load(Source{ConfigFile: &path, UserHome: testHome})
	if err != nil || *again.Live() != *c.Live() {
		t.Errorf("after a restart: %+v, %v", again.Live(), err)
	}
}

func TestUpdateEveryLiveKey(t *testing.T) {
	live := 0
	for i := range keys {
		k := &keys[i]
		if k.change != changeLive {
			continue
		}
		live++
		c, _ := mustLoad(t, "")
		next := "77"
		if c.mu.Lock(); k.text(c.valuesLocked()) == "true" {
			next = "false"
		} else if k.text(c.valuesLocked()) == "false" {
			next = "true"
		}
		c.mu.Unlock()
		before := *c.Live()
		if _, err := c.Update([]byte(k.name + "=" + next)); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
		if *c.Live() == before {
			t.Errorf("%s=%s changed nothing", k.name, next)
		}
	}
	if live != 9 {
		t.Errorf("%d live keys, want the 9 of Java", live)
	}
}

func TestUpdateRefused(t *testing.T) {
	const injected = "listenPort=1"
	tests := []struct {
		name, body string
		is         error  // errors.Is
		remark     string // the whole text
	}{
		{"protected path", "kvConfigPath=/tmp/x", ErrProtected, "Can not update config in black list."},
		{"store path", "configStorePath=/etc/passwd", ErrProtected, ""},
		{"black list", "configBlackList=", ErrProtected, ""},
		{"home", "rocketmqHome=/tmp", ErrProtected, ""},
		{"address", "bindAddress=127.0.0.1", ErrProtected, ""},
		{"port", "listenPort=1", ErrProtected, ""},
		{"own address", "adminListen=0.0.0.0:1", ErrProtected, ""},
		{"limit", "frameBytesMax=1073741824", ErrProtected, ""},
		{"log path", "logDir=/etc", ErrProtected, ""},
		{"black list of the file", "needWaitForService=true", ErrProtected, ""},
		{"black list of the file, blanks", "enableAllTopicList=false", ErrProtected, ""},
		{"one of several", "orderMessageEnable=true\nkvConfigPath=/x\n", ErrProtected, ""},
		{"escaped key", "kvConfig\\u0050ath=/x", ErrProtected, ""},
		{"continued key", "kvConfig\\\n  Path=/x", ErrProtected, ""},
		{"bad escape", "orderMessageEnable=\\u12", ErrUnparsable, "string2Properties error"},
		{"restart", "serverWorkerThreads=3", nil, "needs restart: serverWorkerThreads"},
		{"restart, several", "scanNotActiveBrokerInterval=1\norderMessageEnable=true\nclusterTest=true", nil,
			"needs restart: clusterTest, scanNotActiveBrokerInterval"},
		{"bad number", "waitSecondsForService=soon", ErrInvalidValue,
			`invalid value for waitSecondsForService: "soon" is not a whole number`},
		{"bad boolean", "orderMessageEnable=yes", ErrInvalidValue, `invalid value for orderMessageEnable: "yes" is not true or false`},
		{"long number", "waitSecondsForService=" + strings.Repeat("9", 1<<19), ErrInvalidValue,
			`invalid value for waitSecondsForService: "` + strings.Repeat("9", 80) + `"... is not a whole number`},
		{"empty", "orderMessageEnable", ErrInvalidValue, ""},
		{"good before bad", "enableTopicList=false\norderMessageEnable=yes", ErrInvalidValue, ""},
		// One line that wants to become two, in every form the format has.
		{"raw CR LF", "orderMessageEnable=true\r\n" + injected, ErrProtected, ""},
		{"escape n", "orderMessageEnable=true\\n" + injected, ErrInvalidValue, ""},
		{"escape r", "orderMessageEnable=true\\r" + injected, ErrInvalidValue, ""},
		{"escape u", "orderMessageEnable=true\\u000a" + injected, ErrInvalidValue, ""},
		{"escape u, capitals", "orderMessageEnable=true\\u000D" + injected, ErrInvalidValue, ""},
		{"line separator", "orderMessageEnable=true\\u2028" + injected, ErrInvalidValue, ""},
		{"next line", "orderMessageEnable=true\\u0085" + injected, ErrInvalidValue, ""},
		{"form feed", "orderMessageEnable=true\\f" + injected, ErrInvalidValue, ""},
		{"nul", "orderMessageEnable=true\x00", ErrInvalidValue, ""},
		{"trailing newline that a trim would take", "orderMessageEnable=true\\n", ErrInvalidValue, ""},
		{"continuation", "orderMessageEnable=true\\\n" + injected, ErrInvalidValue, ""},
		{"trailing backslash", "orderMessageEnable=true\\\\", ErrInvalidValue, ""},
		{"unknown key", "nobody=x\\n" + injected, ErrInvalidValue, ""},
		{"in the key", "no\\nbody=x", ErrInvalidValue, ""},
		{"in a live key", "orderMessageEnable\\n=true", ErrInvalidValue, ""},
	}
	for _, tt := range tests {
		const file = "configBlackList=needWaitForService; enableAllTopicList\n"
		c, path := mustLoad(t, file)
		before, listing := *c.Live(), string(c.Listing())
		_, err := c.Update([]byte(tt.body))
		var restart *NeedsRestartError
		if err == nil || tt.is != nil && !errors.Is(err, tt.is) || tt.is == nil && !errors.As(err, &restart) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.is)
			continue
		}
		if tt.remark != "" && err.Error() != tt.remark {
			t.Errorf("%s: remark %q, want %q", tt.name, err, tt.remark)
		}
		if hasControl(err.Error()) {
			t.Errorf("%s: the remark %q has a control character", tt.name, err)
		}
		if *c.Live() != before || string(c.Listing()) != listing || readFile(t, path) != file {
			t.Errorf("%s: something was changed", tt.name)
		}
	}
}

func TestUpdateIgnoresWhatNobodyKnows(t *testing.T) {
	for _, body := range []string{"", "\n", "# c\n", "{key=value}", "nobody=1\nconnectTimeoutMillis=7\n", "zz=2"} {
		const file = "zz=1\n"
		c, path := mustLoad(t, file)
		res, err := c.Update([]byte(body))
		if err != nil || len(res.Changes) != 0 || readFile(t, path) != file {
			t.Errorf("%q: %+v, %v; file %q", body, res, err, readFile(t, path))
		}
	}
}

// What a caller sends decides neither the length of a log line nor what is allocated.
func TestUpdateIsBounded(t *testing.T) {
	c, _ := mustLoad(t, "")
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "nobody%d%s=x\n", i, strings.Repeat("y", 900))
	}
	res, err := c.Update([]byte(many.String()))
	if err != nil || len(res.Ignored) != 17 || res.Ignored[16] != "and 984 more" || len(strings.Join(res.Ignored, "")) > 2000 {
		t.Errorf("%v, %q", err, res.Ignored)
	}
	if _, err := c.Update(make([]byte, updateBytesMax+1)); !errors.Is(err, ErrInvalidValue) {
		t.Errorf("a body of more than %d bytes: %v", updateBytesMax, err)
	}
}

func TestUpdateThatCannotBeStored(t *testing.T) {
	break_ := map[string]func(path string) error{
		"read-only file": func(path string) error { return os.Chmod(path, 0o444) },
		"file has gone":  os.Remove,
		"not properties": func(path string) error { return os.WriteFile(path, []byte("a=\\u1\n"), 0o644) },
	}
	for name, f := range break_ {
		c, path := mustLoad(t, "orderMessageEnable=false\n")
		if err := f(path); err != nil {
			t.Fatal(err)
		}
		before, errBefore := os.ReadFile(path)
		_, err := c.Update([]byte("orderMessageEnable=true"))
		if !errors.Is(err, ErrPersist) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want ErrPersist and the path", name, err)
		}
		if c.Live().OrderMessageEnable || strings.Contains(string(c.Listing()), "orderMessageEnable=true") {
			t.Errorf("%s: applied, though it is not stored", name)
		}
		after, errAfter := os.ReadFile(path)
		if string(before) != string(after) || (errBefore == nil) != (errAfter == nil) {
			t.Errorf("%s: the file became %q, %v", name, after, errAfter)
		}
	}
}

func TestUpdateThroughLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.conf"), filepath.Join(dir, "link.conf")
	writeFile(t, real, "# kept\n")
	if err := os.Symlink("real.conf", link); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Source{ConfigFile: &link, UserHome: testHome})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update([]byte("orderMessageEnable=true")); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, real); got != "# kept\norderMessageEnable=true\n" {
		t.Errorf("the target has %q", got)
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", fi, err)
	}
}

// Readers see one update whole or not at all.
func TestUpdateIsAtomicToReaders(t *testing.T) {
	c, _ := mustLoad(t, "")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if l := c.Live(); l.OrderMessageEnable != l.SupportActingMaster {
				t.Error("half an update")
				return
			}
		}
	})
	for i := range 50 {
		on := i%2 == 0
		if _, err := c.Update(fmt.Appendf(nil, "orderMessageEnable=%v\nsupportActingMaster=%v\n", on, on)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

// No body makes Update panic, change a protected value, or write a second line.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte("orderMessageEnable=true\\nlistenPort=1"))
	f.Add([]byte("waitSecondsForService=+7\r\\\n=x"))
	dir := f.TempDir()
	path := filepath.Join(dir, "namesrv.conf")
	f.Fuzz(func(t *testing.T, body []byte) {
		writeFile(t, path, "# head\nzz=1\n")
		c, err := Load(Source{ConfigFile: &path, Getenv: func(string) string { return "" }, UserHome: testHome})
		if err != nil {
			t.Fatal(err)
		}
		settings := c.Settings
		res, err := c.Update(body)
		if c.Settings != settings {
			t.Fatalf("%q changed a setting that is not live", body)
		}
		lines := strings.Split(strings.TrimSuffix(readFile(t, path), "\n"), "\n")
		if err != nil && len(lines) != 2 {
			t.Fatalf("%q was refused (%v) and stored: %q", body, err, lines)
		}
		for _, line := range lines[2:] {
			name, _, _ := strings.Cut(line, "=")
			if k := findKey(name); k == nil || k.change != changeLive {
				t.Fatalf("%q wrote the line %q (result %+v)", body, line, res)
			}
		}
		if n := strings.Count(string(c.Listing()), "\n"); n != 41 {
			t.Fatalf("%q: %d lines listed", body, n)
		}
	})
}

// 319 and what requests read never wait for the file of a 318: a disk may hang.
func TestReadersDoNotWaitForAnUpdate(t *testing.T) {
	c := New(DefaultSettings(t.TempDir()), DefaultLive())
	c.mu.Lock() // as Update does while it writes
	defer c.mu.Unlock()
	read := make(chan bool)
	go func() { read <- len(c.Listing()) > 0 && c.Live() != nil }()
	select {
	case ok := <-read:
		if !ok {
			t.Error("nothing is listed")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the listing waits for an update")
	}
}
