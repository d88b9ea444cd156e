package server

import "testing"

// Goal: memory is given back once after a flood, not in one, not again and again, and not
// after what is no flood. Method: seconds of bytes held, and the seconds it happens at.
func TestGivingBackMemory(t *testing.T) {
	const mega = 1 << 20
	f := func(name string, held func(second int64) int64, want ...int64) {
		t.Helper()
		g := newGivingBack()
		var at []int64
		for second := int64(0); second < 200; second++ {
			if g.due(second*1000, held(second)) {
				at = append(at, second)
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
