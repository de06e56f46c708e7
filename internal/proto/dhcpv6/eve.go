package dhcpv6

import (
	"encoding/binary"
	"net/netip"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/dns"
)

// maxList bounds the entries of each list in an event.
const maxList = 32

// EventType returns "dhcpv6".
func (m *Message) EventType() event.Type { return "dhcpv6" }

// EncodeEVE appends "dhcpv6":{…}.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("dhcpv6")
	e.Str("type", typeName(m.Type))
	e.Uint("id", uint64(m.ID))
	m.colons(e, "client_duid", m.Option(OptClientID))
	if mac, ok := m.ClientMAC(); ok {
		m.colons(e, "client_mac", mac[:])
	}
	m.colons(e, "server_duid", m.Option(OptServerID))
	if v := m.Option(OptFQDN); len(v) > 1 {
		m.name(e, "fqdn", v, 1)
	}
	m.vendorClass(e)
	if v := m.Option(OptUserClass); v != nil {
		e.Arr("user_class")
		strings16(e, v)
		e.EndArr()
	}
	m.leases(e, "addresses", OptIAAddr)
	m.leases(e, "prefixes", OptIAPrefix)
	if v := m.Option(OptRequest); v != nil {
		e.Arr("params")
		for n := 0; len(v) >= 2 && n < maxList; n++ {
			e.Uint("", uint64(binary.BigEndian.Uint16(v)))
			v = v[2:]
		}
		e.EndArr()
	}
	if v := m.Option(OptDNS); len(v) >= 16 {
		e.Arr("dns_servers")
		for n := 0; len(v) >= 16 && n < maxList; n++ {
			e.Addr("", packet.AddrFrom16(v))
			v = v[16:]
		}
		e.EndArr()
	}
	if v := m.Option(OptDomains); len(v) > 0 {
		e.Arr("search")
		for n, off := 0, 0; off < len(v) && n < maxList; n++ {
			m.name(e, "", v, off)
			next, ok := dns.SkipName(v, off)
			if !ok {
				break
			}
			off = next
		}
		e.EndArr()
	}
	if v := m.Option(OptStatus); len(v) >= 2 {
		e.Uint("status", uint64(binary.BigEndian.Uint16(v)))
		e.OptBytes("status_message", v[2:])
	}
	if m.Relays > 0 {
		e.Obj("relay")
		e.Str("type", typeName(m.RelayType))
		e.Uint("hops", uint64(m.Hops))
		e.Addr("link", m.Link)
		e.Addr("peer", m.Peer)
		if m.Interface != nil {
			e.Hex("interface_id", m.Interface)
		}
		e.EndObj()
	}
	e.EndObj()
}

// vendorClass appends option 16: enterprise number, then strings.
func (m *Message) vendorClass(e *event.Encoder) {
	v := m.Option(OptVendorClass)
	if len(v) < 4 {
		return
	}
	e.Obj("vendor_class")
	e.Uint("enterprise", uint64(binary.BigEndian.Uint32(v)))
	e.Arr("data")
	strings16(e, v[4:])
	e.EndArr()
	e.EndObj()
}

// strings16 appends strings behind two octets of length each.
func strings16(e *event.Encoder, v []byte) {
	for n := 0; len(v) >= 2 && n < maxList; n++ {
		size := int(binary.BigEndian.Uint16(v))
		if 2+size > len(v) {
			return
		}
		e.Bytes("", v[2:2+size])
		v = v[2+size:]
	}
}

// leases appends the addresses of all IA_NA and IA_TA, or the prefixes of all
// IA_PD, RFC 8415 sections 21.4 to 21.6, 21.21 and 21.22.
func (m *Message) leases(e *event.Encoder, key string, code uint16) {
	n := 0
	for i := range m.Options {
		o := &m.Options[i]
		skip := 0
		switch {
		case code == OptIAAddr && o.Code == OptIANA, code == OptIAPrefix && o.Code == OptIAPD:
			skip = 12 // identifier, T1, T2
		case code == OptIAAddr && o.Code == OptIATA:
			skip = 4
		}
		if skip == 0 || len(o.Value) < skip {
			continue
		}
		for b := o.Value[skip:]; n < maxList; {
			in, rest, ok := next(b)
			if !ok {
				break
			}
			b = rest
			if in.Code != code || len(in.Value) < 24 || code == OptIAPrefix && len(in.Value) < 25 {
				continue
			}
			if n == 0 {
				e.Arr(key)
			}
			n++
			m.lease(e, in)
		}
	}
	if n > 0 {
		e.EndArr()
	}
}

func (m *Message) lease(e *event.Encoder, o Option) {
	e.Obj("")
	v, times := o.Value, o.Value[16:]
	if o.Code == OptIAAddr {
		e.Addr("addr", packet.AddrFrom16(v))
	} else {
		times = v
		at := len(m.text)
		m.text = netip.PrefixFrom(netip.AddrFrom16([16]byte(v[9:25])), min(128, int(v[8]))).AppendTo(m.text)
		e.Bytes("prefix", m.text[at:])
		m.text = m.text[:at]
	}
	e.Uint("preferred", uint64(binary.BigEndian.Uint32(times)))
	e.Uint("valid", uint64(binary.BigEndian.Uint32(times[4:])))
	e.EndObj()
}

// maxDUID is the longest identifier, RFC 8415 section 11.1: a type and 128
// octets.
const maxDUID = 130

// colons appends octets as aa:bb:cc, nothing when there are none.
func (m *Message) colons(e *event.Encoder, key string, v []byte) {
	if len(v) == 0 {
		return
	}
	const digits = "0123456789abcdef"
	at := len(m.text)
	for i, c := range v[:min(len(v), maxDUID)] {
		if i > 0 {
			m.text = append(m.text, ':')
		}
		m.text = append(m.text, digits[c>>4], digits[c&15])
	}
	e.Bytes(key, m.text[at:])
	m.text = m.text[:at]
}

func (m *Message) name(e *event.Encoder, key string, v []byte, off int) {
	at := len(m.text)
	m.text, _ = dns.AppendName(m.text, v, off)
	e.Bytes(key, m.text[at:])
	m.text = m.text[:at]
}

func typeName(t byte) string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown"
}

var typeNames = [...]string{
	"unknown", "solicit", "advertise", "request", "confirm", "renew", "rebind", "reply", "release", "decline", "reconfigure",
	"information_request", "relay_forw", "relay_repl",
}
