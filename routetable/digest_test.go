package routetable

import (
	"math/rand/v2"
	"testing"
)

// Goal: however a body comes in pieces it has one digest, and none of its bytes can change without
// it. Method: a body of many blocks of the hash, cut at random, then one bit turned, cut at random.
func TestDigestOfALargeBody(t *testing.T) {
	const seed = 1
	rnd := rand.New(rand.NewPCG(seed, 1))
	body := make([]byte, 100_003)
	for i := range body {
		body[i] = byte(rnd.Uint32())
	}
	d := New(Options{}).NewDigester()
	inPieces := func() Digest {
		d.Reset()
		d.WriteHeader(&RegistrationHeader{Cluster: []byte("c")})
		for rest := body; len(rest) > 0; {
			n := min(1+rnd.IntN(1<<rnd.IntN(17)), len(rest))
			d.Write(rest[:n])
			rest = rest[n:]
		}
		return d.Sum()
	}
	want := inPieces()
	for range 200 {
		if got := inPieces(); got != want {
			t.Fatalf("seed %d: the pieces change the digest: %v and %v", seed, got, want)
		}
	}
	seen := map[Digest]int{want: -1}
	for range 2000 {
		bit := rnd.IntN(8 * len(body))
		body[bit/8] ^= 1 << (bit % 8)
		got := inPieces()
		if other, dup := seen[got]; dup && other != bit {
			t.Fatalf("seed %d: bits %d and %d turned: one digest", seed, bit, other)
		}
		seen[got] = bit
		body[bit/8] ^= 1 << (bit % 8)
	}
}

// Goal: the same of short bodies, which the hash treats in other ways, by their lengths. Method: each
// length in one piece and in two.
func TestDigestOfShortBodies(t *testing.T) {
	body := make([]byte, 2200)
	for i := range body {
		body[i] = byte(i * 7)
	}
	d := New(Options{}).NewDigester()
	digest := func(pieces ...[]byte) Digest {
		d.Reset()
		d.WriteHeader(&RegistrationHeader{})
		for _, p := range pieces {
			d.Write(p)
		}
		return d.Sum()
	}
	seen := map[Digest]int{}
	for n := range body {
		whole := digest(body[:n])
		if other, dup := seen[whole]; dup {
			t.Fatalf("%d and %d bytes have one digest", n, other)
		}
		seen[whole] = n
		for _, at := range []int{n / 3, max(0, n-1)} {
			if digest(body[:at], body[at:n]) != whole {
				t.Fatalf("%d bytes, cut at %d: another digest", n, at)
			}
		}
	}
}
