package diag

import "errors"

// What a question may be answered with instead.
var (
	// ErrNoConn: nothing is known about the connection that was asked about.
	ErrNoConn = errors.New("there is no such connection, and no evidence about it is kept")
	// ErrNoDump: the kernel can't be asked for its sockets; what is missing follows.
	ErrNoDump = errors.New("a dump of the kernel's sockets needs BPF")
	// ErrNotJudging: the watch has stopped.
	ErrNotJudging = errors.New("connections are not judged: the server is stopping, or the judgement panicked (see the log)")
	// ErrBusy: the watch did not come to it in time.
	ErrBusy = errors.New("the watch over connections did not answer in time")
)
