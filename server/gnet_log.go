package server

import (
	"fmt"
	"log/slog"
	"strings"
)

// gnetLog hands gnet's own lines to ours. Its chatter is for debugging; what it calls
// errors is either followed by an error we report ourselves, or deserves a look.
type gnetLog struct{ log *slog.Logger }

func (g gnetLog) Debugf(format string, args ...any) { g.log.Debug(gnetLine(format, args)) }
func (g gnetLog) Infof(format string, args ...any)  { g.log.Debug(gnetLine(format, args)) }
func (g gnetLog) Warnf(format string, args ...any)  { g.log.Warn(gnetLine(format, args)) }
func (g gnetLog) Errorf(format string, args ...any) { g.log.Warn(gnetLine(format, args)) }

// Fatalf does not end the process: gnet calls it nowhere today, and that is not its
// decision to take.
func (g gnetLog) Fatalf(format string, args ...any) { g.log.Error(gnetLine(format, args)) }

func gnetLine(format string, args []any) string {
	return "gnet: " + strings.TrimSpace(fmt.Sprintf(format, args...))
}
