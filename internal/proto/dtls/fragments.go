package dtls

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

// Limits of the reassembly of handshake messages, for each direction.
const (
	// maxPending bounds the messages put together at the same time: a flight
	// of a server has five messages, of which two are looked into.
	maxPending = 4
	// maxHoles bounds the missing stretches of one message.
	maxHoles = 32
	// maxKept bounds the memory of one buffer kept for the next flow.
	maxKept = 8 << 10
)

// pending is a handshake message of which fragments are missing.
type pending struct {
	used   bool
	typ    byte
	seq    uint16
	buf    []byte
	holes  [maxHoles]hole // in order
	nholes int
}

type hole struct{ from, to int32 }

// begin prepares p for the message that m is a fragment of.
func (p *pending) begin(m *message) {
	p.used, p.typ, p.seq = true, m.typ, m.seq
	if cap(p.buf) < m.length {
		p.buf = make([]byte, m.length)
	}
	p.buf = p.buf[:m.length]
	p.holes[0], p.nholes = hole{0, int32(m.length)}, 1
}

// add copies what the fragment brings into the holes that are left: the first
// data for a place wins. It returns false when there are too many holes.
func (p *pending) add(m *message) bool {
	s := hole{int32(m.off), int32(m.off + len(m.body))}
	for i := 0; i < p.nholes; i++ {
		h := p.holes[i]
		from, to := max(h.from, s.from), min(h.to, s.to)
		if from >= to {
			continue
		}
		copy(p.buf[from:to], m.body[int(from)-m.off:])
		switch {
		case h.from == from && h.to == to:
			copy(p.holes[i:], p.holes[i+1:p.nholes])
			p.nholes--
			i--
		case h.from == from:
			p.holes[i].from = to
		case h.to == to:
			p.holes[i].to = from
		default:
			if p.nholes == maxHoles {
				return false
			}
			copy(p.holes[i+2:], p.holes[i+1:p.nholes])
			p.holes[i].to = from
			p.holes[i+1] = hole{to, h.to}
			p.nholes++
			i++
		}
	}
	return true
}

// fragments puts the messages of one direction together.
type fragments struct{ list [maxPending]*pending }

func (f *fragments) reset() {
	for i, p := range f.list {
		if p != nil {
			p.used, p.buf = false, proto.Keep(p.buf, maxKept)
		}
		if i > 0 {
			f.list[i] = nil // most flights have one message in fragments
		}
	}
}

// add takes a fragment and returns the whole message once it is complete,
// valid until the next call. The error, if any, is the name of an anomaly.
func (f *fragments) add(m *message) (body []byte, anomaly string) {
	if len(m.body) == m.length {
		return m.body, ""
	}
	if m.length > tls.MaxHandshake {
		return nil, "handshake_too_long"
	}
	var p *pending
	for _, q := range f.list {
		if q != nil && q.used && q.seq == m.seq && q.typ == m.typ && len(q.buf) == m.length {
			p = q
			break
		}
	}
	for i := 0; i < maxPending && p == nil; i++ {
		if f.list[i] == nil {
			f.list[i] = new(pending)
		}
		if q := f.list[i]; !q.used {
			q.begin(m)
			p = q
		}
	}
	if p == nil {
		// The flow keeps starting messages: the oldest numbers are of no use
		// any more.
		p = f.list[0]
		for _, q := range f.list {
			if int16(q.seq-p.seq) < 0 {
				p = q
			}
		}
		p.begin(m)
		anomaly = "too_many_fragmented_messages"
	}
	if !p.add(m) {
		p.used = false
		return nil, "too_many_fragments"
	}
	if p.nholes == 0 {
		p.used = false
		return p.buf, anomaly
	}
	return nil, anomaly
}

// size returns the bytes held.
func (f *fragments) size() (n int) {
	for _, p := range f.list {
		if p != nil {
			n += int(unsafe.Sizeof(*p)) + cap(p.buf)
		}
	}
	return n
}
