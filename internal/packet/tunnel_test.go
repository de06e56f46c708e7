package packet

import "testing"

var vxlanHdr = []byte{8, 0, 0, 0, 0, 0, 42, 0}

// teredoAuth is an authentication indication with an identifier of 2 bytes and a
// value of 3.
var teredoAuth = cat([]byte{0, 1, 2, 3}, zeros(2+3+8+1))

// nshHdr is a Network Service Header of so many words, RFC 8300 section 2.2.
func nshHdr(words, next byte) []byte {
	return cat([]byte{0x0f, words | 0xc0, 1, next, 0, 0, 1, 255}, zeros(max(0, 4*int(words)-8)))
}

// geneveHdr is a GENEVE header whose first bytes and protocol are given; first
// counts the options in words.
func geneveHdr(first, flags byte, proto int) []byte {
	return cat([]byte{first, flags}, u16(proto), []byte{0, 0, 42, 0})
}

// greWant is a GRE packet whose inside could not be used.
func greWant(payload string, a Anomaly, noL4 bool) want {
	return want{et: 0x0800, version: 4, src: "10.0.0.1", dst: "10.0.0.2", proto: 47, payload: payload, anomalies: a, noL4: noL4}
}

func greIn4(parts ...[]byte) []byte {
	return v4(47, "10.0.0.1", "10.0.0.2", cat(parts...))
}

func vx(port int, hdr []byte, inner ...[]byte) []byte {
	return v4(17, "10.0.0.1", "10.0.0.2", udp(5555, port, hdr, cat(inner...)))
}

// vxlanKept is a packet to a VXLAN port that stays a UDP packet.
func vxlanKept(port uint16, payload []byte) want {
	return want{et: 0x0800, version: 4, src: "10.0.0.1", dst: "10.0.0.2", proto: 17, sp: 5555, dp: port, payload: string(payload)}
}

