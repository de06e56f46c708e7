package dhcp

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dns"
)

// maxList bounds the entries of a list in an event; the option itself may be as
// long as a datagram.
const maxList = 32

var buffers = []proto.Buffer{
	{Name: "dhcp.leasetime", Doc: "lease time in seconds, a decimal number", Dir: packet.ToServer, Get: seconds(packet.ToServer, OptLeaseTime)},
	{Name: "dhcp.leasetime", Doc: "lease time in an answer", Dir: packet.ToClient, Get: seconds(packet.ToClient, OptLeaseTime)},
	{Name: "dhcp.renewal_time", Doc: "renewal time T1 in seconds, a decimal number", Dir: packet.ToServer, Get: seconds(packet.ToServer, OptRenewal)},
	{Name: "dhcp.renewal_time", Doc: "renewal time T1 in an answer", Dir: packet.ToClient, Get: seconds(packet.ToClient, OptRenewal)},
	{Name: "dhcp.rebinding_time", Doc: "rebinding time T2 in seconds, a decimal number", Dir: packet.ToServer, Get: seconds(packet.ToServer, OptRebinding)},
	{Name: "dhcp.rebinding_time", Doc: "rebinding time T2 in an answer", Dir: packet.ToClient, Get: seconds(packet.ToClient, OptRebinding)},
	{Name: "dhcp.hostname", Doc: "name the device gives itself", Dir: packet.ToServer, Get: option(OptHostname)},
	{Name: "dhcp.vendor_class", Doc: "vendor class identifier", Dir: packet.ToServer, Get: option(OptVendorClass)},
	{Name: "dhcp.params", Doc: "codes of the options asked for, one octet each", Dir: packet.ToServer, Get: option(OptParameters)},
}

func option(code byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || i != 0 {
			return nil, false
		}
		v := m.Option(code)
		return v, v != nil
	}
}

func seconds(d packet.Dir, code byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || i != 0 || m.Dir != d {
			return nil, false
		}
		s, ok := m.Seconds(code)
		if !ok {
			return nil, false
		}
		dst := &m.leaseText
		switch code {
		case OptRenewal:
			dst = &m.renewText
		case OptRebinding:
			dst = &m.bindText
		}
		return strconv.AppendUint(dst[:0], uint64(s), 10), true
	}
}

// EventType returns "dhcp".
func (m *Message) EventType() event.Type { return "dhcp" }

// EncodeEVE appends "dhcp":{…} in Suricata's extended shape, and members of
// its own that say who a device is.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("dhcp")
	if m.Reply {
		e.Str("type", "reply")
	} else {
		e.Str("type", "request")
	}
	e.Uint("id", uint64(m.ID))
	m.colons(e, "client_mac", m.HWAddr)
	e.Addr("assigned_ip", m.Your)
	e.Addr("client_ip", m.Client)
	if m.Reply {
		e.Addr("relay_ip", m.Relay)
		e.Addr("next_server_ip", m.Next)
	}
	if m.Type != 0 {
		e.Str("dhcp_type", typeName(m.Type))
	}
	if m.BOOTP {
		e.Bool("bootp", true)
	}
	m.encodeClient(e)
	m.encodeServer(e)
	m.encodeRest(e)
	e.EndObj()
}

// encodeClient appends what a client says.
func (m *Message) encodeClient(e *event.Encoder) {
	if v := m.Option(OptClientID); len(v) > 1 {
		m.colons(e, "client_id", v[1:])
	}
	m.optText(e, "hostname", OptHostname)
	m.address(e, "requested_ip", OptRequestedIP)
	if v := m.Option(OptParameters); v != nil {
		e.Arr("params")
		for _, c := range v {
			if n := parameterName(c); n != "" {
				e.Str("", n)
			}
		}
		e.EndArr()
		m.list(e, "param_list", v)
	}
	m.optText(e, "vendor_class_identifier", OptVendorClass)
	m.optText(e, "user_class", OptUserClass)
	if v := m.Option(OptFQDN); len(v) > 3 { // RFC 4702 section 2: flags, two old rcodes, name
		if v[0]&0x04 != 0 {
			m.name(e, "fqdn", v, 3)
		} else {
			m.plain(e, "fqdn", v[3:])
		}
	}
	if v := m.Option(OptMaxSize); len(v) == 2 {
		e.Uint("max_message_size", uint64(binary.BigEndian.Uint16(v)))
	}
}

