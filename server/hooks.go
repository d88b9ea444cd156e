package server

// hooks is told what happens to connections and to the server. The request handlers'
// side of it is the housekeeping.
type hooks interface {
	// connClosed is called once on the connection's loop, after the last request. It must
	// not block: what it has to do goes to the lanes.
	connClosed(c Conn, reason CloseReason)
	// started is called when the server listens.
	started()
	// stopping is called when the server begins to stop, while lanes still work.
	stopping()
}

// noHooks: nobody is told.
type noHooks struct{}

func (noHooks) connClosed(Conn, CloseReason) {}
func (noHooks) started()                     {}
func (noHooks) stopping()                    {}
