package server

import (
	"slices"
	"testing"
)

// Goal: memory is given back once after a flood, not in one, not again and again, and not
// after what is no flood. Method: seconds of bytes held, and the seconds it happens at.
func TestGivingBackMemory(t *testing.T) {
	const mega = 1 << 20
	f := func(name string, held func(second int64) int64, want ...int64) {
		t.Helper()
		g := newGivingBack(0)
		var at []int64
		for second := int64(0); second < 200; second++ {
			switch g.due(second*1000, held(second), 10, false) {
			case giveBackPools:
				at = append(at, second)
			case giveBackGarbage:
				t.Errorf("%s: at %d, for connections", name, second)
			}
		}
		if len(at) != len(want) {
			t.Fatalf("%s: at %v, want %v", name, at, want)
		}
		for i := range at {
			if at[i] != want[i] {
				t.Errorf("%s: at %v, want %v", name, at, want)
			}
		}
	}
	f("quiet", func(int64) int64 { return 0 })
	f("a little", func(s int64) int64 { return s % 2 * 63 * mega })
	f("an endless flood", func(int64) int64 { return 200 * mega })
	f("a flood of ten seconds", func(s int64) int64 {
		if s < 10 {
			return 200 * mega
		}
		return mega
	}, 14)
	f("a flood every ten seconds", func(s int64) int64 {
		if s%10 < 2 {
			return 200 * mega
		}
		return 0
	}, 6, 66, 126, 186)
}

// Goal: memory is given back once after many connections came or went, when that is over, and
// not after a few, nor again and again. Method: seconds of open connections, and the seconds it
// happens at.
func TestGivingBackAfterConnections(t *testing.T) {
	f := func(name string, open func(second int64) int64, want ...int64) {
		t.Helper()
		g := newGivingBack(0)
		var at []int64
		for second := int64(0); second < 200; second++ {
			switch g.due(second*1000, second%2*1000, open(second), false) {
			case giveBackGarbage:
				at = append(at, second)
			case giveBackPools:
				t.Errorf("%s: at %d, for a flood", name, second)
			}
		}
		if !slices.Equal(at, want) {
			t.Errorf("%s: at %v, want %v", name, at, want)
		}
	}
	f("none", func(int64) int64 { return 0 })
	f("a few", func(s int64) int64 { return min(s*100, 2000) })
	f("two thousand and one at once", func(s int64) int64 { return min(s, 1) * 2001 }, 6)
	f("18,000 in six seconds", func(s int64) int64 { return min(s*3000, 18_000) }, 11)
	f("some come and go all the time besides", func(s int64) int64 { return min(s*3000, 18_000) + s%2*90 }, 11)
	f("few beside many", func(s int64) int64 {
		if s < 100 {
			return 18_000
		}
		return 18_000 + 4400
	}, 5)
	f("many again", func(s int64) int64 {
		if s < 100 {
			return 18_000
		}
		return 18_000 + 4600
	}, 5, 105)
	f("they come, and go soon after", func(s int64) int64 {
		if s < 20 {
			return 18_000
		}
		return 64
	}, 5, 65)
	f("they come and go for ever", func(s int64) int64 { return s % 2 * 18_000 })
	f("slowly, for ever", func(s int64) int64 { return s * 100 }, 21, 81, 141)
}

// Goal: what is asked for is done once, when connections have been calm for a while, and not when
// they never are, nor twice within a minute. Method: as above, asked at some seconds.
func TestGivingBackWhenAsked(t *testing.T) {
	f := func(name string, open func(second int64) int64, asked []int64, want ...int64) {
		t.Helper()
		g := newGivingBack(0)
		var at []int64
		for second := int64(1); second < 200; second++ {
			if g.due(second*1000, second%2*1000, open(second), slices.Contains(asked, second)) == giveBackGarbage {
				at = append(at, second)
			}
		}
		if !slices.Equal(at, want) {
			t.Errorf("%s: at %v, want %v", name, at, want)
		}
	}
	none := func(int64) int64 { return 0 }
	f("nobody asks", none, nil)
	f("at the start", none, []int64{1}, 5)
	f("later", none, []int64{100}, 100)
	f("while connections come", func(s int64) int64 { return min(s, 20) * 101 }, []int64{1}, 25)
	f("while they come and go for ever", func(s int64) int64 { return s % 2 * 101 }, []int64{1})
	f("again within a minute", none, []int64{10, 20, 30}, 10, 70)
}
