package durable

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const nobody = 65534

func create(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) Outcome {
	t.Helper()
	out, err := WriteFile(path, []byte(content), Options{Perm: 0o644, Backup: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func want(t *testing.T, path, content string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%s has %q, %v; want %q", path, got, err, content)
	}
}

// wantNames checks that a directory has these entries and no temporary file.
func wantNames(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("%s has %q, want %q", dir, got, names)
	}
}

func TestWriteNewFileMakesDirectories(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "kv.json")
	if err := CheckWritable(path); err != nil {
		t.Error(err)
	}
	write(t, path, "1")
	want(t, path, "1")
	wantNames(t, filepath.Dir(path), "kv.json")
}

func TestWriteReplacesAndKeepsTheOldContent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kv.json")
	create(t, path, "old", 0o640)
	for _, content := range []string{"new", "newer", ""} {
		before, _ := os.ReadFile(path)
		if out := write(t, path, content); out.InPlace || out.BackupError != nil {
			t.Errorf("outcome %+v", out)
		}
		want(t, path, content)
		want(t, path+".bak", string(before))
	}
	if fi, _ := os.Stat(path); fi.Mode().Perm() != 0o640 {
		t.Errorf("mode became %v", fi.Mode())
	}
	wantNames(t, dir, "kv.json", "kv.json.bak")
}

func TestWriteFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "data", "real.json")
	if err := os.MkdirAll(filepath.Dir(real), 0o755); err != nil {
		t.Fatal(err)
	}
	links := map[string]string{"abs.json": real, "rel.json": "data/real.json", "two.json": "abs.json"}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	// The first write finds a link to nothing.
	for i, name := range []string{"rel.json", "abs.json", "two.json"} {
		content := strings.Repeat("x", i+1)
		write(t, filepath.Join(dir, name), content)
		want(t, real, content)
		if to, err := os.Readlink(filepath.Join(dir, name)); err != nil || to != links[name] {
			t.Errorf("the link %s became %q, %v", name, to, err)
		}
	}
	wantNames(t, filepath.Dir(real), "real.json")
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteFile(loop, []byte("x"), Options{Perm: 0o644}); err == nil {
		t.Error("a link to itself was written")
	}
}

func TestWriteRefusesReadOnlyFileAndDirectory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ro.conf")
	create(t, path, "old", 0o444)
	_, err := WriteFile(path, []byte("new"), Options{Perm: 0o644, Backup: true})
	if err == nil || !strings.Contains(err.Error(), "read-only (mode 0444)") {
		t.Errorf("got %v", err)
	}
	want(t, path, "old")
	if _, err := WriteFile(dir, []byte("new"), Options{Perm: 0o644}); err == nil {
		t.Error("a directory was written")
	}
	wantNames(t, dir, "ro.conf")
}

// /dev/null as a file must stay a device.
func TestWriteToDevice(t *testing.T) {
	if _, err := WriteFile("/dev/null", []byte("x"), Options{Perm: 0o644, Backup: true}); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat("/dev/null"); err != nil || fi.Mode()&os.ModeCharDevice == 0 {
		t.Fatalf("/dev/null is now %v, %v", fi, err)
	}
	if _, err := os.Stat("/dev/null.bak"); err == nil {
		t.Error("there is a /dev/null.bak")
	}
}

// When the directory cannot be synced the rename has happened: the error says so, and
// nothing is written a second time in place, whatever the errno looks like.
func TestWriteSaysWhenTheDirectoryCouldNotBeSynced(t *testing.T) {
	defer func(f func(*os.File) error) { fsync = f }(fsync)
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.EROFS} {
		dir := t.TempDir()
		path := filepath.Join(dir, "kv.json")
		create(t, path, "old", 0o644)
		synced := 0
		fsync = func(f *os.File) error {
			synced++
			if f.Name() != dir {
				t.Errorf("%s was synced, want %s", f.Name(), dir)
			}
			return &os.PathError{Op: "sync", Path: f.Name(), Err: errno}
		}
		for _, p := range []string{path, filepath.Join(dir, "new.json")} {
			out, err := WriteFile(p, []byte("new"), Options{Perm: 0o644})
			if !errors.Is(err, ErrUnsynced) || !errors.Is(err, errno) || out.InPlace {
				t.Errorf("%s, %v: got %+v, %v", p, errno, out, err)
			}
			if err != nil && !strings.Contains(err.Error(), "may already have the new content") {
				t.Errorf("the error does not say what is in the file: %v", err)
			}
			want(t, p, "new")
		}
		if synced != 2 {
			t.Errorf("%d syncs of the directory, want 2", synced)
		}
		wantNames(t, dir, "kv.json", "new.json")
	}
}

// unprivileged runs f with the file access of an ordinary user, also for root.
func unprivileged(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Per thread, and it takes root's right to override permissions with it.
	if err := unix.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setfsuid(0); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// owned makes path belong to the user that unprivileged runs as.
func owned(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() == 0 {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWriteInDirectoryThatCannotBeWritten(t *testing.T) {
	dir, err := os.MkdirTemp("", "durable") // t.TempDir's parents are closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "kv.json")
	create(t, path, "older and longer", 0o644)
	owned(t, path)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	unprivileged(t, func() {
		if err := CheckWritable(path); err != nil {
			t.Error(err)
		}
		if err := CheckWritable(filepath.Join(dir, "a", "b")); err == nil {
			t.Error("CheckWritable sees nothing wrong with a new file in a read-only directory")
		}
		out := write(t, path, "new")
		if !out.InPlace || out.BackupError == nil {
			t.Errorf("outcome %+v, want in place and without .bak", out)
		}
		want(t, path, "new")
		if _, err := WriteFile(filepath.Join(dir, "other"), []byte("x"), Options{Perm: 0o644}); err == nil {
			t.Error("a new file was made in a directory that cannot be written")
		}
	})
	create(t, path, "theirs", 0o600)
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
		unprivileged(t, func() {
			if _, err := WriteFile(path, []byte("x"), Options{Perm: 0o644}); err == nil {
				t.Error("somebody else's file was written")
			}
		})
		want(t, path, "theirs")
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

// The file of another owner that our group may write keeps its owner.
func TestWriteKeepsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not tested: only root can make a file of another owner")
	}
	dir, err := os.MkdirTemp("", "durable")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "kv.json")
	ownerOf := func() uint32 {
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return fi.Sys().(*syscall.Stat_t).Uid
	}

	create(t, path, "old", 0o666)
	unprivileged(t, func() {
		if out := write(t, path, "new"); !out.InPlace {
			t.Errorf("replaced root's file by one of our own")
		}
	})
	want(t, path, "new")
	if ownerOf() != 0 {
		t.Errorf("owner became %d", ownerOf())
	}

	if err := os.Chown(path, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	if out := write(t, path, "newer"); out.InPlace {
		t.Errorf("root can keep the owner with a rename")
	}
	if ownerOf() != 1234 {
		t.Errorf("owner became %d", ownerOf())
	}
}
