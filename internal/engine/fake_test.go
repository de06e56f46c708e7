package engine

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// lines is a small protocol for these tests: lines ended by \n, the first of
// which starts with its magic. Some lines mean something to the parser.
type lines struct {
	name  string
	magic string
	mode  proto.Match // what the probe says once the magic is there
	ports []uint16
	on    proto.Transport
	limit int
}

func (l lines) protocol() proto.Protocol {
	if l.on == 0 {
		l.on = proto.TCP
	}
	return proto.Protocol{Name: l.name, Doc: "for tests", On: l.on, Ports: l.ports, Limit: l.limit, Event: event.Type(l.name),
		Probe: func(d packet.Dir, b []byte) proto.Match {
			m := l.magic
			if d == packet.ToClient {
				m = "re:" + m
			}
			switch {
			case len(b) < len(m) && bytes.HasPrefix([]byte(m), b):
				return proto.More
			case bytes.HasPrefix(b, []byte(m)):
				return l.mode
			}
			return proto.No
		},
		New: func() proto.Parser { return &lineParser{name: l.name} },
	}
}

type lineParser struct {
	name string
	tx   lineTx
	wait bool
}

type lineTx struct {
	name string
	line []byte
}

func (t *lineTx) EventType() event.Type      { return event.Type(t.name) }
func (t *lineTx) EncodeEVE(e *event.Encoder) { e.Obj(t.name); e.Bytes("line", t.line); e.EndObj() }

func (p *lineParser) Parse(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	n := 0
	for n < len(b) {
		i := bytes.IndexByte(b[n:], '\n')
		if i < 0 {
			if c.Transport == proto.TCP {
				return n, nil
			}
			i = len(b) - n - 1
			b = append(bytes.Clone(b), '\n')
			i++
		}
		line := b[n : n+i]
		if p.wait && d == packet.ToServer { // until the server has answered
			return n, nil
		}
		n += i + 1
		switch {
		case bytes.HasSuffix(line, []byte("panic")):
			panic("as asked")
		case bytes.HasSuffix(line, []byte("error")):
			return n, errors.New("as asked")
		case bytes.HasSuffix(line, []byte("finish")):
			c.Finish()
		case bytes.HasSuffix(line, []byte("wait")):
			p.wait = true
		case bytes.HasSuffix(line, []byte("go on")):
			p.wait = false
			c.Wake()
		case bytes.HasPrefix(line, []byte("carry ")):
			c.Carry(d, line[6:])
		case bytes.HasPrefix(line, []byte("odd")):
			c.Anomaly("odd_line")
		}
		p.tx = lineTx{p.name, append([]byte{"><"[d]}, line...)}
		c.Emit(&p.tx, true)
		if to, ok := bytes.CutPrefix(line, []byte("switch ")); ok {
			c.Switch(string(to))
			return n, nil
		}
		if c.Transport != proto.TCP {
			return n, nil
		}
	}
	return n, nil
}

func (p *lineParser) Gap(c *proto.Conn, d packet.Dir, n int) error {
	p.tx = lineTx{p.name, fmt.Appendf(nil, "gap %d %d", d, n)}
	c.Emit(&p.tx, true)
	return nil
}
func (p *lineParser) End(c *proto.Conn) {}
func (p *lineParser) Reset()            { *p = lineParser{name: p.name} }

// badWord is a detector that finds the word "bad".
type badWord struct{}

func (badWord) Inspect(_ *flow.Flow, _ *proto.Conn, tx proto.Tx) (event.Finding, bool) {
	if t, ok := tx.(*lineTx); ok && bytes.Contains(t.line, []byte("bad")) {
		return event.Finding{Category: event.Policy, Detector: "bad", Level: event.Confirmed, FromClient: true}, true
	}
	return event.Finding{}, false
}

// world is an engine with what it said.
type world struct {
	t      *testing.T
	e      *Engine
	events []string
	now    int64
	seq    map[string]uint32
	panics int
}

