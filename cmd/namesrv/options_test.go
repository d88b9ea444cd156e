package main

import (
	"os"
	"strings"
	"testing"
)

// The file was written by commons-cli itself (testdata/CommandLineOracle.java).
func TestOptionsAsJavaReadsThem(t *testing.T) {
	data, err := os.ReadFile("testdata/command-lines.golden")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(strings.TrimSuffix(string(data), "\n\n"), "\n\n")
	if len(cases) < 400 {
		t.Fatalf("only %d command lines", len(cases))
	}
	for _, c := range cases {
		line, want, _ := strings.Cut(c, "\n")
		args := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "["), "]"), "][")
		if got := describe(args); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

func describe(args []string) string {
	o, err := parseOptions(args)
	if err != nil {
		return "error " + err.Error()
	}
	out := "ok"
	if o.help {
		out += " h"
	}
	if o.print {
		out += " p"
	}
	if o.configFile != nil {
		out += " c=[" + *o.configFile + "]"
	}
	return out
}
