package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// ServerNames are the servers that are known by name.
var ServerNames = []string{"pharos", "limit", "limit-epoll", "java", "java-g1", "rust", "rust-tuned", "pharos-1-loop", "pharos-2-loops", besideName, untracedName}

// ShortNames are those of the short form.
var ShortNames = []string{"pharos", "limit", "limit-epoll", "java", "rust", "pharos-1-loop", "pharos-2-loops", besideName, untracedName}

// epollScenarios are where what gnet costs shows.
var epollScenarios = []string{small1, small16}

// besideName is a Pharos with few topics beside others with many.
const besideName = "pharos-1,000-topics"

// untracedName is a Pharos without BPF programs, where memory is compared.
const untracedName = "pharos-untraced"

// Finder finds servers by name, and builds or downloads what is needed for them.
type Finder struct {
	Pharos   string // path of the namesrv binary
	Commit   string // that it was built from, should it not tell itself; "": it is not known
	Cache    string // folder for what was downloaded or built
	Progress func(line string)
}

// Find returns the server of that name, or "name=command line", in which {port}, {home} and
// {config} (a properties file) are replaced. One that cannot be had says why.
func (f *Finder) Find(ctx context.Context, name string) Server {
	if name, line, custom := strings.Cut(name, "="); custom {
		return commandServer(name, line)
	}
	switch name {
	case "pharos":
		return f.pharos(name, "")
	case "pharos-1-loop", "pharos-2-loops":
		s := f.pharos(name, "eventLoops="+name[len("pharos-"):len("pharos-")+1]+"\n")
		s.Apart, s.AnyCore = true, true
		return s
	case besideName:
		s := f.pharos(name, "")
		s.Apart = true
		return s
	case untracedName:
		s := f.pharos(name, "tcpTracing=off\n")
		s.Apart = true
		return s
	case "limit":
		return yardstick(name, "gnet")
	case "limit-epoll":
		s := yardstick(name, "epoll")
		s.Scenarios = epollScenarios
		return s
	case "java":
		return f.java(ctx, name, officialFlags)
	case "java-g1":
		return f.java(ctx, name, tunedFlags)
	case "rust":
		return f.rust(ctx, name, "")
	case "rust-tuned":
		return f.rust(ctx, name, rustTuned)
	}
	return Server{Name: name, Unavailable: fmt.Sprintf("no such server: %q; known are %s, or NAME=COMMAND LINE", name, strings.Join(ServerNames, ", "))}
}

// writeConfig writes the properties every name server gets, and its own.
func writeConfig(home string, port int, more string) (path string) {
	path = filepath.Join(home, "namesrv.properties")
	text := fmt.Sprintf("listenPort=%d\nbindAddress=127.0.0.1\nkvConfigPath=%s/kvConfig.json\n%s", port, home, more)
	// A home that cannot be written to shows as a server that misses its file.
	_ = os.WriteFile(path, []byte(text), 0o644)
	return path
}

func environment(home string, more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "ROCKETMQ_HOME=" + home, "LC_ALL=C.UTF-8"}, more...)
}

func (f *Finder) pharos(name, more string) Server {
	s := Server{Name: name}
	path, err := filepath.Abs(f.Pharos)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		s.Unavailable = fmt.Sprintf("%v; make build makes it", err)
		return s
	}
	s.Build, _ = BuildFrom(path, f.Commit) // a script tells nothing
	s.Command = func(home string, port int) *exec.Cmd {
		config := writeConfig(home, port, "adminListen=\nlogDir="+home+"/logs\n"+more)
		cmd := exec.Command(path, "-c", config)
		cmd.Env = environment(home, "JAVA_OPT=-Duser.home="+home, "GODEBUG=gctrace=1") // see stopReader
		return cmd
	}
	return s
}

// yardstick is nsbench limit, this very program.
func yardstick(name, engine string) Server {
	self, err := os.Executable()
	if err != nil {
		return Server{Name: name, Unavailable: err.Error()}
	}
	return Server{Name: name, Yardstick: true, Command: func(home string, port int) *exec.Cmd {
		body := defaultBodyBytes
		if text, err := os.ReadFile(filepath.Join(filepath.Dir(home), bodyFile)); err == nil {
			body, _ = strconv.Atoi(string(text))
		}
		cmd := exec.Command(self, "limit", "-engine", engine, "-listen", "127.0.0.1:"+strconv.Itoa(port), "-body", strconv.Itoa(body))
		cmd.Env = environment(home)
		return cmd
	}}
}

// bodyFile tells yardsticks, in the folder of their homes, how large their bodies have to be.
const (
	bodyFile         = "body-bytes"
	defaultBodyBytes = 865
)

func commandServer(name, line string) Server {
	return Server{Name: name, Custom: true, Command: func(home string, port int) *exec.Cmd {
		config := writeConfig(home, port, "")
		r := strings.NewReplacer("{port}", strconv.Itoa(port), "{home}", home, "{config}", config)
		words := strings.Fields(line)
		for i := range words {
			words[i] = r.Replace(words[i])
		}
		if len(words) == 0 {
			words = []string{""}
		}
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Env = environment(home)
		return cmd
	}}
}

func (f *Finder) say(format string, args ...any) {
	if f.Progress != nil {
		f.Progress(fmt.Sprintf(format, args...))
	}
}
