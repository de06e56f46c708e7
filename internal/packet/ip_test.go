package packet

import (
	"strings"
	"testing"
)

// patch returns b with the given bytes at off.
func patch(b []byte, off int, with ...byte) []byte {
	b = cat(b)
	copy(b[off:], with)
	return b
}

// stopped6 is an IPv6 packet whose extension headers could not be followed to
// their end.
func stopped6(proto uint8, a Anomaly) want {
	return want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: proto, anomalies: a, noL4: true}
}

func exts(n, last int) []byte {
	var b []byte
	for i := range n {
		next := 60
		if i == n-1 {
			next = last
		}
		b = append(b, ext(next)...)
	}
	return b
}

// ah builds an authentication header of 24 bytes.
func ah(next int) []byte { return cat([]byte{byte(next), 4, 0, 0}, zeros(20)) }

var jumbo = cat(v6(0, b1, b2)[:4], u16(0), []byte{0, 63}, ip(b1), ip(b2),
	[]byte{6, 0, 0xc2, 4}, u32(8+20+70000), tcp(1, 2, strings.Repeat("j", 70000)))

var ipRows = []row{
	{"IPv4 options", LinkRaw, v4opt(6, a1, a2, []byte{7, 7, 4, 0, 0, 0, 0, 1, 0, 9, 9, 9}, 1, 0, tcp(40000, 80, "GET")), webWant(nil)},
	{"IPv4 option too long", LinkRaw, v4opt(6, a1, a2, []byte{1, 7, 8, 0}, 1, 0, tcp(40000, 80, "GET")), webWant(func(w *want) { w.anomalies = BadIPOption })},
	{"IPv4 option too short", LinkRaw, v4opt(6, a1, a2, []byte{7, 1, 0, 0}, 1, 0, tcp(40000, 80, "GET")), webWant(func(w *want) { w.anomalies = BadIPOption })},
	{"IPv4 option cut", LinkRaw, v4opt(6, a1, a2, []byte{1, 1, 1, 7}, 1, 0, tcp(40000, 80, "GET")), webWant(func(w *want) { w.anomalies = BadIPOption })},
	{"IPv4 short", LinkRaw, web[:19], none0(0, TruncatedIP)},
	{"IPv4 header length", LinkRaw, patch(web, 0, 0x44), none0(0, BadIPHeader)},
	{"IPv4 options missing", LinkRaw, patch(v4(6, a1, a2, zeros(20)), 0, 0x4f), none0(0, TruncatedIP)},
	{"IPv4 total below header", LinkRaw, patch(web, 2, 0, 19), none0(0, BadIPHeader)},
	{"IPv4 total zero, small", LinkRaw, patch(web, 2, 0, 0), none0(0, BadIPHeader)},
	{"IPv4 super-segment", LinkRaw, patch(v4(6, a1, a2, tcp(1, 2, strings.Repeat("x", 66000))), 2, 0, 0),
		want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 6, sp: 1, dp: 2, payload: strings.Repeat("x", 66000)}},
	{"IPv4 total zero, 1279", LinkRaw, patch(v4(6, a1, a2, tcp(1, 2, strings.Repeat("x", 1239))), 2, 0, 0), none0(0, BadIPHeader)},
	{"IPv4 total zero, 1280", LinkRaw, patch(v4(6, a1, a2, tcp(1, 2, strings.Repeat("x", 1240))), 2, 0, 0),
		want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 6, sp: 1, dp: 2, payload: strings.Repeat("x", 1240)}},
	{"IPv4 64 kB", LinkRaw, v4(6, a1, a2, tcp(1, 2, strings.Repeat("x", 65495))),
		want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 6, sp: 1, dp: 2, payload: strings.Repeat("x", 65495)}},
	{"IPv4 first fragment", LinkRaw, v4opt(17, a1, a2, nil, 7, 0x2000, udp(1, 2, zeros(16))),
		want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 17, noL4: true, frag: true}},
	{"IPv4 last fragment", LinkRaw, v4opt(17, a1, a2, nil, 7, 3, zeros(16)),
		want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 17, noL4: true, frag: true}},
	{"IPv4 AH", LinkRaw, v4(51, a1, a2, ah(6), tcp(40000, 80, "GET")), webWant(nil)},
	{"IPv4 AH short", LinkRaw, v4(51, a1, a2, []byte{6, 4, 0, 0}, zeros(10)), want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 51, noL4: true, anomalies: BadIPOption}},
	{"IPv4 AH length", LinkRaw, v4(51, a1, a2, []byte{6, 0, 0, 0}, zeros(20)), want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 51, noL4: true, anomalies: BadIPOption}},
	{"IPv4 ten AH", LinkRaw, v4(51, a1, a2, manyAH(10), tcp(40000, 80, "GET")), webWant(nil)},
	{"IPv4 eleven AH", LinkRaw, v4(51, a1, a2, manyAH(11), tcp(1, 2, "")), want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 51, noL4: true, anomalies: TooManyExt}},
	{"IPv4 ESP", LinkRaw, v4(50, a1, a2, []byte("secret")), want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 50, payload: "secret"}},

	{"IPv6 padding", LinkEthernet, ether(0x86dd, web6, zeros(4)), web6Want(nil)},
	{"IPv6 short", LinkRaw, web6[:39], none0(0, TruncatedIP)},
	{"IPv6 not all sent", LinkRaw, web6[:61], web6Want(func(w *want) { w.payload, w.missing, w.anomalies = "h", 1, TruncatedIP })},
	{"IPv4 options filled", LinkRaw, v4opt(6, a1, a2, []byte{1, 1, 1, 1}, 1, 0, tcp(40000, 80, "GET")), webWant(nil)},
	{"IPv6 chain", LinkRaw, v6(0, b1, b2, ext(43), ext(60), ext(51), ah(135), ext(6), tcp(40000, 443, "hi")), web6Want(nil)},
	{"IPv6 HIP and Shim6", LinkRaw, v6(139, b1, b2, ext(140), ext(6), tcp(40000, 443, "hi")), web6Want(nil)},
	{"IPv6 ESP", LinkRaw, v6(50, b1, b2, []byte("secret")), want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: 50, payload: "secret"}},
	{"IPv6 no next header", LinkRaw, v6(59, b1, b2, zeros(9)), stopped6(59, 0)},
	{"IPv6 mobility alone", LinkRaw, v6(135, b1, b2, ext(59)), stopped6(59, 0)},
	{"IPv6 late hop-by-hop", LinkRaw, v6(60, b1, b2, ext(0), ext(6), tcp(1, 2, "")), stopped6(0, BadIPOption)},
	{"IPv6 extension cut", LinkRaw, v6(60, b1, b2, []byte{6, 0, 1, 4}), stopped6(60, BadIPOption)},
	{"IPv6 extension long", LinkRaw, v6(60, b1, b2, patch(ext(6), 1, 1)), stopped6(60, BadIPOption)},
	{"IPv6 option long", LinkRaw, v6(60, b1, b2, patch(ext(6), 3, 5), tcp(40000, 443, "hi")), web6Want(func(w *want) { w.anomalies = BadIPOption })},
	{"IPv6 option cut", LinkRaw, v6(60, b1, b2, []byte{6, 0, 0, 1, 2, 0, 0, 1}, tcp(40000, 443, "hi")), web6Want(func(w *want) { w.anomalies = BadIPOption })},
	{"IPv6 ten extensions", LinkRaw, v6(60, b1, b2, exts(10, 6), tcp(40000, 443, "hi")), web6Want(nil)},
	{"IPv6 eleven extensions", LinkRaw, v6(60, b1, b2, exts(11, 6), tcp(1, 2, "")), stopped6(60, TooManyExt)},
	{"IPv6 atomic fragment", LinkRaw, v6(44, b1, b2, frag6(6, 0, false, 9), tcp(40000, 443, "hi")), web6Want(func(w *want) { w.anomalies = UselessFragment })},
	{"IPv6 atomic fragment twice", LinkRaw, v6(44, b1, b2, frag6(44, 0, false, 9), frag6(6, 0, false, 9), tcp(40000, 443, "hi")),
		web6Want(func(w *want) { w.anomalies = UselessFragment | RepeatedFragment })},
	{"IPv6 destination option", LinkRaw, v6(60, b1, b2, []byte{6, 0, 0x1e, 4, 1, 2, 3, 4}, tcp(40000, 443, "hi")), web6Want(func(w *want) { w.anomalies = UnknownDestOption })},
	{"IPv6 hop-by-hop option", LinkRaw, v6(0, b1, b2, []byte{6, 0, 0x1e, 4, 1, 2, 3, 4}, tcp(40000, 443, "hi")), web6Want(func(w *want) { w.anomalies = UnknownHopOption })},
	{"IPv6 router alert", LinkRaw, v6(0, b1, b2, []byte{6, 0, 5, 2, 0, 0, 1, 0}, tcp(40000, 443, "hi")), web6Want(nil)},
	{"IPv6 nothing behind an extension", LinkRaw, v6(60, b1, b2, ext(6)), stopped6(6, TruncatedL4|NothingFollows)},
	{"IPv6 first fragment", LinkRaw, v6(44, b1, b2, frag6(17, 0, true, 9), zeros(16)), want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: 17, noL4: true, frag: true}},
	{"IPv6 last fragment", LinkRaw, v6(60, b1, b2, ext(44), frag6(17, 16, false, 9), zeros(16)), want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: 17, noL4: true, frag: true}},
	{"IPv6 jumbogram", LinkRaw, jumbo, want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: 6, sp: 1, dp: 2, payload: strings.Repeat("j", 70000)}},
	{"IPv6 jumbo too small", LinkRaw, cat(v6(0, b1, b2)[:4], u16(0), []byte{0, 63}, ip(b1), ip(b2), []byte{6, 0, 0xc2, 4}, u32(60), zeros(52)), stopped6(0, BadIPOption)},
	{"IPv6 jumbo too large", LinkRaw, patch(jumbo[:100], 44, 1, 0, 0, 1), stopped6(0, BadIPOption)},
	{"IPv6 length 0, nothing next", LinkRaw, patch(v6(59, b1, b2, zeros(1400)), 4, 0, 0), stopped6(59, 0)},
	{"IPv6 super-segment", LinkRaw, patch(v6(6, b1, b2, tcp(1, 2, strings.Repeat("x", 66000))), 4, 0, 0),
		want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: 6, sp: 1, dp: 2, payload: strings.Repeat("x", 66000)}},
	{"IPv6 empty", LinkEthernet, ether(0x86dd, v6(17, b1, b2), zeros(6)), want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: 17, noL4: true, anomalies: TruncatedL4}},
}

