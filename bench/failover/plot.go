package failover

import (
	"fmt"
	"image/color"
	"os"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	drawing "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The picture: two panels side by side, a band for each fault, a lane for each client in it. It has
// a white ground of its own, so that it is readable on a dark page too.
const (
	pictureWidth = 10 * vg.Inch
	edge         = vg.Length(10)
	headHeight   = vg.Length(76) // title, legend, and what the panels show
	nameWidth    = vg.Length(112)
	figureWidth  = vg.Length(68) // what stands behind the end of an axis
	footHeight   = vg.Length(30) // the axes
	laneHeight   = vg.Length(11)
	bandGap      = 0.8 // between two faults, in lanes
)

// The logarithmic axes: what they show of 0, and of never.
const (
	failedLeast = 0.001 // per cent
	axisLeast   = 0.01  // seconds
	axisNever   = 60
)

// laneColors are those of clients, in the order of kinds: told apart by those who are colour-blind
// as well.
var laneColors = []color.Color{
	color.RGBA{R: 0x00, G: 0x4e, B: 0x89, A: 255}, color.RGBA{R: 0x56, G: 0xb4, B: 0xe9, A: 255},
	color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 255}, color.RGBA{R: 0xe6, G: 0x9f, B: 0x00, A: 255},
	color.RGBA{R: 0x00, G: 0x9e, B: 0x73, A: 255},
}

var (
	ink   = color.Gray{Y: 0x22}
	rule  = color.Gray{Y: 0xd0}
	shade = color.Gray{Y: 0xf3}
)

// lane is one client under one fault: y counts lanes from the bottom.
type lane struct {
	row   *Row
	y     float64
	color color.Color
	sends bool // it is about sends: a broker failed
}

// faultBand is a band of lanes.
type faultBand struct {
	name     string
	from, to float64
}

// layOut gives each row of a fault its lane, the first at the top.
func layOut(rows []Row) (lanes []lane, bands []faultBand, height float64) {
	names := clientNames()
	cases := allCases()
	for _, c := range slices.Backward(cases) {
		if c.Victim != Server && c.Victim != Broker {
			continue
		}
		from, any := height, false
		for _, r := range slices.Backward(rows) {
			who := slices.Index(names, r.Client)
			if r.Case != c.Name || r.Runs == 0 || who < 0 {
				continue
			}
			lanes = append(lanes, lane{&r, height + 0.5 + bandGap/2, laneColors[who%len(laneColors)], c.Victim == Broker})
			height, any = height+1, true
		}
		if any {
			height += bandGap
			bands = append(bands, faultBand{c.Name, from, height})
		}
	}
	return lanes, bands, height
}

func clientNames() (names []string) {
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// style is how text of a size looks: no serifs, in the middle of its line.
func style(points vg.Length, align drawing.XAlignment) drawing.TextStyle {
	f := font.Font{Typeface: "Liberation", Variant: "Sans"}
	return drawing.TextStyle{Color: ink, Font: font.From(f, points), XAlign: align, YAlign: drawing.YCenter, Handler: plot.DefaultTextHandler}
}

// draw draws, for each fault and client, how many calls failed, and after how long they went well
// again: lookups where a name server failed, sends where a broker did.
func draw(file string, rows []Row) error {
	lanes, bands, height := layOut(rows)
	if len(lanes) == 0 {
		return nil // nothing that is drawn was measured
	}
	size := headHeight + footHeight + laneHeight*vg.Length(height)
	canvas := vgsvg.New(pictureWidth, size)
	dc := drawing.New(canvas)
	dc.FillPolygon(color.White, []vg.Point{{}, {X: pictureWidth}, {X: pictureWidth, Y: size}, {Y: size}})
	failed, well := panel(height), panel(height)
	failed.X.Min, failed.X.Max = failedLeast, 100
	failed.X.Tick.Marker = plot.ConstantTicks{{Value: failedLeast, Label: "0"}, {Value: 0.01, Label: "0.01 %"}, {Value: 0.1, Label: "0.1 %"},
		{Value: 1, Label: "1 %"}, {Value: 10, Label: "10 %"}, {Value: 100, Label: "100 %"}}
	well.X.Min, well.X.Max = axisLeast, axisNever
	well.X.Tick.Marker = plot.ConstantTicks{{Value: axisLeast, Label: "at once"}, {Value: 0.1, Label: "0.1 s"}, {Value: 1, Label: "1 s"},
		{Value: 10, Label: "10 s"}, {Value: axisNever, Label: "never"}}
	failed.Add(names(bands), grid{}, failedBars(lanes)) // the names' bands reach beneath its neighbour
	well.Add(grid{}, wellSpans(lanes))
	below := drawing.Crop(dc, edge, -edge, edge/2, -headHeight)
	width := (below.Max.X - below.Min.X - nameWidth - 2*figureWidth) / 2
	drawHead(dc, lanes, edge+nameWidth, edge+nameWidth+width+figureWidth)
	failed.Draw(drawing.Crop(below, nameWidth, -2*figureWidth-width, 0, 0))
	well.Draw(drawing.Crop(below, nameWidth+width+figureWidth, -figureWidth, 0, 0))
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err = canvas.WriteTo(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// drawHead draws the title, which colour is which client's, and what the panels show that begin at
// failed and at well.
func drawHead(dc drawing.Canvas, lanes []lane, failed, well vg.Length) {
	y := dc.Max.Y - 16
	dc.FillText(style(14, drawing.XLeft), vg.Point{X: edge, Y: y}, "What clients notice: lookups where a name server fails, sends where a broker does")
	y -= 22
	x := edge
	text := style(12, drawing.XLeft)
	for i, name := range clientNames() {
		if !slices.ContainsFunc(lanes, func(l lane) bool { return l.row.Client == name }) {
			continue
		}
		dc.FillPolygon(laneColors[i%len(laneColors)], rectangle(x, y-5, x+10, y+5))
		dc.FillText(text, vg.Point{X: x + 15, Y: y}, name)
		x += 15 + text.Width(name) + 28
	}
	y -= 24
	dc.FillText(style(11, drawing.XLeft), vg.Point{X: failed, Y: y}, "calls that failed under the fault")
	dc.FillText(style(11, drawing.XLeft), vg.Point{X: well, Y: y}, "until calls go well: soonest, median, latest run")
}

// panel is an empty one.
func panel(height float64) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Scale = plot.LogScale{}
	p.Y.Min, p.Y.Max = 0, height
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Label = style(9.5, drawing.XCenter)
	p.X.Tick.Label.YAlign = drawing.YTop
	p.X.LineStyle.Color, p.Y.LineStyle.Color = ink, ink
	p.Y.Tick.Marker = plot.ConstantTicks{} // the bands have names
	return p
}

func rectangle(left, bottom, right, top vg.Length) []vg.Point {
	return []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}}
}

