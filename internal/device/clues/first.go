package clues

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/descr"
	"github.com/yamori-net/yamori/internal/device/fingerprint"
	"github.com/yamori-net/yamori/internal/device/oui"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
)

func sender(p *packet.Packet) who {
	w := who{ip: p.Src}
	if p.HasMAC && p.Depth == 0 {
		w.mac = p.SrcMAC
	}
	return w
}

// ARP reads an ARP message: who is where.
func (x *Extractor) ARP(p *packet.Packet) {
	x.now = p.Time
	x.life(who{p.ARP.SenderMAC, p.ARP.SenderIP})
}

// First reads the first packet of a flow in a direction: marks of the stack,
// ports, and the makers' own protocols.
func (x *Extractor) First(f *flow.Flow, d packet.Dir, p *packet.Packet) {
	x.now = p.Time
	w := sender(p)
	if !x.inside(w.ip) && !none(w.ip) {
		return
	}
	x.life(w)
	x.eui64(w)
	switch p.Proto {
	case packet.ProtoTCP:
		x.tcp(w, d, p)
	case packet.ProtoUDP:
		x.udp(w, d, p)
	case packet.ProtoICMPv6:
		if p.ICMPType == 134 && len(p.L4) >= 8 && (p.L4[6] != 0 || p.L4[7] != 0) { // router advertisement with a lifetime, RFC 4861 section 4.2
			x.tellConst(w, device.NDP, "role", "ra")
		}
	}
}

