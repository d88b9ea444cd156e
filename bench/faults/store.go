package faults

import (
	"fmt"

	"github.com/pharosmq/pharos/bench/results"
)

// store is the folder's file of records.
type store = results.Store[*Record]

func storeKey(server string, mode Mode, rttMillis float64, name string, run int) string {
	if rttMillis > 0 {
		name = fmt.Sprintf("%s@%gms", name, rttMillis)
	}
	return fmt.Sprintf("%s %s %s %d", server, mode, name, run)
}

// key is that of the job's record.
func (j job) key(server string) string {
	return storeKey(server, j.mode, float64(j.rtt)/1e6, j.c.Name, j.run)
}

// Key is what makes the run one of its own.
func (r *Record) Key() string {
	return storeKey(r.Server, r.Mode, r.RTTMillis, r.Case, r.Run)
}

// Counts says whether the run was measured.
func (r *Record) Counts() bool { return r.Error == "" && r.Disturbed == "" }

// Of is the server that ran, and its build: "" of those that do not tell.
func (r *Record) Of() (name, build string) { return r.Server, r.Build }
