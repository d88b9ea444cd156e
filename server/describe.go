package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// ConnectionInfo is what the server knows of who is at the other end of a connection.
type ConnectionInfo struct {
	Peer string // ip:port
	// Spoke: there was a request while connections were watched; its Language and Version.
	Spoke    bool
	Language codec.LanguageCode
	Version  int32
}

const agentSpoke = 1 << 63

// noteAgent remembers what software a connection's peer says it is. Peers say the same
// every time, so it is a write only once.
func (c *connection) noteAgent(cmd *codec.Command) {
	agent := agentSpoke | uint64(cmd.Language)<<32 | uint64(uint32(cmd.Version))
	if c.agent.Load() != agent {
		c.agent.Store(agent)
	}
}

// Connection describes an open connection; false if there is none of this id.
func (s *Server) Connection(id routetable.ConnID) (ConnectionInfo, bool) {
	c, ok := s.conns.get(id)
	if !ok {
		return ConnectionInfo{}, false
	}
	agent := c.agent.Load()
	return ConnectionInfo{
		Peer: c.remote, Spoke: agent != 0, Language: codec.LanguageCode(agent >> 32), Version: int32(uint32(agent)),
	}, true
}
