package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testHome = "/home/mq"

// load starts from content as the -c file (nil: without -c) and the environment env.
func load(t *testing.T, content *string, env map[string]string) (*Namesrv, string, error) {
	t.Helper()
	src := Source{Getenv: func(k string) string { return env[k] }, UserHome: testHome}
	path := filepath.Join(t.TempDir(), "namesrv.conf")
	if content != nil {
		writeFile(t, path, *content)
		src.ConfigFile = &path
	}
	c, err := Load(src)
	return c, path, err
}

func mustLoad(t *testing.T, content string) (*Namesrv, string) {
	t.Helper()
	c, path, err := load(t, &content, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, path
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestListingOfADefaultServerIsJavas(t *testing.T) {
	c, _, err := load(t, nil, map[string]string{"ROCKETMQ_HOME": "/opt/rocketmq"})
	if err != nil {
		t.Fatal(err)
	}
	want := readFile(t, "testdata/listing-default.txt")
	if diff := cmp.Diff(want, string(c.Listing())); diff != "" {
		t.Errorf("(-java +ours)\n%s", diff)
	}
	if n := strings.Count(want, "\n"); n != 40 {
		t.Errorf("the golden listing has %d lines, not 40", n)
	}
}

func TestListingShowsOursAndUnknownOnlyWhenSet(t *testing.T) {
	c, path := mustLoad(t, "lanes=3\nzz=top\\u000alistenPort=1 \nconnectTimeoutMillis=5\n")
	lines := strings.Split(strings.TrimSuffix(string(c.Listing()), "\n"), "\n")
	if !slices.IsSorted(lines) && !slices.IsSortedFunc(lines, func(a, b string) int {
		ka, _, _ := strings.Cut(a, "=")
		kb, _, _ := strings.Cut(b, "=")
		return strings.Compare(ka, kb)
	}) {
		t.Errorf("not sorted: %q", lines)
	}
	for _, want := range []string{"lanes=3", `zz=top\u000alistenPort=1 `, "connectTimeoutMillis=5", "configStorePath=" + path} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in %q", want, lines)
		}
	}
	if len(lines) != 43 {
		t.Errorf("%d lines, want 43", len(lines))
	}
}

func TestValuesAsJavaTakesThem(t *testing.T) {
	tests := []struct {
		line    string
		want    string // of the listing
		warning string // part of it; empty: none
	}{
		{"waitSecondsForService=7", "waitSecondsForService=7", ""},
		{"waitSecondsForService=+4", "waitSecondsForService=4", ""},
		{"waitSecondsForService=-4", "waitSecondsForService=-4", ""},
		{"waitSecondsForService=7 ", "waitSecondsForService=45", `waitSecondsForService: "7 " is not a whole number: 45 is used`},
		{"waitSecondsForService=0x10", "waitSecondsForService=45", "is not a whole number"},
		{"waitSecondsForService=1e2", "waitSecondsForService=45", "is not a whole number"},
		{"waitSecondsForService=10,000", "waitSecondsForService=45", "is not a whole number"},
		{"waitSecondsForService=1_0", "waitSecondsForService=45", "is not a whole number"},
		{"waitSecondsForService=", "waitSecondsForService=45", `"" is not a whole number`},
		{"waitSecondsForService=2147483648", "waitSecondsForService=45", "is not a whole number"},
		{"scanNotActiveBrokerInterval=2147483648", "scanNotActiveBrokerInterval=2147483648", ""},
		{"enableTopicList=TRUE", "enableTopicList=true", ""},
		{"enableTopicList=False", "enableTopicList=false", ""},
		{"enableTopicList=true ", "enableTopicList=false", `"true " is not true or false: false is used`},
		{"enableTopicList=yes", "enableTopicList=false", "is not true or false"},
		{"enableTopicList=on", "enableTopicList=false", "is not true or false"},
		{"enableTopicList=1", "enableTopicList=false", "is not true or false"},
		{"productEnvName=  x  ", "productEnvName=x", ""},
		{"productEnvName=caf\xc3\xa9", "productEnvName=cafÃ©", "read as ISO-8859-1"},
		{"productEnvName=caf\\u00e9", "productEnvName=café", ""},
		{"productEnvName=a${user.home}", "productEnvName=a${user.home}", ""},
		{"nobody knows=it ", "nobody=knows=it ", `unknown key "nobody"`},
		{"waitSecondsForService=1\nwaitSecondsForService=2", "waitSecondsForService=2", "is set again in line 2"},
		{"\xef\xbb\xbfenableTopicList=false", "enableTopicList=true", "byte-order mark"},
		{"writeBufferHighWaterMark=9", "writeBufferHighWaterMark=9", ""},
	}
	for _, tt := range tests {
		c, path := mustLoad(t, tt.line+"\n")
		if !strings.Contains("\n"+string(c.Listing()), "\n"+tt.want+"\n") {
			t.Errorf("%q: no line %q in the listing", tt.line, tt.want)
		}
		var all []string
		for _, w := range c.Warnings() {
			all = append(all, w.String())
		}
		switch got := strings.Join(all, "; "); {
		case tt.warning == "" && got != "":
			t.Errorf("%q: warning %s", tt.line, got)
		case tt.warning != "" && (!strings.Contains(got, tt.warning) || !strings.HasPrefix(got, path+":1: ")):
			t.Errorf("%q: warnings %q, want one that begins with %s:1 and says %q", tt.line, got, path, tt.warning)
		}
		if _, _, err := load(t, ptr(tt.line+"\nconfigStrict=true\n"), nil); (err != nil) != (tt.warning != "") {
			t.Errorf("%q with configStrict: %v", tt.line, err)
		}
	}
}

