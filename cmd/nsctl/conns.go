package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pharosmq/pharos/internal/diag"
)

// connsOptions choose and order connections.
type connsOptions struct {
	sort    string
	role    string
	broker  string
	peer    string
	suspect bool
	watch   bool
	every   time.Duration
}

func (o *connsOptions) define(fs *flag.FlagSet) {
	fs.StringVar(&o.sort, "sort", "id", "conns: `column` to sort by, numbers from the largest; a - before it reverses")
	fs.StringVar(&o.role, "role", "", "conns: only this `role`, broker or client")
	fs.StringVar(&o.broker, "broker", "", "conns: only those of brokers with this `text` in cluster, name or address")
	fs.StringVar(&o.peer, "peer", "", "conns: only peers whose address begins with this `text`")
	fs.BoolVar(&o.suspect, "suspect", false, "conns: only suspect ones, and those of hidden brokers")
	fs.BoolVar(&o.watch, "watch", false, "conns: show again and again until interrupted")
	fs.DurationVar(&o.every, "interval", 2*time.Second, "conns: how often -watch shows")
}

// path is the question to the admin port.
func (o *connsOptions) path() string {
	q := url.Values{}
	for name, value := range map[string]string{"role": o.role, "broker": o.broker, "peer": o.peer} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if o.suspect {
		q.Set("suspect", "true")
	}
	if len(q) == 0 {
		return "/conns"
	}
	return "/conns?" + q.Encode()
}

// column is one column of the table.
type column struct {
	name    string
	cell    func(*diag.Conn) string
	compare func(a, b *diag.Conn) int // smallest first
	number  bool                      // sorted from the largest
}

func text(name string, value func(*diag.Conn) string) column {
	return column{name, value, func(a, b *diag.Conn) int { return cmp.Compare(value(a), value(b)) }, false}
}

func number[T cmp.Ordered](name string, value func(*diag.Conn) T, cell func(*diag.Conn) string) column {
	return column{name, cell, func(a, b *diag.Conn) int { return cmp.Compare(value(a), value(b)) }, true}
}

var columns = []column{
	{"ID", func(c *diag.Conn) string { return strconv.FormatUint(c.ID, 10) }, func(a, b *diag.Conn) int { return cmp.Compare(a.ID, b.ID) }, false},
	text("ROLE", func(c *diag.Conn) string { return c.Role }),
	text("IDENTITY", identity),
	text("PEER", func(c *diag.Conn) string { return c.Peer }),
	text("STATE", func(c *diag.Conn) string { return c.State }),
	text("WHY", func(c *diag.Conn) string { return c.Why }),
	number("SILENT", func(c *diag.Conn) int64 { return c.SilentMillis }, func(c *diag.Conn) string { return span(c.SilentMillis) }),
	number("HEARD", func(c *diag.Conn) int64 { return c.HeardAgeMillis }, func(c *diag.Conn) string { return span(c.HeardAgeMillis) }),
	number("UNACKED", func(c *diag.Conn) uint32 { return c.UnackedSegs }, sampled(func(c *diag.Conn) string { return strconv.Itoa(int(c.UnackedSegs)) })),
	number("RTOS", func(c *diag.Conn) uint8 { return c.Retransmits }, sampled(func(c *diag.Conn) string { return strconv.Itoa(int(c.Retransmits)) })),
	number("PROBES", func(c *diag.Conn) uint8 { return c.Probes }, sampled(func(c *diag.Conn) string { return strconv.Itoa(int(c.Probes)) })),
	number("WINDOW", func(c *diag.Conn) uint32 { return c.WindowBytes }, sampled(window)),
	number("RTT", func(c *diag.Conn) uint32 { return c.RTTMicros }, sampled(func(c *diag.Conn) string { return micros(c.RTTMicros) })),
	number("LOSS", func(c *diag.Conn) float64 { return c.LossOwn }, func(c *diag.Conn) string { return loss(c.LossOwn) }),
	number("AGE", func(c *diag.Conn) int64 { return c.AgeMillis }, func(c *diag.Conn) string { return span(c.AgeMillis) }),
}

// sampled shows ? for what only a sample tells, before there is one.
func sampled(cell func(*diag.Conn) string) func(*diag.Conn) string {
	return func(c *diag.Conn) string {
		if !c.Sampled {
			return "?"
		}
		return cell(c)
	}
}

func identity(c *diag.Conn) string {
	if len(c.Brokers) == 0 && c.Language != "" {
		return c.Language + "/" + strconv.Itoa(int(c.Version))
	}
	return c.Identity()
}

func window(c *diag.Conn) string {
	if !c.WindowKnown {
		return "?"
	}
	return strconv.FormatUint(uint64(c.WindowBytes), 10)
}

// span is a time in the unit that is read best.
func span(millis int64) string {
	switch d := time.Duration(millis) * time.Millisecond; {
	case millis < 0:
		return "never"
	case millis == 0:
		return "0s"
	case d < 100*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	case d < 100*time.Minute:
		return strconv.Itoa(int(d.Minutes())) + "m"
	case d < 100*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h"
	default:
		return strconv.Itoa(int(d.Hours()/24)) + "d"
	}
}

func micros(n uint32) string { return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64) + "ms" }

// loss is a rate in percent.
func loss(rate float64) string { return fmt.Sprintf("%.1f%%", rate*100) }

// order returns how rows are sorted.
func order(by string) (func(a, b diag.Conn) int, error) {
	name, reverse := strings.CutPrefix(by, "-")
	var names []string
	for _, c := range columns {
		names = append(names, strings.ToLower(c.name))
		if !strings.EqualFold(c.name, name) {
			continue
		}
		sign := 1
		if c.number != reverse {
			sign = -1
		}
		return func(a, b diag.Conn) int { return cmp.Or(sign*c.compare(&a, &b), cmp.Compare(a.ID, b.ID)) }, nil
	}
	return nil, fmt.Errorf("-sort %s: it is one of %s", by, strings.Join(names, ", "))
}

func showConns(ctx context.Context, s *session, _ []string) error {
	if !s.conns.watch {
		return s.showConnsOnce(ctx)
	}
	ticks := time.NewTicker(max(s.conns.every, 100*time.Millisecond))
	defer ticks.Stop()
	for {
		if !s.json {
			fmt.Fprint(s.stdout, "\x1b[H\x1b[2J") // home, and clear
		}
		if err := s.showConnsOnce(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

func (s *session) showConnsOnce(ctx context.Context) error {
	by, err := order(s.conns.sort)
	if err != nil {
		return err
	}
	list := []diag.Conn{}
	if err := s.get(ctx, s.adminAddr(), s.conns.path(), func(r io.Reader) error { return decodeConns(r, &list) }); err != nil {
		return err
	}
	slices.SortStableFunc(list, by)
	var heading []string
	for _, c := range columns {
		heading = append(heading, c.name)
	}
	var rows [][]string
	for i := range list {
		row := make([]string, len(columns))
		for j, c := range columns {
			row[j] = c.cell(&list[i])
		}
		rows = append(rows, row)
	}
	return s.print(list, heading, rows)
}

// decodeConns reads an array row by row; one that was cut off is an error.
func decodeConns(r io.Reader, list *[]diag.Conn) error {
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('[') {
		return errors.New("not a list of connections")
	}
	for d.More() {
		var c diag.Conn
		if err := d.Decode(&c); err != nil {
			return err
		}
		*list = append(*list, c)
	}
	_, err := d.Token()
	return err
}
