// Package ldap reads the Lightweight Directory Access Protocol (RFC 4511) over
// TCP and, connectionless, over UDP (RFC 1798): who asks a directory for what,
// and what it says.
package ldap

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// MaxMessage is how much of a message is looked into; the rest of a longer
	// one (photographs, certificates) is counted off.
	MaxMessage = 16 << 10
	// MaxOpen is how many requests of a flow may wait for their answers. When
	// there are more, the oldest is given up; anomaly "too_many_transactions".
	MaxOpen = 16
	// MaxResponses is how many answers to a request are kept. Of more, each
	// takes the last place, so that rules see it, and then the next has it.
	MaxResponses = 16
	// MaxAttributes is how many names of attributes of a message are kept.
	MaxAttributes = 64
	// MaxText bounds the bytes of names and texts kept of one message.
	MaxText = 4 << 10
)

// Protocol is LDAP on TCP and UDP.
var Protocol = proto.Protocol{
	Name:  "ldap",
	Doc:   "Lightweight Directory Access Protocol: requests to a directory and its answers",
	On:    proto.TCP | proto.UDP,
	Ports: []uint16{389, 3268},
	Event: "ldap",
	Limit: MaxMessage,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "ldap.request.operation", Doc: "operation of the request: one byte, the number of its tag", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.op[:] })},
		{Name: "ldap.request.dn", Doc: "name of the entry that is asked for", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Request.DN })},
		{Name: "ldap.request.attribute_type", Doc: "names of attributes in the request", Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i >= len(t.Request.Attributes) {
				return nil, false
			}
			return t.Request.Attributes[i], true
		}},
		{Name: "ldap.responses.operation", Doc: "operations of the answers: a byte for each, the number of its tag", Dir: packet.ToClient, Get: answered(func(t *Tx) []byte { return t.ops })},
		{Name: "ldap.responses.result_code", Doc: "result codes of the answers: two bytes for each that has one", Dir: packet.ToClient, Get: answered(func(t *Tx) []byte { return t.codes })},
		{Name: "ldap.responses.count", Doc: "number of answers, once all are there, in decimal", Dir: packet.ToClient, Get: answered(func(t *Tx) []byte { return t.count })},
		{Name: "ldap.responses.dn", Doc: "names of entries in the answers", Dir: packet.ToClient, Get: each(func(m *Message) []byte { return m.DN })},
		{Name: "ldap.responses.message", Doc: "diagnostic messages of the answers", Dir: packet.ToClient, Get: each(func(m *Message) []byte { return m.Text })},
		{Name: "ldap.responses.attribute_type", Doc: "names of attributes in the answers", Dir: packet.ToClient, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			for k := 0; ok && k < len(t.Responses); k++ {
				a := t.Responses[k].Attributes
				if i < len(a) {
					return a[i], true
				}
				i -= len(a)
			}
			return nil, false
		}},
	},
}

func one(get func(*Tx) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || !t.Asked {
			return nil, false
		}
		b := get(t)
		return b, b != nil
	}
}

func answered(get func(*Tx) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 {
			return nil, false
		}
		b := get(t)
		return b, len(b) > 0
	}
}

func each(get func(*Message) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		for k := 0; ok && k < len(t.Responses); k++ {
			if b := get(&t.Responses[k]); len(b) > 0 {
				if i == 0 {
					return b, true
				}
				i--
			}
		}
		return nil, false
	}
}

// Tx is a request with its answers, or an answer that nobody asked for.
type Tx struct {
	ID        uint32
	Asked     bool // the request was seen
	Request   Message
	Responses []Message // the first of them, and the last
	Count     int       // of all answers

	op    [1]byte
	ops   []byte // of the answers
	codes []byte // of the answers
	count []byte // once complete
	store
	last mark // where the last place of Responses begins in store
}

// EventType implements proto.Tx.
func (t *Tx) EventType() event.Type { return "ldap" }

func (t *Tx) reset(id uint32) {
	*t = Tx{ID: id, Responses: t.Responses[:0], ops: t.ops[:0], codes: t.codes[:0], count: t.count[:0], store: t.store.empty()}
}

// respond reads the answer b of kind op.
func (t *Tx) respond(op uint8, b []byte) {
	t.Count++
	if len(t.Responses) < MaxResponses {
		t.last = mark{len(t.mem), len(t.attrs), len(t.codes)}
		t.Responses = append(t.Responses, Message{})
		t.ops = append(t.ops, op)
	} else {
		t.mem, t.attrs, t.codes = t.mem[:t.last.mem], t.attrs[:t.last.attrs], t.codes[:t.last.codes]
		t.ops[len(t.ops)-1] = op
	}
	m := &t.Responses[len(t.Responses)-1]
	t.store.read(m, op, b)
	if m.HasCode {
		t.codes = append(t.codes, byte(m.Code>>8), byte(m.Code))
	}
}