func newWorld(t *testing.T, mod func(*Config), ps ...lines) *world {
	t.Helper()
	w := &world{t: t, now: 1e18, seq: map[string]uint32{}}
	cfg := Config{MaxFlows: 1024, Flows: true, NumberPackets: true,
		Detectors: []detect.Detector{{Name: "bad", New: func() detect.Inline { return badWord{} }}},
		OnPanic:   func(any, []byte) { w.panics++ },
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				s := string(ev.Type)
				switch {
				case ev.Type == event.Flow:
					s += " " + ev.AppProto
					if ev.AppProtoOrig != "" {
						s += " from " + ev.AppProtoOrig
					}
					if ev.SrcPort != 40000 {
						s += " reversed"
					}
				case ev.Finding != nil:
					s += " " + ev.Finding.Detector
				default:
					var e event.Encoder
					ev.Body.EncodeEVE(&e)
					s = string(e.B)
				}
				w.events = append(w.events, s)
			})
		}}
	cfg.Events = []event.Type{event.Anomaly}
	for _, p := range ps {
		cfg.Protocols = append(cfg.Protocols, p.protocol())
		cfg.Events = append(cfg.Events, event.Type(p.name))
	}
	if mod != nil {
		mod(&cfg)
	}
	var err error
	if w.e, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// tcpFrame is an Ethernet frame between 192.168.1.2:40000 (the client) and
// 192.0.2.1:port.
func frame(proto uint8, fromServer bool, port uint16, flags uint8, seq, ack uint32, payload []byte) []byte {
	eth := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}
	ip := []byte{0x45, 0, 0, 0, 0, 1, 0, 0, 64, proto, 0, 0, 192, 168, 1, 2, 192, 0, 2, 1}
	sp, dp := uint16(40000), port
	if fromServer {
		copy(ip[12:], []byte{192, 0, 2, 1, 192, 168, 1, 2})
		sp, dp = dp, sp
	}
	var l4 []byte
	if proto == packet.ProtoTCP {
		l4 = []byte{byte(sp >> 8), byte(sp), byte(dp >> 8), byte(dp), byte(seq >> 24), byte(seq >> 16), byte(seq >> 8), byte(seq),
			byte(ack >> 24), byte(ack >> 16), byte(ack >> 8), byte(ack), 0x50, flags, 0xff, 0xff, 0, 0, 0, 0}
	} else {
		n := 8 + len(payload)
		l4 = []byte{byte(sp >> 8), byte(sp), byte(dp >> 8), byte(dp), byte(n >> 8), byte(n), 0, 0}
	}
	l4 = append(l4, payload...)
	n := len(ip) + len(l4)
	ip[2], ip[3] = byte(n>>8), byte(n)
	return append(append(eth, ip...), l4...)
}

func (w *world) handle(b []byte) {
	w.now += 1e6
	w.e.Workers[0].Handle(&packet.Frame{Time: w.now, Data: b, Len: len(b), Link: packet.LinkEthernet})
}

// open does the handshake of a connection to port.
func (w *world) open(port uint16) {
	w.handle(frame(6, false, port, packet.SYN, 999, 0, nil))
	w.handle(frame(6, true, port, packet.SYN|packet.ACK, 4999, 1000, nil))
	w.handle(frame(6, false, port, packet.ACK, 1000, 5000, nil))
}

// say sends the next bytes of one side of the connection to port.
func (w *world) say(fromServer bool, port uint16, s string) {
	k, o := fmt.Sprint(fromServer, port), fmt.Sprint(!fromServer, port)
	base, other := uint32(1000), uint32(5000)
	if fromServer {
		base, other = other, base
	}
	w.handle(frame(6, fromServer, port, packet.ACK|packet.PSH, base+w.seq[k], other+w.seq[o], []byte(s)))
	w.seq[k] += uint32(len(s))
}

func (w *world) c(port uint16, s string) { w.say(false, port, s) }
func (w *world) s(port uint16, s string) { w.say(true, port, s) }

// done ends all flows and compares what was said.
func (w *world) done(want ...string) {
	w.t.Helper()
	w.e.Close()
	if len(w.events) != len(want) {
		w.t.Fatalf("events:\n%q\nwant:\n%q", w.events, want)
	}
	for i := range want {
		if w.events[i] != want[i] {
			w.t.Fatalf("event %d:\n%s\nwant:\n%s", i, w.events[i], want[i])
		}
	}
	if used := w.e.Workers[0].bufs.used; used != 0 {
		w.t.Errorf("%d bytes of held buffers were not given back", used)
	}
	if held := w.e.Workers[0].pool.Stats().HeldBytes; held != 0 {
		w.t.Errorf("%d bytes of streams were not given back", held)
	}
}
