package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// clean takes everything the history left out of both servers, so that they can be used
// for the next one. It returns what stayed, for each server.
func (r *runner) clean() (residue [2]string, err error) {
	if err := r.controlBoth(call{code: 318, version: 513, body: []byte(defaultSwitches())}); err != nil {
		return residue, err
	}
	for conn := range r.links[0] {
		for side := range r.links {
			if l := r.links[side][conn]; l != nil {
				r.links[side][conn] = nil
				if err := l.close(); err != nil {
					return residue, err
				}
			}
		}
	}
	if err := r.awaitCloses(); err != nil {
		return residue, err
	}
	if err := r.unregister(slices.Collect(maps.Keys(r.seen))...); err != nil {
		return residue, err
	}
	if err := r.dropKeys(); err != nil {
		return residue, err
	}
	return r.residue()
}

func defaultSwitches() string {
	var b strings.Builder
	for _, s := range liveSwitches {
		fmt.Fprintf(&b, "%s=%s\n", s.key, s.values[0])
	}
	return b.String()
}

func (r *runner) dropKeys() error {
	w := r.history.world
	for _, ns := range w.spaces {
		for _, key := range w.keys {
			ext := []Ext{{Key: "namespace", Value: ns}, {Key: "key", Value: key}}
			if err := r.controlBoth(call{code: 102, version: 513, ext: ext}); err != nil {
				return err
			}
		}
	}
	return nil
}

// empty is what an empty server answers to the questions about everything.
var empty = map[int32]string{
	106: `{"brokerAddrTable":{},"clusterAddrTable":{}}`,
	206: `{"topicList":[]}`,
	304: `{"topicList":[]}`,
}

func (r *runner) residue() (residue [2]string, err error) {
	for side, l := range r.control {
		for _, code := range slices.Sorted(maps.Keys(empty)) {
			reply, err := l.one(call{code: code, version: 513, opaque: r.nextOpaque()})
			if err != nil {
				return residue, fmt.Errorf("%s: %w", r.servers[side].Name, err)
			}
			if string(reply.Body) != empty[code] {
				residue[side] += fmt.Sprintf("%d: %s\n", code, reply.Body)
			}
		}
	}
	return residue, nil
}

// hangUp closes the runner's connections without waiting.
func (r *runner) hangUp() {
	for side := range r.links {
		for _, l := range append(r.links[side], r.control[side]) {
			if l != nil {
				_ = l.conn.Close() // the history is over
			}
		}
	}
}
