package packet

var linkRows = []row{
	{"ethernet", LinkEthernet, ether(0x0800, web), webWant(nil)},
	{"ethernet IPv6", LinkEthernet, ether(0x86dd, web6), web6Want(nil)},
	{"padding", LinkEthernet, ether(0x0800, web, zeros(3)), webWant(nil)},
	{"short ethernet", LinkEthernet, ether(0x0800)[:13], none0(0, TruncatedFrame)},
	{"empty", LinkEthernet, nil, none0(0, TruncatedFrame)},
	{"no IP", LinkEthernet, ether(0x0800), none0(0, TruncatedIP)},
	{"LLDP", LinkEthernet, ether(0x88cc, zeros(50)), none0(0x88cc, UnknownLink)},
	{"PPPoE discovery", LinkEthernet, ether(0x8863, []byte{0x11, 9}, u16(0, 0)), none0(0x8863, UnknownLink)},

	{"ARP", LinkEthernet, ether(0x0806, u16(1, 0x0800), []byte{6, 4}, u16(1), []byte(mac1), ip(a1), zeros(6), ip(a2)), none0(0x0806, 0)},

	{"802.1Q", LinkEthernet, ether(0x8100, tag(10, 0x0800), web), webWant(func(w *want) { w.vlan = "10" })},
	{"802.1ad", LinkEthernet, ether(0x88a8, tag(10, 0x8100), tag(20, 0x86dd), web6), web6Want(func(w *want) { w.vlan = "10,20" })},
	{"0x9100", LinkEthernet, ether(0x9100, tag(10, 0x9200), tag(20, 0x0800), web), webWant(func(w *want) { w.vlan = "10,20" })},
	{"three tags", LinkEthernet, ether(0x88a8, tag(10, 0x8100), tag(20, 0x8100), tag(30, 0x0800), web), webWant(func(w *want) { w.vlan = "10,30" })},
	{"eight tags", LinkEthernet, ether(0x8100, tags(7), tag(30, 0x0800), web), webWant(func(w *want) { w.vlan = "1,30" })},
	{"nine tags", LinkEthernet, ether(0x8100, tags(8), tag(30, 0x0800), web), want{et: 0x8100, vlan: "1,8", anomalies: TooDeep}},
	{"cut tag", LinkEthernet, ether(0x8100, u16(10)), none0(0x8100, TruncatedFrame)},

	{"SNAP", LinkEthernet, ether(8+len(web), []byte{0xaa, 0xaa, 3, 0, 0, 0}, u16(0x0800), web, zeros(9)), webWant(nil)},
	{"SNAP bridged", LinkEthernet, ether(8+len(web), []byte{0xaa, 0xaa, 3, 0, 0, 0xf8}, u16(0x0800), web), webWant(nil)},
	{"SNAP vendor", LinkEthernet, ether(30, []byte{0xaa, 0xaa, 3, 0, 0, 0x0c}, u16(0x2000), zeros(22)), none0(0, UnknownLink)},
	{"SNAP in VLAN", LinkEthernet, ether(0x8100, tag(10, 8+len(web)), []byte{0xaa, 0xaa, 3, 0, 0, 0}, u16(0x0800), web), webWant(func(w *want) { w.vlan = "10" })},
	{"SNAP cut", LinkEthernet, ether(30, []byte{0xaa, 0xaa, 3, 0}), none0(0, TruncatedFrame)},
	{"SNAP padded short", LinkEthernet, ether(4, []byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, web), none0(0, TruncatedFrame)},
	{"LLC IP", LinkEthernet, ether(3+len(web), []byte{6, 6, 3}, web), webWant(nil)},
	{"spanning tree", LinkEthernet, ether(38, []byte{0x42, 0x42, 3}, zeros(43)), none0(0, UnknownLink)},
	{"LLC cut", LinkEthernet, ether(38, []byte{0x42, 0x42}), none0(0, TruncatedFrame)},

	{"null little", LinkNull, cat([]byte{2, 0, 0, 0}, web), webWant(nil)},
	{"null big", LinkNull, cat([]byte{0, 0, 0, 2}, web), webWant(nil)},
	{"null IPv6 Linux", LinkNull, cat([]byte{10, 0, 0, 0}, web6), web6Want(nil)},
	{"null IPv6 NetBSD", LinkNull, cat([]byte{0, 0, 0, 24}, web6), web6Want(nil)},
	{"null IPv6 FreeBSD", LinkNull, cat([]byte{28, 0, 0, 0}, web6), web6Want(nil)},
	{"null IPv6 Darwin", LinkNull, cat([]byte{30, 0, 0, 0}, web6), web6Want(nil)},
	{"null other", LinkNull, cat([]byte{7, 0, 0, 0}, web), none0(0, UnknownLink)},
	{"null cut", LinkNull, []byte{2, 0, 0}, none0(0, TruncatedFrame)},
	{"loop", LinkLoop, cat([]byte{0, 0, 0, 2}, web), webWant(nil)},
	{"loop IPv6", LinkLoop, cat([]byte{0, 0, 0, 24}, web6), web6Want(nil)},

	{"raw", LinkRaw, web, webWant(nil)},
	{"raw IPv6", LinkRaw, web6, web6Want(nil)},
	{"raw BSD", LinkRawBSD, web, webWant(nil)},
	{"raw OpenBSD", LinkRawOBSD, web6, web6Want(nil)},
	{"raw other", LinkRaw, []byte{0x55}, none0(0, UnknownLink)},
	{"raw empty", LinkRaw, nil, none0(0, TruncatedFrame)},
	{"IPv4 link", LinkIPv4, web, webWant(nil)},
	{"IPv6 link", LinkIPv6, web6, web6Want(nil)},
	{"IPv4 link, IPv6", LinkIPv4, web6, none0(0, BadIPHeader)},
	{"IPv6 link, IPv4", LinkIPv6, v4(6, a1, a2, tcp(1, 2, "")), none0(0, BadIPHeader)},

	{"SLL", LinkSLL, cat(sllHdr(1, 0x0800), web), webWant(nil)},
	{"SLL VLAN", LinkSLL, cat(sllHdr(1, 0x8100), tag(10, 0x86dd), web6), web6Want(func(w *want) { w.vlan = "10" })},
	{"SLL LLC", LinkSLL, cat(sllHdr(1, 4), []byte{0xaa, 0xaa, 3, 0, 0, 0}, u16(0x0800), web), webWant(nil)},
	{"SLL raw 802.3", LinkSLL, cat(sllHdr(1, 1), web), none0(0, UnknownLink)},
	{"SLL netlink", LinkSLL, cat(sllHdr(824, 0x0800), web), none0(0, UnknownLink)},
	{"SLL cut", LinkSLL, sllHdr(1, 0x0800)[:15], none0(0, TruncatedFrame)},
	{"SLL2", LinkSLL2, cat(sll2Hdr(1, 0x0800), web), webWant(nil)},
	{"SLL2 IPv6", LinkSLL2, cat(sll2Hdr(65534, 0x86dd), web6), web6Want(nil)},
	{"SLL2 cut", LinkSLL2, sll2Hdr(1, 0x0800)[:19], none0(0, TruncatedFrame)},

	{"PPP", LinkPPP, cat([]byte{0xff, 3}, u16(0x21), web), webWant(nil)},
	{"PPP flag", LinkPPP, cat([]byte{0x7e, 0xff, 3}, u16(0x57), web6), web6Want(nil)},
	{"PPP bare", LinkPPP, cat(u16(0x21), web), webWant(nil)},
	{"PPP compressed", LinkPPP, cat([]byte{0x57}, web6), web6Want(nil)},
	{"PPP both compressed", LinkPPPHDLC, cat([]byte{0xff, 3, 0x21}, web), webWant(nil)},
	{"PPP MPLS", LinkPPP, cat(u16(0x281), u32(0x00001140), web), webWant(tunnelled(TunnelMPLS, 0))},
	{"PPP LCP", LinkPPP, cat([]byte{0xff, 3}, u16(0xc021), zeros(8)), none0(0, UnknownLink)},
	{"PPP cut", LinkPPP, []byte{0xff, 3, 0}, none0(0, TruncatedFrame)},
	{"PPP empty", LinkPPP, nil, none0(0, TruncatedFrame)},
	{"PPP Cisco", LinkPPPHDLC, cat([]byte{0x0f, 0}, u16(0x0800), web), webWant(nil)},
	{"Cisco HDLC", LinkCHDLC, cat([]byte{0x8f, 0}, u16(0x86dd), web6), web6Want(nil)},
	{"Cisco SLARP", LinkCHDLC, cat([]byte{0x8f, 0}, u16(0x8035), zeros(18)), none0(0x8035, UnknownLink)},
	{"Cisco low", LinkCHDLC, cat([]byte{0x0f, 0}, u16(0x21), web), none0(0, UnknownLink)},
	{"Cisco cut", LinkCHDLC, []byte{0x0f, 0, 8}, none0(0, TruncatedFrame)},
	{"PPPoE link", LinkPPPoE, pppoe(cat(u16(0x21), web)), webWant(tunnelled(TunnelPPPoE, 0))},
}

func tags(n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, tag(i+1, 0x8100)...)
	}
	return b
}

func sllHdr(hw, et int) []byte {
	return cat(u16(0, hw, 6), []byte(mac1), zeros(2), u16(et))
}

func sll2Hdr(hw, et int) []byte {
	return cat(u16(et, 0), u32(3), u16(hw), []byte{0, 6}, []byte(mac1), zeros(2))
}

func pppoe(ppp []byte) []byte { return cat([]byte{0x11, 0}, u16(7, len(ppp)), ppp) }