// encodeServer appends what a server gives.
func (m *Message) encodeServer(e *event.Encoder) {
	m.address(e, "server_id", OptServerID)
	m.address(e, "subnet_mask", OptSubnetMask)
	m.addresses(e, "routers", OptRouter)
	m.addresses(e, "dns_servers", OptDNS)
	m.addresses(e, "ntp_servers", OptNTP)
	for _, t := range [...]struct {
		key  string
		code byte
	}{{"lease_time", OptLeaseTime}, {"renewal_time", OptRenewal}, {"rebinding_time", OptRebinding}} {
		if s, ok := m.Seconds(t.code); ok {
			e.Uint(t.key, uint64(s))
		}
	}
	m.optText(e, "domain", OptDomain)
	if v := m.Option(OptDomainSearch); len(v) > 0 {
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
	m.routes(e)
	m.optText(e, "captive_portal", OptCaptivePortal)
	m.optText(e, "wpad", OptProxyAutoconfig)
	m.optText(e, "tftp_server", OptTFTPServer)
	if v := m.Option(OptBootFile); v != nil {
		m.plain(e, "boot_file", v)
	} else if len(m.File) > 0 {
		m.plain(e, "boot_file", m.File)
	}
	if len(m.ServerName) > 0 {
		m.plain(e, "server_name", m.ServerName)
	}
	m.optText(e, "message", OptMessage)
}

func (m *Message) encodeRest(e *event.Encoder) {
	if c, r := m.SubOption(1), m.SubOption(2); c != nil || r != nil {
		e.Obj("relay_agent")
		if c != nil {
			e.Hex("circuit_id", c)
		}
		if r != nil {
			e.Hex("remote_id", r)
		}
		e.EndObj()
	}
	if len(m.Order) > 0 {
		m.list(e, "option_list", m.Order)
	}
}

// routes appends the classless static routes, RFC 3442.
func (m *Message) routes(e *event.Encoder) {
	v := m.Option(OptRoutes)
	if v == nil {
		return
	}
	e.Arr("routes")
	for k := 0; len(v) > 0 && k < maxList; k++ {
		bits := int(v[0])
		n := (bits + 7) / 8
		if bits > 32 || len(v) < 1+n+4 {
			break
		}
		var dst [4]byte
		copy(dst[:], v[1:1+n])
		e.Obj("")
		at := len(m.text)
		m.text = netip.PrefixFrom(netip.AddrFrom4(dst), bits).AppendTo(m.text)
		e.Bytes("dest", m.text[at:])
		m.text = m.text[:at]
		e.Addr("router", packet.AddrFrom4(v[1+n:]))
		e.EndObj()
		v = v[1+n+4:]
	}
	e.EndArr()
}

func (m *Message) address(e *event.Encoder, key string, code byte) {
	if a, ok := m.Address(code); ok {
		e.Addr(key, a)
	}
}

func (m *Message) addresses(e *event.Encoder, key string, code byte) {
	v := m.Option(code)
	if len(v) < 4 {
		return
	}
	e.Arr(key)
	for n := 0; len(v) >= 4 && n < maxList; n++ {
		e.Addr("", packet.AddrFrom4(v))
		v = v[4:]
	}
	e.EndArr()
}

func (m *Message) optText(e *event.Encoder, key string, code byte) {
	if v := m.Option(code); len(v) > 0 {
		m.plain(e, key, v)
	}
}

// plain appends text, without the zero octets some senders end it with; what
// is not UTF-8 is shown as Suricata shows it, \xNN.
func (m *Message) plain(e *event.Encoder, key string, v []byte) {
	for len(v) > 0 && v[len(v)-1] == 0 {
		v = v[:len(v)-1]
	}
	if utf8.Valid(v) {
		e.Bytes(key, v)
		return
	}
	const digits = "0123456789abcdef"
	at := len(m.text)
	for _, c := range v {
		if c < utf8.RuneSelf {
			m.text = append(m.text, c)
		} else {
			m.text = append(m.text, '\\', 'x', digits[c>>4], digits[c&15])
		}
	}
	e.Bytes(key, m.text[at:])
	m.text = m.text[:at]
}

// name appends the domain name at off, RFC 1035 with pointers into v.
func (m *Message) name(e *event.Encoder, key string, v []byte, off int) {
	at := len(m.text)
	m.text, _ = dns.AppendName(m.text, v, off)
	e.Bytes(key, m.text[at:])
	m.text = m.text[:at]
}

// colons appends octets as aa:bb:cc.
func (m *Message) colons(e *event.Encoder, key string, v []byte) {
	const digits = "0123456789abcdef"
	at := len(m.text)
	for i, c := range v {
		if i > 0 {
			m.text = append(m.text, ':')
		}
		m.text = append(m.text, digits[c>>4], digits[c&15])
	}
	e.Bytes(key, m.text[at:])
	m.text = m.text[:at]
}

// list appends option codes as "1,3,6", the usual form of such marks.
func (m *Message) list(e *event.Encoder, key string, v []byte) {
	at := len(m.text)
	for i, c := range v {
		if i > 0 {
			m.text = append(m.text, ',')
		}
		m.text = strconv.AppendUint(m.text, uint64(c), 10)
	}
	e.Bytes(key, m.text[at:])
	m.text = m.text[:at]
}
