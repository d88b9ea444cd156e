package wire

import (
	"github.com/pharosmq/pharos/codec"
)

// Reply is what a server answered. Its caller owns it and all of its bytes.
type Reply struct {
	Server string // who answered: the address the connection was dialled with
	Code   int32
	Remark string           // "" also when there was none
	Ext    []codec.ExtField // in the order of the frame; nil: none
	Body   []byte           // nil: none
	// Version and Language are the server's, as it says.
	Version  int32
	Language codec.LanguageCode
}

// Field returns the ext field key; of a key that occurs twice the later one, as in Java.
func (r *Reply) Field(key string) (value string, ok bool) {
	for i := len(r.Ext) - 1; i >= 0; i-- {
		if r.Ext[i].Key == key {
			return r.Ext[i].Value, true
		}
	}
	return "", false
}

// own makes a Reply of a command that borrows from its frame. The body stays in the frame,
// which nobody else keeps.
func own(cmd *codec.Command, server string) *Reply {
	r := &Reply{Server: server, Code: cmd.Code, Remark: string(cmd.Remark), Body: cmd.Body, Version: cmd.Version, Language: cmd.Language}
	if n := cmd.NumExt(); n > 0 {
		r.Ext = make([]codec.ExtField, 0, n)
		for i := range n {
			if key, value := cmd.ExtAt(i); value != nil {
				r.Ext = append(r.Ext, codec.ExtField{Key: string(key), Value: string(value)})
			}
		}
	}
	return r
}
