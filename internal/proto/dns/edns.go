package dns

import (
	"encoding/binary"
	"net/netip"

	"github.com/yamori-net/yamori/internal/event"
)

// Codes of EDNS options this package reads.
const (
	OptionClientSubnet = 8  // RFC 7871
	OptionCookie       = 10 // RFC 7873
)

// Option returns the data of the first EDNS option with the given code.
func (m *Message) Option(code uint16) (v []byte, ok bool) {
	r := m.OPT()
	if r == nil {
		return nil, false
	}
	for b := m.RData(r); len(b) >= 4; {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if 4+n > len(b) {
			break
		}
		if binary.BigEndian.Uint16(b) == code {
			return b[4 : 4+n], true
		}
		b = b[4+n:]
	}
	return nil, false
}

// ClientSubnet returns the network a resolver asks for (RFC 7871 section 6).
func (m *Message) ClientSubnet() (p netip.Prefix, ok bool) {
	v, ok := m.Option(OptionClientSubnet)
	if !ok || len(v) < 4 {
		return p, false
	}
	var a [16]byte
	family, bits, b := binary.BigEndian.Uint16(v), int(v[2]), v[4:]
	switch {
	case family == 1 && bits <= 32 && len(b) <= 4:
		copy(a[:], b)
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(a[:4])), bits), true
	case family == 2 && bits <= 128 && len(b) <= 16:
		copy(a[:], b)
		return netip.PrefixFrom(netip.AddrFrom16(a), bits), true
	}
	return p, false
}

// encodeEDNS appends "edns":{…} when there is an OPT record.
func (m *Message) encodeEDNS(e *event.Encoder) {
	r := m.OPT()
	if r == nil {
		return
	}
	e.Obj("edns")
	e.Uint("version", uint64(r.TTL>>16&0xff))
	e.Uint("udp_size", uint64(r.Class))
	if r.TTL&0x8000 != 0 {
		e.Bool("dnssec_ok", true)
	}
	if p, ok := m.ClientSubnet(); ok {
		n := len(m.text)
		m.text = p.AppendTo(m.text)
		e.Bytes("client_subnet", m.text[n:])
		m.text = m.text[:n]
	}
	if v, ok := m.Option(OptionCookie); ok {
		e.Hex("cookie", v[:min(len(v), maxHex)])
	}
	e.EndObj()
}
