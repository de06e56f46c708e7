package inject

import (
	"fmt"
	"net"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/packet"
)

// Mirror resets connections that were seen on a mirror port, because the owner
// asked for it: out of an interface that he named, which has to reach the hosts
// (many switches take nothing in on a mirror port). It is a race that is
// sometimes lost: call Reset for each segment of the connection until it is
// quiet. One goroutine at a time may call its methods.
type Mirror struct {
	fd    int
	own   packet.MAC
	to    unix.SockaddrLinklayer
	buf   []byte
	since int64 // of the second that is counted, packet time
	count int

	Sent, Failed, Limited atomic.Uint64 // frames; pairs that MirrorRate kept back
}

// MirrorRate bounds the connections that are reset in a second, so that a flood
// on the mirror cannot make this machine flood the network.
const MirrorRate = 200

// OpenMirror takes the interface that frames go out by. open opens the packet
// socket (afpacket.Socket, or of a process with privileges).
func OpenMirror(name string, open func(raw bool) (int, error)) (*Mirror, error) {
	ifc, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("inject: interface %q: %w", name, err)
	}
	if len(ifc.HardwareAddr) != 6 {
		return nil, fmt.Errorf("inject: interface %s is no Ethernet interface", name)
	}
	m := &Mirror{own: packet.MAC(ifc.HardwareAddr), to: unix.SockaddrLinklayer{Ifindex: ifc.Index}, buf: make([]byte, 0, 2*MaxFrame)}
	if m.fd, err = open(true); err != nil {
		return nil, fmt.Errorf("inject: packet socket: %w", err)
	}
	return m, nil
}

// Reset resets the connection of p, which was decoded from f, at both ends. It
// reports whether both frames went out.
func (m *Mirror) Reset(f *packet.Frame, p *packet.Packet) bool {
	a, b := MirrorResets(m.buf[:0], m.own, f, p)
	if a == nil {
		return false
	}
	if f.Time-m.since >= 1e9 || f.Time < m.since {
		m.since, m.count = f.Time, 0
	}
	if m.count++; m.count > MirrorRate {
		m.Limited.Add(1)
		return false
	}
	// The answer first: the sender is more likely to have more to say.
	return m.send(b) && m.send(a)
}

func (m *Mirror) send(b []byte) bool {
	if err := unix.Sendto(m.fd, b, 0, &m.to); err != nil {
		m.Failed.Add(1)
		return false
	}
	m.Sent.Add(1)
	return true
}

// Close closes the socket.
func (m *Mirror) Close() { _ = unix.Close(m.fd) }
