// Package codec turns bytes into RocketMQ nouns and back: frames, command headers
// (JSON and ROCKETMQ binary), request and response bodies, and the fastjson dialects.
// It knows no socket, clock, logger or rule of the route table.
//
// Two verbs tell who owns the bytes. Decode borrows: what it fills in points into its
// argument and is valid as long as that is. Parse owns: its argument belongs to the
// result from then on. Append writes to the end of dst and returns the extended slice.
package codec
