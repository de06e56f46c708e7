package mqtt

import (
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var (
	errLength = errors.New("mqtt: malformed remaining length")
	errType   = errors.New("mqtt: packet type 0")
	errLost   = errors.New("mqtt: packet boundary lost")
)

type parser struct {
	tx      Packet
	connect Packet
	mem     []byte // behind connect
	open    bool   // connect waits for its answer
	begun   bool   // a connect packet was seen
	version uint8
	skip    [2]int    // bytes of a packet that are not looked at
	held    [2][]byte // beginning of a packet whose end is in another WebSocket message
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	if c.Transport != proto.Message {
		return p.parse(c, d, data)
	}
	// Packets and WebSocket messages need not be aligned (section 6).
	if len(p.held[d]) > 0 {
		// The rest of the packet goes to what is held, piece by piece, so that
		// held never grows beyond one packet.
		for room := maxHeader + MaxBody - len(p.held[d]); len(data) > 0 && len(p.held[d]) > 0; room = maxHeader + MaxBody - len(p.held[d]) {
			k := min(room, len(data))
			if k <= 0 {
				return len(data), errLength
			}
			p.held[d] = append(p.held[d], data[:k]...)
			data = data[k:]
			n, err := p.parse(c, d, p.held[d])
			if err != nil {
				return len(data), err
			}
			p.held[d] = p.held[d][:copy(p.held[d], p.held[d][n:])]
		}
	}
	n, err := p.parse(c, d, data)
	p.held[d] = append(p.held[d], data[n:]...)
	return len(data), err
}

func (p *parser) parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	for {
		if k := min(p.skip[d], len(data)-n); k > 0 {
			p.skip[d] -= k
			n += k
		}
		b := data[n:]
		if len(b) > 0 && b[0] < 0x10 {
			c.Anomaly("unassigned_msg_type")
			return n, errType
		}
		if len(b) < 2 {
			return n, nil
		}
		length, k := varint(b[1:])
		if k < 0 {
			return n, errLength
		}
		seen := min(length, MaxBody)
		if k == 0 || len(b) < 1+k+seen {
			return n, nil
		}
		if !minimal(length, k) {
			c.Anomaly("non_minimal_length")
		}
		p.packet(c, d, b[0], length, b[1+k:1+k+seen])
		n += 1 + k + seen
		p.skip[d] = length - seen
	}
}

// packet reads one packet with the body b of length bytes, or its beginning.
func (p *parser) packet(c *proto.Conn, d packet.Dir, first byte, length int, b []byte) {
	t := &p.tx
	*t = Packet{Dir: d, Type: Type(first >> 4), QoS: first >> 1 & 3, Dup: first&8 != 0, Retain: first&1 != 0,
		Version: p.version, Length: length, Truncated: length > len(b), Topics: t.Topics[:0]}
	if t.answers() {
		t.Dir = d.Reverse()
	}
	p.flags(c, first)
	if !p.begun && !c.Midstream && t.Type != Connect {
		if t.Type == ConnAck {
			c.Anomaly("missing_connect")
		} else {
			c.Anomaly("unintroduced_message")
		}
		p.begun = true // once is enough
	}
	r := reader{b: b}
	r.body(t)
	if t.Truncated && (r.bad || t.Type != Publish) { // messages may be long
		c.Anomaly("truncated_packet")
	} else if r.bad {
		c.Anomaly("malformed_traffic")
	}
	switch {
	case t.Type == Connect:
		p.opened(c, t)
	case t.Type == ConnAck && p.open:
		p.connect.Answered, p.connect.SessionPresent, p.connect.ReasonCode = true, t.SessionPresent, t.ReasonCode
		p.connect.AssignedID = p.keep(t.AssignedID)
		p.close(c)
	default:
		c.Emit(t, true)
	}
	p.drop()
}

// flags checks the low half of the fixed header's first byte, section 2.1.3.
// MQTT 3.1 allowed the DUP flag where 3.1.1 reserved it.
func (p *parser) flags(c *proto.Conn, first byte) {
	switch t := Type(first >> 4); {
	case t == Publish:
		if first&6 == 6 {
			c.Anomaly("invalid_qos_level")
		}
	case t == PubRel || t == Subscribe || t == Unsubscribe:
		if first&15 != 2 && !(p.version == 3 && first&7 == 2) {
			c.Anomaly("invalid_flags")
		}
	case t == Auth && p.version != 5 && p.version != 0:
		c.Anomaly("unassigned_msg_type")
	case first&15 != 0 && p.version != 3:
		c.Anomaly("invalid_flags")
	}
}

