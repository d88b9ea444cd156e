package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Source says where a configuration comes from.
type Source struct {
	// ConfigFile is the -c file as typed; nil without -c.
	ConfigFile *string
	// Getenv reads the environment; nil: os.Getenv.
	Getenv func(string) string
	// UserHome replaces the passwd entry (-Duser.home still wins); empty: the passwd entry.
	UserHome string
}

// Load reads the configuration of a starting server. An error is one line that says what
// is wrong, where, and what to do; with configStrict=true that includes the first of the
// warnings.
func Load(src Source) (*Namesrv, error) {
	getenv := src.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	v, err := environmentDefaults(getenv, src.UserHome)
	if err != nil {
		return nil, err
	}
	l := loader{v: v, set: map[string]bool{}, places: map[string]string{}}
	if src.ConfigFile != nil {
		err = l.configFile(*src.ConfigFile)
	} else {
		err = l.storeFile(v.ConfigStorePath)
	}
	if err == nil {
		err = l.check()
	}
	if err != nil {
		return nil, err
	}
	c := newNamesrv(v)
	c.set, c.extras, c.warnings, c.hints = l.set, l.extras, l.warnings, l.hints
	if src.ConfigFile != nil {
		c.file = *src.ConfigFile
	}
	c.relistLocked()
	return c, nil
}

// loader collects what a file says.
type loader struct {
	v        *values
	set      map[string]bool
	places   map[string]string // where a key is set: "config file PATH:LINE: "
	extras   []Property
	warnings []Warning
	hints    []string
}

func (l *loader) warn(file string, line int, format string, args ...any) {
	l.warnings = append(l.warnings, Warning{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// configFile reads the -c file, which also becomes the place where 318 persists.
func (l *loader) configFile(path string) error {
	if path == "" {
		return errors.New("config file: -c names no file")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("config file: %w", err)
	}
	props, err := parseProperties(data)
	if err != nil {
		return fmt.Errorf("config file %s: %w", path, err)
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		l.warn(path, 1, "the file begins with a byte-order mark, which belongs to the first key: save it without one")
	}
	if err := l.apply(path, props); err != nil {
		return err
	}
	l.v.ConfigStorePath = path
	if l.v.ConfigStrict && len(l.warnings) > 0 {
		return fmt.Errorf("configStrict=true: %s", l.warnings[0])
	}
	return nil
}

// apply takes the last entry of each key, as Java does, in the order of the file.
func (l *loader) apply(path string, props []Property) error {
	last := map[string]int{}
	for i, p := range props {
		last[p.Key] = i
	}
	for i, p := range props {
		if last[p.Key] != i {
			l.warn(path, p.Line, "%s is set again in line %d, which counts", p.Key, props[last[p.Key]].Line)
			continue
		}
		if err := l.applyOne(path, p); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) applyOne(path string, p Property) error {
	k := fileKey(p.Key)
	if k == nil || clientKeysByName[p.Key] != nil && keysByName[p.Key] == nil {
		l.extras = append(l.extras, p)
	}
	if k == nil {
		l.warn(path, p.Line, "unknown key %s: ignored (319 lists it)", quote(p.Key))
		return nil
	}
	l.set[p.Key] = true
	l.places[p.Key] = fmt.Sprintf("config file %s:%d: ", path, p.Line)
	err := k.assign(l.v, p.Value)
	var out *rangeError
	switch {
	case errors.As(err, &out):
		return fmt.Errorf("config file %s:%d: %s: %w", path, p.Line, p.Key, err)
	case err != nil:
		l.warn(path, p.Line, "%s: %v: %s is used", p.Key, err, k.text(l.v))
	case p.nonASCII:
		l.warn(path, p.Line, "%s: bytes above 0x7F are read as ISO-8859-1, as in Java: %s is used (write \\uXXXX)",
			p.Key, quote(k.text(l.v)))
	}
	return nil
}

// storeFile reads what 318 changed in an earlier run without -c: live keys only, and only
// from a file that Pharos wrote. Java writes such a file and never reads it again.
func (l *loader) storeFile(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		l.hints = append(l.hints, fmt.Sprintf("settings changed in an earlier run are not read: %v", err))
		return nil
	}
	if !bytes.HasPrefix(data, []byte(storeMarker)) {
		l.hints = append(l.hints, fmt.Sprintf("%s was not written by Pharos and is not read without -c %s", path, path))
		return nil
	}
	props, err := parseProperties(data)
	if err != nil {
		return fmt.Errorf("config file %s: %w", path, err)
	}
	for name, value := range effective(props) {
		k := findKey(name)
		if k == nil || k.change != changeLive {
			l.hints = append(l.hints, fmt.Sprintf("%s: %s is not read from there: only what 318 may change is", path, name))
			continue
		}
		if err := k.assign(l.v, value); err != nil {
			return fmt.Errorf("config file %s: %s: %w", path, name, err)
		}
		l.hints = append(l.hints, fmt.Sprintf("%s=%s, changed in an earlier run (%s)", name, k.text(l.v), path))
	}
	return nil
}

// fileKey returns a key that a file can set.
func fileKey(name string) *key {
	if k := keysByName[name]; k != nil {
		return k
	}
	return clientKeysByName[name]
}
