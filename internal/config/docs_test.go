package config

import (
	"regexp"
	"strings"
	"testing"
)

// docs/configuration.md lists every key, once, with its real default and what 318 does.
func TestDocumentedKeys(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*?) \\| (\\w+) \\| ")
	documented := map[string][]string{}
	for _, m := range row.FindAllStringSubmatch(readFile(t, "../../docs/configuration.md"), -1) {
		if documented[m[1]] != nil {
			t.Errorf("%s is documented twice", m[1])
		}
		documented[m[1]] = m[2:]
	}
	kinds := map[change]string{changeLive: "live", changeProtected: "protected", changeRestart: "restart"}
	v := &values{Settings: DefaultSettings("${user.home}"), Live: DefaultLive()}
	v.ConfigStorePath = "the `-c` file"
	v.RocketmqHome = "environment"
	for i := range keys {
		k := &keys[i]
		d := documented[k.name]
		if d == nil {
			t.Errorf("%s is not documented", k.name)
			continue
		}
		if want := k.text(v); strings.Trim(d[0], "`") != strings.Trim(want, "`") || d[1] != kinds[k.change] {
			t.Errorf("%s is documented as %s, %s; it is %s, %s", k.name, d[0], d[1], want, kinds[k.change])
		}
		delete(documented, k.name)
	}
	for name := range documented {
		t.Errorf("%s is documented, but there is no such key", name)
	}
}
