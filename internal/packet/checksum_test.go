package packet

import "testing"

func TestVerifyChecksum(t *testing.T) {
	tcp4 := sealed(6, 16, a1, a2, tcp(1, 2, "odd"))
	tcp6 := sealed(6, 16, b1, b2, tcp(1, 2, "even"))
	udp4 := sealed(17, 6, a1, a2, udp(1, 2, []byte("x")))
	ping := sealed(0, 2, "", "", icmp(8, 0, 1, "x"))
	ping6 := sealed(58, 2, b1, b2, icmp(128, 0, 1, "x"))
	// What a sender leaves for its network card: the folded pseudo-header.
	unfinished := func(proto, field int, src, dst string, segment []byte) []byte {
		b := cat(segment)
		be.PutUint16(b[field:], ^rfcSum(ip(src), ip(dst), u32(len(b), proto)))
		return b
	}
	for _, c := range []struct {
		name      string
		data      []byte
		ok, known bool
	}{
		{"TCP", v4(6, a1, a2, tcp4), true, true},
		{"TCP with options", v4opt(6, a1, a2, []byte{1, 1, 1, 0}, 1, 0, tcp4), true, true},
		{"TCP over IPv6", v6(6, b1, b2, tcp6), true, true},
		{"TCP behind extensions", v6(60, b1, b2, ext(6), tcp6), true, true},
		{"TCP behind AH", v4(51, a1, a2, ah(6), tcp4), true, true},
		{"TCP wrong", v4(6, a1, a2, patch(tcp4, 22, 'x')), false, true},
		{"TCP wrong field", v6(6, b1, b2, patch(tcp6, 16, 1, 2)), false, true},
		{"TCP other address", v4(6, a1, "198.51.100.3", tcp4), false, true},
		{"TCP unfinished", v4(6, a1, a2, unfinished(6, 16, a1, a2, tcp4)), false, false},
		{"UDP", v4(17, a1, a2, udp4), true, true},
		{"UDP without", v4(17, a1, a2, udp(1, 2, []byte("x"))), false, false},
		{"UDP wrong", v4(17, a1, a2, patch(udp4, 8, 'y')), false, true},
		{"UDP unfinished", v6(17, b1, b2, unfinished(17, 6, b1, b2, udp(1, 2, zeros(9)))), false, false},
		{"ICMP", v4(1, a1, a2, ping), true, true},
		{"ICMP wrong", v4(1, a1, a2, patch(ping, 8, 'y')), false, true},
		{"ICMPv6", v6(58, b1, b2, ping6), true, true},
		{"ICMPv6 wrong", v6(58, b1, b2, patch(ping6, 7, 9)), false, true},
		{"IPv4 header wrong", patch(v4(6, a1, a2, tcp4), 8, 63), false, true},
		{"IPv4 header left out", patch(v4(6, a1, a2, tcp4), 10, 0, 0), true, true},
		{"ICMP in IPv6", v6(1, b1, b2, []byte{8}), false, false},
		{"ICMPv6 in IPv4", v4(58, a1, a2, []byte{128}), false, false},
		{"SCTP", v4(132, a1, a2, zeros(12)), false, false},
		{"fragment", v4opt(6, a1, a2, nil, 1, 0x2000, tcp4), false, false},
		{"no transport", v4(6, a1, a2, tcp4[:8]), false, false},
		{"not sent", v4(6, a1, a2, tcp4)[:41], false, false},
		{"no IP", nil, false, false},
	} {
		ok, known := VerifyChecksum(decode(frame(LinkRaw, c.data)))
		if known != c.known || known && ok != c.ok {
			t.Errorf("%s: ok %v, known %v; want %v, %v", c.name, ok, known, c.ok, c.known)
		}
	}
	f := frame(LinkRaw, v4(6, a1, a2, tcp4)[:42])
	f.Len = 43
	if _, known := VerifyChecksum(decode(f)); known {
		t.Error("known although the capture cut the packet")
	}
}

// TestSum16 compares with word after word, at all lengths and where carries chain.
func TestSum16(t *testing.T) {
	b := make([]byte, 200)
	for _, fill := range []func(i int) byte{func(i int) byte { return 0xff }, func(i int) byte { return byte(i*i*31 + 7) }, func(int) byte { return 0 }} {
		for i := range b {
			b[i] = fill(i)
		}
		for n := range b {
			for _, seed := range []uint64{0, 1, 0xffff, 1 << 33} {
				want := seed
				for i, x := range b[:n] {
					want += uint64(x) << (8 * (1 - i%2))
				}
				if got := fold16(sum16(seed, b[:n])); got != fold16(want) {
					t.Fatalf("%d bytes from %#x: %#x, not %#x", n, seed, got, fold16(want))
				}
			}
		}
	}
}
