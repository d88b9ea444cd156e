package failover

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	drawing "gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgsvg" // the picture is SVG
)

// The logarithmic axis: what it shows of 0, and of never.
const (
	axisLeast = 0.01
	axisNever = 60
)

// draw draws, for each fault and client, after how long calls went well again: lookups where a
// name server failed, sends where a broker did. A line from the soonest run to the last, and the
// median.
func draw(file string, rows []Row) error {
	p := plot.New()
	p.Title.Text = "Until lookups, or sends where a broker fails, go well again: soonest, median and latest run"
	p.Y.Label.Text = "seconds"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.ConstantTicks{
		{Value: axisLeast, Label: "at once"}, {Value: 0.1, Label: "0.1"}, {Value: 1, Label: "1"}, {Value: 10, Label: "10"}, {Value: axisNever, Label: "never"}}
	p.Y.Min, p.Y.Max = axisLeast, 1.5*axisNever
	p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/6, drawing.XRight, drawing.YCenter
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	var cases, clients []string
	sends := map[string]bool{} // cases in which they are drawn
	for _, c := range allCases() {
		if c.Victim == Server || c.Victim == Broker {
			cases = append(cases, c.Name)
			sends[c.Name] = c.Victim == Broker
		}
	}
	for _, k := range kinds() {
		clients = append(clients, k.name)
	}
	shown := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		at, who := slices.Index(cases, r.Case), slices.Index(clients, r.Client)
		if at < 0 || who < 0 {
			continue
		}
		times := &r.LookupsWell
		if sends[r.Case] {
			times = &r.SendsWell
		}
		if times.N == 0 {
			continue
		}
		x := float64(at) + (float64(who)-float64(len(clients)-1)/2)*0.7/float64(len(clients))
		legend := ""
		if !shown[r.Client] {
			legend = r.Client
		}
		shown[r.Client] = true
		if err := spread(p, times, x, plotutil.Color(who), legend); err != nil {
			return err
		}
	}
	p.NominalX(cases...)
	p.X.Min, p.X.Max = -0.5, float64(len(cases))+0.8 // room for the legend
	return p.Save(11*vg.Inch, 5*vg.Inch, file)
}

// spread draws the times of one case with one client.
func spread(p *plot.Plot, t *Times, x float64, c color.Color, legend string) error {
	line, err := plotter.NewLine(plotter.XYs{{X: x, Y: onAxis(t.All[0])}, {X: x, Y: onAxis(t.Most)}})
	if err != nil {
		return err
	}
	line.Color, line.Width = c, vg.Points(2)
	median, err := plotter.NewScatter(plotter.XYs{{X: x, Y: onAxis(t.Median)}})
	if err != nil {
		return err
	}
	median.GlyphStyle = drawing.GlyphStyle{Color: c, Radius: vg.Points(3), Shape: drawing.CircleGlyph{}}
	p.Add(line, median)
	if legend != "" {
		p.Legend.Add(legend, line, median)
	}
	return nil
}

func onAxis(seconds float64) float64 {
	if seconds == Never {
		return axisNever
	}
	return max(seconds, axisLeast)
}
