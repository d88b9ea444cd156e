package bench

import (
	"fmt"
	"math"
	"testing"
)

// largeFleet is the one that docs/scaling.md counts with.
var largeFleet = Fleet{
	Brokers: 10_000, Clients: 1_000_000, Topics: 10_000_000, BrokersPerTopic: 4, TopicsPerClient: 3, PollSeconds: 30,
	RegisterSeconds: 30, ChangedShare: 0.01, ClusterSeconds: 0,
}

// The table of docs/scaling.md.
func ExampleFleet_Each() {
	c := MeasuredCosts()
	for _, servers := range []int{1, 3, 5, 10} {
		n := largeFleet.Each(servers, c)
		fmt.Printf("| %d | %.0f | %.2f | %.2f | %.2f | %.2f | %.2f | %.1f | %.1f |\n", servers, n.LookupsPerSecond, n.LookupCores, n.RegisterCores,
			n.Cores(), n.InGbit, n.OutGbit, n.ResidentMB/1000, n.MassRestartSeconds)
	}
	// Output:
	// | 1 | 100000 | 0.41 | 0.22 | 0.64 | 2.07 | 0.82 | 2.1 | 11.5 |
	// | 3 | 33333 | 0.14 | 0.22 | 0.36 | 1.99 | 0.27 | 1.3 | 11.5 |
	// | 5 | 20000 | 0.08 | 0.22 | 0.31 | 1.97 | 0.16 | 1.1 | 11.5 |
	// | 10 | 10000 | 0.04 | 0.22 | 0.27 | 1.96 | 0.08 | 1.0 | 11.5 |
}

// The calculation comes near to what was measured on the machine of docs/benchmarks.md. Most of
// these points went into the costs; independent of them are the second, the memory of the mass
// restart and that of 100k x 4.
func TestScalingAgainstMeasuredPoints(t *testing.T) {
	c := MeasuredCosts()
	f := func(what string, got, measured, tolerance float64) {
		t.Helper()
		if ratio := got / measured; ratio < 1/(1+tolerance) || ratio > 1+tolerance {
			t.Errorf("%s: calculated %.4g, measured %.4g", what, got, measured)
		}
	}
	small := Fleet{Brokers: 4, Clients: 239_702, Topics: 1000, BrokersPerTopic: 4, TopicsPerClient: 1, PollSeconds: 1}
	f("small, depth 1: cores at 239,702 lookups a second", small.Each(1, c).LookupCores, 0.990, 0.1)
	small.Clients = 207_580 // on another, busier day
	f("small, depth 1: cores at 207,580 lookups a second", small.Each(1, c).LookupCores, 0.930, 0.15)
	wide := Fleet{Brokers: 300, Clients: 51_904, Topics: 10_000, BrokersPerTopic: 300, TopicsPerClient: 1, PollSeconds: 1}
	f("60 kB bodies: cores at 51,904 lookups a second", wide.Each(1, c).LookupCores, 0.550, 0.1)
	unchanged := Fleet{Brokers: 300, Topics: 10_000, BrokersPerTopic: 300, RegisterSeconds: 30}
	f("300 x 10,000 unchanged each 30 s: cores", unchanged.Each(1, c).Cores(), 0.0168, 0.1)
	f("the same: MB", unchanged.Each(1, c).ResidentMB, 50.8, 0.1)
	f("mass restart of 300 x 10,000: seconds", unchanged.Each(1, c).MassRestartSeconds, 0.877, 0.1)
	f("the same: MB", unchanged.Each(1, c).MassRestartMB, 177.1, 0.1)
	f("100k x 4: MB", Fleet{Brokers: 4, Topics: 100_000, BrokersPerTopic: 4}.Each(1, c).ResidentMB, 25.1, 0.1)
	f("1M x 4: MB", Fleet{Brokers: 4, Topics: 1_000_000, BrokersPerTopic: 4}.Each(1, c).ResidentMB, 92.7, 0.1)
	f("18,000 idle connections: MB", Fleet{Brokers: 4, Clients: 18_000, Topics: 1000, BrokersPerTopic: 4}.Each(1, c).ResidentMB, 39.1, 0.1)
}

// What clients ask is shared by servers, what brokers register is not.
func TestScalingByServers(t *testing.T) {
	c := MeasuredCosts()
	one, ten := largeFleet.Each(1, c), largeFleet.Each(10, c)
	if math.Abs(ten.LookupCores*10-one.LookupCores) > 1e-9 || ten.RegisterCores != one.RegisterCores {
		t.Errorf("lookups %v and %v, registrations %v and %v", one.LookupCores, ten.LookupCores, one.RegisterCores, ten.RegisterCores)
	}
	if ten.InGbit >= one.InGbit || ten.ResidentMB >= one.ResidentMB || ten.Cores() >= one.Cores() {
		t.Errorf("one of ten needs no less than the only one: %+v, %+v", one, ten)
	}
	never := Fleet{Brokers: 10, Clients: 10, Topics: 10, BrokersPerTopic: 1}
	if n := never.Each(1, c); n.Cores() != 0 {
		t.Errorf("who asks nothing costs %v cores", n.Cores())
	}
}
