package client

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(envCanned) != "" {
		serveCanned()
		return
	}
	if err := startExampleCluster(); err != nil {
		fmt.Fprintln(os.Stderr, "the examples' cluster:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}
