package flow

import "github.com/yamori-net/yamori/internal/packet"

// TCPState returns how far a TCP connection has come in the words of Suricata's
// flow records.
func (f *Flow) TCPState() string {
	c, s := &f.tcp[packet.ToServer], &f.tcp[packet.ToClient]
	switch f.State {
	case Closed:
		return "closed"
	case New:
		switch {
		case s.flags&sentSYN != 0:
			return "syn_recv"
		case c.flags&sentSYN != 0:
			return "syn_sent"
		}
		return "none"
	}
	cf, sf := c.flags&sentFIN != 0, s.flags&sentFIN != 0
	switch {
	case cf && sf && c.finAcked(s):
		return "last_ack"
	case cf && sf && s.finAcked(c):
		return "time_wait"
	case cf && sf:
		return "closing"
	case cf:
		return "close_wait"
	case sf && s.finAcked(c):
		return "fin_wait2"
	case sf:
		return "fin_wait1"
	}
	return "established"
}
