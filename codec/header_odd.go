package codec

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// decodeOddHeader reads a JSON header with everything in it that fastjson2 takes. Beyond
// what bodyScanner has to say: an unknown property is passed over; an ext value that is no
// string becomes its text; properties of Java's command that never travel are held to their
// types.
//
// Three things are bounded here and not in Java: Limits.JSONDepthMax and ExtFieldsMax, and
// what stands as an object or array where a string or a number belongs.
func (c *Command) decodeOddHeader(header []byte, lim *Limits) error {
	st, body := c.Serialize, c.Body
	c.begin()
	c.Serialize, c.Body = st, body
	o := oddHeader{bodyScanner: newBodyScanner(header, lim), c: c, extMax: lim.ExtFieldsMax}
	o.arena = c.scratch
	o.depthMax++ // the header itself
	o.compositesLeft = headerCompositesMax
	o.header()
	c.scratch = o.arena
	if o.err == nil {
		o.end()
	}
	switch {
	case o.tooMany:
		return fmt.Errorf("%w: the limit is %d", ErrTooManyExtFields, lim.ExtFieldsMax)
	case o.err != nil:
		text := strings.TrimPrefix(o.err.Error(), ErrBody.Error()+": ")
		return fmt.Errorf("%w: %s of the header", ErrHeader, text)
	}
	return nil
}

// oddHeader fills in c from an odd header.
type oddHeader struct {
	bodyScanner
	c       *Command
	extMax  int
	tooMany bool
}

func (o *oddHeader) header() {
	c := o.c
	o.openObject("a header")
	for key, ok := o.nextKey(); ok; key, ok = o.nextKey() {
		switch headerKeyOf(key) {
		case keyCode:
			c.Code = o.int32()
		case keyFlag:
			c.Flag = o.int32()
		case keyOpaque:
			c.HasOpaque = true
			c.Opaque = o.int32()
		case keyVersion:
			c.Version = o.int32()
		case keyLanguage:
			o.language()
		case keyRemark:
			text, ok := o.text()
			c.Remark = borrowed(text, ok)
		case keyExtFields:
			o.extFields()
		case keySerializeType:
			const serializeTypes = 2
			o.enum(serializeTypes, "serialize type") // the frame's type byte has said it
		default:
			o.unused(key)
		}
	}
}

// borrowed is text with no room behind it, nil if it is null.
func borrowed(text []byte, ok bool) []byte {
	switch {
	case !ok:
		return nil
	case text == nil:
		return noKey
	}
	return text[:len(text):len(text)]
}

// language reads the language: a name, or its ordinal. Null is a language that is not known.
func (o *oddHeader) language() {
	name, ordinal := o.enum(int32(len(languageNames)), "language")
	if ordinal >= 0 && name == nil {
		o.c.Language = LanguageCode(ordinal)
		return
	}
	if isDigits(name) {
		if _, ok := parseExtInt(name, 32); !ok {
			o.fail(o.i, "no language has the number %q", clip(name, 40))
		}
	}
	o.c.Language = languageOfName(name)
}

// isDigits: name looks like a number to Java.
func isDigits(name []byte) bool {
	return len(name) > 0 && len(bytes.Trim(name[1:], "0123456789")) == 0 && (name[0]-'0' <= 9 || len(name) > 1 && (name[0] == '-' || name[0] == '+'))
}

// extFields reads the ext fields. The last object counts.
func (o *oddHeader) extFields() {
	c := o.c
	c.ext.reset()
	c.HasExt = false
	o.noReference()
	if o.null() {
		return
	}
	n := 0
	c.HasExt = true
	o.pairs("extFields", func(key, value []byte) {
		if n++; n > o.extMax {
			o.tooMany = true
			o.fail(o.i, "too many ext fields")
			return
		}
		if key != nil { // a null key is nobody's
			c.ext.add(borrowed(key, true), borrowed(value, value != nil))
		}
	})
}

// unused reads a property that does not count: what has a type in Java's command is held to
// it.
func (o *oddHeader) unused(key []byte) {
	o.passing = true
	switch string(key) {
	case "body":
		o.unusedBytes()
	case "suspended":
		o.bool()
	case "callbackList":
		o.unusedList()
	case "processTimer":
		if !o.null() {
			o.openObject("processTimer")
			for _, ok := o.nextKey(); ok; _, ok = o.nextKey() {
				o.skip()
			}
		}
	default:
		o.skip()
	}
	o.passing = false
}

// unusedBytes reads an array of bytes, each an int of any form; or a string, which has to
// be empty or a data URI.
func (o *oddHeader) unusedBytes() {
	switch o.peek() {
	case '[':
		for o.openArray("body"); o.nextElement(); {
			o.int32()
		}
		o.nextComma()
	case '"', '\'':
		offset := o.i
		text := o.quoted()
		if _, data, ok := bytes.Cut(text, []byte(";base64,")); ok {
			if _, err := base64.StdEncoding.DecodeString(string(data)); err == nil {
				return
			}
		}
		if len(text) > 0 {
			o.fail(offset, "string where a list of bytes belongs")
		}
	default:
		o.readNull()
	}
}

// unusedList reads a list of objects; booleans and nulls count as such, and a lone one as a
// list.
func (o *oddHeader) unusedList() {
	if o.peek() != '[' {
		if !o.null() {
			o.unusedObject()
		}
		return
	}
	for o.openArray("callbackList"); o.nextElement(); {
		o.unusedObject()
		o.nextComma()
	}
	o.nextComma()
}

func (o *oddHeader) unusedObject() {
	switch o.peek() {
	case 't', 'f':
		o.bool()
	case '{':
		o.composite()
	default:
		o.readNull()
	}
}
