package config

import (
	"testing"
)

func TestSetPropertiesKeepsLayout(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"replaces", "a=1\norderMessageEnable=false\nb=2\n", "a=1\norderMessageEnable=true\nb=2\n"},
		{"keeps comments and blank lines", "# mine\n\n! more\norderMessageEnable=false\n\n# end\n", "# mine\n\n! more\norderMessageEnable=true\n\n# end\n"},
		{"keeps the separator", "  orderMessageEnable  :  false\n", "  orderMessageEnable  :  true\n"},
		{"keeps CR LF", "a=1\r\norderMessageEnable=false\r\n", "a=1\r\norderMessageEnable=true\r\n"},
		{"adds with CR LF", "a=1\r\n", "a=1\r\norderMessageEnable=true\r\n"},
		{"adds to an empty file", "", "orderMessageEnable=true\n"},
		{"adds after a line without end", "a=1", "a=1\norderMessageEnable=true\n"},
		{"adds after a comment without end", "# a", "# a\norderMessageEnable=true\n"},
		{"adds after a continued line without end", "a=1\\", "a=1\\\n\norderMessageEnable=true\n"},
		{"adds after a continued line", "a=1\\\n", "a=1\\\n\norderMessageEnable=true\n"},
		{"replaces the entry that counts", "orderMessageEnable=false\norderMessageEnable=false\n", "orderMessageEnable=false\norderMessageEnable=true\n"},
		{"replaces an escaped key", "order\\u004dessageEnable=false\n", "order\\u004dessageEnable=true\n"},
		{"replaces a continued value", "orderMessageEnable=fa\\\n   lse\nb=2\n", "orderMessageEnable=true\nb=2\n"},
		{"keeps a continued separator", "orderMessageEnable=\\\n   false\nb=2\n", "orderMessageEnable=\\\n   true\nb=2\n"},
		{"gives an empty entry a value", "orderMessageEnable\nb=2\n", "orderMessageEnable=true\nb=2\n"},
		{"gives an empty value a value", "orderMessageEnable=\nb=2\n", "orderMessageEnable=true\nb=2\n"},
		{"without a line end", "orderMessageEnable=false", "orderMessageEnable=true"},
		{"a key that only begins alike", "orderMessageEnableX=false\n", "orderMessageEnableX=false\norderMessageEnable=true\n"},
	}
	for _, tt := range tests {
		got, err := setProperties([]byte(tt.in), []Change{{Key: "orderMessageEnable", New: "true"}})
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestSetPropertiesSeveral(t *testing.T) {
	in := "waitSecondsForService=45\n# keep\nenableTopicList=true\n"
	got, err := setProperties([]byte(in), []Change{
		{Key: "enableTopicList", New: "false"},
		{Key: "supportActingMaster", New: "true"},
		{Key: "waitSecondsForService", New: "7"},
	})
	want := "waitSecondsForService=7\n# keep\nenableTopicList=false\nsupportActingMaster=true\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// Whatever a file looks like, a change of one key changes what that key says and nothing
// else: setProperties proves it itself, so only a file that cannot be read is an error.
func FuzzSetProperties(f *testing.F) {
	f.Add([]byte("a=b\n# c\norderMessageEnable = fal\\\n  se"))
	f.Add([]byte("orderMessageEnable\\"))
	f.Add([]byte("\\\n#x\n=\\\\\\"))
	f.Add([]byte("0\\"))
	f.Add([]byte("0\\\r"))
	f.Add([]byte(":0\r\\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, errParse := parseProperties(data)
		out, err := setProperties(data, []Change{{Key: "orderMessageEnable", New: "true"}, {Key: "waitSecondsForService", New: "7"}})
		if (err == nil) != (errParse == nil) {
			t.Fatalf("%q: edit error %v, parse error %v", data, err, errParse)
		}
		if err != nil {
			return
		}
		props, err := parseProperties(out)
		if m := effective(props); err != nil || m["orderMessageEnable"] != "true" || m["waitSecondsForService"] != "7" {
			t.Fatalf("%q became %q", data, out)
		}
	})
}
