package server

import (
	"os"
	"testing"
	"unsafe"
)

// Goal: a large table's heap is moved when the table has stopped growing, anew when it has
// grown a good deal or after ten minutes, and a small one's never. Method: seconds of sizes,
// and the seconds it happens at.
func TestMovingToLargePages(t *testing.T) {
	f := func(name string, seconds int64, size func(second int64) int, want ...int64) {
		t.Helper()
		var m movingToLargePages
		var at []int64
		for second := int64(0); second < seconds; second++ {
			if m.due(second*1000, size(second)) {
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
	f("small", 1000, func(int64) int { return largePagesFrom - 1 })
	f("there at once", 500, func(int64) int { return largePagesFrom }, 2)
	f("growing to a million", 500, func(s int64) int { return int(min(s, 10)) * 100_000 }, 12)
	f("growing slowly", 12, func(s int64) int { return 1_000_000 + int(s)*10_000 }, 2)
	f("doubled later", 100, func(s int64) int {
		if s < 50 {
			return 300_000
		}
		return 600_000
	}, 2, 52)
	f("gone and back", 100, func(s int64) int {
		if s/20%2 == 0 {
			return 1_000_000
		}
		return 10
	}, 2, 42, 82)
	f("for twenty minutes", 1210, func(int64) int { return 1_000_000 }, 2, 602, 1202)
}

func TestMappedAround(t *testing.T) {
	const maps = `00400000-00b77000 r-xp 00000000 08:01 1 /usr/bin/namesrv
00b77000-00bb1000 rw-p 00000000 00:00 0
14d52d800000-14d548400000 rw-p 00000000 00:00 0 [anon: Go: heap]
14d548400000-14d55a000000 rw-p 00000000 00:00 0
14d55a000000-14d55c000000 ---p 00000000 00:00 0
7f7cb0400000-7f7cb2400000 rw-p 00000000 00:00 0
7f7cb2400000-7f7cb2400100 r--p 00000000 00:00 0
7f7cb2400100-7f7cb2400200 rw-p 00000000 00:00 0
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
`
	f := func(at, wantFrom, wantTo uintptr) {
		t.Helper()
		if from, to := mappedAround([]byte(maps), at); from != wantFrom || to != wantTo {
			t.Errorf("%x: %x to %x, want %x to %x", at, from, to, wantFrom, wantTo)
		}
	}
	f(0x14d52d800000, 0x14d52d800000, 0x14d55a000000)
	f(0x14d548400001, 0x14d52d800000, 0x14d55a000000)
	f(0x14d559ffffff, 0x14d52d800000, 0x14d55a000000)
	f(0x14d55a000000, 0, 0)
	f(0xb77000, 0xb77000, 0xbb1000)
	f(0x7f7cb2400080, 0, 0)
	f(0x7f7cb24001ff, 0x7f7cb2400100, 0x7f7cb2400200)
	f(0, 0, 0)

	object := new([1 << 20]byte)
	own, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	at := uintptr(unsafe.Pointer(object))
	if from, to := mappedAround(own, at); from > at || at+uintptr(len(object)) > to {
		t.Errorf("an object at %x does not lie in %x to %x", at, from, to)
	}
	object[0] = 1
}
