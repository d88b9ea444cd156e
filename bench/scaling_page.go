package bench

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pharosmq/pharos/bench/results"
)

// Scaling is what docs/scaling.md says in numbers: costs, the measured points that they are held
// against, and what follows from the costs.
type Scaling struct {
	Of     string // what was measured, and when
	Costs  Costs
	points []measuredPoint
}

// Scaling makes of what was measured what docs/scaling.md says. The error says what lacks.
func (c *Comparison) Scaling() (Scaling, error) {
	costs, err := c.Costs()
	if err != nil {
		return Scaling{}, err
	}
	of := "Measured by make bench-full"
	if builds := c.builds(); len(builds) > 0 {
		of += " with " + strings.Join(builds, " and ")
	}
	return Scaling{Of: of + ".", Costs: costs, points: c.points()}, nil
}

// ReadMeasured makes the same of what a full comparison left in a folder.
func ReadMeasured(dir string) (Scaling, error) {
	servers := []Server{{Name: "pharos"}, {Name: besideName, Apart: true}, {Name: "java"}} // points are at rates of Java's
	c := &Comparison{Servers: servers, Dir: dir, Full: true, Read: true}
	if err := c.Run(context.Background()); err != nil {
		return Scaling{}, err
	}
	s, err := c.Scaling()
	if err != nil {
		return s, fmt.Errorf("%s: %w", dir, err)
	}
	return s, nil
}

// The blocks are the tables of the page by name.
const (
	blockCosts, blockPoints, blockServer, blockFleet = "costs", "points", "one server", "fleet"

	blockEnd = "<!-- end -->\n"
)

func blockBegin(name string) string { return "<!-- nsbench scaling: " + name + " -->\n" }

// String is all blocks, one after the other.
func (s Scaling) String() string {
	text := ""
	for _, name := range []string{blockCosts, blockPoints, blockServer, blockFleet} {
		text += blockBegin(name) + s.block(name) + blockEnd + "\n"
	}
	return text
}

// Place puts the blocks into a page in place of those it has.
func (s Scaling) Place(page []byte) ([]byte, error) {
	for _, name := range []string{blockCosts, blockPoints, blockServer, blockFleet} {
		from, to, err := findBlock(page, name)
		if err != nil {
			return nil, err
		}
		page = bytes.Join([][]byte{page[:from], []byte(s.block(name)), page[to:]}, nil)
	}
	return page, nil
}

func findBlock(page []byte, name string) (from, to int, err error) {
	from = bytes.Index(page, []byte(blockBegin(name)))
	if from < 0 {
		return 0, 0, fmt.Errorf("the page has no line %q", strings.TrimSpace(blockBegin(name)))
	}
	from += len(blockBegin(name))
	length := bytes.Index(page[from:], []byte(blockEnd))
	if length < 0 {
		return 0, 0, fmt.Errorf("block %q of the page has no end", name)
	}
	return from, from + length, nil
}

// ReadScaling reads the costs and the measured points that a page states.
func ReadScaling(page []byte) (s Scaling, err error) {
	costs, err := readRows(page, blockCosts)
	if err != nil {
		return s, err
	}
	s.Of = costs.head
	for _, line := range costLines {
		value, err := costs.number(line.what, 1)
		if err != nil {
			return s, err
		}
		*line.at(&s.Costs) = value * line.in
	}
	points, err := readRows(page, blockPoints)
	if err != nil {
		return s, err
	}
	for i := range pointLines {
		name := pointLines[i].name()
		if _, ok := points.rows[name]; !ok {
			continue // it was not measured
		}
		m := measuredPoint{line: i}
		if m.measured, err = points.number(name, 3); err != nil {
			return s, err
		}
		if pointLines[i].rate {
			if m.perSecond, err = points.number(name, 1); err != nil {
				return s, err
			}
		}
		s.points = append(s.points, m)
	}
	return s, nil
}

// rows are a block's: the text above the table, and cells by what is in the first one.
type rows struct {
	head string
	rows map[string][]string
}

func readRows(page []byte, name string) (r rows, err error) {
	from, to, err := findBlock(page, name)
	if err != nil {
		return r, err
	}
	r.rows = map[string][]string{}
	for line := range strings.Lines(string(page[from:to])) {
		line = strings.TrimSpace(line)
		if cells, ok := strings.CutPrefix(line, "| "); ok {
			all := strings.Split(strings.TrimSuffix(cells, " |"), " | ")
			r.rows[all[0]] = all
		} else if !strings.HasPrefix(line, "|") && line != "" {
			r.head = line
		}
	}
	return r, nil
}

