package codec

import "bytes"

// LanguageCode says in which language a peer is written (Java: LanguageCode). The name
// server never acts on it; it is kept for logs.
type LanguageCode uint8

// The languages a header can name.
const (
	LanguageJava LanguageCode = iota
	LanguageCPP
	LanguageDotnet
	LanguagePython
	LanguageDelphi
	LanguageErlang
	LanguageRuby
	LanguageOther
	LanguageHTTP
	LanguageGo
	LanguagePHP
	LanguageOMS
	LanguageRust
	LanguageNodeJS

	// LanguageUnknown is Java's null: a name or code it does not know. It is never sent.
	LanguageUnknown LanguageCode = 255
)

// languageNames are the names in a JSON header, by code.
var languageNames = [...]string{
	"JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY",
	"OTHER", "HTTP", "GO", "PHP", "OMS", "RUST", "NODE_JS",
}

// String returns the name a JSON header uses, or "UNKNOWN".
func (l LanguageCode) String() string {
	if int(l) < len(languageNames) {
		return languageNames[l]
	}
	return "UNKNOWN"
}

// languageOfCode maps a code of a binary header, where an unknown one is accepted.
func languageOfCode(code byte) LanguageCode {
	if int(code) < len(languageNames) {
		return LanguageCode(code)
	}
	return LanguageUnknown
}

// languageOfName maps a string of a JSON header: a name in any case, or an ordinal. An
// unknown one is accepted.
func languageOfName(name []byte) LanguageCode {
	for code, known := range languageNames {
		if len(name) == len(known) && bytes.EqualFold(name, []byte(known)) {
			return LanguageCode(code)
		}
	}
	if ordinal, ok := parseExtInt(name, 32); ok && ordinal >= 0 && ordinal < int64(len(languageNames)) {
		return LanguageCode(ordinal)
	}
	return LanguageUnknown
}
