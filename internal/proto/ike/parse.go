package ike

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/proto"
)

// Payload types, RFC 2408 section 3.1 and RFC 7296 section 3.2.
const (
	none1, sa1, proposal1, transform1, key1, nonce1, notify1, vendor1 = 0, 1, 2, 3, 4, 10, 11, 13
	sa2, key2, nonce2, notify2, vendor2, encrypted2, fragment2        = 33, 34, 40, 41, 43, 46, 53
)

// header reads the fixed header and empties the rest but what was chosen.
func (m *Message) header(b []byte) bool {
	major := b[17] >> 4
	if major != 1 && major != 2 || binary.BigEndian.Uint32(b[24:]) < headerLen {
		return false
	}
	next, exchange := b[16], b[18]
	switch {
	case major == 1 && (exchange < 1 || exchange > 6 && exchange < 31 || exchange > 34 || next > 23 && next < 128),
		major == 2 && (exchange < 34 || exchange > 44 || next != 0 && next < 33 || next > 54 || b[19]&0xc7 != 0):
		return false
	}
	m.Major, m.Minor, m.Exchange, m.Flags = major, b[17]&15, exchange, b[19]
	copy(m.InitSPI[:], b)
	copy(m.RespSPI[:], b[8:])
	m.ID = binary.BigEndian.Uint32(b[20:])
	m.Encrypted = major == 1 && m.Flags&flagEncrypted != 0 || major == 2 && (next == encrypted2 || next == fragment2)
	m.NPayloads, m.NVendors, m.NNotify, m.NTransforms, m.DOI = 0, 0, 0, 0, 0
	m.Key, m.Nonce = nil, nil
	if m.Encrypted && major == 1 {
		m.saw(next)
	}
	return true
}

func (m *Message) saw(typ uint8) {
	if m.NPayloads < maxPayloads {
		m.Payloads[m.NPayloads] = typ
		m.NPayloads++
	}
}

// payloads walks over the payloads: each has the next one's type, an octet and
// its length before it, RFC 2408 section 3.2.
func (m *Message) payloads(typ uint8, b []byte) bool {
	for typ != 0 {
		if len(b) < 4 {
			return false
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n < 4 || n > len(b) {
			return false
		}
		m.saw(typ)
		m.payload(typ, b[4:n])
		typ, b = b[0], b[n:]
	}
	if m.Major == 2 {
		m.saw(0)
	}
	return true
}

func (m *Message) payload(typ uint8, b []byte) {
	switch {
	case m.Major == 1 && typ == sa1:
		if len(b) >= 8 {
			m.DOI = binary.BigEndian.Uint32(b)
			m.proposals1(b[8:])
		}
	case m.Major == 1 && typ == key1:
		m.Key = b
	case m.Major == 2 && typ == key2 && len(b) >= 4:
		m.Key = b[4:] // behind the group, RFC 7296 section 3.4
	case m.Major == 1 && typ == nonce1, m.Major == 2 && typ == nonce2:
		m.Nonce = b
	case m.Major == 1 && typ == vendor1, m.Major == 2 && typ == vendor2:
		if m.NVendors < maxVendors {
			m.Vendors[m.NVendors] = b
			m.NVendors++
		}
	case m.Major == 2 && typ == sa2:
		m.proposals2(b)
	case m.Major == 1 && typ == notify1 && len(b) >= 8:
		m.notify(binary.BigEndian.Uint16(b[6:])) // behind DOI, protocol and SPI size, RFC 2408 section 3.14
	case m.Major == 2 && typ == notify2 && len(b) >= 4:
		m.notify(binary.BigEndian.Uint16(b[2:]))
	}
}

func (m *Message) notify(typ uint16) {
	if m.NNotify < maxNotify {
		m.Notify[m.NNotify] = typ
		m.NNotify++
	}
}

// element takes the first of a list of proposals or transforms off b: more
// follow when its first octet is not zero, its length is in the third and fourth.
func element(b []byte, least int) (v, rest []byte, more, ok bool) {
	if len(b) < least {
		return nil, nil, false, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < least || n > len(b) {
		return nil, nil, false, false
	}
	return b[:n], b[n:], b[0] != 0, true
}

// proposals1 reads RFC 2408 section 3.5 and 3.6: a proposal's number, protocol,
// size of SPI, count, SPI; a transform's number, ID, two octets, attributes.
func (m *Message) proposals1(b []byte) {
	for more := true; more; {
		var p, tr []byte
		var ok bool
		if p, b, more, ok = element(b, 8); !ok {
			return
		}
		m.saw(proposal1)
		p = p[min(8+int(p[6]), len(p)):]
		for again := true; again; {
			if tr, p, again, ok = element(p, 8); !ok {
				break
			}
			m.saw(transform1)
			t := m.transform()
			if t == nil {
				return
			}
			attributes(t, tr[8:])
		}
	}
}

// attributes reads RFC 2408 section 3.3: type with a bit for the short form, then
// the value or its length and the value.
func attributes(t *Transform, b []byte) {
	for len(b) >= 4 {
		typ, n := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		b = b[4:]
		if typ&0x8000 != 0 {
			t.add(typ&0x7fff, uint32(n))
			continue
		}
		v := b[:min(int(n), len(b))]
		b = b[len(v):]
		if len(v) <= 4 {
			var x uint32
			for _, c := range v {
				x = x<<8 | uint32(c)
			}
			t.add(typ, x)
		}
	}
}

// proposals2 reads RFC 7296 section 3.3: as in version 1, but each transform is
// one algorithm: type, an octet, ID.
func (m *Message) proposals2(b []byte) {
	for more := true; more && m.NTransforms < maxTransforms; {
		var p, tr []byte
		var ok bool
		if p, b, more, ok = element(b, 8); !ok {
			return
		}
		t := m.transform()
		p = p[min(8+int(p[6]), len(p)):]
		for again := true; again; {
			if tr, p, again, ok = element(p, 8); !ok {
				break
			}
			t.add(uint16(tr[4]), uint32(binary.BigEndian.Uint16(tr[6:])))
		}
	}
}

// Types of transforms of version 2, RFC 7296 section 3.3.2.
const (
	encr2, prf2, integ2, dh2, esn2 = 1, 2, 3, 4, 5
)

// weak reports algorithms that are not to be used any more (RFC 8247), each kind
// once a message, as Suricata names them.
func (m *Message) weak(c *proto.Conn) {
	var seen [6]bool
	for i := range m.Transforms[:m.NTransforms] {
		t := &m.Transforms[i]
		for _, a := range t.List[:t.N] {
			if a.Type >= encr2 && a.Type <= dh2 && weakAlgorithm(a) {
				seen[a.Type] = true
			}
		}
	}
	for typ, name := range [...]string{encr2: "weak_crypto_enc", integ2: "weak_crypto_auth", prf2: "weak_crypto_prf", dh2: "weak_crypto_dh"} {
		if seen[typ] {
			c.Anomaly(name)
		}
	}
}

func weakAlgorithm(a Attribute) bool {
	switch a.Type {
	case encr2:
		return a.Value <= 11 // DES to no encryption
	case prf2:
		return a.Value <= 2 // HMAC of MD5 and SHA-1
	case integ2:
		return a.Value >= 1 && a.Value <= 5
	case dh2:
		return a.Value <= 5 || a.Value == 22 // up to 1536 bits
	}
	return false
}