// inside reports whether a is an address of the home.
func (x *Extractor) inside(a packet.Addr) bool {
	ip := a.Netip()
	for _, p := range x.home {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// local reports that a packet to a does not leave the home.
func (x *Extractor) local(a packet.Addr) bool {
	return a[0] == 0xff || a.Is4() && a[12] >= 224 || x.inside(a)
}

func none(a packet.Addr) bool { return a == packet.Addr{} || a.Is4() && a[12]|a[13]|a[14]|a[15] == 0 }

// eui64 finds the hardware address in an interface identifier made from it
// (RFC 4291 appendix A): a device that hides it from the link may still show
// it there.
func (x *Extractor) eui64(w who) {
	a := &w.ip
	if a.Is4() || a[11] != 0xff || a[12] != 0xfe {
		return
	}
	m := packet.MAC{a[8] ^ 2, a[9], a[10], a[13], a[14], a[15]}
	if m == w.mac || m[0]&3 != 0 {
		return
	}
	if n := oui.Maker(m); n != "" {
		x.tellConst(w, device.NDP, "eui64", n)
	}
}

func (x *Extractor) tcp(w who, d packet.Dir, p *packet.Packet) {
	switch p.TCPFlags & (packet.SYN | packet.ACK | packet.RST) {
	case packet.SYN | packet.ACK:
		if v, ok := fingerprint.Serves(true, p.SrcPort); ok {
			x.tellConst(w, device.Port, "open", v)
		}
	case packet.SYN:
		x.syn(w, p)
		fallthrough
	case packet.ACK:
		if d == packet.ToServer {
			lan := x.local(p.Dst)
			if v, ok := fingerprint.Speaks(lan, true, p.DstPort); ok {
				x.tellConst(w, device.Port, spoke(lan), v)
			}
		}
	}
}

func spoke(lan bool) string {
	if lan {
		return "lan"
	}
	return "wan"
}

// syn notes how a system opens a connection: hop limit as sent, window, and
// the options in their order (M maximum segment size, N nothing, W window
// scale, S selective acknowledgements, T timestamps, E end).
func (x *Extractor) syn(w who, p *packet.Packet) {
	b := x.scratch[:0]
	switch {
	case p.TTL <= 64:
		b = append(b, "64:"...)
	case p.TTL <= 128:
		b = append(b, "128:"...)
	default:
		b = append(b, "255:"...)
	}
	b = appendUint(b, uint64(p.Window))
	b = append(b, ':')
	opts := p.TCPOpts
	for n := 0; len(opts) > 0 && n < 20; n++ {
		k := opts[0]
		switch k {
		case 0:
			b = append(b, 'E')
		case 1:
			b = append(b, 'N')
		case 2:
			b = append(b, 'M')
		case 3:
			b = append(b, 'W')
		case 4:
			b = append(b, 'S')
		case 8:
			b = append(b, 'T')
		default:
			b = append(b, '?')
		}
		size := 1
		if k > 1 {
			if len(opts) < 2 || opts[1] < 2 || int(opts[1]) > len(opts) {
				break
			}
			size = int(opts[1])
		}
		opts = opts[size:]
	}
	x.scratch = b[:0]
	x.tell(w, device.TCP, "syn", b)
}

func appendUint(b []byte, v uint64) []byte {
	var t [20]byte
	i := len(t)
	for ok := true; ok; ok = v > 0 {
		i--
		t[i] = byte('0' + v%10)
		v /= 10
	}
	return append(b, t[i:]...)
}

func (x *Extractor) udp(w who, d packet.Dir, p *packet.Packet) {
	lan := x.local(p.Dst)
	if d == packet.ToClient {
		if v, ok := fingerprint.Serves(false, p.SrcPort); ok && p.SrcPort != 67 {
			x.tellConst(w, device.Port, "open", v)
		}
	} else if v, ok := fingerprint.Speaks(lan, false, p.DstPort); ok {
		x.tellConst(w, device.Port, spoke(lan), v)
	}
	if len(p.Payload) < 4 {
		return
	}
	if p.DstPort == 3702 || p.SrcPort == 3702 {
		x.wsd(w, p.Payload)
		return
	}
	if v := signature(p); v != "" && (lan || d == packet.ToClient) {
		x.tellConst(w, device.LAN, "say", v)
	}
}

// signature knows makers' protocols by their first bytes. What a searcher
// sends is left out where it differs from what the product says.
func signature(p *packet.Packet) string {
	b := p.Payload
	switch {
	case bytes.HasPrefix(b, []byte("eQ3Max")) && len(b) > 19: // the searcher's message has 19 bytes
		return "eq3max"
	case len(b) >= 16 && b[0] == 0 && b[1] == 0 && b[2] == 0x55 && b[3] == 0xaa && (p.DstPort == 6666 || p.DstPort == 6667 || p.DstPort == 7000):
		return "tuya"
	case len(b) >= 32 && b[0] == 0x21 && b[1] == 0x31 && p.SrcPort == 54321:
		return "miio"
	case p.DstPort == 37020 && bytes.Contains(b[:min(len(b), 400)], []byte("<ProbeMatch>")), p.SrcPort == 37020 && bytes.Contains(b[:min(len(b), 400)], []byte("<ProbeMatch>")):
		return "sadp"
	case len(b) >= 32 && bytes.HasPrefix(b[4:], []byte("DHIP")) && p.SrcPort == 37810:
		return "dhip"
	case p.DstPort == 5678 && p.SrcPort == 5678 && len(b) > 12:
		return "mndp"
	case p.SrcPort == 10001 && len(b) > 8 && (b[0] == 1 || b[0] == 2) && b[1]&0xf8 == 0:
		return "ubnt"
	case p.DstPort == 17500 && b[0] == '{' && bytes.Contains(b[:min(len(b), 200)], []byte("host_int")):
		return "dropbox"
	case len(b) >= 16 && bytes.HasPrefix(b, []byte("BJNP")) && b[4]&0x80 != 0: // an answer
		return "bjnp"
	case bytes.HasPrefix(b, []byte("EPSON")) && p.SrcPort == 3289 && len(b) > 14:
		return "enpc"
	case p.SrcPort == 65001 && len(b) > 8 && b[0] == 0 && b[1] == 3:
		return "hdhomerun"
	case bytes.HasPrefix(b, []byte("HTTP/1.1 ")) && bytes.Contains(b, []byte("host-type:PS")):
		return "ddp"
	case p.SrcPort == 56700 && len(b) >= 36 && b[3]&0x0f == 0x04 && b[32] == 3: // StateService
		return "lifx"
	case bytes.HasPrefix(b, []byte("<param><code value=\"")):
		return "edimax"
	case p.DstPort == 27036 && len(b) > 8 && b[0] == 0xff && b[1] == 0xff && b[2] == 0xff && b[3] == 0xff:
		return "steam"
	case p.DstPort == 57621 && bytes.HasPrefix(b, []byte("SpotUdp")):
		return "spotify"
	case p.SrcPort == 9999 && len(b) > 8:
		return tplink(b)
	}
	return ""
}

// tplink undoes the cipher of TP-Link's smart home protocol, each byte xored
// with the one before it, the first with 171, and looks for the type of the
// device in the answer.
func tplink(b []byte) string {
	var t [1024]byte
	n, k := 0, byte(171)
	for _, c := range b[:min(len(b), len(t))] {
		t[n] = c ^ k
		k = c
		n++
	}
	v := t[:n]
	switch {
	case v[0] != '{':
		return ""
	case bytes.Contains(v, []byte("IOT.SMARTPLUGSWITCH")):
		return "tplink.plug"
	case bytes.Contains(v, []byte("IOT.SMARTBULB")):
		return "tplink.bulb"
	case bytes.Contains(v, []byte("\"alias\"")):
		return "tplink"
	}
	return ""
}

// wsd reads a message of WS-Discovery (OASIS 1.1): SOAP in a datagram. Hello
// and ProbeMatches are what a device says of itself; a Probe is what it looks
// for.
func (x *Extractor) wsd(w who, b []byte) {
	b = b[:min(len(b), 4096)]
	hello := bytes.Contains(b, []byte("/Hello<")) || bytes.Contains(b, []byte("/ProbeMatches<")) || bytes.Contains(b, []byte("/ResolveMatches<"))
	if !hello {
		return
	}
	inEPR := true
	descr.Elements(b, func(name, text []byte) bool {
		switch string(name) {
		case "Address":
			if inEPR && bytes.HasPrefix(text, []byte("urn:uuid:")) {
				x.tell(w, device.WSD, "epr", text[len("urn:uuid:"):])
				inEPR = false
			}
		case "Types":
			x.tell(w, device.WSD, "types", text)
		case "Scopes":
			for n := 0; len(text) > 0 && n < 16; n++ {
				var one []byte
				one, text, _ = bytes.Cut(text, []byte{' '})
				x.scope(w, bytes.TrimSpace(one))
			}
		}
		return true
	})
}

// scope reads one scope of ONVIF: onvif://www.onvif.org/name/Door.
func (x *Extractor) scope(w who, s []byte) {
	x.tell(w, device.WSD, "scopes", s)
	for _, k := range [...]struct{ prefix, key string }{{"onvif://www.onvif.org/hardware/", "model"}, {"onvif://www.onvif.org/name/", "name"}} {
		if bytes.HasPrefix(s, []byte(k.prefix)) {
			x.tell(w, device.WSD, k.key, s[len(k.prefix):])
		}
	}
}
