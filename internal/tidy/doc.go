// Package tidy holds no code: its test keeps the shape of the tree. It fails when an
// import arrow points the wrong way, when a library leaves its home, when a pure package
// reads the clock, when a function grows past a screen, when a folder lacks its doc
// comment, when a marker of unfinished work is left, and when a link in the docs is dead.
package tidy
