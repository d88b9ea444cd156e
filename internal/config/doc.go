// Package config holds the settings of the name server under their Java names.
//
// It knows the properties format, Java's value rules, the environment and the -D options
// that operators' scripts set, and what a remote caller may change while the server runs.
//
// Precedence, low to high: built-in default, -D option or environment variable, file.
//
// A key is one of three kinds for UPDATE_NAMESRV_CONFIG (318):
//   - live: read on each use, changed at once and persisted (the fields of [Live]);
//   - protected: a path, an address or a limit that protects the process; never changed
//     from outside, whatever configBlackList says;
//   - every other known key needs a restart.
//
// A key nobody knows is ignored, as Java does.
package config
