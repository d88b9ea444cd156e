package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/pharosmq/pharos/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testLimits = codec.DefaultLimits()

// request is what a scripted server read.
type request struct {
	code, opaque, flag, version int32
	language                    codec.LanguageCode
	topic                       string
	body                        string
}

// far is the server's end of a connection, driven by the test.
type far struct {
	t  *testing.T
	nc net.Conn
	in *bufio.Reader
}

func newFar(t *testing.T, nc net.Conn) *far { return &far{t, nc, bufio.NewReader(nc)} }

// next reads one request.
func (f *far) next() (request, error) {
	frame, err := readFrame(f.in, &testLimits)
	if err != nil {
		return request{}, err
	}
	var cmd codec.Command
	if err := cmd.Decode(frame, &testLimits); err != nil {
		f.t.Errorf("our own request can't be read: %v", err)
		return request{}, err
	}
	topic, _ := cmd.Ext("topic")
	return request{cmd.Code, cmd.Opaque, cmd.Flag, cmd.Version, cmd.Language, string(topic), string(cmd.Body)}, nil
}

func (f *far) mustNext() request {
	f.t.Helper()
	r, err := f.next()
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// answer sends a reply with SUCCESS.
func (f *far) answer(opaque int32, body string) {
	frame, m := codec.BeginResponse(nil, codec.SerializeJSON, opaque, codec.Success, "", nil)
	frame, err := codec.EndFrame(append(frame, body...), m, &testLimits)
	if err != nil {
		f.t.Error(err)
	}
	f.write(frame)
}

func (f *far) write(b []byte) { _, _ = f.nc.Write(b) }

// pipe returns a connection and its other end. Both are closed when the test ends.
func pipe(t *testing.T, d *Dialer) (*Conn, *far) {
	t.Helper()
	near, other := net.Pipe()
	with := *d
	with.DialFunc = func(context.Context, string, string) (net.Conn, error) { return near, nil }
	c, err := with.Dial(t.Context(), "ns:9876")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close(nil)
		other.Close()
	})
	return c, newFar(t, other)
}

func routeOf(topic string) codec.Header {
	return codec.Header{Code: codec.CodeGetRouteInfoByTopic, Ext: []codec.ExtField{{Key: "topic", Value: topic}}}
}

// bubble runs f with simulated time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// Goal: each of many concurrent callers gets its own answer, whatever the order of answers.
func TestAnswersFindTheirCallers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, srv := pipe(t, &Dialer{})
		const n = 200
		go func() {
			var all []request
			for range n {
				all = append(all, srv.mustNext())
			}
			for i := n - 1; i >= 0; i-- {
				srv.answer(all[i].opaque, "route of "+all[i].topic)
			}
		}()
		var callers sync.WaitGroup
		for i := range n {
			callers.Go(func() {
				r, err := c.Call(t.Context(), routeOf(strconv.Itoa(i)), nil)
				if err != nil || string(r.Body) != "route of "+strconv.Itoa(i) {
					t.Errorf("caller %d: %v, %v", i, r, err)
				}
			})
		}
		callers.Wait()
		if n := c.InFlight(); n != 0 {
			t.Errorf("%d calls in flight after all were answered", n)
		}
	})
}

