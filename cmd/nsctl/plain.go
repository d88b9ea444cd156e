package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain is text for a terminal. Names of brokers and topics come from whoever reaches the
// name server's port, and may hold what a terminal obeys, or a line of its own: a text with
// anything that does not print is shown as Go writes it between quotes.
func plain(text string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if utf8.ValidString(text) && !strings.ContainsFunc(text, hidden) {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// plainRow is plain for each cell of a row.
func plainRow(cells []string) string {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = plain(cell)
	}
	return strings.Join(out, "\t")
}
