package faults

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgsvg" // pictures are SVG
)

// figure is what all pictures have in common.
type figure struct {
	rows   []Row
	series []string // in the order of colours
}

// drawAll draws a picture of detection times for every round trip, and one of outages.
func drawAll(dir string, rows []Row) error {
	f := &figure{rows: rows}
	var paths []float64
	for i := range rows {
		if name := rows[i].series(); !slices.Contains(f.series, name) {
			f.series = append(f.series, name)
		}
		if !slices.Contains(paths, rows[i].RTTMillis) {
			paths = append(paths, rows[i].RTTMillis)
		}
	}
	for _, rtt := range paths {
		name := "detection.svg"
		if rtt > 0 {
			name = fmt.Sprintf("detection-%gms.svg", rtt)
		}
		if err := f.detection(filepath.Join(dir, name), rtt); err != nil {
			return err
		}
	}
	return f.outages(filepath.Join(dir, "outages.svg"))
}

func (f *figure) color(series string) color.Color {
	return plotutil.Color(slices.Index(f.series, series))
}

// detection draws, for each case, all times from the first to the last, the middle half of them
// thick, and their median.
func (f *figure) detection(file string, rtt float64) error {
	var cases []string
	for i := range f.rows {
		if r := &f.rows[i]; r.RTTMillis == rtt && len(r.Detected) > 0 && !slices.Contains(cases, r.Case) {
			cases = append(cases, r.Case)
		}
	}
	if len(cases) == 0 {
		return nil
	}
	p := newPlot("Until a dead broker is out of the routes: first, quartiles, median, last")
	p.X.Label.Text = "seconds"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	shown := map[string]bool{}
	for i := range f.rows {
		r := &f.rows[i]
		if r.RTTMillis != rtt || len(r.Detected) == 0 {
			continue
		}
		at := slices.Index(f.series, r.series())
		// The first case and series stand on top.
		y := float64(len(cases)-1-slices.Index(cases, r.Case)) - (float64(at)-float64(len(f.series)-1)/2)*0.7/float64(len(f.series))
		if err := f.box(p, r, y, !shown[r.series()]); err != nil {
			return err
		}
		shown[r.series()] = true
	}
	slices.Reverse(cases)
	for i := range cases {
		cases[i] += strings.Repeat(" ", 8) // for wider letters
	}
	p.NominalY(cases...)
	p.Y.Min, p.Y.Max = -0.5, float64(len(cases))+0.7 // the legend is above them
	p.X.Min, p.X.Max = logLeast, 200
	return p.Save(9*vg.Inch, vg.Length(2+0.33*float64(len(cases)))*vg.Inch, file)
}

// newPlot is what all pictures have in common. Who shows them has other fonts, wider ones maybe.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.Title.Padding = title, vg.Points(8)
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding, p.Legend.XOffs, p.Legend.YOffs = vg.Points(3), vg.Points(8), vg.Points(-4)
	p.Add(plotter.NewGrid())
	return p
}

// logLeast is what the logarithmic axis shows of 0.
const logLeast = 0.01

func (f *figure) box(p *plot.Plot, r *Row, y float64, legend bool) error {
	spread := [][2]float64{{r.Detected[0], r.Detected[len(r.Detected)-1]}, r.Quartiles}
	for i, width := range []vg.Length{vg.Points(1), vg.Points(5)} {
		line, err := plotter.NewLine(plotter.XYs{{X: max(spread[i][0], logLeast), Y: y}, {X: max(spread[i][1], logLeast), Y: y}})
		if err != nil {
			return err
		}
		line.Color, line.Width = f.color(r.series()), width
		p.Add(line)
		if legend && i == 1 {
			p.Legend.Add(r.series(), line)
		}
	}
	median, err := plotter.NewScatter(plotter.XYs{{X: max(r.Median, logLeast), Y: y}})
	if err != nil {
		return err
	}
	median.GlyphStyle = draw.GlyphStyle{Color: f.color(r.series()), Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	p.Add(median)
	return nil
}

// outages draws how long a living broker is missing after its path was cut, against how long
// it was: the mean of all runs, and the outage itself.
func (f *figure) outages(file string) error {
	p := newPlot("How long a living broker is missing when its path is cut")
	p.X.Label.Text, p.Y.Label.Text = "the outage, seconds", "missing, seconds (mean)"
	drawn := false
	for i, series := range f.series {
		points := f.outagePoints(series)
		if len(points) == 0 {
			continue
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, marks.Color, marks.Shape = f.color(series), f.color(series), plotutil.Shape(i)
		p.Add(line, marks)
		p.Legend.Add(series, line, marks)
		drawn = true
	}
	if !drawn {
		return nil
	}
	itself := plotter.NewFunction(func(x float64) float64 { return x })
	itself.Dashes, itself.Color = plotutil.Dashes(1), color.Gray{128}
	p.Add(itself)
	p.Legend.Add("the outage itself", itself)
	p.X.Min, p.Y.Min = 0, 0
	p.X.Max = math.Ceil(p.X.Max + 0.5)
	return p.Save(7*vg.Inch, 4*vg.Inch, file)
}

func (f *figure) outagePoints(series string) (points plotter.XYs) {
	for i := range f.rows {
		r := &f.rows[i]
		length, err := strconv.ParseFloat(strings.TrimPrefix(r.Case, "outage-"), 64)
		if err != nil || r.series() != series || r.RTTMillis != 0 || r.Runs == 0 {
			continue
		}
		points = append(points, plotter.XY{X: length, Y: r.MissingSeconds / float64(r.Runs)})
	}
	return points
}
