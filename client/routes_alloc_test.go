//go:build !race

package client

import "testing"

// TestCachedRouteAllocatesNothing: a producer asks once for every message.
func TestCachedRouteAllocatesNothing(t *testing.T) {
	c := newRoutes(t, newFakeLookup(brokersAnswer("a", "b", "c")), RoutesOptions{})
	if _, err := c.Fetch(t.Context(), "TopicTest"); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if _, ok := c.Route("TopicTest"); !ok {
			t.Fatal("not known")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := c.Fetch(t.Context(), "TopicTest"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Fetch of a known route: %v allocations", n)
	}
}
