package differential

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Plan is what a run does, from the environment.
type Plan struct {
	Pair     [2]string // reference and subject: "java" or "pharos"
	First    uint64    // the first seed
	Seeds    int
	Steps    int
	PerStart int // histories until both servers are started afresh
	Shrink   bool
}

// The variables that change the plan.
const (
	envFull   = "PHAROS_INTEROP_FULL" // 200 seeds of 300 steps instead of 40 of 100
	envSeed   = "PHAROS_DIFF_SEED"    // this seed alone
	envFirst  = "PHAROS_DIFF_FIRST"   // the first seed, default 1
	envSeeds  = "PHAROS_DIFF_SEEDS"   // how many
	envSteps  = "PHAROS_DIFF_STEPS"   // steps per seed
	envPair   = "PHAROS_DIFF_PAIR"    // "java,pharos" (default) or "java,java", which checks the test itself
	envShrink = "PHAROS_DIFF_SHRINK"  // "0": report the failing prefix as it is
)

// PlanFromEnv reads the plan; a variable that makes no sense is an error.
func PlanFromEnv() (Plan, error) {
	p := Plan{Pair: [2]string{"java", "pharos"}, First: 1, Seeds: 40, Steps: 100, PerStart: 20, Shrink: true}
	if os.Getenv(envFull) != "" {
		p.Seeds, p.Steps = 200, 300
	}
	var err error
	number := func(name string, set func(int)) {
		text := os.Getenv(name)
		if text == "" || err != nil {
			return
		}
		n, bad := strconv.Atoi(text)
		if bad != nil || n < 1 {
			err = fmt.Errorf("%s=%q is not a positive number", name, text)
			return
		}
		set(n)
	}
	number(envFirst, func(n int) { p.First = uint64(n) })
	number(envSeeds, func(n int) { p.Seeds = n })
	number(envSteps, func(n int) { p.Steps = n })
	number(envSeed, func(n int) { p.First, p.Seeds = uint64(n), 1 })
	p.Shrink = os.Getenv(envShrink) != "0"
	if pair := os.Getenv(envPair); pair != "" {
		a, b, ok := strings.Cut(pair, ",")
		if !ok {
			return p, fmt.Errorf("%s=%q is not two names with a comma", envPair, pair)
		}
		p.Pair = [2]string{a, b}
	}
	return p, err
}

// again is the command that plays one seed again.
func (p Plan) again(seed uint64) string {
	return fmt.Sprintf("PHAROS_INTEROP=1 %s=%s %s=%d %s=%d go test ./test/interop/differential -run 'TestDifferential$' -v",
		envPair, strings.Join(p.Pair[:], ","), envSeed, seed, envSteps, p.Steps)
}
