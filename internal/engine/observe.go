package engine

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Observer watches one worker's traffic for what it tells about devices. It is
// called on the packet's way: it must be quick, and allocate only when it
// learns something. What it is given is valid during the call.
type Observer interface {
	// First is shown the first packet of a flow in each direction.
	First(f *flow.Flow, d packet.Dir, p *packet.Packet)
	// ARP is shown every ARP message.
	ARP(p *packet.Packet)
	// Tx is shown every transaction when it is complete. Of UDP flows p is the
	// packet that carried it.
	Tx(f *flow.Flow, c *proto.Conn, p *packet.Packet, tx proto.Tx)
	// Tick is called once a second of packet time.
	Tick(now int64)
}

// first tells the observer of a flow's first packets.
func (w *Worker) first(fl *flow.Flow, d packet.Dir, p *packet.Packet) {
	if fl.Side[d].Packets == 1 {
		w.observer.First(fl, d, p)
	}
}

// ref names the device that has m and ip.
func (w *Worker) ref(m packet.MAC, ip packet.Addr) event.DeviceRef {
	if r := w.e.cfg.Refs; r != nil {
		return r(m, ip)
	}
	return w.devices.Ref(m, ip)
}
