package labnet

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// dhcp is a DISCOVER (1) or a REQUEST (3) of the device (RFC 2131).
func (m *model) dhcp(kind byte) []byte {
	b := make([]byte, 236)
	b[0], b[1], b[2] = 1, 1, 6
	copy(b[4:], m.MAC[2:])
	b[10] = 0x80 // answer by broadcast
	copy(b[28:], m.MAC)
	b = append(b, 0x63, 0x82, 0x53, 0x63, 53, 1, kind)
	b = append(append(b, 61, 7, 1), m.MAC...)
	option := func(code byte, v string) {
		if v != "" {
			b = append(append(b, code, byte(len(v))), v...)
		}
	}
	if kind == 3 {
		option(50, string(m.IP4.AsSlice()))
	}
	option(12, m.hostname)
	option(60, m.vendorClass)
	option(55, string(m.params))
	return append(b, 255)
}

// labels is a name as DNS writes it (RFC 1035 section 3.1).
func labels(name string) []byte {
	var b []byte
	for _, l := range strings.Split(name, ".") {
		b = append(append(b, byte(len(l))), l...)
	}
	return append(b, 0)
}

// mdns announces a service: PTR, SRV, TXT and A in one response (RFC 6763).
func (m *model) mdns(s service) []byte {
	b := []byte{0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0}
	rr := func(owner []byte, typ uint16, data []byte) {
		b = binary.BigEndian.AppendUint16(append(b, owner...), typ)
		b = append(b, 0x80, 1, 0, 0, 0, 120)
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
	}
	host := strings.ReplaceAll(m.hostname, " ", "-") + ".local"
	full := append(append([]byte{byte(len(s.instance))}, s.instance...), labels(s.name+".local")...)
	rr(labels(s.name+".local"), 12, full)
	rr(full, 33, append([]byte{0, 0, 0, 0, byte(s.port >> 8), byte(s.port)}, labels(host)...))
	var text []byte
	for _, t := range s.text {
		text = append(append(text, byte(len(t))), t...)
	}
	if text == nil {
		text = []byte{0}
	}
	rr(full, 16, text)
	rr(labels(host), 1, m.IP4.AsSlice())
	return b
}

// notify announces a type of device by SSDP (UPnP Device Architecture 1.1,
// section 1.2.2).
func (m *model) notify(typ, server string) []byte {
	return []byte("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\nLOCATION: http://" + m.IP4.String() + ":1990/d.xml\r\nNT: " + typ +
		"\r\nNTS: ssdp:alive\r\nSERVER: " + server + "\r\nUSN: uuid:00000000-0000-1000-8000-" + hex.EncodeToString(m.MAC) + "::" + typ + "\r\n\r\n")
}

// hello is a Hello of WS-Discovery (section 4.1).
func (m *model) hello() []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" ` +
		`xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>` +
		`<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Hello</a:Action><a:MessageID>urn:uuid:00000000-0000-1000-8000-` + hex.EncodeToString(m.MAC) + `</a:MessageID>` +
		`<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body><d:Hello><a:EndpointReference><a:Address>urn:uuid:00000000-0000-1000-8000-` +
		hex.EncodeToString(m.MAC) + `</a:Address></a:EndpointReference>` + m.discovery + `<d:XAddrs>http://` + m.IP4.String() + `/onvif</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:Hello></s:Body></s:Envelope>`)
}

// question asks for an address of a name (RFC 1035).
func question(id uint16, name string, v6 bool) []byte {
	b := []byte{byte(id >> 8), byte(id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	typ := byte(1)
	if v6 {
		typ = 28
	}
	return append(append(b, labels(name)...), 0, typ, 0, 1)
}

// errNoName is the answer of a resolver that knows no such name.
var errNoName = errors.New("no such name")

// readAnswer returns the first address of an answer to one question.
func readAnswer(b []byte, id uint16) (netip.Addr, error) {
	bad := errors.New("the answer cannot be read")
	if len(b) < 12 || binary.BigEndian.Uint16(b) != id {
		return netip.Addr{}, bad
	}
	if code := b[3] & 15; code != 0 {
		return netip.Addr{}, fmt.Errorf("%w (code %d)", errNoName, code)
	}
	n := int(binary.BigEndian.Uint16(b[6:]))
	rest, ok := skipName(b[12:])
	if !ok || len(rest) < 4 {
		return netip.Addr{}, bad
	}
	for rest = rest[4:]; n > 0; n-- {
		if rest, ok = skipName(rest); !ok || len(rest) < 10 {
			return netip.Addr{}, bad
		}
		typ, size := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[8:]))
		if rest = rest[10:]; len(rest) < size {
			return netip.Addr{}, bad
		}
		if a, ok := netip.AddrFromSlice(rest[:size]); ok && (typ == 1 || typ == 28) {
			return a, nil
		}
		rest = rest[size:]
	}
	return netip.Addr{}, fmt.Errorf("%w of this kind", errNoName)
}

// skipName leaves out a name, or the pointer that stands for its rest.
func skipName(b []byte) ([]byte, bool) {
	for len(b) > 0 {
		switch n := int(b[0]); {
		case n == 0:
			return b[1:], true
		case n >= 0xc0:
			return b[min(2, len(b)):], len(b) >= 2
		case len(b) < n+1:
			return nil, false
		default:
			b = b[n+1:]
		}
	}
	return nil, false
}

// answerTo makes the server's answer to a question: the address of a name of
// the lab, or that there is none.
func answerTo(q []byte) []byte {
	if len(q) < 12 || q[2]&0x80 != 0 || binary.BigEndian.Uint16(q[4:]) != 1 {
		return nil
	}
	rest, ok := skipName(q[12:])
	if !ok || len(rest) < 4 {
		return nil
	}
	end := len(q) - len(rest) + 4
	name, typ := textOf(q[12:]), binary.BigEndian.Uint16(rest)
	out := append([]byte{}, q[:end]...)
	out[2], out[3] = 0x85, 0x80 // an answer, by the authority, recursion on offer
	copy(out[6:12], make([]byte, 6))
	s, known := serverOf(name)
	switch {
	case !known:
		out[3] |= 3
	case typ == 1 || typ == 28:
		a := s.Addr(typ == 28).AsSlice()
		out[7] = 1
		out = append(out, 0xc0, 12, 0, byte(typ), 0, 1, 0, 0, 0, 60, 0, byte(len(a)))
		out = append(out, a...)
	}
	return out
}

// textOf is the name that b begins with, in lower case.
func textOf(b []byte) string {
	var s []string
	for len(b) > 0 && b[0] != 0 && b[0] < 64 && len(b) > int(b[0]) {
		s = append(s, strings.ToLower(string(b[1:1+b[0]])))
		b = b[1+b[0]:]
	}
	return strings.Join(s, ".")
}

// serverOf finds the server of a name.
func serverOf(name string) (Server, bool) {
	for s, names := range servers {
		for _, n := range names {
			if n == name {
				return s, true
			}
		}
	}
	return 0, false
}
