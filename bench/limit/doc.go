// Package limit is the yardstick of the benchmarks: servers that do what any name server
// must (read frames, answer each with its correlation id and a body) and nothing else. What
// Pharos costs above the gnet one is Pharos; what the gnet one costs above the bare epoll one
// is gnet.
package limit