var tunnelRows = []row{
	{"PPPoE", LinkEthernet, ether(0x8864, pppoe(cat(u16(0x21), web)), zeros(7)), webWant(tunnelled(TunnelPPPoE, 0))},
	{"PPPoE IPv6 in VLAN", LinkEthernet, ether(0x8100, tag(7, 0x8864), pppoe(cat([]byte{0x57}, web6))),
		web6Want(func(w *want) { w.tunnels, w.vlan = TunnelPPPoE, "7" })},
	{"PPPoE LCP", LinkEthernet, ether(0x8864, pppoe(cat(u16(0xc021), zeros(8)))), none0(0x8864, UnknownLink)},
	{"PPPoE super-segment", LinkEthernet, ether(0x8864, []byte{0x11, 0}, u16(7, 0, 0x21), v4(6, a1, a2, tcp(1, 2, string(zeros(9000))))),
		want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 6, sp: 1, dp: 2, payload: string(zeros(9000)), tunnels: TunnelPPPoE}},
	{"PPPoE length 0", LinkEthernet, ether(0x8864, []byte{0x11, 0}, u16(7, 0, 0x21), web), none0(0x8864, TruncatedFrame)},
	{"PPPoE version", LinkEthernet, ether(0x8864, []byte{0x21, 0}, u16(7, 2, 0x21)), none0(0x8864, UnknownLink)},
	{"PPPoE cut", LinkEthernet, ether(0x8864, []byte{0x11, 0, 0}), none0(0x8864, TruncatedFrame)},
	{"PPPoE long", LinkEthernet, ether(0x8864, []byte{0x11, 0}, u16(7, 2000, 0x21), web), webWant(func(w *want) { w.tunnels, w.anomalies = TunnelPPPoE, TruncatedFrame })},

	{"MPLS", LinkEthernet, ether(0x8847, u32(0x00010040, 0x00011140), web), webWant(tunnelled(TunnelMPLS, 0))},
	{"MPLS IPv6 multicast", LinkEthernet, ether(0x8848, u32(0x00011140), web6), web6Want(tunnelled(TunnelMPLS, 0))},
	{"MPLS pseudowire", LinkEthernet, ether(0x8847, u32(0x00011140, 0), ether(0x8100, tag(9, 0x0800), web)),
		webWant(func(w *want) { w.tunnels, w.vlan = TunnelMPLS, "9" })},
	{"MPLS other", LinkEthernet, ether(0x8847, u32(0x00011140), []byte{0x10, 0, 0, 0}), none0(0x8847, UnknownLink)},
	{"MPLS empty", LinkEthernet, ether(0x8847, u32(0x00011140)), none0(0x8847, TruncatedFrame)},
	{"MPLS no bottom", LinkEthernet, ether(0x8847, u32(0x00010040)), none0(0x8847, TruncatedFrame)},
	{"MPLS 16 labels", LinkEthernet, ether(0x8847, zeros(15*4), u32(0x00011140), web), webWant(tunnelled(TunnelMPLS, 0))},
	{"MPLS 17 labels", LinkEthernet, ether(0x8847, zeros(16*4), u32(0x00011140), web), none0(0x8847, TooDeep)},

	{"NSH", LinkEthernet, ether(0x894f, nshHdr(6, 1), web), webWant(tunnelled(TunnelNSH, 0))},
	{"NSH IPv6", LinkEthernet, ether(0x894f, nshHdr(2, 2), web6), web6Want(tunnelled(TunnelNSH, 0))},
	{"NSH Ethernet", LinkEthernet, ether(0x894f, nshHdr(2, 3), ether(0x0800, web)), webWant(tunnelled(TunnelNSH, 0))},
	{"NSH twice, MPLS", LinkEthernet, ether(0x894f, nshHdr(2, 4), nshHdr(3, 5), u32(0x00011140), web), webWant(tunnelled(TunnelNSH|TunnelMPLS, 0))},
	{"NSH other", LinkEthernet, ether(0x894f, nshHdr(2, 9), web), none0(0x894f, UnknownLink)},
	{"NSH version 1", LinkEthernet, ether(0x894f, []byte{0x40, 2, 1, 1, 0, 0, 0, 0}, web), none0(0x894f, UnknownLink)},
	{"NSH short length", LinkEthernet, ether(0x894f, nshHdr(1, 1), web), none0(0x894f, UnknownLink)},
	{"NSH cut", LinkEthernet, ether(0x894f, nshHdr(6, 1)[:20]), none0(0x894f, TruncatedFrame)},
	{"NSH nothing", LinkEthernet, ether(0x894f, []byte{0, 2, 1}), none0(0x894f, TruncatedFrame)},
	{"nine NSH", LinkEthernet, ether(0x894f, cat(nshHdr(2, 4), nshHdr(2, 4), nshHdr(2, 4)), cat(nshHdr(2, 4), nshHdr(2, 4), nshHdr(2, 4)),
		cat(nshHdr(2, 4), nshHdr(2, 4), nshHdr(2, 1)), web), none0(0x894f, TooDeep)},

	{"IP in IP", LinkRaw, v4(4, "10.0.0.1", "10.0.0.2", web), webWant(func(w *want) { w.tunnels, w.depth, w.outer = TunnelIPIP, 1, "10.0.0.1 10.0.0.2" })},
	{"6in4", LinkRaw, v4(41, a1, a2, web6), web6Want(func(w *want) { w.tunnels, w.depth, w.outer = Tunnel6in4, 1, a1+" "+a2 })},
	{"4in6", LinkRaw, v6(4, b1, b2, web), webWant(func(w *want) { w.tunnels, w.depth, w.outer = Tunnel4in6, 1, b1+" "+b2 })},
	{"4in6 with limit option", LinkRaw, v6(60, b1, b2, []byte{4, 0, 4, 1, 3, 1, 1, 0}, web), webWant(tunnelled(Tunnel4in6, 1))},
	{"6in6", LinkRaw, v6(41, b1, b2, web6), web6Want(tunnelled(TunnelIP6IP, 1))},
	{"broken inside", LinkRaw, v4(4, a1, a2, []byte("\x46nonsense")), want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 4, payload: "\x46nonsense", anomalies: TruncatedIP}},
	{"inner version", LinkRaw, v4(4, a1, a2, web6), want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 4, payload: string(web6), anomalies: BadIPHeader}},
	{"eight deep", LinkRaw, wrap(8), webWant(func(w *want) { w.tunnels, w.depth, w.outer = TunnelIPIP, 8, "10.0.0.8 10.0.0.1" })},
	{"nine deep", LinkRaw, wrap(9), want{et: 0x0800, version: 4, src: "10.0.0.1", dst: "10.0.0.1", proto: 4,
		payload: string(web), tunnels: TunnelIPIP, depth: 8, anomalies: TooDeep, outer: "10.0.0.9 10.0.0.1"}},

	{"eight pseudowires", LinkEthernet, wires(8), webWant(tunnelled(TunnelMPLS, 0))},
	{"nine pseudowires", LinkEthernet, wires(9), none0(0x8847, TooDeep)},
	{"eight GRE", LinkRaw, wrapGRE(8), webWant(tunnelled(TunnelGRE, 8))},
	{"nine GRE", LinkRaw, wrapGRE(9), want{et: 0x0800, version: 4, src: "10.0.0.1", dst: "10.0.0.2", proto: 47,
		payload: string(web), tunnels: TunnelGRE, depth: 8, anomalies: TooDeep}},

	{"GRE", LinkRaw, greIn4(u16(0, 0x0800), web), webWant(tunnelled(TunnelGRE, 1))},
	{"GRE all fields", LinkRaw, greIn4(u16(0xf000, 0x86dd), u32(0, 77, 1), u16(0x800), []byte{0, 4}, ip(a1), u32(0), web6), web6Want(tunnelled(TunnelGRE, 1))},
	{"GRE checksum", LinkRaw, greIn4(u16(0x8000, 0x0800, 0xffff, 0), web), webWant(tunnelled(TunnelGRE, 1))},
	{"GRE key sequence", LinkRaw, greIn4(u16(0x3000, 0x0800), u32(77, 1), web), webWant(tunnelled(TunnelGRE, 1))},
	{"GRE bridged", LinkRaw, greIn4(u16(0, 0x6558), ether(0x8100, tag(5, 0x86dd), web6)), web6Want(func(w *want) { w.tunnels, w.depth, w.vlan = TunnelGRE, 1, "5" })},
	{"GRE MPLS", LinkRaw, greIn4(u16(0, 0x8847), u32(0x00011140), web), webWant(tunnelled(TunnelGRE|TunnelMPLS, 1))},
	{"GRE over IPv6", LinkRaw, v6(47, b1, b2, u16(0, 0x0800), web), webWant(tunnelled(TunnelGRE, 1))},
	{"GRE PPP", LinkRaw, greIn4(u16(0x2000, 0x880b), u32(1), u16(0x21), web), webWant(tunnelled(TunnelGRE, 1))},
	{"PPTP", LinkRaw, greIn4(u16(0x3081, 0x880b, 4+len(web), 9), u32(3, 2), []byte{0xff, 3}, u16(0x21), web), webWant(tunnelled(TunnelGRE, 1))},
	{"PPTP without ack", LinkRaw, greIn4(u16(0x3001, 0x880b, 1+len(web), 9), u32(3), []byte{0x21}, web), webWant(tunnelled(TunnelGRE, 1))},
	{"PPTP ack alone", LinkRaw, greIn4(u16(0x2081, 0x880b, 0, 9), u32(2)), greWant("", 0, false)},
	{"PPTP encrypted", LinkRaw, greIn4(u16(0x3001, 0x880b, 4, 9), u32(3), u16(0xfd, 1)), greWant("\x00\xfd\x00\x01", 0, false)},
	{"PPTP without key", LinkRaw, greIn4(u16(0x1001, 0x880b), u32(3), u16(0x21), web), greWant("", BadL4Header, true)},
	{"GRE version 2", LinkRaw, greIn4(u16(2, 0x0800), web), greWant("", BadL4Header, true)},
	{"GRE other", LinkRaw, greIn4(u16(0, 0x88be), []byte("x")), greWant("x", 0, false)},
	{"GRE cut", LinkRaw, greIn4([]byte{0, 0, 8}), greWant("", TruncatedL4, true)},
	{"GRE cut key", LinkRaw, greIn4(u16(0x2000, 0x0800, 1)), greWant("", TruncatedL4, true)},
	{"GRE endless routing", LinkRaw, greIn4(u16(0x4000, 0x0800), u32(0), u16(0x800), []byte{0, 4}, ip(a1)), greWant("", TruncatedL4, true)},
	{"GRE bad inside", LinkRaw, greIn4(u16(0, 0x0800), []byte("x")), greWant("x", TruncatedIP, false)},

	{"VXLAN", LinkRaw, vx(4789, vxlanHdr, ether(0x0800, web)), webWant(func(w *want) { w.tunnels, w.depth, w.outer = TunnelVXLAN, 1, "10.0.0.1 10.0.0.2" })},
	{"VXLAN over VLAN", LinkEthernet, ether(0x8100, tag(3, 0x0800), vx(4789, vxlanHdr, ether(0x8100, tag(4, 0x86dd), web6))), web6Want(func(w *want) { w.tunnels, w.depth, w.vlan = TunnelVXLAN, 1, "3,4" })},
	{"VXLAN reserved bits", LinkRaw, vx(4789, []byte{0x88, 0, 0, 9, 0, 0, 42, 1}, ether(0x0800, web)), webWant(tunnelled(TunnelVXLAN, 1))},
	{"VXLAN Linux port", LinkRaw, vx(8472, vxlanHdr, ether(0x86dd, web6)), web6Want(tunnelled(TunnelVXLAN, 1))},
	{"8472, reserved bits", LinkRaw, vx(8472, []byte{8, 0, 0, 1, 0, 0, 42, 0}, ether(0x0800, web)), vxlanKept(8472, cat([]byte{8, 0, 0, 1, 0, 0, 42, 0}, ether(0x0800, web)))},
	{"VXLAN without network", LinkRaw, vx(4789, zeros(8), ether(0x0800, web)), vxlanKept(4789, cat(zeros(8), ether(0x0800, web)))},
	{"VXLAN other inside", LinkRaw, vx(4789, vxlanHdr, ether(0x8100, tag(4, 0x88cc), zeros(20))), vxlanKept(4789, cat(vxlanHdr, ether(0x8100, tag(4, 0x88cc), zeros(20))))},
	{"GENEVE", LinkRaw, vx(6081, geneveHdr(0, 0, 0x6558), ether(0x0800, web)), webWant(func(w *want) { w.tunnels, w.depth, w.outer = TunnelGENEVE, 1, "10.0.0.1 10.0.0.2" })},
	{"GENEVE options", LinkRaw, vx(6081, geneveHdr(2, 0x40, 0x6558), zeros(8), ether(0x86dd, web6)), web6Want(tunnelled(TunnelGENEVE, 1))},
	{"GENEVE longest options", LinkRaw, vx(6081, geneveHdr(63, 0, 0x6558), zeros(252), ether(0x0800, web)), webWant(tunnelled(TunnelGENEVE, 1))},
	{"GENEVE IPv4", LinkRaw, vx(6081, geneveHdr(0, 0, 0x0800), web), webWant(tunnelled(TunnelGENEVE, 1))},
	{"GENEVE IPv6", LinkRaw, vx(6081, geneveHdr(0, 0, 0x86dd), web6), web6Want(tunnelled(TunnelGENEVE, 1))},
	{"GENEVE control", LinkRaw, vx(6081, geneveHdr(0, 0x80, 0x6558), ether(0x0800, web)), vxlanKept(6081, cat(geneveHdr(0, 0x80, 0x6558), ether(0x0800, web)))},
	{"GENEVE version", LinkRaw, vx(6081, geneveHdr(0x40, 0, 0x0800), web), vxlanKept(6081, cat(geneveHdr(0x40, 0, 0x0800), web))},
	{"GENEVE other", LinkRaw, vx(6081, geneveHdr(0, 0, 0x0806), web), vxlanKept(6081, cat(geneveHdr(0, 0, 0x0806), web))},
	{"GENEVE no IP", LinkRaw, vx(6081, geneveHdr(0, 0, 0x0800), web6), vxlanKept(6081, cat(geneveHdr(0, 0, 0x0800), web6))},
	{"GENEVE options over the end", LinkRaw, vx(6081, geneveHdr(63, 0, 0x0800), zeros(252)), vxlanKept(6081, cat(geneveHdr(63, 0, 0x0800), zeros(252)))},
	{"GENEVE cut", LinkRaw, vx(6081, zeros(7)), vxlanKept(6081, zeros(7))},

	{"Teredo", LinkRaw, vx(3544, web6), web6Want(func(w *want) { w.tunnels, w.depth, w.outer = TunnelTeredo, 1, "10.0.0.1 10.0.0.2" })},
	{"Teredo from the server", LinkRaw, v4(17, a1, a2, udp(3544, 5555, web6)), web6Want(tunnelled(TunnelTeredo, 1))},
	{"Teredo origin", LinkRaw, vx(3544, zeros(8), web6), web6Want(tunnelled(TunnelTeredo, 1))},
	{"Teredo authentication", LinkRaw, vx(3544, teredoAuth, web6), web6Want(tunnelled(TunnelTeredo, 1))},
	{"Teredo authentication and origin", LinkRaw, vx(3544, teredoAuth, zeros(8), web6), web6Want(tunnelled(TunnelTeredo, 1))},
	{"Teredo authentication over the end", LinkRaw, vx(3544, []byte{0, 1, 255, 255}, web6), vxlanKept(3544, cat([]byte{0, 1, 255, 255}, web6))},
	{"Teredo bubble", LinkRaw, vx(3544, v6(59, b1, b2)), vxlanKept(3544, v6(59, b1, b2))},
	{"Teredo and more", LinkRaw, vx(3544, web6, zeros(1)), vxlanKept(3544, cat(web6, zeros(1)))},
	{"Teredo IPv4", LinkRaw, vx(3544, web), vxlanKept(3544, web)},
	{"Teredo empty", LinkRaw, vx(3544, nil), vxlanKept(3544, nil)},
	{"VXLAN source port only", LinkRaw, v4(17, a1, a2, udp(4789, 99, vxlanHdr, ether(0x0800, web))),
		want{et: 0x0800, version: 4, proto: 17, sp: 4789, dp: 99, payload: string(cat(vxlanHdr, ether(0x0800, web)))}},
}