// body reads t's variable header and payload.
func (r *reader) body(t *Packet) {
	switch t.Type {
	case Connect:
		r.connect(t)
	case ConnAck:
		t.SessionPresent = r.byte()&1 != 0
		t.ReasonCode = r.byte()
		if t.Version == 5 {
			r.properties(t)
		}
	case Publish:
		t.Topic = r.text()
		if t.QoS != 0 {
			t.ID, t.HasID = r.uint16(), true
		}
		if t.Version == 5 {
			r.properties(t)
		}
		t.Payload = r.b
		t.PayloadLen = len(r.b)
		if !r.bad && t.Truncated {
			t.PayloadLen += t.Length - MaxBody
		}
	case PubAck, PubRec, PubRel, PubComp:
		t.ID, t.HasID = r.uint16(), true
		if len(r.b) > 0 {
			t.ReasonCode = r.byte()
		}
	case Subscribe, Unsubscribe:
		r.filters(t)
	case SubAck, UnsubAck:
		t.ID, t.HasID = r.uint16(), true
		if t.Version == 5 {
			r.properties(t)
		}
		t.Codes = r.b[:min(len(r.b), MaxTopics)]
	case Disconnect, Auth:
		if len(r.b) > 0 {
			t.ReasonCode = r.byte()
		}
	}
}

// connect reads section 3.1 (3.1.1 and 3.1 lack the properties).
func (r *reader) connect(t *Packet) {
	t.ProtocolString = r.text()
	t.Version = r.byte() & 0x7f // a bridge sets the top bit
	t.Flags = r.byte()
	t.KeepAlive = r.uint16()
	var ignored Packet // the will's properties
	if t.Version == 5 {
		r.properties(&ignored)
	}
	t.ClientID = r.text()
	if t.Flags&flagWill != 0 {
		if t.Version == 5 {
			r.properties(&ignored)
		}
		t.WillTopic = r.text()
		t.WillMessage = r.text()
	}
	if t.Flags&flagUsername != 0 {
		t.Username = r.text()
	}
	if t.Flags&flagPassword != 0 {
		t.Password = r.text()
	}
}

// filters reads a list of topic filters. When the version is not known, what
// is no list of 3.1.1 is tried as one of 5.0.
func (r *reader) filters(t *Packet) {
	start := *r
	t.ID, t.HasID = r.uint16(), true
	if t.Version == 5 {
		r.properties(t)
	}
	for n := 0; !r.bad && (n == 0 || len(r.b) > 0); n++ {
		f := Topic{Filter: r.text()}
		if t.Type == Subscribe {
			f.Options = r.byte()
		}
		if !r.bad && n < MaxTopics {
			t.Topics = append(t.Topics, f)
		}
	}
	if r.bad && t.Version == 0 {
		*r = start
		t.Version, t.Topics = 5, t.Topics[:0]
		r.filters(t)
		t.Version = 0
	}
}

// opened keeps a connect packet until its answer.
func (p *parser) opened(c *proto.Conn, t *Packet) {
	if p.open {
		c.Anomaly("double_connect")
		p.close(c)
	} else if p.version != 0 {
		c.Anomaly("double_connect")
	}
	p.begun, p.open, p.version = true, true, t.Version
	p.mem = p.mem[:0]
	// The answer may add an identifier of the usual length.
	const more = 64
	if n := len(t.ProtocolString) + len(t.ClientID) + len(t.WillTopic) + len(t.WillMessage) + len(t.Username); cap(p.mem) < n {
		p.mem = make([]byte, 0, n+more)
	}
	p.connect = *t
	p.connect.Topics = nil
	for _, s := range [...]*[]byte{&p.connect.ProtocolString, &p.connect.ClientID, &p.connect.WillTopic, &p.connect.WillMessage, &p.connect.Username, &p.connect.Password} {
		*s = p.keep(*s)
	}
	c.Emit(&p.connect, false)
}

// keep copies b to the connect packet's memory; nil stays nil.
func (p *parser) keep(b []byte) []byte {
	if b == nil {
		return nil
	}
	at := len(p.mem)
	p.mem = append(p.mem, b...)
	return p.mem[at:len(p.mem):len(p.mem)]
}

// close emits the connect packet for the last time.
func (p *parser) close(c *proto.Conn) {
	c.Emit(&p.connect, true)
	p.open = false
	p.connect = Packet{}
}

// drop forgets the slices of the last packet, not their array of topics.
func (p *parser) drop() {
	clear(p.tx.Topics)
	p.tx = Packet{Topics: p.tx.Topics[:0]}
}

// Gap goes on when only bytes that would be skipped are lost.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	if n > p.skip[d] {
		return errLost
	}
	p.skip[d] -= n
	return nil
}

func (p *parser) End(c *proto.Conn) {
	if p.open {
		p.close(c)
	}
}

// Size implements proto.Sizer.
func (p *parser) Size() int {
	const topic = 32 // bytes of a Topic
	return cap(p.mem) + cap(p.held[0]) + cap(p.held[1]) + topic*cap(p.tx.Topics)
}

// keptPacket is how many bytes of a connect packet, and of a packet in pieces,
// a parser keeps room for between flows.
const keptPacket = 1 << 10

func (p *parser) Reset() {
	p.drop()
	*p = parser{tx: p.tx, mem: proto.Keep(p.mem, keptPacket),
		held: [2][]byte{proto.Keep(p.held[0], keptPacket), proto.Keep(p.held[1], keptPacket)}}
}
