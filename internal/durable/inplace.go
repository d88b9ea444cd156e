package durable

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// overwrite replaces the content of an existing file where it stands. A failure (a full
// disk) puts the old content back, if that can still be written: the error tells of both.
func overwrite(target string, data []byte) error {
	old, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := reserve(f, len(data)); err != nil {
		return err
	}
	if err := fill(f, data); err != nil {
		return errors.Join(err, fill(f, old))
	}
	return nil
}

// reserve takes the disk blocks first: a full disk is found while the old content is
// still whole. The file keeps its size.
func reserve(f *os.File, size int) error {
	if size == 0 {
		return nil
	}
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, int64(size))
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return nil
	}
	return err
}

func fill(f *os.File, data []byte) error {
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(data))); err != nil {
		return err
	}
	return f.Sync()
}

// writeDevice writes to what is not a regular file, such as /dev/null.
func writeDevice(target string, data []byte) error {
	f, err := os.OpenFile(target, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
