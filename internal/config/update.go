package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The ways an update is refused. The text of an error returned by [Namesrv.Update] is
// the remark of the reply; ErrProtected is NO_PERMISSION (16), the others SYSTEM_ERROR (1).
var (
	// ErrProtected: the update names a path, an address, a protecting limit or an entry
	// of configBlackList.
	//lint:ignore ST1005 Java's text
	ErrProtected = errors.New("Can not update config in black list.")
	// ErrUnparsable: not the properties format.
	ErrUnparsable = errors.New("string2Properties error")
	// ErrInvalidValue: a value the key cannot have, or a control character anywhere.
	ErrInvalidValue = errors.New("invalid value")
	// ErrPersist: the file could not be written, so nothing was changed.
	ErrPersist = errors.New("not changed, because it cannot be stored")
)

// NeedsRestartError names the keys of an update that the server only reads at its start.
type NeedsRestartError struct{ Keys []string }

// Error returns the remark of the reply.
func (e *NeedsRestartError) Error() string {
	return "needs restart: " + strings.Join(e.Keys, ", ")
}

// Change is one live key and its values as 319 shows them.
type Change struct{ Key, Old, New string }

// UpdateResult says what an update did, for the log.
type UpdateResult struct {
	Changes []Change // sorted by key; keys that kept their value are not here
	Ignored []string // keys nobody knows, sorted; the first few, and how many more
	Path    string   // the file that keeps the changes
}

// updateBytesMax bounds the body of an update; all keys with long values are 4 kB.
const updateBytesMax = 1 << 20

// ignoredMax bounds what is said about keys nobody knows.
const ignoredMax = 16

// Update applies the body of UPDATE_NAMESRV_CONFIG (318). Either every known key of it is
// live, valid and stored in the file, and then it takes effect; or nothing is changed and
// the error says why (after durable.ErrUnsynced only the file may have the update already).
// Keys nobody knows are ignored, as Java does. It reads and writes a file: never call it on
// an event loop.
//
// Java: Configuration#update, which applies what it cannot store, skips bad values, takes
// "yes" for false, and rewrites the operator's file without comments.
func (c *Namesrv) Update(body []byte) (UpdateResult, error) {
	if len(body) > updateBytesMax {
		return UpdateResult{}, fmt.Errorf("%w: the update has %d bytes, and %d are the most", ErrInvalidValue, len(body), updateBytesMax)
	}
	props, err := parseProperties(body)
	if err != nil {
		return UpdateResult{}, ErrUnparsable
	}
	asked := effective(props)
	names := make([]string, 0, len(asked))
	for name := range asked {
		names = append(names, name)
	}
	slices.Sort(names)

	c.mu.Lock()
	defer c.mu.Unlock()
	res := UpdateResult{Path: c.ConfigStorePath}
	changes, err := c.plan(names, asked, &res)
	if err != nil || len(changes) == 0 {
		return res, err
	}
	if err := c.persist(changes); err != nil {
		return res, fmt.Errorf("%w in %s: %w", ErrPersist, c.ConfigStorePath, err)
	}
	c.applyLocked(changes)
	for _, ch := range changes {
		if ch.Old != ch.New {
			res.Changes = append(res.Changes, ch)
		}
	}
	return res, nil
}

// plan checks an update as a whole. Permission is judged before anything else, as in Java.
func (c *Namesrv) plan(names []string, asked map[string]string, res *UpdateResult) ([]Change, error) {
	for _, name := range names {
		if k := findKey(name); c.refused[name] || k != nil && k.change == changeProtected {
			return nil, ErrProtected
		}
	}
	for _, name := range names {
		if hasControl(name) || hasControl(asked[name]) {
			return nil, fmt.Errorf("%w: control character in %s", ErrInvalidValue, quote(name))
		}
	}
	var restart []string
	var changes []Change
	v := c.valuesLocked()
	unknown := 0
	for _, name := range names {
		switch k := findKey(name); {
		case k == nil:
			if unknown++; unknown <= ignoredMax {
				res.Ignored = append(res.Ignored, strings.Trim(quote(name), `"`))
			}
		case k.change != changeLive:
			restart = append(restart, name)
		default:
			old := k.text(v)
			if err := k.assign(v, trimJava(asked[name])); err != nil {
				return nil, fmt.Errorf("%w for %s: %w", ErrInvalidValue, name, err)
			}
			changes = append(changes, Change{Key: name, Old: old, New: k.text(v)})
		}
	}
	if unknown > ignoredMax {
		res.Ignored = append(res.Ignored, fmt.Sprintf("and %d more", unknown-ignoredMax))
	}
	if len(restart) > 0 {
		return nil, &NeedsRestartError{Keys: restart}
	}
	return changes, nil
}

// applyLocked publishes the new live settings. The caller holds mu.
func (c *Namesrv) applyLocked(changes []Change) {
	v := c.valuesLocked()
	for _, ch := range changes {
		// The text was made from the value that was checked, so this cannot fail.
		_ = findKey(ch.Key).assign(v, ch.New)
		c.set[ch.Key] = true
	}
	live := v.Live
	c.live.Store(&live)
	c.relistLocked()
}

// blackList is the keys that configBlackList adds to the protected ones.
func blackList(list string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Split(list, ";") {
		m[strings.TrimSpace(name)] = true
	}
	delete(m, "")
	return m
}

func byName(list []key) map[string]*key {
	m := make(map[string]*key, len(list))
	for i := range list {
		m[list[i].name] = &list[i]
	}
	return m
}

var (
	keysByName       = byName(keys)
	clientKeysByName = byName(clientKeys)
)

// findKey returns a key of the server, nil for every other name. Those of the outbound
// client are not among them: Java does not list them, and 318 does not know them.
func findKey(name string) *key { return keysByName[name] }
