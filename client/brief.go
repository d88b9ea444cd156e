package client

import (
	"strings"
	"unicode"
)

// briefBytesMax bounds what an error quotes of what others wrote.
const briefBytesMax = 300

// brief is a text of somebody else's as errors quote it: on one line, without what a terminal
// obeys, and not longer than a reader wants. What a peer or a configuration says is up to 16 MB.
func brief(text string) string {
	cut := len(text) > briefBytesMax
	if cut {
		text = text[:briefBytesMax]
	}
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text))
	if cut {
		text += "..."
	}
	return text
}
