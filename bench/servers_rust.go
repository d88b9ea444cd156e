package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	rustCrate   = "rocketmq-namesrv"
	rustVersion = "1.0.0"
	rustBinary  = "rocketmq-namesrv-rust"
)

// rustTuned turns on what the peer has for speed and leaves off by default.
const rustTuned = `namesrvRouteResponseCacheEnable=true
namesrvTypedZoneRouteEnable=true
enableRegistrationDelta=true
expiryIndexMode=active
`

func (f *Finder) rust(ctx context.Context, name, config string) Server {
	s := Server{Name: name}
	path, err := f.rustPath(ctx)
	if err != nil {
		s.Unavailable = err.Error()
		return s
	}
	s.Command = func(home string, port int) *exec.Cmd {
		cmd := exec.Command(path, "-c", writeConfig(home, port, config), "--log-filter", "warn")
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
