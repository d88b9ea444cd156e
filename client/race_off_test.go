//go:build !race

package client

// raceFactor divides the sizes of tests that are slow under the race detector.
const raceFactor = 1
