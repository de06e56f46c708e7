package dns

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// buffers are Suricata's sticky buffers of DNS, those of version 8 included,
// and its integer keywords as decimal text.
var buffers = []proto.Buffer{
	{Name: "dns.query", Doc: "name of each question of a query", Dir: packet.ToServer, Get: requestName},
	{Name: "dns.query.name", Doc: "the same", Dir: packet.ToServer, Get: requestName},
	{Name: "dns.queries.rrname", Doc: "name of each question of a query", Dir: packet.ToServer, Get: requestName},
	{Name: "dns.queries.rrname", Doc: "name of each question of an answer", Dir: packet.ToClient, Get: ofAnswer(names(Questions, false))},
	{Name: "dns.answer.name", Doc: "owner name of each answer", Dir: packet.ToClient, Get: names(Answers, false)},
	{Name: "dns.answers.rrname", Doc: "the same", Dir: packet.ToClient, Get: names(Answers, false)},
	{Name: "dns.authorities.rrname", Doc: "owner name of each authority", Dir: packet.ToClient, Get: names(Authorities, false)},
	{Name: "dns.additionals.rrname", Doc: "owner name of each additional record", Dir: packet.ToClient, Get: names(Additionals, false)},
	{Name: "dns.response.rrname", Doc: "every owner name and name in the data of an answer's records", Dir: packet.ToClient, Get: responseName},
	{Name: "dns.opcode", Doc: "opcode, a decimal number", Dir: packet.ToServer, Get: ofQuery(opcode)},
	{Name: "dns.opcode", Doc: "opcode, a decimal number", Dir: packet.ToClient, Get: ofAnswer(opcode)},
	{Name: "dns.rcode", Doc: "response code, a decimal number", Dir: packet.ToClient, Get: rcode},
	{Name: "dns.rrtype", Doc: "type of each question, a decimal number", Dir: packet.ToServer, Get: ofQuery(rrtype)},
	{Name: "dns.rrtype", Doc: "type of each question, a decimal number", Dir: packet.ToClient, Get: ofAnswer(rrtype)},
}

type getter = func(proto.Tx, int) ([]byte, bool)

// ofQuery and ofAnswer make getters that know one kind of message only: a
// rule's flow:to_server means queries.
func ofQuery(get getter) getter  { return ofKind(get, false) }
func ofAnswer(get getter) getter { return ofKind(get, true) }

func ofKind(get getter, answer bool) getter {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		if m, ok := tx.(*Message); !ok || m.Response() != answer {
			return nil, false
		}
		return get(tx, i)
	}
}

// names returns the getter of the owner names of section s.
func names(s Section, requests bool) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || requests && m.Response() {
			return nil, false
		}
		return m.Owner(s, i)
	}
}

// Owner returns the owner name of the i-th record of section s, for getters of
// buffers; ok is false behind the last one.
func (m *Message) Owner(s Section, i int) (b []byte, ok bool) {
	if i < 0 || i >= m.Len(s) {
		return nil, false
	}
	return m.Name(m.Record(s, i)), true
}

var requestName = names(Questions, true)

func responseName(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(*Message)
	if !ok {
		return nil, false
	}
	return m.AnyName(i)
}

// AnyName counts through every owner name of a response, then through the
// target names of those records that have one.
func (m *Message) AnyName(i int) (b []byte, ok bool) {
	if !m.Response() || i < 0 {
		return nil, false
	}
	if i < len(m.recs) {
		return m.Name(&m.recs[i]), true
	}
	i -= len(m.recs)
	for k := range m.recs {
		if r := &m.recs[k]; m.Target(r) != nil {
			if i == 0 {
				return m.Target(r), true
			}
			i--
		}
	}
	return nil, false
}

func opcode(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(*Message)
	if !ok || i != 0 {
		return nil, false
	}
	return strconv.AppendUint(m.opcodeText[:0], uint64(m.Opcode()), 10), true
}

func rcode(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(*Message)
	if !ok || i != 0 || !m.Response() {
		return nil, false
	}
	return strconv.AppendUint(m.rcodeText[:0], uint64(m.RCode()), 10), true
}

func rrtype(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(*Message)
	if !ok || i < 0 || i >= m.Len(Questions) {
		return nil, false
	}
	r := m.Record(Questions, i)
	if r.target.at == 0 { // a question has no data: the place is free for its number
		n := len(m.text)
		m.text = strconv.AppendUint(m.text, uint64(r.Type), 10)
		r.target = span{at: uint32(n + 1), len: uint16(len(m.text) - n)}
	}
	return m.piece(r.target), true
}
