package config

import (
	"strings"
	"testing"
)

// The file that is shipped names every key of ours, shows the real defaults, and is
// accepted as it is and with every line switched on.
func TestShippedFile(t *testing.T) {
	const path = "../../deploy/conf/namesrv.properties"
	content := readFile(t, path)
	on := ""
	for _, line := range strings.Split(content, "\n") {
		if name, value, ok := strings.Cut(strings.TrimPrefix(line, "#"), "="); ok && strings.HasPrefix(line, "#") && !strings.Contains(name, " ") {
			if value != "" || name == "adminListen" {
				on += name + "=" + value + "\n"
			}
			if findKey(name) == nil {
				t.Errorf("unknown key %s", name)
			}
		}
	}
	for i := range keys {
		if k := &keys[i]; (k.owner == ownerPharos || k.change == changeLive) && !strings.Contains(content, "\n#"+k.name+"=") {
			t.Errorf("%s is not in the file", k.name)
		}
	}
	for _, c := range []string{content, on} {
		cfg, _ := mustLoad(t, c)
		if len(cfg.Warnings()) != 0 {
			t.Errorf("warnings %v", cfg.Warnings())
		}
		want := New(DefaultSettings(testHome), DefaultLive())
		want.Settings.ConfigStorePath = cfg.ConfigStorePath
		want.Settings.RocketmqHome = cfg.RocketmqHome
		if cfg.Settings != want.Settings || *cfg.Live() != *want.Live() {
			t.Errorf("not the defaults:\n got %+v\nwant %+v", cfg.Settings, want.Settings)
		}
	}
}
