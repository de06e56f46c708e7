package dns

import (
	"encoding/binary"
	"net/netip"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// maxHex bounds the octets of data without a text form in an event.
const maxHex = 256

// AppendTXT appends the character-strings of a TXT record one behind the
// other, as SPF and DKIM read them (RFC 7208 section 3.3).
func (m *Message) AppendTXT(dst []byte, r *Record) []byte {
	for b := m.RData(r); len(b) > 0; {
		n := min(int(b[0]), len(b)-1)
		dst = append(dst, b[1:1+n]...)
		b = b[1+n:]
	}
	return dst
}

// EncodeData appends the data of r as a member of the open object, if it can
// be read.
func (m *Message) EncodeData(e *event.Encoder, r *Record) { m.encodeData(e, r, false) }

// encodeData appends the data of r: as the member of its own, or in a list
// ("grouped") as an element.
func (m *Message) encodeData(e *event.Encoder, r *Record, element bool) {
	rdata := "rdata"
	if element {
		rdata = ""
	}
	d := m.RData(r)
	switch r.Type {
	case TypeA, TypeAAAA:
		if a, ok := m.Addr(r); ok && r.Type == TypeA {
			e.Addr(rdata, a)
		} else if ok {
			m.encode6(e, rdata, d)
		}
	case TypeNS, TypeCNAME, TypePTR, TypeDNAME, TypeMX:
		m.Text(e, rdata, m.Target(r))
	case TypeTXT:
		n := len(m.text)
		m.text = m.AppendTXT(m.text, r)
		m.Text(e, rdata, m.text[n:])
		m.text = m.text[:n]
	case TypeNULL:
		m.Text(e, rdata, d[:min(len(d), maxHex)])
	case TypeSOA:
		m.encodeSOA(e, pick(element, "soa"), r)
	case TypeSRV:
		if len(d) > 6 {
			e.Obj(pick(element, "srv"))
			e.Uint("priority", uint64(binary.BigEndian.Uint16(d)))
			e.Uint("weight", uint64(binary.BigEndian.Uint16(d[2:])))
			e.Uint("port", uint64(binary.BigEndian.Uint16(d[4:])))
			m.Text(e, "name", m.Target(r))
			e.EndObj()
		}
	case TypeSSHFP:
		if len(d) > 2 {
			e.Obj(pick(element, "sshfp"))
			m.colonHex(e, "fingerprint", d[2:])
			e.Uint("algo", uint64(d[0]))
			e.Uint("type", uint64(d[1]))
			e.EndObj()
		}
	case TypeSVCB, TypeHTTPS:
		m.encodeSVCB(e, r)
	case TypeCAA: // RFC 8659 section 4.1
		if len(d) >= 2 && 2+int(d[1]) <= len(d) {
			e.Obj("caa")
			e.Uint("flags", uint64(d[0]))
			m.Text(e, "tag", d[2:2+int(d[1])])
			m.Text(e, "value", d[2+int(d[1]):])
			e.EndObj()
		}
	default:
		if len(d) > 0 {
			e.Hex("rdata_hex", d[:min(len(d), maxHex)])
		}
	}
}

func pick(element bool, key string) string {
	if element {
		return ""
	}
	return key
}

// encode6 appends an AAAA address, a mapped IPv4 address included.
func (m *Message) encode6(e *event.Encoder, key string, d []byte) {
	n := len(m.text)
	m.text = netip.AddrFrom16([16]byte(d)).AppendTo(m.text)
	e.Bytes(key, m.text[n:])
	m.text = m.text[:n]
}

func (m *Message) encodeSOA(e *event.Encoder, key string, r *Record) {
	end := int(r.rdOff) + int(r.rdLen)
	n1, ok := SkipName(m.msg, int(r.rdOff))
	if !ok || n1 >= end {
		return
	}
	n2, ok := SkipName(m.msg, n1)
	if !ok || n2+20 > end {
		return
	}
	e.Obj(key)
	m.Text(e, "mname", m.Target(r))
	n := len(m.text)
	m.text, _ = AppendName(m.text, m.msg, n1)
	m.Text(e, "rname", m.text[n:])
	m.text = m.text[:n]
	for i, k := range [...]string{"serial", "refresh", "retry", "expire", "minimum"} {
		e.Uint(k, uint64(binary.BigEndian.Uint32(m.msg[n2+4*i:])))
	}
	e.EndObj()
}

func (m *Message) colonHex(e *event.Encoder, key string, d []byte) {
	const digits = "0123456789abcdef"
	n := len(m.text)
	for i, c := range d[:min(len(d), maxHex)] {
		if i > 0 {
			m.text = append(m.text, ':')
		}
		m.text = append(m.text, digits[c>>4], digits[c&15])
	}
	e.Bytes(key, m.text[n:])
	m.text = m.text[:n]
}

// ServiceParam returns the value of parameter key of a SVCB or HTTPS record:
// 1 alpn, 3 port, 4 ipv4hint, 5 ech, 6 ipv6hint (RFC 9460 section 14.3.2).
func (m *Message) ServiceParam(r *Record, key uint16) (v []byte, ok bool) {
	if r.Type != TypeSVCB && r.Type != TypeHTTPS || r.rdLen < 3 {
		return nil, false
	}
	end := int(r.rdOff) + int(r.rdLen)
	off, ok := SkipName(m.msg[:end], int(r.rdOff)+2)
	if !ok {
		return nil, false
	}
	for b := m.msg[off:end]; len(b) >= 4; {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if 4+n > len(b) {
			break
		}
		if binary.BigEndian.Uint16(b) == key {
			return b[4 : 4+n], true
		}
		b = b[4+n:]
	}
	return nil, false
}

func (m *Message) encodeSVCB(e *event.Encoder, r *Record) {
	d := m.RData(r)
	if len(d) < 3 {
		return
	}
	e.Obj("svcb")
	e.Uint("priority", uint64(binary.BigEndian.Uint16(d)))
	m.Text(e, "target", m.Target(r))
	if v, ok := m.ServiceParam(r, 1); ok {
		e.Arr("alpn")
		for len(v) > 0 {
			n := min(int(v[0]), len(v)-1)
			m.Text(e, "", v[1:1+n])
			v = v[1+n:]
		}
		e.EndArr()
	}
	if v, ok := m.ServiceParam(r, 3); ok && len(v) == 2 {
		e.Uint("port", uint64(binary.BigEndian.Uint16(v)))
	}
	if v, ok := m.ServiceParam(r, 4); ok {
		e.Arr("ipv4hint")
		for ; len(v) >= 4; v = v[4:] {
			e.Addr("", packet.AddrFrom4(v))
		}
		e.EndArr()
	}
	if v, ok := m.ServiceParam(r, 6); ok {
		e.Arr("ipv6hint")
		for ; len(v) >= 16; v = v[16:] {
			m.encode6(e, "", v[:16])
		}
		e.EndArr()
	}
	if _, ok := m.ServiceParam(r, 5); ok {
		e.Bool("ech", true)
	}
	e.EndObj()
}
