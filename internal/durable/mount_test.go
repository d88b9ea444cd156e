package durable

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// inMountNamespace runs f where mounts are its own. The thread dies with it.
func inMountNamespace(t *testing.T, f func(dir string)) {
	t.Helper()
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("not tested: mounts want root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	dir := t.TempDir()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Errorf("mount: %v", err)
			return
		}
		f(dir)
	}()
	<-done
}

// A single file mounted over another, as containers do it: a rename over it is EBUSY.
func TestPrivilegedWriteMountedFile(t *testing.T) {
	inMountNamespace(t, func(dir string) {
		host, inside := filepath.Join(dir, "host.json"), filepath.Join(dir, "kv.json")
		for _, p := range []string{host, inside} {
			if err := os.WriteFile(p, []byte("older and longer"), 0o644); err != nil {
				t.Error(err)
				return
			}
		}
		if err := unix.Mount(host, inside, "", unix.MS_BIND, ""); err != nil {
			t.Error(err)
			return
		}
		out, err := WriteFile(inside, []byte("new"), Options{Perm: 0o644, Backup: true})
		if err != nil || !out.InPlace {
			t.Errorf("got %+v, %v", out, err)
		}
		want(t, host, "new")
		want(t, inside+".bak", "older and longer")

		if err := unix.Mount("", inside, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			t.Error(err)
			return
		}
		if _, err := WriteFile(inside, []byte("x"), Options{Perm: 0o644}); err == nil {
			t.Error("a file mounted read-only was written")
		}
		want(t, host, "new")
	})
}

// A full disk is an error, and the old content is whole: replaced or in place.
func TestPrivilegedWriteFullDisk(t *testing.T) {
	inMountNamespace(t, func(dir string) {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
			t.Error(err)
			return
		}
		path := filepath.Join(dir, "kv.json")
		if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
			t.Error(err)
			return
		}
		big := []byte(strings.Repeat("x", 128<<10))
		if _, err := WriteFile(path, big, Options{Perm: 0o644}); err == nil {
			t.Error("128 KiB fit on a disk of 64 KiB")
		}
		want(t, path, "old")
		if err := overwrite(path, big); err == nil {
			t.Error("128 KiB fit on a disk of 64 KiB, in place")
		}
		want(t, path, "old")
		wantNames(t, dir, "kv.json")
	})
}
