package interop

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if Full() {
		subject := os.Getenv(envSubject)
		if subject == "" {
			subject = string(Pharos)
		}
		path, err := writeReport(subject)
		if err != nil {
			fmt.Fprintln(os.Stderr, "interop: write the report:", err)
			code = max(code, 1)
		} else {
			Progress("report: %s", path)
		}
	}
	os.Exit(code)
}
