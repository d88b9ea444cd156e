package wire

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// writesCounted counts the writes of a connection.
type writesCounted struct {
	net.Conn
	n atomic.Int32
}

func (w *writesCounted) Write(b []byte) (int, error) {
	w.n.Add(1)
	return w.Conn.Write(b)
}

// Goal: requests that were prepared leave with the Flush, in one write, and find their answers;
// a Flush of nothing writes nothing.
func TestPreparedRequestsLeaveTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		near, other := net.Pipe()
		counted := &writesCounted{Conn: near}
		c, err := (&Dialer{DialFunc: func(context.Context, string, string) (net.Conn, error) { return counted, nil }}).Dial(t.Context(), "ns:9876")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		defer c.Close(nil)
		srv := newFar(t, other)
		const n = 20
		var all [n]*Pending
		for i := range all {
			if all[i], err = c.Prepare(t.Context(), routeOf(strconv.Itoa(i)), nil); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if writes := counted.n.Load(); writes != 0 {
			t.Errorf("%d writes before the Flush", writes)
		}
		c.Flush()
		for range n {
			asked := srv.mustNext()
			srv.answer(asked.opaque, "route of "+asked.topic)
		}
		for i, p := range all {
			if r := <-p.Reply(); string(r.Body) != "route of "+strconv.Itoa(i) {
				t.Errorf("%d: %s", i, r.Body)
			}
		}
		c.Flush()
		time.Sleep(time.Minute)
		if writes := counted.n.Load(); writes != 1 {
			t.Errorf("%d writes", writes)
		}
	})
}

// Goal: what does not find room has what is before it sent, without a Flush.
func TestPreparingMakesRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, srv := pipe(t, &Dialer{QueuedBytesMax: 1000})
		body := make([]byte, 900)
		prepared := make(chan struct{})
		go func() {
			defer close(prepared)
			for range 3 {
				if _, err := c.Prepare(t.Context(), routeOf("T"), body); err != nil {
					t.Error(err)
				}
			}
		}()
		for range 2 {
			srv.mustNext()
		}
		<-prepared
	})
}

// Goal: beside a peer that reads nothing a question waits for no megabytes of others, and what is
// queued is bounded all the same.
func TestQuestionsFindRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const most = 10 << 10
		c, _ := pipe(t, &Dialer{QueuedBytesMax: most})
		began := time.Now()
		for _, bytes := range []int{1, most} { // the writer has taken the first
			if _, err := c.Begin(t.Context(), routeOf("T"), make([]byte, bytes)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		var err error
		asked := 0
		for ; err == nil && asked < 1000; asked++ {
			_, err = c.Begin(t.Context(), routeOf("T"), nil)
		}
		if !errors.Is(err, ErrTooManyCalls) || time.Since(began) != 0 || asked < 20 {
			t.Errorf("%d questions asked in %v, then %v", asked, time.Since(began), err)
		}
		if queued, calls := c.out.queued(), c.InFlight(); queued > 2*most+200 || calls != asked+1 {
			t.Errorf("%d bytes are queued, of %d calls", queued, calls)
		}
	})
}
