package bench

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
)

// BuildOf names a Go binary by its checksum and, if it tells, the commit that it was built from:
// "0a1b2c3d4e5f (sha256:...)". What the commit itself left in the binary is not in the checksum:
// builds of two commits that differ in documents alone are the same build (results.SameBuild).
// Uncommitted changes are a "-dirty" behind the commit; that word makes the stamp longer and
// moves what lies behind it, so such a build is another one.
func BuildOf(path string) (string, error) { return BuildFrom(path, "") }

// BuildFrom is BuildOf for a binary that does not tell its commit, whereas the caller knows it;
// "": the caller doesn't either.
func BuildFrom(path, commit string) (string, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", err
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		commit = revision[:min(commitDigits, len(revision))]
		if settings["vcs.modified"] == "true" {
			commit += dirty
		}
	}
	sum := "sha256:" + fmt.Sprintf("%.6x", sha256.Sum256(unstamped(binary, info.Main.Version, settings["vcs.revision"], settings["vcs.time"])))
	if commit == "" {
		return sum, nil
	}
	return commit + " (" + sum + ")", nil
}

// commitDigits are those of a commit's name; dirty is behind it if more than the commit was built.
const (
	commitDigits = 12
	dirty        = "-dirty"
)

// unstamped blanks in a binary the words of its stamp, and the build ids that are made of it.
func unstamped(binary []byte, stamp ...string) []byte {
	if f, err := elf.NewFile(bytes.NewReader(binary)); err == nil {
		for _, s := range f.Sections {
			if s.Type == elf.SHT_NOTE && s.Offset+s.Size <= uint64(len(binary)) {
				clear(binary[s.Offset : s.Offset+s.Size])
			}
		}
	}
	for _, word := range stamp {
		if len(word) >= commitDigits { // "(devel)" says nothing
			binary = bytes.ReplaceAll(binary, []byte(word), bytes.Repeat([]byte{0}, len(word)))
		}
	}
	return binary
}
