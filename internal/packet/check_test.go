package packet

import (
	"slices"
	"testing"
)

// eventsOf decodes a frame and looks it over.
func eventsOf(f *Frame) (names []string) {
	var e Events
	Check(decode(f), &e)
	for ev, ok := e.Next(0); ok; ev, ok = e.Next(ev + 1) {
		names = append(names, ev.String())
	}
	return names
}

// set returns b with one byte changed.
func set(b []byte, at int, v byte) []byte {
	b = slices.Clone(b)
	b[at] = v
	return b
}

var eventRows = func() []struct {
	name string
	link LinkType
	data []byte
	want []string
} {
	const a1, a2, b1, b2 = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"
	web := tcp(1000, 80, "x")
	opt := func(o ...byte) []byte { return v4opt(6, a1, a2, o, 1, 0, web) }
	g := func(flags, more byte, et int, rest ...byte) []byte {
		return v4(47, a1, a2, []byte{flags, more}, u16(et), rest)
	}
	in6 := func(next int, payload ...[]byte) []byte { return v6(next, b1, b2, payload...) }
	topt := func(o ...byte) []byte { return v4(6, a1, a2, tcpOpt(1, 2, ACK, o, "")) }
	icmp4 := func(typ, code byte, rest ...byte) []byte {
		return v4(1, a1, a2, append([]byte{typ, code, 0, 0, 0, 0, 0, 0}, rest...))
	}
	icmp6 := func(typ, code byte, rest ...byte) []byte {
		return in6(58, append([]byte{typ, code, 0, 0, 0, 0, 0, 0}, rest...))
	}
	mpls := func(label int, rest ...byte) []byte {
		return ether(0x8847, u32(label<<12|0x140), rest)
	}
	all := LinkRaw
	return []struct {
		name string
		link LinkType
		data []byte
		want []string
	}{
		{"sound", all, v4(6, a1, a2, web), nil},
		{"sound", LinkEthernet, ether(0x8100, tag(9, 0x86dd), in6(6, web)), nil},
		{"short frame", LinkEthernet, zeros(13), []string{"ethernet.pkt_too_small"}},
		{"short cooked", LinkSLL, zeros(15), []string{"sll.pkt_too_small"}},
		{"short null", LinkNull, zeros(3), []string{"ltnull.pkt_too_small"}},
		{"odd null", LinkNull, []byte{77, 0, 0, 0, 1}, []string{"ltnull.unsupported_type"}},
		{"short HDLC", LinkCHDLC, zeros(3), []string{"chdlc.pkt_too_small"}},
		{"raw version", all, []byte{0x55, 0}, []string{"ipraw.invalid_ip_version"}},
		{"short PPP", LinkPPP, []byte{0xff, 3}, []string{"ppp.pkt_too_small"}},
		{"short IPv4 in PPP", LinkPPP, []byte{0, 0x21, 0x45}, []string{"ppp.ip4_pkt_too_small"}},
		{"short IPv6 in PPP", LinkPPP, []byte{0, 0x57, 0x60}, []string{"ppp.ip6_pkt_too_small"}},
		{"short VJ", LinkPPP, []byte{0, 0x2f, 0x45}, []string{"ppp.vju_pkt_too_small"}},
		{"odd PPP", LinkPPP, []byte{0x66, 0x66}, []string{"ppp.wrong_type"}},
		{"LCP", LinkPPP, []byte{0xc0, 0x21, 1}, []string{"ppp.unsup_proto"}},
		{"short PPPoE", LinkEthernet, ether(0x8864, zeros(5)), []string{"pppoe.pkt_too_small"}},
		{"PPPoE code", LinkEthernet, ether(0x8863, []byte{0x11, 1, 0, 0, 0, 0}), []string{"pppoe.wrong_code"}},
		{"PPPoE tags", LinkEthernet, ether(0x8863, []byte{0x11, 9, 0, 0, 0, 5, 1, 1, 0, 9, 0}), []string{"pppoe.malformed_tags"}},
		{"short VLAN", LinkEthernet, ether(0x8100, zeros(3)), []string{"vlan.header_too_small"}},
		{"VLAN type", LinkEthernet, ether(0x8100, tag(1, 0x1234)), []string{"vlan.unknown_type"}},
		{"four VLANs", LinkEthernet, ether(0x8100, tag(1, 0x8100), tag(2, 0x8100), tag(3, 0x8100), tag(4, 0x800), v4(6, a1, a2, web)), []string{"vlan.too_many_layers"}},
		{"short MPLS", LinkEthernet, ether(0x8847, zeros(3)), []string{"mpls.header_too_small"}},
		{"empty MPLS", LinkEthernet, mpls(99), []string{"mpls.pkt_too_small"}},
		{"label 1", LinkEthernet, mpls(1, 0), []string{"mpls.bad_label_router_alert"}},
		{"label 3", LinkEthernet, mpls(3, 0), []string{"mpls.bad_label_implicit_null"}},
		{"label 9", LinkEthernet, mpls(9, 0), []string{"mpls.bad_label_reserved"}},
		{"odd MPLS", LinkEthernet, mpls(99, 0x77), []string{"mpls.unknown_payload_type"}},

		{"short GRE", all, v4(47, a1, a2, zeros(3)), []string{"gre.pkt_too_small"}},
		{"GRE version", all, g(0, 3, 0x800), []string{"gre.wrong_version"}},
		{"GRE recursion", all, g(1, 0, 0x800), []string{"gre.version0_recur"}},
		{"GRE flags", all, g(0, 0x10, 0x800), []string{"gre.version0_flags"}},
		{"GRE key", all, g(0x20, 0, 0x800, 1), []string{"gre.version0_hdr_too_big"}},
		{"GRE route", all, g(0x40, 0, 0x800, 0, 0, 0, 0, 0, 8, 0, 9), []string{"gre.version0_malformed_sre_hdr"}},
		{"PPTP checksum", all, g(0xa0, 1, 0x880b), []string{"gre.version1_chksum"}},
		{"PPTP route", all, g(0x60, 1, 0x880b), []string{"gre.version1_route"}},
		{"PPTP strict", all, g(0x28, 1, 0x880b), []string{"gre.version1_ssr"}},
		{"PPTP recursion", all, g(0x21, 1, 0x880b), []string{"gre.version1_recur"}},
		{"PPTP flags", all, g(0x20, 0x11, 0x880b), []string{"gre.version1_flags"}},
		{"PPTP key", all, g(0, 1, 0x880b), []string{"gre.version1_no_key"}},
		{"PPTP type", all, g(0x20, 1, 0x800), []string{"gre.version1_wrong_protocol"}},
		{"PPTP cut", all, g(0x20, 1, 0x880b, 1), []string{"gre.version1_hdr_too_big"}},

		{"short IPv4", LinkIPv4, v4(6, a1, a2, web)[:19], []string{"ipv4.pkt_too_small"}},
		{"IPv4 header", LinkIPv4, set(v4(6, a1, a2, web), 0, 0x44), []string{"ipv4.hlen_too_small"}},
		{"IPv4 total", LinkIPv4, set(v4(6, a1, a2, web), 3, 9), []string{"ipv4.iplen_smaller_than_hlen"}},
		{"IPv4 cut", LinkIPv4, v4(6, a1, a2, web)[:39], []string{"ipv4.trunc_pkt"}},
		{"IPv4 version", LinkIPv4, set(v4(6, a1, a2, web), 0, 0x55), []string{"ipv4.wrong_ip_version"}},
		{"options", all, opt(7, 7, 4, 0, 0, 0, 0, 0), nil},
		{"unknown option", all, opt(99, 4, 0, 0, 0, 0, 0, 0), []string{"ipv4.opt_invalid"}},
		{"long option", all, opt(7, 40, 4, 0, 0, 0, 0, 0), []string{"ipv4.opt_invalid_len"}},
		{"odd route", all, opt(7, 7, 5, 0, 0, 0, 0, 0), []string{"ipv4.opt_malformed"}},
		{"four bytes", all, opt(148, 4, 0, 0), []string{"ipv4.opt_pad_required"}},
		{"half an option", all, opt(1, 1, 1, 1, 1, 1, 1, 7), []string{"ipv4.opt_eol_required"}},
		{"twice", all, opt(148, 4, 0, 0, 148, 4, 0, 0), []string{"ipv4.opt_duplicate"}},
		{"ICMPv6 over IPv4", all, v4(58, a1, a2, zeros(8)), []string{"ipv4.icmpv6"}},

		{"short IPv6", LinkIPv6, in6(6, web)[:39], []string{"ipv6.pkt_too_small"}},
		{"IPv6 cut", LinkIPv6, in6(6, web)[:50], []string{"ipv6.trunc_pkt"}},
		{"IPv6 version", LinkIPv6, set(in6(6, web), 0, 0x70), []string{"ipv6.wrong_ip_version"}},
		{"extension cut", all, in6(0, []byte{6, 1, 1, 4, 0, 0, 0, 0}), []string{"ipv6.trunc_exthdr"}},
		{"only padding", all, in6(0, ext(60), ext(6), web), []string{"ipv6.hopopts_only_padding", "ipv6.dstopts_only_padding"}},
		{"three destinations", all, in6(60, ext(60), ext(60), ext(6), web), []string{"ipv6.exthdr_dupl_dh", "ipv6.dstopts_only_padding"}},
		{"hop by hop twice", all, in6(0, ext(0), ext(6), web), []string{"ipv6.exthdr_dupl_hh", "ipv6.hopopts_only_padding"}},
		{"unknown options", all, in6(0, []byte{60, 0, 0x1e, 4, 0, 0, 0, 0}, []byte{6, 0, 0x1e, 4, 0, 0, 0, 0}, web), []string{"ipv6.hopopts_unknown_opt", "ipv6.dstopts_unknown_opt"}},
		{"empty PadN", all, in6(60, []byte{6, 0, 1, 0, 5, 2, 0, 0}, web), []string{"ipv6.zero_len_padn"}},
		{"router alert", all, in6(0, []byte{6, 0, 5, 3, 0, 0, 0, 0}, web), []string{"ipv6.exthdr_invalid_optlen"}},
		{"route 0 twice", all, in6(43, []byte{43, 0, 0, 0, 0, 0, 0, 0}, []byte{6, 0, 2, 0, 0, 0, 0, 0}, web), []string{"ipv6.exthdr_dupl_rh", "ipv6.rh_type_0"}},
		{"useless fragment twice", all, in6(44, frag6(44, 0, false, 7), frag6(6, 0, false, 7), web), []string{"ipv6.exthdr_dupl_fh", "ipv6.exthdr_useless_fh"}},
		{"reserved in fragment", all, in6(44, set(frag6(6, 8, true, 7), 1, 1), zeros(8)), []string{"ipv6.fh_non_zero_reserved_field"}},
		{"AH", all, in6(51, []byte{51, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, []byte{6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, web), []string{"ipv6.exthdr_dupl_ah", "ipv6.exthdr_ah_res_not_null"}},
		{"data after none", all, in6(59, zeros(1)), []string{"ipv6.data_after_none_header"}},
		{"unknown header", all, in6(200, zeros(8)), []string{"ipv6.unknown_next_header"}},
		{"ICMPv4 over IPv6", all, in6(1, zeros(8)), []string{"ipv6.icmpv4"}},
		{"short 4in6", all, in6(4, zeros(19)), []string{"ipv6.ipv4_in_ipv6_too_small"}},
		{"4in6 version", all, in6(4, set(zeros(20), 0, 0x55)), []string{"ipv6.ipv4_in_ipv6_wrong_version"}},
		{"short 6in6", all, in6(41, zeros(39)), []string{"ipv6.ipv6_in_ipv6_too_small"}},
		{"6in6 version", all, in6(41, set(zeros(40), 0, 0x55)), []string{"ipv6.ipv6_in_ipv6_wrong_version"}},

		{"short ICMP", all, v4(1, a1, a2, zeros(7)), []string{"icmpv4.pkt_too_small"}},
		{"ICMP type", all, icmp4(99, 0), []string{"icmpv4.unknown_type"}},
		{"ICMP code", all, icmp4(3, 16), []string{"icmpv4.unknown_code"}},
		{"ICMP cut", all, icmp4(3, 1, 0x45), []string{"icmpv4.ipv4_trunc_pkt"}},
		{"ICMP version", all, icmp4(11, 0, set(zeros(20), 0, 0x65)...), []string{"icmpv4.ipv4_unknown_ver"}},
		{"short ICMPv6", all, in6(58, zeros(7)), []string{"icmpv6.pkt_too_small"}},
		{"ICMPv6 type", all, icmp6(255, 0), []string{"icmpv6.unknown_type"}},
		{"ICMPv6 unassigned", all, icmp6(50, 0), []string{"icmpv6.unassigned_type"}},
		{"ICMPv6 experiment", all, icmp6(100, 0), []string{"icmpv6.experimentation_type"}},
		{"ICMPv6 code", all, icmp6(1, 7), []string{"icmpv6.unknown_code"}},
		{"ICMPv6 cut", all, icmp6(1, 0, 0x60), []string{"icmpv6.ipv6_trunc_pkt"}},
		{"ICMPv6 version", all, icmp6(3, 0, set(zeros(40), 0, 0x45)...), []string{"icmpv6.ipv6_unknown_version"}},
		{"MLD from afar", all, icmp6(131, 0, zeros(16)...), []string{"icmpv6.mld_message_with_invalid_hl"}},
		{"short IGMP", all, v4(2, a1, a2, zeros(7)), []string{"igmp.pkt_too_small"}},
		{"short report", all, v4(2, a1, a2, []byte{0x22, 0, 0, 0, 0, 0, 0, 1, 0}), []string{"igmp.v3_pkt_too_small"}},
		{"long record", all, v4(2, a1, a2, []byte{0x22, 0, 0, 0, 0, 0, 0, 1}, []byte{1, 0, 0, 9, 0, 0, 0, 0}), []string{"igmp.malformed"}},

		{"short TCP", all, v4(6, a1, a2, web[:19]), []string{"tcp.pkt_too_small"}},
		{"TCP header", all, v4(6, a1, a2, set(web, 12, 0xf0)), []string{"tcp.hlen_too_small"}},
		{"TCP offset", all, v4(6, a1, a2, set(web, 12, 0x40)), []string{"tcp.invalid_optlen"}},
		{"TCP option", all, topt(3, 9, 0, 0), []string{"tcp.opt_invalid_len"}},
		{"two scales", all, topt(3, 3, 1, 3, 3, 1, 1, 0), []string{"tcp.opt_duplicate"}},
		{"short UDP", all, v4(17, a1, a2, zeros(7)), []string{"udp.hlen_too_small"}},
		{"long UDP", all, v4(17, a1, a2, set(udp(1, 2), 5, 9)), []string{"udp.pkt_too_small"}},
		{"UDP length", all, v4(17, a1, a2, set(udp(1, 2), 5, 7)), []string{"udp.len_invalid"}},
	}
}()

func TestEvents(t *testing.T) {
	told := map[string]bool{}
	for _, r := range eventRows {
		if got := eventsOf(frame(r.link, r.data)); !slices.Equal(got, r.want) {
			t.Errorf("%s: %v, want %v", r.name, got, r.want)
		}
		for _, n := range r.want {
			told[n] = true
		}
		// What a short capture cut off is no fault of the packet.
		for n := range r.data {
			f := frame(r.link, r.data[:n])
			f.Len = len(r.data)
			for _, name := range eventsOf(f) {
				if !slices.Contains(r.want, name) {
					t.Errorf("%s, cut at %d: %s", r.name, n, name)
				}
			}
		}
	}
	// These need several frames, or more than a table row.
	for _, n := range []string{"ipv4.frag_overlap", "ipv4.frag_pkt_too_large", "ipv6.frag_overlap", "ipv6.frag_pkt_too_large",
		"ipv6.frag_invalid_length", "too_many_layers"} {
		told[n] = true
	}
	for e := range NumEvents {
		if !told[e.String()] {
			t.Errorf("no row has %s", e)
		}
		if back, ok := EventOf(e.String()); !ok || back != e {
			t.Errorf("%s is not found by its name", e)
		}
	}
}

// TestEventsOfFragments: what fragments hide is looked at when they are whole.
func TestEventsOfFragments(t *testing.T) {
	const a1, a2 = "192.0.2.1", "192.0.2.2"
	d := Decoder{Defrag: NewDefrag(DefragConfig{})}
	p := new(Packet)
	whole := set(tcp(1000, 80, "0123456789"), 12, 0x40)
	for i, want := range [][]Event{{}, {EvTCPInvalidOptLength}} {
		part, off := whole[:16], 0x2000
		if i == 1 {
			part, off = whole[16:], 2
		}
		d.Decode(p, frame(LinkRaw, v4opt(6, a1, a2, nil, 9, off, part)))
		var e, w Events
		Check(p, &e)
		for _, ev := range want {
			w.Add(ev)
		}
		if e != w {
			t.Errorf("fragment %d: %x, want %x", i, e, w)
		}
	}
	d.Decode(p, frame(LinkRaw, v4opt(6, a1, a2, nil, 10, 0x2000, zeros(16))))
	d.Decode(p, frame(LinkRaw, v4opt(6, a1, a2, nil, 10, 0x2001, []byte("12345678"))))
	var e Events
	if Check(p, &e); !e.Has(EvIPv4FragmentOverlap) {
		t.Error("an overlap is not told")
	}
	e = Events{}
	d.Decode(p, frame(LinkRaw, v4opt(6, a1, a2, nil, 11, 0x1fff, zeros(64))))
	if Check(p, &e); !e.Has(EvIPv4FragmentPacketTooLarge) {
		t.Error("a packet beyond 64 kB is not told")
	}
}

func TestCheckAllocs(t *testing.T) {
	p := new(Packet)
	var d Decoder
	for _, r := range eventRows {
		f := frame(r.link, r.data)
		if n := testing.AllocsPerRun(5, func() {
			var e Events
			d.Decode(p, f)
			Check(p, &e)
		}); n != 0 {
			t.Errorf("%s: %v allocations", r.name, n)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	p := decode(frame(LinkEthernet, ether(0x0800, v4(6, "192.0.2.1", "192.0.2.2", tcpOpt(1000, 80, ACK, []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, "x")))))
	b.ReportAllocs()
	for b.Loop() {
		var e Events
		Check(p, &e)
	}
}
