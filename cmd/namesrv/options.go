package main

import (
	"errors"
	"fmt"
	"strings"
)

// usage is what Java's HelpFormatter prints.
const usage = `usage: mqnamesrv [-c <arg>] [-h] [-n <arg>] [-p]
 -c,--configFile <arg>    Name server config properties file
 -h,--help                Print help
 -n,--namesrvAddr <arg>   Name server address list, eg: '192.168.0.1:9876;192.168.0.2:9876'
 -p,--printConfigItem     Print all config items
`

// option is one option of the command line.
type option struct {
	short, long string
	hasArg      bool
}

// optionTable in the order in which commons-cli happens to name them.
var optionTable = []option{
	{"h", "help", false},
	{"n", "namesrvAddr", true},
	{"c", "configFile", true},
	{"p", "printConfigItem", false},
}

// options is the command line, parsed.
type options struct {
	help, print bool
	configFile  *string // the first -c; nil without
}

// parseOptions reads the command line as commons-cli's DefaultParser does, which takes
// more forms than anybody would guess: -c f, -cf, -c=f, -configFile f, --configFile=f,
// any prefix of a long option, -pc f. Words that are no options are ignored, and -n has
// no effect. The error text is commons-cli's.
func parseOptions(args []string) (options, error) {
	p := optionParser{}
	for _, token := range args {
		if err := p.token(token); err != nil {
			return options{}, err
		}
	}
	return p.opts, p.complete()
}

// optionParser is the state between two tokens.
type optionParser struct {
	opts     options
	awaiting *option // has no value yet
	rest     bool    // behind --: no options any more
}

func (p *optionParser) token(token string) error {
	switch {
	case p.rest:
		return nil
	case token == "--":
		p.rest = true
		return nil
	case p.awaiting != nil && !isOption(token):
		p.value(unquote(token))
		return nil
	case strings.HasPrefix(token, "--"):
		return p.longOption(token)
	case strings.HasPrefix(token, "-") && token != "-":
		return p.shortOrLong(token)
	}
	return nil
}

// complete reports an option that still waits for its value.
func (p *optionParser) complete() error {
	if p.awaiting != nil {
		//lint:ignore ST1005 Java's text
		return fmt.Errorf("Missing argument for option: %s", p.awaiting.short)
	}
	return nil
}

// set records that an option occurs.
func (p *optionParser) set(o *option) error {
	if err := p.complete(); err != nil {
		return err
	}
	switch o.short {
	case "h":
		p.opts.help = true
	case "p":
		p.opts.print = true
	}
	if o.hasArg {
		p.awaiting = o
	}
	return nil
}

// value gives the waiting option its value. The first of several counts.
func (p *optionParser) value(v string) {
	if p.awaiting.short == "c" && p.opts.configFile == nil {
		p.opts.configFile = &v
	}
	p.awaiting = nil
}

func (p *optionParser) setValue(o *option, v string) error {
	if err := p.set(o); err != nil {
		return err
	}
	p.value(v)
	return nil
}

func unknown(token string) error {
	//lint:ignore ST1005 Java's text
	return fmt.Errorf("Unrecognized option: %s", token)
}

// longOption handles --name, --name=value, and -name where -name is a long option.
func (p *optionParser) longOption(token string) error {
	name, value, hasValue := strings.Cut(token, "=")
	o, err := matchLong(name)
	switch {
	case err != nil:
		return err
	case o == nil || hasValue && !o.hasArg:
		return unknown(token)
	case hasValue:
		return p.setValue(o, value)
	}
	return p.set(o)
}

// shortOrLong handles everything that begins with one hyphen.
func (p *optionParser) shortOrLong(token string) error {
	name, value, hasValue := strings.Cut(token[1:], "=")
	if hasValue {
		if len(name) > 1 {
			return p.longOption(token)
		}
		if o := shortOption(name); o != nil && o.hasArg {
			return p.setValue(o, value)
		}
		return unknown(token)
	}
	if o := shortOption(name); o != nil {
		return p.set(o)
	}
	if len(name) > 1 {
		if o, err := matchLong(name); o != nil || err != nil {
			return p.longOption(token)
		}
		if o := longPrefix(name); o != nil && o.hasArg {
			return p.setValue(o, name[len(o.long):])
		}
	}
	return p.concatenated(token)
}

// concatenated handles -pcFILE: letters up to the first that takes a value.
func (p *optionParser) concatenated(token string) error {
	for i := 1; i < len(token); i++ {
		o := shortOption(token[i : i+1])
		if o == nil {
			return unknown(token)
		}
		if o.hasArg && i+1 < len(token) {
			return p.setValue(o, token[i+1:])
		}
		if err := p.set(o); err != nil {
			return err
		}
	}
	return nil
}

func shortOption(name string) *option {
	for i := range optionTable {
		if optionTable[i].short == name {
			return &optionTable[i]
		}
	}
	return nil
}

// matchLong finds the long option that name is, or is the beginning of; nil for none.
func matchLong(name string) (*option, error) {
	bare := strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
	if bare == "" {
		return nil, errors.New("Ambiguous option: '" + name + "'  (could be: 'help', 'namesrvAddr', 'configFile', 'printConfigItem')")
	}
	for i := range optionTable {
		if strings.HasPrefix(optionTable[i].long, bare) {
			return &optionTable[i], nil // no two begin alike
		}
	}
	return nil, nil
}

// longPrefix finds a long option that something is glued to: -configFileFILE.
func longPrefix(name string) *option {
	for i := range optionTable {
		if o := &optionTable[i]; strings.HasPrefix(name, o.long) && len(name) >= len(o.long)+2 {
			return o
		}
	}
	return nil
}

// isOption: the token cannot be the value of the option before it.
func isOption(token string) bool {
	if len(token) < 2 || token[0] != '-' {
		return false
	}
	name, _, _ := strings.Cut(token, "=")
	if o, err := matchLong(name); o != nil || err != nil {
		return true
	}
	if !strings.HasPrefix(token, "--") && longPrefix(token[1:]) != nil {
		return true
	}
	short, _, _ := strings.Cut(token[1:], "=")
	return short != "" && shortOption(short[:1]) != nil
}

// unquote takes one pair of quotes off, as commons-cli does.
func unquote(s string) string {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' && !strings.Contains(s[1:len(s)-1], `"`) {
		return s[1 : len(s)-1]
	}
	return s
}
