package codec

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The frames of testdata/frames come from other programs; the comment on top of each
// names the producer and its version. What they mean stands beside them in .want.json,
// which -update-frames writes anew: read the difference before you commit it.
var updateFrames = flag.Bool("update-frames", false, "rewrite testdata/frames/*.want.json")

// frameWant is a frame in words.
type frameWant struct {
	Serialize string
	Code      int32
	Language  string
	Version   int32
	Opaque    *int32 // null: left to the receiver
	Flag      int32
	Remark    *string
	Ext       [][2]string // in the order of the frame; null: absent
	Body      *string
	// Canonical: AppendCommand writes these very bytes.
	Canonical bool
}

// readHexFrame reads a file of hexadecimal bytes; # starts a comment.
func readHexFrame(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	frame, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return frame
}

func wantOfCommand(c *Command, frame []byte) frameWant {
	w := frameWant{
		Serialize: c.Serialize.String(), Code: c.Code, Language: c.Language.String(),
		Version: c.Version, Flag: c.Flag,
	}
	if c.HasOpaque {
		w.Opaque = &c.Opaque
	}
	if c.Remark != nil {
		w.Remark = new(string(c.Remark))
	}
	if c.Body != nil {
		w.Body = new(string(c.Body))
	}
	if c.HasExt {
		w.Ext = [][2]string{}
	}
	for i := range c.NumExt() {
		key, value := c.ExtAt(i)
		w.Ext = append(w.Ext, [2]string{string(key), string(value)})
	}
	h := headerOfCommand(c)
	w.Canonical = string(AppendCommand(nil, c.Serialize, &h, c.Body)) == string(frame)
	return w
}

// headerOfCommand is what AppendCommand needs to send c again.
func headerOfCommand(c *Command) Header {
	h := Header{
		Code: c.Code, Version: c.Version, Opaque: c.Opaque, Flag: c.Flag, Language: c.Language,
		Remark: string(c.Remark), HasRemark: c.Remark != nil,
	}
	if c.HasExt {
		h.Ext = []ExtField{}
	}
	for i := range c.NumExt() {
		if key, value := c.ExtAt(i); key != nil && value != nil {
			h.Ext = append(h.Ext, ExtField{string(key), string(value)})
		}
	}
	return h
}

// Every frame means what its .want.json says; those that Java wrote are written by
// AppendCommand to the byte, and the replies among them by BeginResponse as well.
func TestGoldenFrames(t *testing.T) {
	files, err := filepath.Glob("testdata/frames/*.hex")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d golden frames (%v), there are more than 20", len(files), err)
	}
	lim := DefaultLimits()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".hex"), func(t *testing.T) {
			frame := readHexFrame(t, file)
			if n, err := FrameSize(frame[:FramePrefixBytes], &lim); n != len(frame) || err != nil {
				t.Fatalf("FrameSize = %d, %v; the frame has %d bytes", n, err, len(frame))
			}
			var c Command
			if err := c.Decode(frame, &lim); err != nil {
				t.Fatal(err)
			}
			got := wantOfCommand(&c, frame)
			checkFrameWant(t, strings.TrimSuffix(file, ".hex")+".want.json", got)
			if strings.Contains(file, "_java_5.5.0_") && !got.Canonical {
				t.Errorf("AppendCommand writes a frame of Java's differently")
			}
			if c.IsResponse() && c.Version == Version5_5_0 {
				checkBeginResponse(t, &c, frame)
			}
		})
	}
}

func checkFrameWant(t *testing.T, file string, got frameWant) {
	t.Helper()
	if *updateFrames {
		text, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want frameWant
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the frame means something else (-want +got):\n%s", diff)
	}
}

func checkBeginResponse(t *testing.T, c *Command, frame []byte) {
	t.Helper()
	lim := DefaultLimits()
	h := headerOfCommand(c)
	dst, m := BeginResponse([]byte("before"), c.Serialize, c.Opaque, c.Code, h.Remark, h.Ext)
	dst = append(dst, c.Body...)
	dst, err := EndFrame(dst, m, &lim)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("before"+string(frame), string(dst)); diff != "" {
		t.Errorf("BeginResponse writes a reply of Java's differently (-want +got):\n%s", diff)
	}
}