func manyAH(n int) []byte {
	var b []byte
	for i := range n {
		if i == n-1 {
			return append(b, ah(6)...)
		}
		b = append(b, ah(51)...)
	}
	return b
}

func TestHeaderLengths(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want int
	}{
		{"IPv4", web, 20},
		{"IPv4 AH", v4(51, a1, a2, ah(6), tcp(1, 2, "")), 44},
		{"IPv6", web6, 40},
		{"IPv6 chain", v6(0, b1, b2, ext(44), frag6(6, 0, false, 77), tcp(1, 2, "")), 56},
	} {
		p := decode(frame(LinkRaw, c.data))
		if p.IPHdr != c.want || len(p.IP)-p.IPHdr != len(p.L4) {
			t.Errorf("%s: IPHdr %d, want %d; IP %d, L4 %d", c.name, p.IPHdr, c.want, len(p.IP), len(p.L4))
		}
	}
	// Nothing next means no super-segment, however long the frame.
	if p := decode(frame(LinkRaw, patch(v6(59, b1, b2, zeros(1400)), 4, 0, 0))); len(p.IP) != 40 {
		t.Errorf("no next header: IP %d", len(p.IP))
	}
	if p := decode(frame(LinkRaw, v6(44, b1, b2, frag6(6, 1232, true, 77), zeros(8)))); p.IPID != 77 || p.FragOff != 1232 || p.IPFlags != ipMF {
		t.Errorf("IPv6 fragment: %+v", p)
	}
	if p := decode(frame(LinkRaw, v4opt(6, a1, a2, nil, 5, 0x2000|154, zeros(8)))); p.IPID != 5 || p.FragOff != 1232 || p.IPFlags != ipMF {
		t.Errorf("IPv4 fragment: %+v", p)
	}
}

// Extension headers cut off by the snap length are no fault of the sender.
func TestSnappedExtension(t *testing.T) {
	b := v6(60, b1, b2, ext(6), tcp(1, 2, ""))
	f := frame(LinkRaw, b[:44])
	f.Len = len(b)
	w := stopped6(60, TruncatedIP)
	w.missing = len(b) - 44
	w.check(t, decode(f))
}
