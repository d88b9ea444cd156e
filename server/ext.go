package server

import (
	"unicode/utf8"

	"github.com/pharosmq/pharos/codec"
)

// noExt is an empty object of ext fields, which Java sends when a reply has a header class
// and nothing in it; nil is none at all.
var noExt = []codec.ExtField{}

// answerer is what Request and Pending have in common.
type answerer interface {
	Begin(code int32, remark string, ext []codec.ExtField) []byte
	End(dst []byte)
	extRoom() []codec.ExtField
}

// extString returns a copy of an ext field; "" when it is absent.
func extString(cmd *codec.Command, key string) string {
	value, _ := cmd.Ext(key)
	return string(value)
}

// extNull returns a copy of an ext field that can be absent.
func extNull(cmd *codec.Command, key string) codec.NullString {
	value, ok := cmd.Ext(key)
	return codec.NullString{String: string(value), Valid: ok}
}

// nullText is a string as Java puts it into a text.
func nullText(s codec.NullString) string {
	if !s.Valid {
		return javaNull
	}
	return s.String
}

// clipBytes is how much of a peer's string goes into a log line or a remark.
const clipBytes = 512

// clip bounds a string for a log line or a remark.
func clip(s string) string {
	if len(s) <= clipBytes {
		return s
	}
	cut := clipBytes
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
