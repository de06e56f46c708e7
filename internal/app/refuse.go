package app

import (
	"github.com/yamori-net/yamori/internal/inject"
	"github.com/yamori-net/yamori/internal/packet"
)

// refuse tells the ends of a packet that it was stopped: a question for names is
// refused, so that who asked need not wait; others are reset or told by ICMP.
func refuse(s *inject.Sender, p *packet.Packet) {
	if p.Proto == packet.ProtoUDP && p.DstPort == 53 {
		s.Refuse(p, inject.Refused)
		return
	}
	s.Reject(p)
}
