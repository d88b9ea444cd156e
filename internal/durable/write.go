package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// Options of WriteFile.
type Options struct {
	Perm   fs.FileMode // of a new file, before the umask
	Backup bool        // keep the old content in PATH.bak
}

// Outcome says how a file was written.
type Outcome struct {
	// InPlace: the file could not be replaced by a rename, so it was overwritten; a
	// crash in that moment leaves it damaged, and the backup whole.
	InPlace bool
	// BackupError: the old content could not be kept in PATH.bak. The file is written
	// all the same.
	BackupError error
}

// BackupPath returns where WriteFile keeps the old content of path.
func BackupPath(path string) string { return path + ".bak" }

// ErrUnsynced: the file was replaced, but its directory could not be synced.
var ErrUnsynced = errors.New("the file may already have the new content, and which one a crash would leave is unknown")

// WriteFile makes data the content of path and returns when it is on the disk. It follows
// symbolic links and replaces their target; mode and owner stay; missing directories are
// made.
//
// Where a rename cannot do it (the file is a mount point, its directory is not writable,
// its owner could not be kept) the file is overwritten in place. A file that nobody may
// write (no w in its mode) is refused, even to root.
//
// After an error the old content is there unchanged, with two exceptions, both for a disk
// that fails: the error is ErrUnsynced, or the file was overwritten in place and the old
// content could not be put back (the error tells of both writes).
func WriteFile(path string, data []byte, o Options) (Outcome, error) {
	var out Outcome
	if path == "" {
		return out, errors.New("there is no file: its path is empty")
	}
	target, err := followLinks(path)
	if err != nil {
		return out, err
	}
	old, err := os.Stat(target)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDirs(filepath.Dir(target)); err != nil {
			return out, err
		}
		return out, rename(target, data, nil, o.Perm)
	}
	if err != nil {
		return out, err
	}
	if err := checkWritable(target, old); err != nil {
		return out, err
	}
	if !old.Mode().IsRegular() {
		return out, writeDevice(target, data)
	}
	if o.Backup {
		out.BackupError = backup(path, target, old)
	}
	err = rename(target, data, old, o.Perm)
	if err == nil || errors.Is(err, ErrUnsynced) || !renameImpossible(err) {
		return out, err
	}
	out.InPlace = true
	if errInPlace := overwrite(target, data); errInPlace != nil {
		return out, errors.Join(errInPlace, err)
	}
	return out, nil
}

// CheckWritable reports what would keep WriteFile from writing path, without writing: for
// a warning at the start. A nil error is no promise.
func CheckWritable(path string) error {
	target, err := followLinks(path)
	if err != nil {
		return err
	}
	fi, err := os.Stat(target)
	if err == nil {
		return checkWritable(target, fi)
	}
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(target) != target {
		target = filepath.Dir(target)
		if _, err = os.Stat(target); err == nil {
			err = access(target)
			break
		}
	}
	return err
}

// access asks whether this process may write target.
func access(target string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, target, unix.W_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "write", Path: target, Err: err}
	}
	return nil
}

// followLinks returns the file that path stands for, which need not exist.
func followLinks(path string) (string, error) {
	for range 40 {
		to, err := os.Readlink(path)
		if err != nil {
			// EINVAL: not a link. Absent, or out of reach: the caller will see.
			return path, nil
		}
		if !filepath.IsAbs(to) {
			// Not filepath.Join: its Clean would resolve .. without regard to links.
			to = filepath.Dir(path) + "/" + to
		}
		path = to
	}
	return "", &fs.PathError{Op: "follow", Path: path, Err: syscall.ELOOP}
}

// checkWritable refuses what its owner made read-only. A rename would not mind.
func checkWritable(target string, old fs.FileInfo) error {
	if old.IsDir() {
		return &fs.PathError{Op: "write", Path: target, Err: syscall.EISDIR}
	}
	if old.Mode().Perm()&0o222 == 0 {
		return fmt.Errorf("write %s: the file is read-only (mode %#o)", target, old.Mode().Perm())
	}
	return access(target)
}

// errOwner: the new file cannot be given the owner of the old one.
var errOwner = errors.New("cannot keep the owner of the file")

// rename writes a file beside target and renames it over target.
func rename(target string, data []byte, old fs.FileInfo, perm fs.FileMode) error {
	dir := filepath.Dir(target)
	f, err := renameio.NewPendingFile(target, renameio.WithTempDir(dir),
		renameio.WithPermissions(perm), renameio.WithExistingPermissions())
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if err := keepOwner(f.File, old); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsynced, err)
	}
	return nil
}

func keepOwner(f *os.File, old fs.FileInfo) error {
	if old == nil {
		return nil
	}
	fresh, err := f.Stat()
	if err != nil {
		return err
	}
	was, okWas := old.Sys().(*syscall.Stat_t)
	is, okIs := fresh.Sys().(*syscall.Stat_t)
	if !okWas || !okIs || was.Uid == is.Uid && was.Gid == is.Gid {
		return nil
	}
	if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
		return fmt.Errorf("%w: %w", errOwner, err)
	}
	// A change of owner clears mode bits on some file systems.
	return f.Chmod(old.Mode().Perm())
}

// renameImpossible: the place does not allow it, which says nothing about the file.
func renameImpossible(err error) bool {
	if errors.Is(err, errOwner) {
		return true
	}
	for _, e := range []error{syscall.EBUSY, syscall.EXDEV, syscall.EACCES, syscall.EPERM, syscall.EROFS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// makeDirs is os.MkdirAll whose directories survive a power cut.
func makeDirs(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDirs(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o755)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// fsync is a variable for the test of a disk that fails.
var fsync = (*os.File).Sync

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil // writable but not readable: nothing to sync it by
	}
	if err != nil {
		return err
	}
	defer d.Close()
	err = fsync(d)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // file systems that keep no directories of their own
	}
	return err
}

// backup keeps the content of target in the .bak beside path, as Java does.
func backup(path, target string, old fs.FileInfo) error {
	data, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	_, err = WriteFile(BackupPath(path), data, Options{Perm: old.Mode().Perm()})
	return err
}