// names are the bands of faults, from edge to edge of the picture.
type names []faultBand

// Plot draws them.
func (bands names) Plot(c drawing.Canvas, p *plot.Plot) {
	_, toY := p.Transforms(&c)
	for i, b := range bands {
		if i%2 == 0 {
			c.FillPolygon(shade, rectangle(edge, toY(b.from), pictureWidth-edge, toY(b.to)))
		}
		c.FillText(style(11, drawing.XLeft), vg.Point{X: edge + 4, Y: toY((b.from + b.to) / 2)}, b.name)
	}
}

// grid is a line at each figure of the axis.
type grid struct{}

// Plot draws it.
func (grid) Plot(c drawing.Canvas, p *plot.Plot) {
	toX, _ := p.Transforms(&c)
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		x := toX(t.Value)
		c.StrokeLine2(drawing.LineStyle{Color: rule, Width: vg.Points(0.5)}, x, c.Min.Y, x, c.Max.Y)
	}
}

// failedBars are how many calls failed.
type failedBars []lane

// Plot draws a bar and its figure in each lane.
func (lanes failedBars) Plot(c drawing.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	for _, l := range lanes {
		calls, failed := l.row.Lookups, l.row.LookupsFailed
		if l.sends {
			calls, failed = l.row.Sends, l.row.SendsFailed
		}
		x, y, text := toX(failedLeast), toY(l.y), ""
		if calls > 0 {
			text = "0"
			if percent := 100 * (1 - succeeded(calls, failed)); failed > 0 {
				x, text = toX(max(percent, failedLeast)), percentage(percent)
				c.FillPolygon(l.color, rectangle(toX(failedLeast), y-laneHeight*0.36, x, y+laneHeight*0.36))
			}
		}
		c.FillText(figures(), vg.Point{X: x + 3, Y: y}, text)
	}
}

// percentage has two figures.
func percentage(p float64) string {
	if p >= 10 {
		return fmt.Sprintf("%.0f %%", p)
	}
	return fmt.Sprintf("%.2g %%", p)
}

func figures() drawing.TextStyle { return style(9, drawing.XLeft) }

// wellSpans are after how long calls went well.
type wellSpans []lane

// Plot draws a line from the soonest run to the latest in each lane, and the median.
func (lanes wellSpans) Plot(c drawing.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	for _, l := range lanes {
		t := &l.row.LookupsWell
		if l.sends {
			t = &l.row.SendsWell
		}
		if t.N == 0 {
			continue
		}
		y, last := toY(l.y), toX(onAxis(t.Most))
		c.StrokeLine2(drawing.LineStyle{Color: l.color, Width: vg.Points(2.5)}, toX(onAxis(t.All[0])), y, last, y)
		c.DrawGlyph(drawing.GlyphStyle{Color: l.color, Radius: vg.Points(4), Shape: drawing.CircleGlyph{}}, vg.Point{X: toX(onAxis(t.Median)), Y: y})
		c.FillText(figures(), vg.Point{X: last + 7, Y: y}, l.row.whenWell(t))
	}
}

// whenWell is the median, or what is worse: in how many runs calls never went well, and whether
// that is since the program ended.
func (r *Row) whenWell(t *Times) string {
	never := 0
	for _, s := range t.All {
		if s == Never {
			never++
		}
	}
	switch {
	case r.Ended > 0:
		return fmt.Sprintf("crashed: %d of %d", r.Ended, r.Runs)
	case never == t.N:
		return "never"
	case never > 0:
		return fmt.Sprintf("never: %d of %d", never, t.N)
	case t.Median == 0:
		return "at once"
	}
	return seconds(t.Median)
}

func onAxis(seconds float64) float64 {
	if seconds == Never {
		return axisNever
	}
	return max(seconds, axisLeast)
}
