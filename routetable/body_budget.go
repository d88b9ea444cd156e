package routetable

import "sync/atomic"

// bodyBudget bounds the bytes of bodies of a table.
type bodyBudget struct {
	used atomic.Int64
	max  int64
}

func (b *bodyBudget) has(n int64) bool { return b.used.Load()+n <= b.max }

func (b *bodyBudget) spent() bool { return b.used.Load() >= b.max }

// bodyCharge is what the budget was charged for bodies that go together. Once it is closed,
// nothing is added: whoever holds an old snapshot must not build what nobody would ever give
// back.
type bodyCharge struct{ n atomic.Int64 }

const chargedClosed = -1

// take takes n bytes from the budget; false when c is closed.
func (c *bodyCharge) take(budget *bodyBudget, n int64) bool {
	for {
		had := c.n.Load()
		if had == chargedClosed {
			return false
		}
		if c.n.CompareAndSwap(had, had+n) {
			budget.used.Add(n)
			return true
		}
	}
}

// giveBack gives back what take took.
func (c *bodyCharge) giveBack(budget *bodyBudget, n int64) {
	for {
		had := c.n.Load()
		if had == chargedClosed {
			return // close gave back everything
		}
		if c.n.CompareAndSwap(had, had-n) {
			budget.used.Add(-n)
			return
		}
	}
}

// close gives back everything, once.
func (c *bodyCharge) close(budget *bodyBudget) {
	if had := c.n.Swap(chargedClosed); had != chargedClosed {
		budget.used.Add(-had)
	}
}
