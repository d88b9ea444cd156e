package client

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(envCanned) != "" {
		serveCanned()
		return
	}
	goleak.VerifyTestMain(m)
}
