package codec

// headerKey is a member of the header object that means something.
type headerKey uint8

const (
	keyUnknown headerKey = iota
	keyCode
	keyExtFields
	keyFlag
	keyLanguage
	keyOpaque
	keyRemark
	keySerializeType
	keyVersion
)

// headerKeyTexts are the keys as they stand in a compact header. No two start alike.
var headerKeyTexts = [...]string{
	keyCode:          `"code":`,
	keyExtFields:     `"extFields":`,
	keyFlag:          `"flag":`,
	keyLanguage:      `"language":`,
	keyOpaque:        `"opaque":`,
	keyRemark:        `"remark":`,
	keySerializeType: `"serializeTypeCurrentRPC":`,
	keyVersion:       `"version":`,
}

// headerKeyByLetter is the only key that can start with a letter.
var headerKeyByLetter = [256]headerKey{
	'c': keyCode, 'e': keyExtFields, 'f': keyFlag, 'l': keyLanguage,
	'o': keyOpaque, 'r': keyRemark, 's': keySerializeType, 'v': keyVersion,
}

// headerKeyOf finds a key that has been read. Its case counts.
func headerKeyOf(key []byte) headerKey {
	if len(key) == 0 {
		return keyUnknown
	}
	k := headerKeyByLetter[key[0]]
	if text := headerKeyTexts[k]; len(text) != len(key)+3 || text[1:len(text)-2] != string(key) {
		return keyUnknown
	}
	return k
}

// compactKey is the short way to a member's value, for headers without blanks: if the
// next bytes are the comma, one of the keys that mean something, and the colon, it moves
// behind them. Otherwise it returns keyUnknown, moves nothing, and nextMember must look.
func (s *headerScanner) compactKey(first bool) headerKey {
	b, i := s.b, s.i
	if !first {
		if i >= len(b) || b[i] != ',' {
			return keyUnknown
		}
		i++
	}
	if len(b)-i < 2 || b[i] != '"' {
		return keyUnknown
	}
	k := headerKeyByLetter[b[i+1]]
	text := headerKeyTexts[k]
	end := i + len(text)
	if end >= len(b) || b[end] <= ' ' || string(b[i:end]) != text {
		return keyUnknown
	}
	s.i = end
	return k
}

// compactField is the short way over an ext field, for headers without blanks: it reads
// the comma, key, colon and value if both strings are plain ASCII text. Otherwise it
// returns false and moves nothing.
func (s *headerScanner) compactField(first bool) bool {
	b, i := s.b, s.i
	if !first {
		if i >= len(b) || b[i] != ',' {
			return false
		}
		i++
	}
	if i >= len(b) || b[i] != '"' {
		return false
	}
	keyEnd := plainStringEnd(b, i+1)
	if keyEnd < 0 || len(b)-keyEnd < 3 || b[keyEnd+1] != ':' || b[keyEnd+2] != '"' {
		return false
	}
	valueEnd := plainStringEnd(b, keyEnd+3)
	if valueEnd < 0 {
		return false
	}
	s.c.ext.add(b[i+1:keyEnd:keyEnd], b[keyEnd+3:valueEnd:valueEnd])
	s.i = valueEnd + 1
	return true
}