// number is the one that the cell begins with.
func (r *rows) number(row string, cell int) (float64, error) {
	cells := r.rows[row]
	if cell >= len(cells) {
		return 0, fmt.Errorf("the page has no number for %q", row)
	}
	word, _, _ := strings.Cut(strings.TrimSpace(cells[cell]), " ")
	v, err := strconv.ParseFloat(strings.ReplaceAll(word, ",", ""), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no number for %q", cells[cell], row)
	}
	return v, nil
}

func (p *point) name() string { return fmt.Sprintf("%s, %s (%q)", p.what, p.unit, p.scenario) }

func (s *Scaling) block(name string) string {
	switch name {
	case blockCosts:
		table := results.NewTable("what", "cost", "from")
		for _, line := range costLines {
			table.Row(line.what, strings.TrimSpace(plain(*line.at(&s.Costs)/line.in)+" "+line.unit), line.from)
		}
		return s.Of + "\n\n" + table.String()
	case blockPoints:
		table := results.NewTable("what", "lookups/s", "calculated", "measured", "calculated by measured", "in the costs")
		for i := range s.points {
			m := &s.points[i]
			p, calculated, rate := &pointLines[m.line], m.calculated(s.Costs), "-"
			if p.rate {
				rate = grouped(m.perSecond)
			}
			table.Row(p.name(), rate, plain(calculated), plain(m.measured), fmt.Sprintf("%.2f", calculated/m.measured), map[bool]string{true: "yes", false: "no"}[p.in])
		}
		return table.String()
	case blockServer:
		return s.Costs.oneServer()
	default:
		return s.Costs.fleet()
	}
}

// oneServer is what one core and one Gbit/s suffice for.
func (c Costs) oneServer() string {
	table := results.NewTable("", "a core", "1 Gbit/s")
	wire := 1e9 / 8 / (1 + c.SegmentOverheadShare) // bytes a second
	row := func(what string, nanos, bytes, times float64) {
		table.Row(what, grouped(digits3(times*1e9/nanos)), grouped(digits3(times*wire/bytes)))
	}
	lookup := func(brokers float64) (nanos, bytes float64) {
		body := brokers * c.RouteBrokerBytes
		return c.LookupNanos + body*c.ReplyByteNanos, c.ReplyHeaderBytes + body
	}
	nanos, size := lookup(smallBrokers)
	row("lookups a second of topics on 4 brokers", nanos, size, 1)
	row("clients that ask for 3 topics every 30 s", nanos, size, 10)
	nanos, size = lookup(largeBrokers)
	row("lookups a second of topics on 300 brokers", nanos, size, 1)
	size = largeTopics * c.RegisterTopicBytes
	row("brokers with 10,000 topics, registering unchanged every 30 s", c.LookupNanos+size*c.RegisterByteNanos, size, renewSeconds)
	row("topics of brokers coming back at once, a second", c.RegisterTopicBytes*c.ChangedByteNanos, c.RegisterTopicBytes, 1)
	return table.String()
}

// largeFleet is the one that docs/scaling.md counts with.
var largeFleet = Fleet{
	Brokers: 10_000, Clients: 1_000_000, Topics: 10_000_000, BrokersPerTopic: 4, TopicsPerClient: 3, PollSeconds: 30,
	RegisterSeconds: 30, ChangedShare: 0.01, ClusterSeconds: 0,
}

// fleet is what each server of a few needs for largeFleet.
func (c Costs) fleet() string {
	table := results.NewTable("servers", "lookups/s", "cores for lookups", "cores for 103", "cores for waking up", "cores in all", "in, Gbit/s", "out, Gbit/s", "resident, GB", "if no two topics are alike", "mass restart, s")
	for _, servers := range []int{1, 2, 3, 5, 10} {
		n := largeFleet.Each(servers, c)
		cells := []string{strconv.Itoa(servers), grouped(math.Round(n.LookupsPerSecond))}
		for _, v := range []float64{n.LookupCores, n.RegisterCores, n.WakeCores, n.Cores(), n.InGbit, n.OutGbit} {
			cells = append(cells, fmt.Sprintf("%.2f", v))
		}
		table.Row(append(cells, fmt.Sprintf("%.1f", n.ResidentMB/1000), fmt.Sprintf("%.1f", n.ResidentOwnMB/1000), fmt.Sprintf("%.1f", n.MassRestartSeconds))...)
	}
	return table.String()
}

// plain is the shortest text of a number.
func plain(v float64) string { return strconv.FormatFloat(digits3(v), 'f', -1, 64) }

// grouped is a whole number with commas between thousands.
func grouped(v float64) string {
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