// wrap puts web into n IPv4 headers; the source of each tells its level.
func wrap(n int) []byte {
	b := web
	for i := range n {
		b = v4(4, "10.0.0."+itoa(i+1), "10.0.0.1", b)
	}
	return b
}

// wires puts web into n Ethernet pseudowires, wrapGRE into n GRE packets.
func wires(n int) []byte {
	b := ether(0x0800, web)
	for range n {
		b = ether(0x8847, u32(0x00011140, 0), b)
	}
	return b
}

func wrapGRE(n int) []byte {
	b := web
	for range n {
		b = greIn4(u16(0, 0x0800), b)
	}
	return b
}

// A session frame cut by the snap length: what is missing counts to the end of
// the IP packet in it.
func TestSnappedPPPoE(t *testing.T) {
	b := ether(0x8864, pppoe(cat(u16(0x21), v4(17, a1, a2, udp(1, 2, zeros(100))))))
	f := frame(LinkEthernet, b[:len(b)-60])
	f.Len = len(b)
	want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 17, sp: 1, dp: 2, payload: string(zeros(40)),
		tunnels: TunnelPPPoE, missing: 60}.check(t, decode(f))
}

// Of a frame inside a tunnel the hardware addresses are not those of a
// neighbour.
func TestTunnelKeepsMAC(t *testing.T) {
	inner := cat([]byte("\x06inner\x06other"), u16(0x0800), web)
	p := decode(frame(LinkEthernet, ether(0x0800, vx(4789, vxlanHdr, inner))))
	if string(p.SrcMAC[:]) != mac1 || string(p.DstMAC[:]) != mac2 || p.Depth != 1 {
		t.Errorf("MACs %x %x, depth %d", p.SrcMAC, p.DstMAC, p.Depth)
	}
}
