package differential

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"
)

// recorder is a TCP proxy in front of a name server that keeps some of the frames that
// pass. One peer, one recorder, so that each frame has a known producer.
type recorder struct {
	peer   string // who connects: "broker-5.5.0-master"
	server string // who answers: "namesrv-5.5.0"
	target string
	l      net.Listener

	mu     sync.Mutex
	codes  map[string]int32 // connection and opaque -> request code, to name replies by it
	kept   map[string][]captured
	bodies []bodySums // of 103
}

// bodySums are hashes of a registration body: as it is, and without mappingDataVersion.
type bodySums struct{ raw, steady string }

// mappingVersion is the one part of a 5.x broker's registration body that is new each
// time: a data version whose timestamp is the moment of sending. No name server reads it.
var mappingVersion = regexp.MustCompile(`"mappingDataVersion":\{[^}]*\},`)

func sum(body []byte) string {
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:4])
}

// captured is one frame with what an independent reading of its header says.
type captured struct {
	frame  []byte
	header seenHeader
	code   int32 // of the request, also for replies
	reply  bool
}

// seenHeader is a header read with encoding/json, or field by field.
type seenHeader struct {
	Serialize string            `json:"-"`
	Code      int32             `json:"code"`
	Flag      int32             `json:"flag"`
	Opaque    int32             `json:"opaque"`
	Version   int32             `json:"version"`
	Language  string            `json:"language"`
	Remark    *string           `json:"remark"`
	Ext       map[string]string `json:"extFields"`
	Body      []byte            `json:"-"`
}

// framesKept is how many frames of one kind are kept: two show what changes and what not.
const framesKept = 2

func record(t *testing.T, peer, server, target string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{peer: peer, server: server, target: target, l: l,
		codes: map[string]int32{}, kept: map[string][]captured{}}
	t.Cleanup(func() { l.Close() })
	go r.accept()
	return r
}

func (r *recorder) addr() string { return r.l.Addr().String() }

func (r *recorder) accept() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", r.target)
		if err != nil {
			c.Close()
			continue
		}
		id := c.RemoteAddr().String()
		go r.pass(c, s, id)
		go r.pass(s, c, id)
	}
}

