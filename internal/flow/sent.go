package flow

import "github.com/yamori-net/yamori/internal/packet"

// Sent returns how many bytes of stream direction d has sent so far as its
// sequence numbers tell, the SYN not counted; zero when its SYN was not seen.
func (f *Flow) Sent(d packet.Dir) uint32 {
	s := &f.tcp[d]
	if s.flags&sentSYN == 0 || s.flags&sentAny == 0 {
		return 0
	}
	return s.next - s.isn - 1
}
