// Package durable replaces small files so that a crash, a full disk or a kill leaves
// either the old content or the new one, and so that the places where operators keep
// such files keep working: symbolic links, single files mounted into a container,
// directories that the process cannot write.
package durable
