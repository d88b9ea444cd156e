package bench

import (
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
)

// BuildOf names a Go binary: its commit if it was built from a clean checkout, else its checksum.
func BuildOf(path string) (string, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", err
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" && settings["vcs.modified"] == "false" {
		return revision[:min(12, len(revision))], nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("sha256:%.6x", sum.Sum(nil)), nil
}
