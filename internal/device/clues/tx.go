package clues

import (
	"bytes"
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/descr"
	"github.com/yamori-net/yamori/internal/device/fingerprint"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dhcp"
	"github.com/yamori-net/yamori/internal/proto/dhcpv6"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/llmnr"
	"github.com/yamori-net/yamori/internal/proto/mdns"
	"github.com/yamori-net/yamori/internal/proto/nbns"
	"github.com/yamori-net/yamori/internal/proto/quic"
	"github.com/yamori-net/yamori/internal/proto/ssdp"
	"github.com/yamori-net/yamori/internal/proto/tftp"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

func client(f *flow.Flow) who {
	ip, _ := f.Client()
	return who{f.ClientMAC, ip}
}

func server(f *flow.Flow) who {
	ip, _ := f.Server()
	return who{f.ServerMAC, ip}
}

// Tx reads a transaction.
func (x *Extractor) Tx(f *flow.Flow, c *proto.Conn, p *packet.Packet, tx proto.Tx) {
	switch m := tx.(type) {
	case *dhcp.Message:
		x.dhcp(p, m)
	case *dhcpv6.Message:
		x.dhcpv6(sender(p), m)
	case mdns.Message:
		x.mdns(sender(p), m)
	case llmnr.Message:
		x.llmnr(sender(p), m)
	case *dns.Message:
		if w := client(f); x.inside(w.ip) {
			x.dns(w, m)
		}
	case *nbns.Message:
		x.nbns(sender(p), m)
	case *nbns.Datagram:
		x.nbdgm(sender(p), m)
	case *ssdp.Message:
		x.ssdp(sender(p), m)
	case *http.Tx:
		x.http(f, m)
	case *tls.Tx:
		x.tls(f, m)
	case *quic.Tx:
		if w := client(f); x.inside(w.ip) {
			x.domain(w, m.SNI())
			if m.HasHello {
				if v, ok := fingerprint.Print(m.JA4(&m.Hello, tls.OverQUIC)); ok {
					x.tellConst(w, device.TLS, "ja4", v)
				}
			}
		}
	case *tftp.Request:
		if w := sender(p); x.inside(w.ip) {
			x.tell(w, device.TFTP, "file", m.File)
		}
	}
}

// domain tells a name that was asked for if products are known by it. Others
// are nobody's business: no list of what people look at is kept.
func (x *Extractor) domain(w who, name []byte) {
	if len(name) == 0 || len(name) > 255 {
		return
	}
	if known, ok := fingerprint.Domain(x.lower(name)); ok {
		x.tellConst(w, device.DNS, "name", known)
	}
}

// lower returns b in lower case, in scratch memory.
func (x *Extractor) lower(b []byte) []byte {
	out := x.scratch[:0]
	for _, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	x.scratch = out[:0]
	return out
}

func (x *Extractor) dns(w who, m *dns.Message) {
	if m.Response() || m.Len(dns.Questions) == 0 {
		return
	}
	x.domain(w, m.Name(m.Record(dns.Questions, 0)))
}

func (x *Extractor) dhcp(p *packet.Packet, m *dhcp.Message) {
	w := sender(p)
	if m.Reply {
		if m.Type == 2 || m.Type == 5 { // offer, acknowledgement
			if x.inside(w.ip) {
				x.tellConst(w, device.NDP, "role", "dhcp")
			}
			if m.Type == 5 && m.HType == 1 && len(m.HWAddr) == 6 && !none(m.Your) {
				x.life(who{packet.MAC(m.HWAddr), m.Your})
			}
		}
		return
	}
	if m.HType == 1 && len(m.HWAddr) == 6 {
		w.mac = packet.MAC(m.HWAddr) // a relay stands between
	}
	if !x.inside(m.Client) {
		w.ip = packet.Addr{}
	} else {
		w.ip = m.Client
	}
	x.life(w)
	x.tell(w, device.DHCP, "hostname", m.Option(dhcp.OptHostname))
	x.tell(w, device.DHCP, "vendor_class", m.Option(dhcp.OptVendorClass))
	if v := m.Option(dhcp.OptUserClass); len(v) > 1 && int(v[0]) == len(v)-1 { // RFC 3004: length, text
		x.tell(w, device.DHCP, "user_class", v[1:])
	} else {
		x.tell(w, device.DHCP, "user_class", v)
	}
	if v := m.Option(dhcp.OptFQDN); len(v) > 3 && v[0]&4 == 0 { // RFC 4702 section 2.1: flags, two codes, text
		x.tell(w, device.DHCP, "fqdn", v[3:])
	}
	if v := m.Option(dhcp.OptParameters); len(v) > 0 {
		b := x.scratch[:0]
		for i, code := range v[:min(len(v), 40)] {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendUint(b, uint64(code))
		}
		x.scratch = b[:0]
		x.tell(w, device.DHCP, "params", b)
	}
	// An identifier made of the address says nothing that the address does not.
	if v := m.Option(dhcp.OptClientID); len(v) >= 7 && v[0] != 1 && !bytes.Contains(v, m.HWAddr) {
		x.tell(w, device.DHCP, "client_id", x.hex(v))
	}
}

func (x *Extractor) hex(v []byte) []byte {
	const digits = "0123456789abcdef"
	b := x.scratch[:0]
	for _, c := range v[:min(len(v), device.MaxValue/2)] {
		b = append(b, digits[c>>4], digits[c&15])
	}
	x.scratch = b[:0]
	return b
}

func (x *Extractor) dhcpv6(w who, m *dhcpv6.Message) {
	if m.Relays > 0 {
		return
	}
	switch m.Type {
	case dhcpv6.Advertise, dhcpv6.Reply:
		x.tellConst(w, device.NDP, "role", "dhcp")
		return
	case dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Confirm, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.InformationRequest, dhcpv6.Release:
	default:
		return
	}
	if v := m.Option(dhcpv6.OptClientID); len(v) >= 8 && (w.mac == packet.MAC{} || !bytes.Contains(v, w.mac[:])) {
		x.tell(w, device.DHCPv6, "duid", x.hex(v))
	}
	if v := m.Option(dhcpv6.OptVendorClass); len(v) > 6 && int(binary.BigEndian.Uint16(v[4:])) <= len(v)-6 {
		x.tell(w, device.DHCPv6, "vendor_class", v[6:6+int(binary.BigEndian.Uint16(v[4:]))])
	}
	if v := m.Option(dhcpv6.OptFQDN); len(v) > 2 {
		name, _ := dns.AppendName(x.scratch[:0], v, 1)
		x.scratch = name[:0]
		x.tell(w, device.DHCPv6, "fqdn", name)
	}
}

func (x *Extractor) llmnr(w who, m llmnr.Message) {
	if !x.inside(w.ip) || m.Len(dns.Questions) == 0 {
		return
	}
	q := m.Record(dns.Questions, 0)
	if m.Response() {
		if q.Type != dns.TypePTR {
			x.tell(w, device.LLMNR, "name", m.Name(q))
		}
		return
	}
	switch name := x.lower(m.Name(q)); string(name) {
	case "wpad", "isatap":
		x.tell(w, device.LLMNR, "look", name)
	}
}

func (x *Extractor) nbns(w who, m *nbns.Message) {
	if !x.inside(w.ip) {
		return
	}
	switch {
	case !m.Response() && (m.Opcode() == nbns.OpRegistration || m.Opcode() == nbns.OpRefresh || m.Opcode() == nbns.OpRefreshAlt || m.Opcode() == nbns.OpMultihomed):
		if m.Name.Suffix == 0x20 { // a file server; 0x00 may be a workgroup
			x.tell(w, device.NetBIOS, "name", m.Name.Bytes())
		}
	case m.Response():
		if entries, _, ok := m.Status(); ok {
			for n := 0; len(entries) >= 18 && n < nbns.MaxNames; n++ {
				if entries[15] == 0x20 && entries[16]&0x80 == 0 {
					x.tell(w, device.NetBIOS, "name", entries[:15])
				}
				entries = entries[18:]
			}
		} else if m.Name.Suffix == 0x20 {
			x.tell(w, device.NetBIOS, "name", m.Name.Bytes())
		}
	default:
		if name := x.lower(m.Name.Bytes()); string(name) == "wpad" || string(name) == "isatap" {
			x.tell(w, device.NetBIOS, "look", name)
		}
	}
}

func (x *Extractor) nbdgm(w who, m *nbns.Datagram) {
	if m.Browser.Command == 1 && x.inside(w.ip) { // a host announces itself, [MS-BRWS] section 2.2.1
		x.tell(w, device.NetBIOS, "name", m.Browser.Server)
	}
}

func (x *Extractor) ssdp(w who, m *ssdp.Message) {
	if !x.inside(w.ip) {
		return
	}
	switch m.Kind {
	case ssdp.Search:
		x.tell(w, device.SSDP, "look", m.Get(ssdp.ST))
		x.tell(w, device.SSDP, "user_agent", m.Get(ssdp.UserAgent))
		x.tell(w, device.SSDP, "name", m.Get(ssdp.FriendlyName))
		return
	case ssdp.Notify:
		x.typ(w, m.Get(ssdp.NT))
	case ssdp.Response:
		x.typ(w, m.Get(ssdp.ST))
	}
	x.tell(w, device.SSDP, "server", m.Get(ssdp.Server))
	x.location(w, m.Get(ssdp.Location))
	if usn := m.Get(ssdp.USN); bytes.HasPrefix(usn, []byte("uuid:")) {
		id, _, _ := bytes.Cut(usn[len("uuid:"):], []byte("::"))
		x.tell(w, device.SSDP, "uuid", id)
	}
}

// location tells where a device's description is, without the address, which
// changes.
func (x *Extractor) location(w who, v []byte) {
	if i := bytes.Index(v, []byte("://")); i >= 0 && bytes.HasPrefix(v, []byte("http")) {
		rest := v[i+3:]
		if j := bytes.IndexAny(rest, ":/"); j >= 0 {
			x.tell(w, device.SSDP, "location", rest[j:])
		}
		return
	}
	x.tell(w, device.SSDP, "location", v)
}

// typ tells a type of device or service; root devices and identifiers are
// announced by all.
func (x *Extractor) typ(w who, v []byte) {
	if bytes.HasPrefix(v, []byte("uuid:")) || bytes.HasPrefix(v, []byte("upnp:")) || bytes.HasPrefix(v, []byte("ssdp:")) {
		return
	}
	x.tell(w, device.SSDP, "type", v)
}

func (x *Extractor) http(f *flow.Flow, m *http.Tx) {
	if w := client(f); x.inside(w.ip) {
		x.tell(w, device.HTTP, "user_agent", m.UserAgent)
		x.domain(w, m.Host)
		if known, ok := fingerprint.Path(m.Host, m.URI); ok {
			x.tellConst(w, device.HTTP, "path", known)
		}
	}
	w := server(f)
	if !x.inside(w.ip) || !m.ResponseHead {
		return
	}
	x.tell(w, device.HTTP, "server", m.Header(packet.ToClient, "server"))
	if descr.IsDescription(m.ResponseBody) {
		x.description(w, m.ResponseBody)
	}
}

// description reads a UPnP device description. What belongs to devices inside
// the first one is told of as well: a router holds its connections.
func (x *Extractor) description(w who, b []byte) {
	var have uint
	once := func(bit uint, key string, text []byte) {
		if have&bit == 0 {
			have |= bit
			v := descr.Unescape(append(x.scratch[:0], text...))
			x.scratch = v[:0]
			x.tell(w, device.UPnP, key, v)
		}
	}
	descr.Elements(b, func(name, text []byte) bool {
		switch string(name) {
		case "deviceType":
			x.tell(w, device.UPnP, "type", text)
		case "friendlyName":
			once(1, "name", text)
		case "manufacturer":
			once(2, "maker", text)
		case "modelName":
			once(4, "model", text)
		case "modelDescription":
			once(8, "model", text)
		case "modelNumber":
			once(16, "model", text)
		case "UDN":
			once(32, "udn", bytes.TrimPrefix(text, []byte("uuid:")))
		}
		return true
	})
}

func (x *Extractor) tls(f *flow.Flow, m *tls.Tx) {
	if w := client(f); x.inside(w.ip) && m.HasHello {
		x.domain(w, m.Hello.SNI)
		if v, ok := fingerprint.Print(m.JA4(&m.Hello, m.Over)); ok {
			x.tellConst(w, device.TLS, "ja4", v)
		}
	}
	// The certificate of a device's own server names its maker.
	if w := server(f); x.inside(w.ip) && m.Certs[packet.ToClient].Seen {
		subject := m.Certs[packet.ToClient].Subject()
		x.tell(w, device.TLS, "subject", part(subject, "CN="))
		x.tell(w, device.TLS, "maker", part(subject, "O="))
	}
}

// part returns the value behind key in a distinguished name written as
// "C=…, O=…, CN=…".
func part(dn []byte, key string) []byte {
	for rest := dn; len(rest) > 0; {
		var one []byte
		one, rest, _ = bytes.Cut(rest, []byte(", "))
		if bytes.HasPrefix(one, []byte(key)) {
			return one[len(key):]
		}
	}
	return nil
}
