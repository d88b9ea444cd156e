// Package pause keeps a pause of our own process from being held against others: a SIGSTOP, a
// suspended machine, a scheduler that starves us. When such a process goes on, its timers are
// due before its readers have read what came meanwhile, and whoever is judged by those timers
// is judged by our pause. So whoever waits looks twice, a moment apart, before time is up
// (Deadline), and whoever measures an answer takes out how long we stood still (Meter). Package
// pause has no clock: time comes in, as a duration since any moment.
package pause