// pass copies whole frames from one side to the other and closes both at the end.
func (r *recorder) pass(from, to net.Conn, id string) {
	defer from.Close()
	defer to.Close()
	for {
		var prefix [4]byte
		if _, err := io.ReadFull(from, prefix[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(prefix[:])
		if n > replyBytesMax {
			return
		}
		frame := make([]byte, 4+n)
		copy(frame, prefix[:])
		if _, err := io.ReadFull(from, frame[4:]); err != nil {
			return
		}
		r.keep(frame, id)
		if _, err := to.Write(frame); err != nil {
			return
		}
	}
}

func (r *recorder) keep(frame []byte, id string) {
	c := captured{frame: frame}
	var err error
	if c.header, err = readAnyHeader(frame); err != nil {
		panic(fmt.Sprintf("%s sent a frame that is none: %v", r.peer, err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ref := fmt.Sprintf("%s %d", id, c.header.Opaque)
	if c.reply = c.header.Flag&1 != 0; c.reply {
		c.code = r.codes[ref]
		delete(r.codes, ref)
	} else {
		c.code = c.header.Code
		r.codes[ref] = c.code
	}
	kind := fmt.Sprintf("%03d_%s_%s", c.code, r.peer, map[bool]string{false: "request", true: "reply"}[c.reply])
	if c.reply && c.header.Code != 0 {
		kind += fmt.Sprintf("-%d", c.header.Code)
	}
	if c.header.Serialize != "JSON" {
		kind += "-binary"
	}
	if c.code == 103 && !c.reply {
		r.bodies = append(r.bodies, bodySums{sum(c.header.Body), sum(mappingVersion.ReplaceAll(c.header.Body, nil))})
	}
	r.keepOne(kind, c)
}

func (r *recorder) forgetBodies() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = nil
}

// keepOne keeps the first frame of a kind and the latest that differs from it.
func (r *recorder) keepOne(kind string, c captured) {
	kept := r.kept[kind]
	if len(kept) < framesKept {
		r.kept[kind] = append(kept, c)
		return
	}
	if len(c.frame) != len(kept[0].frame) {
		kept[framesKept-1] = c
	}
}

func readAnyHeader(frame []byte) (seenHeader, error) {
	word := binary.BigEndian.Uint32(frame[4:])
	header := frame[8 : 8+word&0xFFFFFF]
	h := seenHeader{Serialize: "JSON", Body: frame[8+word&0xFFFFFF:]}
	if word>>24 == 0 {
		body := h.Body
		err := json.Unmarshal(header, &h)
		h.Body = body
		return h, err
	}
	h.Serialize = "ROCKETMQ"
	h.Code = int32(int16(binary.BigEndian.Uint16(header)))
	h.Language = map[byte]string{0: "JAVA", 9: "GO"}[header[2]]
	h.Version = int32(int16(binary.BigEndian.Uint16(header[3:])))
	h.Opaque = int32(binary.BigEndian.Uint32(header[5:]))
	h.Flag = int32(binary.BigEndian.Uint32(header[9:]))
	rest := header[13:]
	if n := binary.BigEndian.Uint32(rest); n > 0 {
		remark := string(rest[4 : 4+n])
		h.Remark = &remark
		rest = rest[n:]
	}
	ext := rest[8 : 8+binary.BigEndian.Uint32(rest[4:])]
	for len(ext) > 0 {
		if h.Ext == nil {
			h.Ext = map[string]string{}
		}
		k := 2 + int(binary.BigEndian.Uint16(ext))
		v := k + 4 + int(binary.BigEndian.Uint32(ext[k:]))
		h.Ext[string(ext[2:k])] = string(ext[k+4 : v])
		ext = ext[v:]
	}
	return h, nil
}

// write puts the kept frames into dir, one file each.
func (r *recorder) write(t *testing.T, dir string) int {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	files := 0
	for kind, frames := range r.kept {
		if strings.HasPrefix(kind, "106_broker") && !strings.HasPrefix(kind, "106_broker-5.5.0-master") {
			continue // every broker asks this, and all are alike
		}
		for i, c := range frames {
			name := filepath.Join(dir, fmt.Sprintf("%s_%d.hex", kind, i+1))
			if err := os.WriteFile(name, []byte(r.describe(c)), 0o644); err != nil {
				t.Fatal(err)
			}
			files++
		}
	}
	return files
}

// describe is the content of a file: what it is and who made it, then the frame in hex.
func (r *recorder) describe(c captured) string {
	var b strings.Builder
	who, what := r.peer, "request"
	if c.reply {
		who, what = r.server, "reply to "+r.peer
	}
	h := c.header
	fmt.Fprintf(&b, "# producer: %s\n# kind: %s\n# request code: %d\n", who, what, c.code)
	fmt.Fprintf(&b, "# header: serialize=%s code=%d flag=%d opaque=%d version=%d language=%s\n",
		h.Serialize, h.Code, h.Flag, h.Opaque, h.Version, h.Language)
	if h.Remark != nil {
		fmt.Fprintf(&b, "# remark: %q\n", *h.Remark)
	}
	keys := make([]string, 0, len(h.Ext))
	for k := range h.Ext {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	if h.Ext != nil {
		fmt.Fprintf(&b, "# ext fields: %d\n", len(h.Ext))
	}
	for _, k := range keys {
		fmt.Fprintf(&b, "# ext %s: %q\n", k, h.Ext[k])
	}
	fmt.Fprintf(&b, "# body bytes: %d\n", len(h.Body))
	for f := c.frame; len(f) > 0; f = f[min(40, len(f)):] {
		b.WriteString(hex.EncodeToString(f[:min(40, len(f))]) + "\n")
	}
	return b.String()
}
