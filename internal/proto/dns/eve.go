package dns

import (
	"strconv"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/event"
)

// EventType returns "dns".
func (m *Message) EventType() event.Type { return "dns" }

// EncodeEVE appends "dns":{…} in the shape of Suricata 7: a query with its
// first question, or an answer of version 2 with the detailed answers and the
// same grouped by type. More questions and EDNS follow in members of their own.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("dns")
	e.Uint("version", 2)
	if m.Response() {
		m.encodeAnswer(e)
	} else {
		e.Str("type", "query")
		e.Uint("id", uint64(m.ID))
		m.encodeQuestion(e)
		e.Uint("tx_id", m.TxID)
		e.Uint("opcode", uint64(m.Opcode()))
	}
	if m.Len(Questions) > 1 {
		m.EncodeRecords(e, "queries", Questions)
	}
	m.encodeEDNS(e)
	e.EndObj()
}

func (m *Message) encodeQuestion(e *event.Encoder) {
	if m.Len(Questions) > 0 {
		q := m.Record(Questions, 0)
		m.Text(e, "rrname", m.Name(q))
		m.EncodeType(e, "rrtype", q.Type)
	}
}

func (m *Message) encodeAnswer(e *event.Encoder) {
	e.Str("type", "answer")
	e.Uint("id", uint64(m.ID))
	n := len(m.text)
	m.text = strconv.AppendUint(m.text, uint64(m.Flags), 16)
	e.Bytes("flags", m.text[n:])
	m.text = m.text[:n]
	e.Bool("qr", true)
	m.EncodeFlags(e)
	e.Uint("opcode", uint64(m.Opcode()))
	m.encodeQuestion(e)
	m.text = appendRCode(m.text, m.RCode())
	e.Bytes("rcode", m.text[n:])
	m.text = m.text[:n]
	if m.Len(Answers) > 0 {
		m.EncodeRecords(e, "answers", Answers)
		m.encodeGrouped(e)
	}
	if m.Len(Authorities) > 0 {
		m.EncodeRecords(e, "authorities", Authorities)
	}
}

// EncodeFlags appends those of aa, tc, rd, ra and z that are set.
func (m *Message) EncodeFlags(e *event.Encoder) {
	for _, f := range [...]struct {
		name string
		bit  uint16
	}{{"aa", FlagAA}, {"tc", FlagTC}, {"rd", FlagRD}, {"ra", FlagRA}, {"z", FlagZ}} {
		if m.Flags&f.bit != 0 {
			e.Bool(f.name, true)
		}
	}
}

// EncodeRecords appends section s as an array of objects: rrname, rrtype, and
// for records ttl and data. OPT records are left out.
func (m *Message) EncodeRecords(e *event.Encoder, key string, s Section) {
	e.Arr(key)
	for i := range m.Len(s) {
		r := m.Record(s, i)
		if r.Type == TypeOPT {
			continue
		}
		e.Obj("")
		m.Text(e, "rrname", m.Name(r))
		m.EncodeType(e, "rrtype", r.Type)
		if s != Questions {
			e.Uint("ttl", uint64(r.TTL))
			m.EncodeData(e, r)
		}
		e.EndObj()
	}
	e.EndArr()
}

// groups are the types that Suricata lists in "grouped".
var groups = [...]Type{TypeA, TypeAAAA, TypeCNAME, TypeMX, TypeNS, TypePTR, TypeTXT, TypeNULL, TypeSOA, TypeSRV, TypeSSHFP}

func (m *Message) encodeGrouped(e *event.Encoder) {
	some := false
	for _, t := range groups {
		open := false
		for i := range m.Len(Answers) {
			r := m.Record(Answers, i)
			if r.Type != t || r.rdLen == 0 {
				continue
			}
			if !some {
				e.Obj("grouped")
				some = true
			}
			if !open {
				e.Arr(t.Mnemonic())
				open = true
			}
			m.encodeData(e, r, true)
		}
		if open {
			e.EndArr()
		}
	}
	if some {
		e.EndObj()
	}
}

// EncodeType appends the name of t, or its number as text.
func (m *Message) EncodeType(e *event.Encoder, key string, t Type) {
	n := len(m.text)
	m.text = appendType(m.text, t)
	e.Bytes(key, m.text[n:])
	m.text = m.text[:n]
}

// Text appends octets that are meant as text: as they are when they are valid
// UTF-8, else with every octet above 127 as \xNN, as Suricata logs them.
func (m *Message) Text(e *event.Encoder, key string, b []byte) {
	if utf8.Valid(b) {
		e.Bytes(key, b)
		return
	}
	const digits = "0123456789abcdef"
	n := len(m.text)
	for _, c := range b {
		if c < utf8.RuneSelf {
			m.text = append(m.text, c)
		} else {
			m.text = append(m.text, '\\', 'x', digits[c>>4], digits[c&15])
		}
	}
	e.Bytes(key, m.text[n:])
	m.text = m.text[:n]
}
