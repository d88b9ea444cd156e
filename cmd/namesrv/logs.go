package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/pharosmq/pharos/internal/config"
)

// logFlushTimeout is how long the end of the process waits for lines to be written.
const logFlushTimeout = time.Second

// logs is where the lines of the process go: the file where Java's name server writes
// its own, and standard error when somebody looks at it there. Writing a line never waits
// for either.
type logs struct {
	*slog.Logger
	file     *asyncWriter // nil: no file could be opened
	stderr   *asyncWriter
	mirrored bool // what is logged also goes to stderr
}

// openLogs never fails: without a file the lines go to standard error, after a line that
// says why.
func openLogs(cfg *config.Namesrv, stderr io.Writer, terminal bool) *logs {
	l := &logs{stderr: newAsyncWriter(stderr, nil)}
	l.mirrored = cfg.LogToStderr == "always" || cfg.LogToStderr == "auto" && terminal
	path := filepath.Join(cfg.LogDir, "namesrv.log")
	if err := touch(path); err != nil {
		l.mirrored = true
		fmt.Fprintf(l.stderr, "namesrv: no log file (logDir), so log lines come here: %v\n", err)
	} else {
		crashPath := filepath.Join(cfg.LogDir, "namesrv_crash.log")
		keepCrash(crashPath)
		file := &lumberjack.Logger{
			Filename:   path,
			MaxSize:    int(max(1, cfg.LogFileBytesMax>>20)), // MiB
			MaxBackups: cfg.LogFilesMax,
			Compress:   true,
			LocalTime:  true,
		}
		l.file = newAsyncWriter(file, func() {
			if err := touch(path); err != nil { // before it is closed: the next line opens what is there
				fmt.Fprintf(l.stderr, "namesrv: the log file cannot be opened again: %v\n", err)
			}
			_ = file.Close() // nothing is buffered
			keepCrash(crashPath)
		})
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // config has checked it
	l.Logger = slog.New(slog.NewTextHandler(logTee{l}, &slog.HandlerOptions{Level: level}))
	return l
}

// keepCrash has the runtime write the last words of a crash to a file as well: stderr is
// often nobody's. Not the log, whose file may be rotated away.
func keepCrash(path string) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return // stderr has it all the same
	}
	_ = debug.SetCrashOutput(f, debug.CrashOptions{})
	f.Close()
}

// reopen has the log file opened again by its name, for whoever has moved or deleted it.
func (l *logs) reopen() {
	if l.file == nil {
		return
	}
	l.file.Reopen()
	l.Info("hangup: the log file is opened again")
}

// touch makes sure that the file can be written, with a mode that log shippers can read:
// lumberjack would make it 0600.
func touch(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// logTee is the writer below the logger.
type logTee struct{ l *logs }

func (t logTee) Write(p []byte) (int, error) {
	if t.l.file != nil {
		_, _ = t.l.file.Write(p)
	}
	if t.l.mirrored {
		_, _ = t.l.stderr.Write(p)
	}
	return len(p), nil
}

// tell logs a warning that must also reach whoever started the process.
func (l *logs) tell(msg string) {
	l.Warn(msg)
	if !l.mirrored {
		fmt.Fprintln(l.stderr, "namesrv: "+msg)
	}
}

// fatal logs why the process ends, and says it in one line on standard error.
func (l *logs) fatal(err error) {
	l.Error("not started", "error", err)
	if !l.mirrored {
		fmt.Fprintf(l.stderr, "namesrv: %v\n", err)
	}
}

// dump writes text that is no log line to the file and to standard error.
func (l *logs) dump(text []byte) {
	if l.file != nil {
		_, _ = l.file.Write(text)
	}
	_, _ = l.stderr.Write(text)
}

// close writes what waits, within limits. Later lines are lost.
func (l *logs) close() {
	if l.file != nil {
		l.file.Close(logFlushTimeout)
	}
	l.stderr.Close(logFlushTimeout)
}