func ptr(s string) *string { return &s }

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ content, want string }{
		{"enableControllerInNamesrv=true\n", "mqcontroller"},
		{"clusterTest=true\n", "cluster-test mode"},
		{"a=1\nlistenPort=70000\n", "namesrv.conf:2: listenPort: 70000 is not between 0 and 65535"},
		{"a=\\u00\n", "line 1: malformed escape"},
		{"adminListen=9877\n", "adminListen=9877: want host:port"},
		{"logLevel=verbose\n", "logLevel=verbose: want debug, info"},
		{"configStrict=true\nlistenPort=7 \n", "configStrict=true: "},
	}
	for _, tt := range tests {
		_, _, err := load(t, &tt.content, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line with %q", tt.content, err, tt.want)
		}
	}
	for _, path := range []string{"/nonexistent/x.conf", t.TempDir(), ""} {
		if _, err := Load(Source{ConfigFile: &path, UserHome: testHome}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("-c %q: got %v, want an error that names it", path, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	c, _, err := load(t, nil, map[string]string{
		"ROCKETMQ_HOME":           "/env",
		"ROCKETMQ_SERIALIZE_TYPE": "ROCKETMQ",
		"JAVA_TOOL_OPTIONS":       "-Duser.home=/tool -Dcom.rocketmq.remoting.frameMaxLength=1048576",
		"JAVA_OPT":                "-server -Xmx4g -Duser.home=/opt  -Dcom.rocketmq.remoting.socket.sndbuf.size=65536",
		"JAVA_OPT_EXT":            "-Drocketmq.home.dir=/prop -Dcom.rocketmq.remoting.socket.rcvbuf.size=+7",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.RocketmqHome, c.SerializeType, c.UserHome, c.KVConfigPath, c.LogDir, c.FrameBytesMax, c.ServerSocketSndBufSize, c.ServerSocketRcvBufSize}
	want := []any{"/prop", "ROCKETMQ", "/opt", "/opt/namesrv/kvConfig.json", "/opt/logs/rocketmqlogs", 1 << 20, 65536, 7}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEnvironmentFileWins(t *testing.T) {
	content := "serverSocketSndBufSize=5\nrocketmqHome=/file\n"
	c, _, err := load(t, &content, map[string]string{
		"ROCKETMQ_HOME": "/env", "JAVA_OPT": "-Dcom.rocketmq.remoting.socket.sndbuf.size=9",
	})
	if err != nil || c.ServerSocketSndBufSize != 5 || c.RocketmqHome != "/file" {
		t.Errorf("got %d, %q, %v", c.ServerSocketSndBufSize, c.RocketmqHome, err)
	}
}

func TestEnvironmentRefuses(t *testing.T) {
	for _, env := range []map[string]string{
		{"ROCKETMQ_SERIALIZE_TYPE": "json"},
		{"JAVA_OPT": "-Drocketmq.serialize.type=PROTOBUF"},
		{"JAVA_OPT": "-Dcom.rocketmq.remoting.frameMaxLength=16m"},
		{"JAVA_OPT": "-Dcom.rocketmq.remoting.frameMaxLength=0"},
	} {
		_, _, err := load(t, nil, env)
		value := strings.TrimPrefix(slices.Collect(maps.Values(env))[0], "-D")
		if err == nil || !strings.Contains(err.Error(), value[strings.LastIndexByte(value, '=')+1:]) {
			t.Errorf("%v: got %v, want an error that quotes the value", env, err)
		}
	}
}

func TestPrinted(t *testing.T) {
	c, _, err := load(t, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := c.Printed()
	// Printed by Java 5.5.0 on a machine with two processors.
	golden := strings.Split(strings.TrimSuffix(readFile(t, "testdata/printed-default.txt"), "\n"), "\n")
	for i, line := range golden {
		line = strings.Replace(line, "clientCallbackExecutorThreads=2", fmt.Sprint("clientCallbackExecutorThreads=", runtime.NumCPU()), 1)
		if lines[i] != line {
			t.Errorf("line %d is %q, Java's %q", i+1, lines[i], line)
		}
	}
	if got := len(lines) - countOurs(); got != 60 || len(golden) != 60 {
		t.Errorf("%d lines for Java's fields, want 60", got)
	}
}

func countOurs() (n int) {
	for _, k := range keys {
		if k.owner == ownerPharos {
			n++
		}
	}
	return n
}

// Every key has a default the checks accept, and a field of its own.
func TestKeyTable(t *testing.T) {
	v := &values{Settings: DefaultSettings(testHome), Live: DefaultLive(), client: defaultClientValues()}
	fields := map[any]string{}
	for i := range keys {
		k := &keys[i]
		if other, twice := fields[k.field(v)]; twice {
			t.Errorf("%s and %s share a field", k.name, other)
		}
		fields[k.field(v)] = k.name
		if err := k.assign(v, k.text(v)); err != nil {
			t.Errorf("the default of %s: %v", k.name, err)
		}
	}
	if java := len(keys) - countOurs(); java != 40 {
		t.Errorf("%d Java keys, want 40", java)
	}
}

func TestBoundPort(t *testing.T) {
	c, _ := mustLoad(t, "listenPort=0\n")
	c.SetBoundPort(40123)
	if c.BoundPort() != 40123 || !strings.Contains(string(c.Listing()), "\nlistenPort=40123\n") {
		t.Errorf("BoundPort %d, listing %s", c.BoundPort(), c.Listing())
	}
}

func TestStoreFileWithoutConfigFile(t *testing.T) {
	home := t.TempDir()
	src := Source{Getenv: func(string) string { return "" }, UserHome: home}
	store := filepath.Join(home, "namesrv", "namesrv.properties")
	start := func() *Namesrv {
		t.Helper()
		c, err := Load(src)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}

	// What Java left is not read, and its first change here replaces it.
	if err := os.MkdirAll(filepath.Dir(store), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, store, "listenPort=1\nsupportActingMaster=true\n")
	c := start()
	if c.ListenPort != 9876 || c.Live().SupportActingMaster {
		t.Errorf("Java's store file was read: %d, %v", c.ListenPort, *c.Live())
	}
	if len(c.Hints()) != 1 || !strings.Contains(c.Hints()[0], "is not read without -c") {
		t.Errorf("hints %q", c.Hints())
	}
	if _, err := c.Update([]byte("orderMessageEnable=true\n")); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, store+".bak"); !strings.HasPrefix(got, "listenPort=1") {
		t.Errorf("the .bak has %q", got)
	}

	// What we stored is read again, live keys only.
	c = start()
	if l := c.Live(); !l.OrderMessageEnable || l.SupportActingMaster {
		t.Errorf("after a restart: %+v", *l)
	}
	writeFile(t, store, readFile(t, store)+"listenPort=1\n")
	if c = start(); c.ListenPort != 9876 || !c.Live().OrderMessageEnable {
		t.Errorf("a restart took listenPort from the store file: %d", c.ListenPort)
	}
}

func TestUserHomeIsThePasswdEntry(t *testing.T) {
	env := map[string]string{"HOME": "/somewhere/else"}
	c, err := Load(Source{Getenv: func(k string) string { return env[k] }})
	if err != nil {
		t.Fatal(err)
	}
	if c.UserHome == "/somewhere/else" {
		t.Errorf("user.home is $HOME although there is a passwd entry for uid %d", os.Getuid())
	}
	for _, tt := range []struct{ passwd, home, want string }{
		{"/home/mq", "/other", "/home/mq"},
		{"/nonexistent", "/other", "/nonexistent"},
		{"", "/other", "/other"},  // a container that runs as a number
		{"/", "/other", "/other"}, // systemd's DynamicUser
		{"/", "", "/"},
		{"", "", "?"},
		{"", "/", "?"},
	} {
		if got := usableHome(tt.passwd, tt.home); got != tt.want {
			t.Errorf("passwd %q and HOME %q: %q, want %q", tt.passwd, tt.home, got, tt.want)
		}
	}
}
