package differential

import "fmt"

// History is a reproducible sequence of steps.
type History struct {
	Seed  uint64
	Salt  int
	Conns int
	Steps []Step
	world *world
}

// Generate builds the history of a seed. Equal seeds and counts give equal shapes; the
// salt only changes names, so that a history can be replayed on servers that saw it before.
func Generate(seed uint64, salt, steps int) *History {
	w := newWorld(seed, salt)
	g := &generator{world: w}
	for len(g.steps) < steps {
		g.step()
	}
	return &History{Seed: seed, Salt: salt, Conns: w.conns, Steps: g.steps[:steps], world: w}
}

// Oddities is a history of everything odd the generator knows, once each in several
// styles, with looks at the state in between.
func Oddities(seed uint64, salt int) *History {
	g := &generator{world: newWorld(seed, salt)}
	for _, b := range g.members {
		g.add(b.conn, g.registration(b, b.topics, "before it gets odd"))
	}
	for n := range brokenFrames {
		g.addBroken(g.scratch(), n)
	}
	g.observe()
	for n, count := 0, 1; n < count; n++ {
		count = g.addMissing(g.members[n%len(g.members)], n)
	}
	g.observe()
	for n := range oddBodies {
		for i := range 3 {
			g.addOddBody(g.members[(n+3*i)%len(g.members)], n)
		}
		g.observe()
	}
	for range 20 {
		g.updateConfigOddly()
		g.oddRequest()
	}
	g.observe()
	return &History{Seed: seed, Salt: salt, Conns: g.conns, Steps: g.steps, world: g.world}
}

// generator draws steps.
type generator struct {
	*world
	steps []Step
}

// kinds are the kinds of steps with their weights.
var kinds = []struct {
	weight int
	draw   func(*generator)
}{
	{16, (*generator).register},
	{5, (*generator).registerSingle},
	{4, (*generator).registerSplit},
	{3, (*generator).registerElsewhere},
	{3, (*generator).registerOdd},
	{2, (*generator).switchRole},
	{5, (*generator).unregister},
	{4, (*generator).closeConn},
	{12, (*generator).route},
	{6, (*generator).list},
	{4, (*generator).queryVersion},
	{2, (*generator).heartbeat},
	{4, (*generator).writePerm},
	{3, (*generator).deleteTopic},
	{3, (*generator).registerTopic},
	{6, (*generator).kv},
	{4, (*generator).updateConfig},
	{1, (*generator).getConfig},
	{2, (*generator).oddRequest},
	{3, (*generator).brokenFrame},
	{2, (*generator).missingFields},
	{7, (*generator).observe},
}

var kindsTotal = func() int {
	sum := 0
	for _, k := range kinds {
		sum += k.weight
	}
	return sum
}()

func (g *generator) step() {
	n := g.r.IntN(kindsTotal)
	for _, k := range kinds {
		if n -= k.weight; n < 0 {
			k.draw(g)
			return
		}
	}
}

// request writes a call down. Styles that cannot carry it keep JSON.
func (g *generator) request(c call, note string) Request {
	c.opaque = g.nextOpaque()
	q := Request{Code: c.code, Opaque: c.opaque, Frame: c.frame(g.r)}
	q.Note = fmt.Sprintf("%d v%d %s%s", c.code, c.version, styleNames[c.style], pad(note))
	if c.flag&2 != 0 {
		q.Expect = ExpectNone
		q.Note = "oneway " + q.Note
	}
	return q
}

var styleNames = [styleCount]string{"java", "go", "cpp", "node", "sloppy", "binary", "binary-go"}

func pad(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}

// ask is a request of a client: any version, any style, now and then oneway.
func (g *generator) ask(code int32, ext []Ext, body []byte, note string) Request {
	c := call{code: code, version: versions[g.r.IntN(len(versions))], style: g.anyStyle(), ext: ext, body: body}
	if g.r.IntN(40) == 0 {
		c.flag = 2
	}
	if g.r.IntN(60) == 0 {
		c.flag |= 4 // a bit nobody defined
	}
	return g.request(c, note)
}

func (g *generator) add(conn int, requests ...Request) *Step {
	g.steps = append(g.steps, Step{Conn: conn, Requests: requests})
	return &g.steps[len(g.steps)-1]
}

// observe asks for everything at once, pipelined on one connection.
func (g *generator) observe() {
	var all []Request
	quiet := func(code int32, ext []Ext, note string) {
		q := g.request(call{code: code, version: versions[g.r.IntN(len(versions))], style: g.anyStyle(), ext: ext}, note)
		all = append(all, q)
	}
	for _, t := range g.topics {
		quiet(105, []Ext{{Key: "topic", Value: t.name}}, t.name)
	}
	for _, c := range g.clusters {
		quiet(224, []Ext{{Key: "cluster", Value: c}}, c)
	}
	for _, n := range g.groups {
		quiet(901, []Ext{{Key: "clusterName", Value: g.clusters[0]}, {Key: "brokerName", Value: n}}, n)
	}
	for _, b := range g.members {
		quiet(322, b.identity(), b.Addr)
	}
	for _, s := range g.spaces {
		quiet(219, []Ext{{Key: "namespace", Value: s}}, s)
	}
	for _, code := range []int32{106, 206, 304, 311, 312, 313} {
		quiet(code, nil, "")
	}
	g.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	g.add(g.client(), all...)
}

func (b *member) identity() []Ext {
	return []Ext{
		{Key: "brokerName", Value: b.Name}, {Key: "brokerAddr", Value: b.Addr},
		{Key: "clusterName", Value: b.Cluster}, {Key: "brokerId", Value: fmt.Sprint(b.ID)},
	}
}
