package talks

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// TestTalks sends each conversation through an engine: what mines is found at
// the step that the table says, and not later than the first answer but where
// the dialect does not show itself so early; the others are not found at all.
func TestTalks(t *testing.T) {
	// Hathor's job comes after a plain answer. A node's owner may ask it for work
	// once.
	late := map[string]bool{"hathor": true, "ethereum-http": true}
	ports, names := map[uint16]bool{}, map[string]bool{}
	for _, talk := range All() {
		if ports[talk.Port] || names[talk.Name] || ports[talk.TLSPort()] {
			t.Errorf("%s: its name or port is taken", talk.Name)
		}
		ports[talk.Port], names[talk.Name], ports[talk.TLSPort()] = true, true, true
		at, f := judge(t, &talk)
		if at != talk.At {
			t.Errorf("%s: found at step %d, the table says %d", talk.Name, at, talk.At)
			continue
		}
		if !talk.Mining {
			continue
		}
		if f.Mining == nil || f.Mining.Dialect != talk.Dialect {
			t.Errorf("%s: %+v", talk.Name, f.Mining)
		}
		if at > talk.First() && !late[talk.Name] {
			t.Errorf("%s: found at step %d, after the first answer (%d)", talk.Name, at, talk.First())
		}
	}
	if _, ok := Find("cryptonote"); !ok || len(Mining()) < 49 {
		t.Errorf("%d dialects", len(Mining()))
	}
}

// judge returns the step at which an engine finds something, or -1.
func judge(t *testing.T, talk *Talk) (at int, f event.Finding) {
	t.Helper()
	at = -1
	step := 0
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Seed: 1,
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Finding != nil && at < 0 && ev.Finding.Level == event.Confirmed {
					at, f = step, *ev.Finding
				}
			})
		},
		OnPanic: func(v any, stack []byte) { t.Errorf("%s: panic: %v\n%s", talk.Name, v, stack) },
	})
	if err != nil {
		t.Fatal(err)
	}
	now := int64(1e18)
	send := func(fromServer bool, flags byte, seq [2]uint32, data []byte) {
		b := frame(talk.Port, fromServer, flags, seq, data)
		now += 1e6
		e.Workers[0].Handle(&packet.Frame{Time: now, Data: b, Len: len(b), Link: packet.LinkEthernet})
	}
	seq := [2]uint32{1000, 5000}
	send(false, packet.SYN, seq, nil)
	seq[0]++
	send(true, packet.SYN|packet.ACK, seq, nil)
	seq[1]++
	for i, s := range talk.Steps {
		step = i
		for data := s.Data; len(data) > 0; {
			piece := data[:min(len(data), 1400)]
			data = data[len(piece):]
			send(s.FromServer, packet.ACK|packet.PSH, seq, piece)
			if s.FromServer {
				seq[1] += uint32(len(piece))
			} else {
				seq[0] += uint32(len(piece))
			}
		}
	}
	step = len(talk.Steps)
	e.Close()
	return at, f
}

// frame is an Ethernet frame with a TCP segment; seq holds the next numbers of
// client and server.
func frame(port uint16, fromServer bool, flags byte, seq [2]uint32, data []byte) []byte {
	b := make([]byte, 54, 54+len(data))
	b[12] = 8
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(data)))
	from, to, me, other := []byte{192, 168, 50, 10}, []byte{198, 51, 100, 33}, uint16(40000), port
	if fromServer {
		from, to, me, other = to, from, other, me
		seq[0], seq[1] = seq[1], seq[0]
	}
	copy(ip[12:], from)
	copy(ip[16:], to)
	tcp := ip[20:]
	binary.BigEndian.PutUint16(tcp, me)
	binary.BigEndian.PutUint16(tcp[2:], other)
	binary.BigEndian.PutUint32(tcp[4:], seq[0])
	if flags&packet.ACK != 0 {
		binary.BigEndian.PutUint32(tcp[8:], seq[1])
	}
	tcp[12], tcp[13] = 5<<4, flags
	binary.BigEndian.PutUint16(tcp[14:], 65535)
	return append(b, data...)
}

// TestTwins: what is like mining in everything but the words is not found.
func TestTwins(t *testing.T) {
	for _, talk := range Mining() {
		twin := Twin(talk)
		same := 0
		for i, s := range twin.Steps {
			if len(s.Data) != len(talk.Steps[i].Data) || s.FromServer != talk.Steps[i].FromServer {
				t.Errorf("%s: step %d is of another kind", twin.Name, i)
			}
			if bytes.Equal(s.Data, talk.Steps[i].Data) {
				same++
			}
		}
		if same == len(twin.Steps) {
			t.Errorf("%s is the same", twin.Name)
		}
		if at, f := judge(t, &twin); at >= 0 {
			t.Errorf("%s: found at step %d: %+v\n%q", twin.Name, at, f.Mining, twin.Steps[at].Data)
		}
	}
}
