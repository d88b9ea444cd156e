package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pharosmq/pharos/client"
)

// serversReport is what servers shows.
type serversReport struct {
	Servers     []serverRow  `json:"servers"`
	Differences []difference `json:"differences"`
}

// serverRow is one name server.
type serverRow struct {
	Server        string  `json:"server"`
	Reachable     bool    `json:"reachable"`
	Role          string  `json:"role"`
	LatencyMillis float64 `json:"latencyMillis,omitempty"`
	Topics        int     `json:"topics"`
	Brokers       int     `json:"brokers"`
	// Digest is equal where all routes and brokers are.
	Digest string `json:"digest,omitempty"`
	Error  string `json:"error,omitempty"`
}

// differencesShown bounds the table; JSON has all.
const differencesShown = 50

// showServers asks every name server of the list for all it knows, and compares.
func showServers(ctx context.Context, s *session, _ []string) error {
	list, err := s.connect()
	if err != nil {
		return err
	}
	resolvers, err := s.eachServer()
	for _, r := range resolvers {
		defer r.Close()
	}
	if err != nil {
		return err
	}
	surveys := make([]survey, len(resolvers))
	var asking sync.WaitGroup
	for i, r := range resolvers {
		asking.Go(func() { surveys[i] = surveyOf(ctx, s.servers[i], r) })
	}
	asking.Go(func() { _, _ = list.Route(ctx, surveyTopic) })
	asking.Wait()
	roles := rolesIn(ctx, list, s.timeout) // late, since by now one that hangs has been left
	if ctx.Err() != nil {
		return ctx.Err()
	}
	report := serversReport{Differences: differences(surveys)}
	for i := range surveys {
		report.Servers = append(report.Servers, surveys[i].row(roles[surveys[i].server]))
	}
	if err := s.printServers(report); err != nil {
		return err
	}
	return report.verdict()
}

// rolesIn returns what each server is used for, once that is known of all.
func rolesIn(ctx context.Context, r *client.Resolver, patience time.Duration) map[string]client.ServerRole {
	roles := map[string]client.ServerRole{}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		known := true
		for _, s := range r.Servers() {
			roles[s.Addr] = s.Role
			known = known && s.Role != client.ServerUnknown
		}
		if known || ctx.Err() != nil || time.Now().After(deadline) {
			return roles
		}
	}
}

func (v *survey) row(role client.ServerRole) serverRow {
	row := serverRow{Server: v.server, Reachable: v.err == nil, Role: string(role)}
	if v.err != nil {
		row.Error = why(v.err)
		return row
	}
	row.LatencyMillis = float64(v.latency.Microseconds()) / 1000
	row.Topics, row.Brokers, row.Digest = len(v.topics), len(v.brokers), v.digest()
	return row
}

// why is what went wrong with the one server that was asked.
func why(err error) string {
	var e *client.Error
	if errors.As(err, &e) && len(e.Attempts) > 0 {
		err = e.Attempts[len(e.Attempts)-1].Err
	}
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "client: ")
}

func (s *session) printServers(report serversReport) error {
	heading := []string{"SERVER", "ROLE", "LATENCY", "TOPICS", "BROKERS", "DIGEST", "ERROR"}
	var rows [][]string
	for _, r := range report.Servers {
		if !r.Reachable {
			rows = append(rows, []string{r.Server, r.Role, "", "", "", "", r.Error})
			continue
		}
		latency := strconv.FormatFloat(r.LatencyMillis, 'f', 2, 64) + "ms"
		rows = append(rows, []string{r.Server, r.Role, latency, strconv.Itoa(r.Topics), strconv.Itoa(r.Brokers), r.Digest, ""})
	}
	if err := s.print(report, heading, rows); err != nil || s.json || len(report.Differences) == 0 {
		return err
	}
	fmt.Fprintln(s.stdout)
	rows = nil
	shown := report.Differences[:min(len(report.Differences), differencesShown)]
	for _, d := range shown {
		name := d.What + " " + d.Name
		for _, a := range d.Answers {
			rows = append(rows, []string{name, a.Server, a.Answer})
			name = ""
		}
	}
	if err := s.print(nil, []string{"DIFFERENCE", "SERVER", "ANSWER"}, rows); err != nil {
		return err
	}
	if more := len(report.Differences) - len(shown); more > 0 {
		fmt.Fprintf(s.stderr, "nsctl servers: %d more differences were left out; -o json has all\n", more)
	}
	return nil
}

// errNotAsOne is for scripts: some server can't be asked, or answers differ.
var errNotAsOne = errors.New("the name servers are not as one")

func (r *serversReport) verdict() error {
	silent := len(slices.DeleteFunc(slices.Clone(r.Servers), func(s serverRow) bool { return s.Reachable }))
	var found []string
	if silent > 0 {
		found = append(found, fmt.Sprintf("%d of %d can't be asked", silent, len(r.Servers)))
	}
	if n := len(r.Differences); n > 0 {
		found = append(found, fmt.Sprintf("%d answers differ", n))
	}
	if found == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", errNotAsOne, strings.Join(found, ", "))
}
