package connwatch

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/pharosmq/pharos/connhealth"
)

func kernelDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/kernel.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Goal: docs/kernel.md gives every parameter with its value, and none that is gone.
func TestDocsNameEveryParameter(t *testing.T) {
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| ([^ ]+) \\| .").FindAllStringSubmatch(kernelDoc(t), -1) {
		documented[m[1]] = m[2]
	}
	p := reflect.ValueOf(connhealth.DefaultParams())
	for i := range p.NumField() {
		name, value := p.Type().Field(i).Name, fmt.Sprint(p.Field(i).Interface())
		if documented[name] != value {
			t.Errorf("docs/kernel.md gives %s the value %q, it is %s", name, documented[name], value)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/kernel.md describes %s, which does not exist", name)
	}
}

// Goal: whoever reads an explanation finds each of its words.
func TestDocsNameEveryClassAndRule(t *testing.T) {
	doc := kernelDoc(t)
	f := func(kind, name string) {
		if !regexp.MustCompile("(?m)^\\|[^|]*`" + name + "`").MatchString(doc) {
			t.Errorf("docs/kernel.md has no row for %s %s", kind, name)
		}
	}
	for c := connhealth.ClassHealthy; c.String() != "unknown"; c++ {
		f("class", c.String())
	}
	for r := connhealth.RuleSuspect; r.String() != "unknown"; r++ {
		f("rule", r.String())
	}
}
