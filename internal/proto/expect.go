package proto

import "github.com/yamori-net/yamori/internal/packet"

// Expected describes a flow that another one announces, such as a data
// connection of FTP: its protocol is known before its first byte.
type Expected struct {
	Proto  string      // name of the protocol, constant
	Client packet.Addr // who will open the flow
	Server packet.Addr // where to
	Port   uint16      // at the server
	Verb   string      // what asked for it ("RETR"), constant; empty when not known yet
	Name   []byte      // of the file it will carry; nil: none or not known yet
}

// Expect announces a flow. Announcing it again replaces what was said before.
// Name is valid during the call. How many flows are expected, and for how long,
// is bounded by the engine.
func (c *Conn) Expect(x *Expected) {
	if c.OnExpect != nil {
		c.OnExpect(x)
	}
}
