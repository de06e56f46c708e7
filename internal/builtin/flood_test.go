package builtin_test

import (
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// say is what one side of a flow sends.
type say struct {
	server bool
	data   string
}

func c(s string) say { return say{false, s} }
func s(s string) say { return say{true, s} }

// flood plays the same flow again and again, each time from another address,
// into an engine as it ships.
type flood struct {
	e    *engine.Engine
	host uint32
	now  int64
	buf  []byte
}

func newFlood(t *testing.T) *flood {
	t.Helper()
	var eve event.EVE
	var buf []byte
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Events: builtin.EventTypes(), Flows: true, Seed: 1,
		Sink: func(int) event.Sink { return event.SinkFunc(func(ev *event.Event) { buf = eve.Append(buf[:0], ev) }) }})
	if err != nil {
		t.Fatal(err)
	}
	return &flood{e: e, now: 1e18}
}

func (f *flood) frame(proto uint8, server bool, port uint16, l4 []byte, payload string) {
	b := append(f.buf[:0], 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0)
	n := 20 + len(l4) + len(payload)
	b = append(b, 0x45, 0, byte(n>>8), byte(n), 0, 1, 0, 0, 64, proto, 0, 0)
	var client [4]byte
	binary.BigEndian.PutUint32(client[:], 10<<24|f.host)
	server4 := [4]byte{192, 0, 2, 1}
	if server {
		client, server4 = server4, client
		binary.BigEndian.PutUint16(l4, port)
		binary.BigEndian.PutUint16(l4[2:], 40000)
	} else {
		binary.BigEndian.PutUint16(l4, 40000)
		binary.BigEndian.PutUint16(l4[2:], port)
	}
	b = append(append(b, client[:]...), server4[:]...)
	b = append(append(b, l4...), payload...)
	f.buf = b
	f.now += 1000
	f.e.Workers[0].Handle(&packet.Frame{Time: f.now, Data: b, Len: len(b), Link: packet.LinkEthernet})
}

// segment is how much one frame carries: a receive-offloaded segment.
const segment = 32 << 10

// tcp plays one connection, with its handshake but without an end.
func (f *flood) tcp(port uint16, says []say) {
	f.host++
	seq := [2]uint32{1000, 5000}
	send := func(server bool, flags byte, data string) {
		d := 0
		if server {
			d = 1
		}
		l4 := make([]byte, 20)
		binary.BigEndian.PutUint32(l4[4:], seq[d])
		binary.BigEndian.PutUint32(l4[8:], seq[1-d])
		l4[12], l4[13], l4[14], l4[15] = 0x50, flags, 0xff, 0xff
		f.frame(packet.ProtoTCP, server, port, l4, data)
		seq[d] += uint32(len(data))
		if flags&packet.SYN != 0 {
			seq[d]++
		}
	}
	send(false, packet.SYN, "")
	send(true, packet.SYN|packet.ACK, "")
	send(false, packet.ACK, "")
	for _, x := range says {
		for b := x.data; len(b) > 0; {
			n := min(len(b), segment)
			send(x.server, packet.ACK|packet.PSH, b[:n])
			b = b[n:]
		}
	}
}

// udp plays one flow of datagrams.
func (f *flood) udp(port uint16, says []say) {
	f.host++
	for _, x := range says {
		l4 := make([]byte, 8)
		binary.BigEndian.PutUint16(l4[4:], uint16(8+len(x.data)))
		f.frame(packet.ProtoUDP, x.server, port, l4, x.data)
	}
}

// heap returns the bytes of heap in use after a collection. The second one
// empties what sync.Pool keeps over the first.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse)
}
