//go:build race

package routetable

// modelChecks is how many histories are run: about ten seconds.
const modelChecks = "240"
