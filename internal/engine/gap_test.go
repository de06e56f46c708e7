package engine

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// leaver is a parser that gives the flow away when bytes are lost.
type leaver struct{ lineParser }

func (l *leaver) Gap(c *proto.Conn, _ packet.Dir, _ int) error {
	c.Switch("")
	return nil
}
func (l *leaver) Reset() { l.lineParser.Reset() }

// A parser may leave the flow because of lost bytes: what follows them is
// identified by its content, as of a stream whose start was not seen.
func TestSwitchInGap(t *testing.T) {
	beta := lines{name: "beta", magic: "BETA", mode: proto.Yes}
	w := newWorld(t, func(c *Config) {
		c.Protocols[0].New = func() proto.Parser { return &leaver{lineParser{name: "alpha"}} }
	}, alpha, beta)
	w.open(9)
	w.c(9, "ALPHA one\nhalf a")
	// 100 bytes never come; the server confirms that it has them.
	w.handle(frame(6, false, 9, packet.ACK|packet.PSH, 1000+16+100, 5000, []byte("BETA two\n")))
	w.handle(frame(6, true, 9, packet.ACK, 5000, 1000+16+100+9, nil))
	w.done(ev("alpha", ">ALPHA one"), ev("beta", ">BETA two"), "flow beta from alpha")
}
