package config

import "fmt"

// Warning is something in the start-up file that was not taken as written: what Java
// ignores in silence. With configStrict=true it stops the start.
type Warning struct {
	File string
	Line int // 0: not about a line
	Text string
}

// String returns `FILE:LINE: text`.
func (w Warning) String() string {
	if w.Line == 0 {
		return w.File + ": " + w.Text
	}
	return fmt.Sprintf("%s:%d: %s", w.File, w.Line, w.Text)
}
