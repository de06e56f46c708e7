package evidence

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// slot is a capture under way.
type slot struct {
	buf      []byte // records, one after another
	limit    int    // bytes of the capture
	size     int    // of the capture so far
	flow     uint64
	time     int64
	left     int // packets still to come
	n        int
	proof    int // index of the packet that has the comment
	note     []byte
	category event.Category
	gid, sid uint32
}

// maxComment bounds the comment, so that it never pushes the proof out.
const maxComment = 2048

// fixed is the size of what stands before the packets, with the descriptions
// of maxLinks link types.
const (
	maxLinks             = 4
	sectionLen, ifaceLen = 28, 32
	fixed                = sectionLen + maxLinks*ifaceLen
	vlanAt, vlanLen      = 12, 4
)

func (s *slot) begin(cfg *Config, ev *event.Event) {
	f := ev.Finding
	s.limit, s.flow, s.time, s.left = cfg.Blob, ev.FlowID, ev.Time, cfg.After
	s.category, s.gid, s.sid = f.Category, event.SignatureGID, f.SignatureID
	if f.Rule != nil {
		s.gid, s.sid = f.Rule.GID, f.Rule.SID
	}
	s.note = cut(comment(s.note[:0], f))
	s.size = fixed + 8 + len(s.note) + 3
	if cap(s.buf) < cfg.Blob {
		s.buf = make([]byte, 0, cfg.Blob)
	}
	s.proof = -1
}

// cut bounds a text at the end of a character.
func cut(b []byte) []byte {
	if len(b) <= maxComment {
		return b
	}
	b = b[:maxComment]
	for len(b) > 0 && !utf8.RuneStart(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b[:max(0, len(b)-1)]
}

func (s *slot) room() int { return s.limit - s.size }

// blockOf is what a record becomes at most: an enhanced packet block has 32
// bytes around its data, a tag that was taken off may come back, and padding.
func blockOf(size int) int { return size - headLen + 32 + vlanLen + 4 }

// add appends a packet; false: there is no room for it.
func (s *slot) add(h *record, data []byte) bool {
	n := blockOf(h.size)
	if n > s.room() || len(s.buf)+h.size > cap(s.buf) {
		return false
	}
	s.size += n
	at := len(s.buf)
	s.buf = s.buf[:at+h.size]
	h.put(s.buf[at:])
	copy(s.buf[at+headLen:], data)
	if h.time <= s.time {
		s.proof = s.n
	}
	s.n++
	return true
}

func (s *slot) reset() {
	s.buf, s.n, s.flow = s.buf[:0], 0, 0
}

// item encodes the capture as pcapng (draft-ietf-opsawg-pcapng), little-endian,
// times in nanoseconds.
func (s *slot) item() *Item {
	le := binary.LittleEndian
	b := make([]byte, 0, s.size)
	b = le.AppendUint32(b, 0x0a0d0d0a)
	b = le.AppendUint32(b, sectionLen)
	b = le.AppendUint32(b, 0x1a2b3c4d)
	b = le.AppendUint32(b, 1) // version 1.0
	b = le.AppendUint64(b, 1<<64-1)
	b = le.AppendUint32(b, sectionLen)
	var links []packet.LinkType
	it := &Item{FlowID: s.flow, Time: s.time, Category: s.category, GID: s.gid, SID: s.sid}
	var h record
	for at := 0; at < len(s.buf); at += h.size {
		h.get(s.buf[at:])
		id := -1
		for i, l := range links {
			if l == h.link {
				id = i
			}
		}
		if id < 0 {
			if len(links) == maxLinks {
				continue
			}
			id = len(links)
			links = append(links, h.link)
			b = le.AppendUint32(b, 1)
			b = le.AppendUint32(b, ifaceLen)
			b = le.AppendUint32(b, uint32(h.link))
			b = le.AppendUint32(b, 65535)
			b = le.AppendUint32(b, 9|1<<16) // if_tsresol, one byte
			b = le.AppendUint32(b, 9)       // nanoseconds
			b = le.AppendUint32(b, 0)
			b = le.AppendUint32(b, ifaceLen)
		}
		var note []byte
		if it.Packets == s.proof {
			note = s.note
		}
		b = block(b, uint32(id), &h, s.buf[at+headLen:at+headLen+h.cap], note)
		it.Packets++
	}
	it.Data = b
	return it
}

// block appends an enhanced packet block. A tag that the network card took off
// is put back.
func block(b []byte, id uint32, h *record, data, note []byte) []byte {
	le := binary.LittleEndian
	n, wire := len(data), h.wire
	tag := h.tpid != 0 && h.link == packet.LinkEthernet && n >= vlanAt
	if tag {
		n, wire = n+vlanLen, wire+vlanLen
	}
	start := len(b)
	b = le.AppendUint32(b, 6)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, id)
	t := uint64(max(h.time, 0))
	b = le.AppendUint32(b, uint32(t>>32))
	b = le.AppendUint32(b, uint32(t))
	b = le.AppendUint32(b, uint32(n))
	b = le.AppendUint32(b, uint32(wire))
	if tag {
		b = append(b, data[:vlanAt]...)
		b = binary.BigEndian.AppendUint16(b, h.tpid)
		b = binary.BigEndian.AppendUint16(b, h.tci)
		data = data[vlanAt:]
	}
	b = pad(append(b, data...), n)
	if len(note) > 0 {
		b = le.AppendUint32(b, 1|uint32(len(note))<<16) // opt_comment
		b = pad(append(b, note...), len(note))
		b = le.AppendUint32(b, 0)
	}
	total := uint32(len(b) - start + 4)
	le.PutUint32(b[start+4:], total)
	return le.AppendUint32(b, total)
}

func pad(b []byte, n int) []byte { return append(b, 0, 0, 0)[:len(b)+(-n&3)] }
