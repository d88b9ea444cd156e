package failover

import (
	"fmt"

	"github.com/pharosmq/pharos/bench/results"
)

// store is the folder's file of records.
type store = results.Store[*Record]

func storeKey(client, name string, run int) string { return fmt.Sprintf("%s %s %d", name, client, run) }

// Key is what makes the run one of its own.
func (r *Record) Key() string { return storeKey(r.Client, r.Case, r.Run) }

// Counts says whether the run was measured. That the client's program ended is a result.
func (r *Record) Counts() bool {
	return r.Disturbed == "" && (r.Error == "" || r.endedBecause() != "")
}

// Of is the client that ran, and the builds of all that took part.
func (r *Record) Of() (name, build string) { return r.Client, r.Build }
