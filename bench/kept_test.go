package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Goal: a report says whose answers differ, also in stages that a run before it measured. Method: two
// comparisons in one folder, the second of which only reports.
func TestAnswersOutlastTheRun(t *testing.T) {
	servers := namedServers("pharos", "java", "rust")
	first := &Comparison{Dir: t.TempDir(), Servers: servers}
	if err := first.keepIn(answersFile, map[string]map[string]string{"small": {"pharos": "a", "java": "a", "rust": "b"}}); err != nil {
		t.Fatal(err)
	}
	again := &Comparison{Dir: first.Dir, Servers: servers, Read: true}
	if err := again.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(again.Differing(), "; "); got != "small: rust answers otherwise than pharos" {
		t.Errorf("differing: %q", got)
	}
	if err := os.WriteFile(filepath.Join(first.Dir, answersFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := again.Run(t.Context()); err == nil || !strings.Contains(err.Error(), answersFile) {
		t.Errorf("a file that is cut off: %v", err)
	}
}
