//go:build race

package codec

// underRace: tests of one goroutine that take long under the race detector leave it out.
const underRace = true
