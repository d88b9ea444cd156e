package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

const (
	rustCrate   = "rocketmq-namesrv"
	rustVersion = "1.0.0"
	rustBinary  = "rocketmq-namesrv-rust"
)

// rustTuned turns on what the peer has for speed and leaves off by default.
const rustTuned = `namesrvRouteResponseCacheEnable = true
namesrvTypedZoneRouteEnable = true
enableRegistrationDelta = true
expiryIndexMode = "active"
`

// writeTOML writes the peer's configuration, which is no properties file.
func writeTOML(home, more string) (path string) {
	path = filepath.Join(home, "namesrv.toml")
	text := fmt.Sprintf("rocketmqHome = %q\nkvConfigPath = %q\nconfigStorePath = %q\n%s", home,
		filepath.Join(home, "kvConfig.json"), filepath.Join(home, "namesrv.properties"), more)
	// A home that cannot be written to shows as a server that misses its file.
	_ = os.WriteFile(path, []byte(text), 0o644)
	return path
}

func (f *Finder) rust(ctx context.Context, name, config string) Server {
	s := Server{Name: name}
	path, err := f.rustPath(ctx)
	if err != nil {
		s.Unavailable = err.Error()
		return s
	}
	s.Command = func(home string, port int) *exec.Cmd {
		cmd := exec.Command(path, "-c", writeTOML(home, config), "--log-filter", "warn",
			"--bindAddress", "127.0.0.1", "--listenPort", strconv.Itoa(port))
		cmd.Env = environment(home)
		return cmd
	}
	return s
}

// rustPath builds the peer from crates.io, once.
func (f *Finder) rustPath(ctx context.Context) (string, error) {
	root := filepath.Join(f.Cache, rustCrate+"-"+rustVersion)
	path := filepath.Join(root, "bin", rustBinary)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cargo, err := exec.LookPath("cargo")
	if err != nil {
		return "", fmt.Errorf("it needs Rust's cargo (rustup.rs; Debian's may be too old): %w", err)
	}
	f.say("building %s %s from crates.io (once; some ten minutes)", rustCrate, rustVersion)
	if err := runTool(ctx, cargo, "install", rustCrate, "--version", rustVersion, "--locked", "--root", root); err != nil {
		return "", fmt.Errorf("cargo could not build it: %w", err)
	}
	return path, nil
}
