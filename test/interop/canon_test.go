package interop

import "testing"

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"bare keys are quoted and counted", `{"a":{1:"x",0:"y"}}`, `{"a":{"0":"y","1":"x"}} (2 bare keys)`},
		{"quoted keys are not", `{"a":{"1":"x"}}`, `{"a":{"1":"x"}} (0 bare keys)`},
		{"arrays are sorted", `{"l":["b","a",{"z":1,"b":2}]}`, `{"l":["a","b",{"b":2,"z":1}]} (0 bare keys)`},
		{"numbers keep their digits", `[9007199254740993,-1]`, `[-1,9007199254740993] (0 bare keys)`},
		{"strings are left alone", `{"a":"{0:\"1:2\"}"}`, `{"a":"{0:\"1:2\"}"} (0 bare keys)`},
		{"no JSON is itself", `a=b`, `a=b`},
		{"nothing is nothing", ``, ``},
	} {
		if got := canonical([]byte(c.body)); got != c.want {
			t.Errorf("%s: canonical(%s) = %s, want %s", c.name, c.body, got, c.want)
		}
	}
}
