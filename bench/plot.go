package bench

import (
	"fmt"
	"path/filepath"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	_ "gonum.org/v1/plot/vg/vgsvg" // pictures are SVG
)

const (
	pictureWidth  = 7 * vg.Inch
	pictureHeight = 4 * vg.Inch
)

// draw draws what there is data for and returns the files' names.
func (c *Comparison) draw() (names []string, err error) {
	for _, picture := range []struct {
		file, title, unit string
		bars              []Ref // of each server; Server is filled in
	}{
		{"throughput.svg", "Throughput on one core", "lookups a second", []Ref{{Scenario: "small, depth 1", Metric: "per_second"}, {Scenario: "small, depth 16", Metric: "per_second"}}},
		{"memory.svg", "Resident memory", "MB", []Ref{{Scenario: "start, idle, stop", Metric: "idle_mb"}, {Scenario: "ingest 100k x 4", Metric: "idle_mb"}, {Scenario: "300 x 10,000, brokers alone", Metric: "rss_mb"}}},
		{"ingest.svg", "Taking registrations in", "seconds", []Ref{{Scenario: "ingest 100k x 4", Metric: "fill_s"}, {Scenario: "mass restart", Metric: "elapsed_s"}}},
	} {
		drawn, err := c.drawBars(picture.file, picture.title, picture.unit, picture.bars)
		if err != nil {
			return names, err
		}
		if drawn {
			names = append(names, picture.file)
		}
	}
	drawn, err := c.drawLatency("latency.svg")
	if drawn {
		names = append(names, "latency.svg")
	}
	return names, err
}

// drawBars draws one group of bars for each ref, one bar for each server, on a logarithmic
// axis: the servers differ by orders of magnitude.
func (c *Comparison) drawBars(file, title, unit string, refs []Ref) (bool, error) {
	p := plot.New()
	p.Title.Text, p.Y.Label.Text = title, unit
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top = true
	var labels []string
	for _, ref := range refs {
		labels = append(labels, ref.Scenario)
	}
	width := vg.Points(60) / vg.Length(max(len(c.Servers), 1))
	least, drawn := 0.0, false
	for i, server := range c.Servers {
		values := make(plotter.Values, len(refs))
		any := false
		for j, ref := range refs {
			if r := c.Record(ref.Scenario, server.Name); r != nil {
				values[j] = r.Spread(ref.Metric).Median
			}
			if values[j] > 0 {
				any = true
				if least == 0 || values[j] < least {
					least = values[j]
				}
			}
		}
		if !any {
			continue
		}
		drawn = true
		if err := addBars(p, values, width, i, len(c.Servers), server.Name); err != nil {
			return false, err
		}
	}
	if !drawn {
		return false, nil
	}
	p.NominalX(labels...)
	p.Y.Min = least / 10
	return true, p.Save(pictureWidth, pictureHeight, filepath.Join(c.Dir, file))
}

// addBars draws each value as a thick line from the axis: a bar chart's bars start at zero,
// which a logarithmic axis does not have.
func addBars(p *plot.Plot, values plotter.Values, width vg.Length, i, servers int, name string) error {
	for j, v := range values {
		if v <= 0 {
			continue
		}
		x := float64(j) + (float64(i)-float64(servers-1)/2)*0.8/float64(servers)
		line, err := plotter.NewLine(plotter.XYs{{X: x, Y: v / 1e9}, {X: x, Y: v}})
		if err != nil {
			return err
		}
		line.Color, line.Width = plotutil.Color(i), width
		p.Add(line)
	}
	sample, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 1e-9}, {X: 0, Y: 1e-9}})
	if err != nil {
		return err
	}
	sample.Color, sample.Width = plotutil.Color(i), vg.Points(4)
	p.Legend.Add(name, sample)
	return nil
}

// drawLatency draws P99 against the offered rate.
func (c *Comparison) drawLatency(file string) (bool, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "P99 of small routes, open loop", "offered lookups a second", "microseconds"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	drawn := false
	for i, server := range c.Servers {
		points := c.latencyPoints(server.Name)
		if len(points) == 0 {
			continue
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return false, fmt.Errorf("latencies of %s: %w", server.Name, err)
		}
		line.Color, marks.Color, marks.Shape = plotutil.Color(i), plotutil.Color(i), plotutil.Shape(i)
		p.Add(line, marks)
		p.Legend.Add(server.Name, line, marks)
		drawn = true
	}
	if !drawn {
		return false, nil
	}
	return true, p.Save(pictureWidth, pictureHeight, filepath.Join(c.Dir, file))
}

// latencyPoints are a server's P99 at every rate of small routes.
func (c *Comparison) latencyPoints(server string) (points plotter.XYs) {
	for _, sc := range smallStage().Scenarios {
		r := c.Record(sc.Name, server)
		if r == nil || r.Rate == 0 || len(sc.Groups) != 1 {
			continue
		}
		if m := r.Spread("p99_us"); m.Count > 0 && m.Median > 0 {
			points = append(points, plotter.XY{X: r.Rate, Y: m.Median})
		}
	}
	sort.Slice(points, func(i, j int) bool { return points[i].X < points[j].X })
	return points
}