func TestWhatARequestCarries(t *testing.T) {
	f := func(d *Dialer, h codec.Header, want request) {
		t.Helper()
		bubble(t, func(t *testing.T) {
			c, srv := pipe(t, d)
			go c.Call(t.Context(), h, []byte("body"))
			got := srv.mustNext()
			got.opaque = 0
			if got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
	go9 := codec.LanguageGo
	f(&Dialer{}, routeOf("T"), request{105, 0, 0, codec.Version5_5_0, codec.LanguageJava, "T", "body"})
	f(&Dialer{Language: go9, Version: 7}, routeOf("T"), request{105, 0, 0, 7, go9, "T", "body"})
	f(&Dialer{Serialize: codec.SerializeRocketMQ, Language: go9}, routeOf("T"), request{105, 0, 0, 513, go9, "T", "body"})
	h := codec.Header{Code: 322, Version: 5, Language: codec.LanguageRust, Opaque: 77, Flag: codec.FlagResponse | codec.FlagOneway}
	f(&Dialer{Language: go9, Version: 7}, h, request{322, 0, 0, 5, codec.LanguageRust, "", "body"})
}

// Goal: a call that timed out is forgotten; its late answer harms nobody.
func TestLateAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, srv := pipe(t, &Dialer{})
		go func() {
			slow, quick := srv.mustNext(), srv.mustNext()
			time.Sleep(5 * time.Second)
			srv.answer(slow.opaque, "late")
			srv.answer(quick.opaque, "in time")
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		go func() {
			_, err := c.Call(ctx, routeOf("slow"), nil)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		}()
		synctest.Wait()
		r, err := c.Call(t.Context(), routeOf("quick"), nil)
		if err != nil || string(r.Body) != "in time" {
			t.Errorf("%v %v", r, err)
		}
		synctest.Wait()
		if s := c.Stats(); s.Late != 1 || c.InFlight() != 0 {
			t.Errorf("late %d, in flight %d", s.Late, c.InFlight())
		}
		if at := c.Heard().Sub(began); at != 5*time.Second {
			t.Errorf("heard at %v, want 5s", at)
		}
	})
}

// Goal: a server that does not read holds nobody beyond its context, nor more than the bound
// of bytes.
func TestServerThatDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, _ := pipe(t, &Dialer{QueuedBytesMax: 100 << 10})
		body := make([]byte, 60<<10)
		var callers sync.WaitGroup
		for i := range 50 {
			callers.Go(func() {
				timeout := time.Duration(1+i%3) * time.Second
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				began := time.Now()
				var err error
				if i%2 == 0 {
					_, err = c.Call(ctx, routeOf("T"), body)
				} else {
					err = c.Oneway(ctx, routeOf("T"), body)
				}
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != timeout {
					t.Errorf("%v after %v, want the deadline at %v", err, time.Since(began), timeout)
				}
			})
		}
		synctest.Wait()
		if n := c.out.queued(); n == 0 || n > 100<<10 {
			t.Errorf("%d bytes are queued", n)
		}
		callers.Wait()
		if n := c.InFlight(); n != 0 {
			t.Errorf("%d calls left a trace", n)
		}
	})
}

// Goal: room that becomes free goes to those who wait for it.
func TestRoomIsHandedOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, srv := pipe(t, &Dialer{QueuedBytesMax: 1})
		go func() {
			time.Sleep(time.Second)
			for {
				r, err := srv.next()
				if err != nil {
					return
				}
				srv.answer(r.opaque, r.body)
			}
		}()
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() {
				body := fmt.Sprint("body ", i)
				if r, err := c.Call(t.Context(), routeOf("T"), []byte(body)); err != nil || string(r.Body) != body {
					t.Errorf("%v %v", r, err)
				}
			})
		}
		callers.Wait()
	})
}

// Goal: the end of a connection reaches everybody who waits on it, with its cause.
func TestEnds(t *testing.T) {
	mine := errors.New("not answering")
	f := func(end func(*Conn, *far), want ...error) {
		t.Helper()
		bubble(t, func(t *testing.T) {
			c, srv := pipe(t, &Dialer{})
			if c.Err() != nil {
				t.Errorf("the error of a living connection: %v", c.Err())
			}
			go func() {
				srv.mustNext()
				end(c, srv)
			}()
			_, err := c.Call(t.Context(), routeOf("T"), nil)
			<-c.Done()
			_, after := c.Call(t.Context(), routeOf("T"), nil)
			oneway := c.Oneway(t.Context(), routeOf("T"), nil)
			if !errors.Is(after, ErrNotSent) || !errors.Is(oneway, ErrNotSent) || errors.Is(err, ErrNotSent) {
				t.Errorf("only what was sent before the end may have arrived: %v; %v; %v", err, after, oneway)
			}
			for _, w := range append(want, ErrClosed) {
				for _, e := range []error{err, c.Err(), after, oneway} {
					if !errors.Is(e, w) {
						t.Errorf("%v is not %v", e, w)
					}
				}
			}
		})
	}
	f(func(_ *Conn, s *far) { s.nc.Close() }, io.EOF)
	f(func(_ *Conn, s *far) { s.write([]byte{0, 0, 0}); s.nc.Close() }, io.ErrUnexpectedEOF)
	f(func(_ *Conn, s *far) { s.write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, ErrGarbage, codec.ErrFrameTooLarge)
	f(func(_ *Conn, s *far) { s.write([]byte("\x00\x00\x00\x10\x00\x00\x00\x0c{\"code\":oops")) }, ErrGarbage, codec.ErrHeader)
	f(func(c *Conn, _ *far) { c.Abort(mine) }, mine)
	f(func(c *Conn, _ *far) { c.Abort(mine); c.Abort(io.EOF) }, mine)
	f(func(c *Conn, _ *far) { c.Close(nil) })
}

// Goal: what the server asks of us is counted and not taken for an answer.
func TestRequestsOfTheServer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, srv := pipe(t, &Dialer{})
		go func() {
			r := srv.mustNext()
			srv.write(codec.AppendCommand(nil, codec.SerializeJSON, &codec.Header{Code: 40, Opaque: r.opaque}, nil))
			srv.answer(r.opaque, "the answer")
		}()
		r, err := c.Call(t.Context(), routeOf("T"), nil)
		if err != nil || string(r.Body) != "the answer" || c.Stats().Unasked != 1 {
			t.Errorf("%v %v %+v", r, err, c.Stats())
		}
	})
}

// Goal: only answers are signs of life, and large ones while they arrive.
func TestHeard(t *testing.T) {
	f := func(say func(srv *far, opaque int32), heard bool) {
		t.Helper()
		bubble(t, func(t *testing.T) {
			c, srv := pipe(t, &Dialer{})
			go func() {
				opaque := srv.mustNext().opaque
				time.Sleep(time.Second)
				say(srv, opaque)
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, _ = c.Call(ctx, routeOf("T"), nil)
			if got := c.Heard().After(c.Opened()); got != heard {
				t.Errorf("heard %v, want %v; %v", got, heard, c.Err())
			}
		})
	}
	announced := []byte{0, 0xff, 0xff, 0xf0, 0, 0, 0, 2, '{', '}'}
	part := func(bytes int) func(*far, int32) {
		return func(srv *far, _ int32) { srv.write(announced); srv.write(make([]byte, bytes)) }
	}
	f(func(srv *far, opaque int32) { srv.answer(opaque, "") }, true)
	f(func(*far, int32) {}, false)
	f(part(1), false)
	f(part(2*firstBytes), true)
	f(func(srv *far, opaque int32) { srv.answer(opaque+1, ""); srv.answer(opaque-askedMax, "") }, false)
	f(func(srv *far, opaque int32) {
		ask := codec.AppendCommand(nil, codec.SerializeJSON, &codec.Header{Code: 40, Opaque: opaque}, nil)
		srv.write(bytes.Repeat(ask, 2*firstBytes/len(ask)))
	}, false)
}

// Goal: a server that talks all the time and answers nothing does not keep us busy.
func TestFloods(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, srv := pipe(t, &Dialer{})
		ask := codec.AppendCommand(nil, codec.SerializeJSON, &codec.Header{Code: 40, Opaque: 1}, nil)
		say := func(frames int) { srv.write(bytes.Repeat(ask, frames)) }
		go func() {
			say(unaskedMax)
			srv.answer(srv.mustNext().opaque, "")
			say(unaskedMax)
			srv.answer(srv.mustNext().opaque, "")
			say(2 * unaskedMax)
		}()
		for range 2 {
			if _, err := c.Call(t.Context(), routeOf("T"), nil); err != nil {
				t.Fatal(err)
			}
		}
		<-c.Done()
		if s := c.Stats(); !errors.Is(c.Err(), ErrGarbage) || s.Unasked != 3*unaskedMax+1 {
			t.Errorf("%v; %+v", c.Err(), s)
		}
	})
}

func TestCallsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, srv := pipe(t, &Dialer{CallsMax: 2})
		go io.Copy(io.Discard, srv.nc)
		first, err := c.Begin(t.Context(), routeOf("1"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Begin(t.Context(), routeOf("2"), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Begin(t.Context(), routeOf("3"), nil); !errors.Is(err, ErrTooManyCalls) {
			t.Errorf("a third call: %v", err)
		}
		first.Cancel()
		if _, err := c.Begin(t.Context(), routeOf("3"), nil); err != nil {
			t.Errorf("after one was given up: %v", err)
		}
	})
}

// Goal: a request that no peer would read is refused here, and the connection stays usable.
func TestTooLargeRequests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lim := codec.DefaultLimits()
		lim.FrameBytesMax = 1 << 10
		c, srv := pipe(t, &Dialer{Limits: lim})
		for _, size := range []int{1000, 1 << 20} {
			if _, err := c.Call(t.Context(), routeOf("T"), make([]byte, size)); !errors.Is(err, codec.ErrFrameTooLarge) {
				t.Errorf("a body of %d bytes: %v", size, err)
			}
		}
		go func() { srv.answer(srv.mustNext().opaque, "") }()
		if _, err := c.Call(t.Context(), routeOf("T"), make([]byte, 100)); err != nil {
			t.Error(err)
		}
	})
}

// Goal: one-way requests arrive, marked as such.
func TestOneway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, srv := pipe(t, &Dialer{})
		got := make(chan request, 1)
		go func() { got <- srv.mustNext() }()
		if err := c.Oneway(t.Context(), routeOf("T"), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if r := <-got; r.flag != codec.FlagOneway || r.body != "x" || r.opaque == 0 || c.InFlight() != 0 {
			t.Errorf("%+v, %d in flight", r, c.InFlight())
		}
	})
}

// Goal: replies come whole, in both header serialisations, however the bytes are cut, with
// their ext fields, the later of two of a name.
func TestReplies(t *testing.T) {
	for _, st := range []codec.SerializeType{codec.SerializeJSON, codec.SerializeRocketMQ} {
		bubble(t, func(t *testing.T) {
			c, srv := pipe(t, &Dialer{Serialize: st})
			body := bytes.Repeat([]byte("0123456789"), 30_000) // beyond what is allocated at first
			go func() {
				h := codec.Header{
					Code: 17, Opaque: srv.mustNext().opaque, Flag: codec.FlagResponse, Version: 401, Language: codec.LanguageCPP, Remark: "none", HasRemark: true,
					Ext: []codec.ExtField{{Key: "a", Value: "1"}, {Key: "b", Value: ""}, {Key: "a", Value: "2"}},
				}
				frame := codec.AppendCommand(nil, st, &h, body)
				for cut := range bytesIn(frame, 1, 3, 9, 100, 70_000) {
					srv.write(cut)
				}
			}()
			r, err := c.Call(t.Context(), routeOf("T"), nil)
			if err != nil {
				t.Fatal(err)
			}
			a, _ := r.Field("a")
			_, absent := r.Field("c")
			if r.Code != 17 || r.Remark != "none" || r.Version != 401 || r.Language != codec.LanguageCPP || a != "2" || absent || !bytes.Equal(r.Body, body) {
				t.Errorf("%v: %d %q %d %v a=%q, %d bytes", st, r.Code, r.Remark, r.Version, r.Language, a, len(r.Body))
			}
		})
	}
}

// bytesIn yields b in pieces of the sizes, and then the rest.
func bytesIn(b []byte, sizes ...int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for _, n := range sizes {
			n = min(n, len(b))
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
		yield(b)
	}
}
