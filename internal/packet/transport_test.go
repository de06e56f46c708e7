package packet

import (
	"strings"
	"testing"
)

// over4 and over6 are the common parts of what rows expect.
func over4(proto uint8, mod func(*want)) want {
	w := want{et: 0x0800, version: 4, src: a1, dst: a2, proto: proto}
	mod(&w)
	return w
}

func over6(proto uint8, mod func(*want)) want {
	w := want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: proto}
	mod(&w)
	return w
}

func ports(sp, dp uint16, payload string) func(*want) {
	return func(w *want) { w.sp, w.dp, w.payload = sp, dp, payload }
}

func broken(sp, dp uint16, a Anomaly) func(*want) {
	return func(w *want) { w.sp, w.dp, w.anomalies, w.noL4 = sp, dp, a, true }
}

var transportRows = []row{
	{"TCP options", LinkRaw, v4(6, a1, a2, tcpOpt(1, 2, SYN, zeros(40), "x")), over4(6, ports(1, 2, "x"))},
	{"TCP short", LinkRaw, v4(6, a1, a2, tcp(1, 2, "")[:19]), over4(6, broken(1, 2, TruncatedL4))},
	{"TCP nothing", LinkRaw, v4(6, a1, a2), over4(6, broken(0, 0, TruncatedL4))},
	{"TCP offset 4", LinkRaw, v4(6, a1, a2, patch(tcp(1, 2, "x"), 12, 0x40)), over4(6, broken(1, 2, BadL4Header))},
	{"TCP offset beyond", LinkRaw, v4(6, a1, a2, patch(tcp(1, 2, "x"), 12, 0x60)), over4(6, broken(1, 2, BadL4Header))},

	{"UDP", LinkRaw, v4(17, a1, a2, udp(1, 2, []byte("x"))), over4(17, ports(1, 2, "x"))},
	{"UDP empty", LinkRaw, v6(17, b1, b2, udp(1, 2)), over6(17, ports(1, 2, ""))},
	{"UDP short", LinkRaw, v4(17, a1, a2, u16(1, 2, 8)), over4(17, broken(1, 2, TruncatedL4))},
	{"UDP length 7", LinkRaw, v4(17, a1, a2, u16(1, 2, 7, 0), zeros(4)), over4(17, broken(1, 2, BadL4Header))},
	{"UDP length beyond", LinkRaw, v4(17, a1, a2, u16(1, 2, 13, 0), zeros(4)), over4(17, broken(1, 2, BadL4Header))},
	{"UDP trailing bytes", LinkRaw, v4(17, a1, a2, u16(1, 2, 10, 0), []byte("abcd")), over4(17, ports(1, 2, "ab"))},
	{"UDP length 0, IPv6", LinkRaw, v6(17, b1, b2, u16(1, 2, 0, 0), []byte("abcd")), over6(17, ports(1, 2, "abcd"))},
	{"UDP length 0, small", LinkRaw, v4(17, a1, a2, u16(1, 2, 0, 0), zeros(1271)), over4(17, broken(1, 2, BadL4Header))},
	{"UDP length 0", LinkRaw, v4(17, a1, a2, u16(1, 2, 0, 0), zeros(1272)), over4(17, ports(1, 2, string(zeros(1272))))},
	{"UDP length 0, large", LinkRaw, v4(17, a1, a2, u16(1, 2, 0, 0), zeros(9000)), over4(17, ports(1, 2, strings.Repeat("\x00", 9000)))},

	{"echo request", LinkRaw, v4(1, a1, a2, icmp(8, 0, 0xabcd, "ping")), over4(1, ports(0xabcd, 0xabcd, "ping"))},
	{"echo reply", LinkRaw, v4(1, a1, a2, icmp(0, 0, 0xabcd, "")), over4(1, ports(0xabcd, 0xabcd, ""))},
	{"timestamp reply", LinkRaw, v4(1, a1, a2, icmp(14, 0, 5, string(zeros(12)))), over4(1, ports(13, 13, ""))},
	{"timestamp with more", LinkRaw, v4(1, a1, a2, icmp(13, 0, 5, string(zeros(12))+"x")), over4(1, ports(13, 13, "x"))},
	{"timestamp cut", LinkRaw, v4(1, a1, a2, icmp(13, 0, 5, string(zeros(11)))), over4(1, ports(13, 13, string(zeros(11))))},
	{"router advertisement", LinkRaw, v4(1, a1, a2, icmp(9, 0, 0, "")[:4], []byte{1, 2, 0, 9}, zeros(8), []byte("x")), over4(1, ports(10, 10, "x"))},
	{"router advertisement cut", LinkRaw, v4(1, a1, a2, icmp(9, 0, 0, "")[:4], []byte{255, 255, 0, 9}, zeros(8)), over4(1, ports(10, 10, string(zeros(8))))},
	{"unreachable", LinkRaw, v4(1, a1, a2, icmp(3, 3, 0, string(web))), over4(1, ports(0, 0, string(web)))},
	{"ICMP short", LinkRaw, v4(1, a1, a2, icmp(8, 0, 1, "")[:7]), over4(1, broken(0, 0, TruncatedL4))},
	{"ICMPv6 in IPv4", LinkRaw, v4(58, a1, a2, []byte("12345678")), over4(58, ports(0, 0, "12345678"))},
	{"ICMP in IPv6", LinkRaw, v6(1, b1, b2, []byte("12345678")), over6(1, ports(0, 0, "12345678"))},
	{"ICMPv6 echo", LinkRaw, v6(58, b1, b2, icmp(128, 0, 7, "x")), over6(58, ports(7, 7, "x"))},
	{"neighbour advertisement", LinkRaw, v6(58, b1, b2, icmp(136, 0, 0, string(zeros(16)))), over6(58, ports(135, 135, string(zeros(16))))},
	{"ICMPv6 short", LinkRaw, v6(58, b1, b2, []byte{135, 0, 0}), over6(58, broken(0, 0, TruncatedL4))},
	{"packet too big", LinkRaw, v6(58, b1, b2, icmp(2, 0, 0, "x")), over6(58, ports(0, 0, "x"))},

	{"SCTP", LinkRaw, v4(132, a1, a2, u16(7, 80), zeros(8), []byte("chunk")), over4(132, ports(7, 80, "chunk"))},
	{"SCTP short", LinkRaw, v4(132, a1, a2, u16(7, 80), zeros(7)), over4(132, broken(7, 80, TruncatedL4))},
	{"IGMP", LinkRaw, v4(2, a1, a2, []byte("12345678")), over4(2, ports(0, 0, "12345678"))},
}

// Question and answer of every ICMP query meet in one flow; errors have types
// and codes but no ports.
func TestICMPKeys(t *testing.T) {
	key := func(b []byte) (k Key, fromHi bool) {
		p := decode(frame(LinkRaw, b))
		if p.L4 == nil {
			t.Fatalf("not read: %+v", p)
		}
		fromHi = p.Key(&k)
		return
	}
	for _, c := range [][2]int{{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}, {37, 38}, {42, 43}} {
		q, qHi := key(v4(1, a1, a2, icmp(c[0], 0, 99, "")))
		a, aHi := key(v4(1, a2, a1, icmp(c[1], 0, 99, "")))
		if q != a || qHi == aHi {
			t.Errorf("ICMP %d and %d: keys %+v and %+v", c[0], c[1], q, a)
		}
	}
	for _, c := range [][2]int{{128, 129}, {130, 131}, {130, 143}, {133, 134}, {135, 136}, {139, 140}, {144, 145}, {146, 147}, {160, 161}} {
		q, qHi := key(v6(58, b1, b2, icmp(c[0], 0, 99, "")))
		a, aHi := key(v6(58, b2, b1, icmp(c[1], 0, 99, "")))
		if q != a || qHi == aHi {
			t.Errorf("ICMPv6 %d and %d: keys %+v and %+v", c[0], c[1], q, a)
		}
	}
	one, _ := key(v4(1, a1, a2, icmp(8, 0, 1, "")))
	two, _ := key(v4(1, a1, a2, icmp(8, 0, 2, "")))
	if one == two {
		t.Error("two pings share a flow")
	}
	p := decode(frame(LinkRaw, v4(1, a1, a2, icmp(11, 1, 0x0102, "x"))))
	if p.ICMPType != 11 || p.ICMPCode != 1 || p.SrcPort != 0 || p.DstPort != 0 {
		t.Errorf("time exceeded: %+v", p)
	}
	if p := decode(frame(LinkRaw, v4(1, a1, a2, []byte{11, 1, 0}))); p.ICMPType != 11 || p.ICMPCode != 1 || p.L4 != nil {
		t.Errorf("short: %+v", p)
	}
}

// Flows that differ in one port spread over the buckets of a table.
func TestHashSpreads(t *testing.T) {
	const flows, buckets = 1 << 16, 1 << 8
	var count [buckets]int
	k := Key{Lo: addr(a1), Hi: addr(a2), HiPort: 443, Proto: 6}
	for i := range flows {
		k.LoPort = uint16(i)
		count[k.Hash(1)%buckets]++
	}
	chi := 0.0
	for _, n := range count {
		d := float64(n) - flows/buckets
		chi += d * d / (flows / buckets)
	}
	// 255 degrees of freedom: beyond 360 by chance once in 100,000 times.
	if chi > 360 {
		t.Errorf("chi-square %.0f over %d buckets", chi, buckets)
	}
}

func TestKey(t *testing.T) {
	key := func(f *Frame) (k Key, fromHi bool) {
		fromHi = decode(f).Key(&k)
		return
	}
	to, toHi := key(frame(LinkRaw, v4(6, a1, a2, tcp(40000, 80, ""))))
	back, backHi := key(frame(LinkRaw, v4(6, a2, a1, tcp(80, 40000, ""))))
	if to != back || toHi || !backHi || to.Hash(7) != back.Hash(7) || to.Hash(7) == to.Hash(8) {
		t.Errorf("directions: %+v %v, %+v %v", to, toHi, back, backHi)
	}
	if to.Lo != addr(a1) || to.LoPort != 40000 || to.Hi != addr(a2) || to.HiPort != 80 || to.Proto != 6 {
		t.Errorf("key %+v", to)
	}
	// A machine that talks to itself: the ports decide.
	to, toHi = key(frame(LinkRaw, v4(17, a1, a1, udp(9, 5))))
	back, backHi = key(frame(LinkRaw, v4(17, a1, a1, udp(5, 9))))
	if to != back || !toHi || backHi {
		t.Errorf("same address: %+v %v, %+v %v", to, toHi, back, backHi)
	}
	if _, hi := key(frame(LinkRaw, v4(1, a1, a1, icmp(8, 0, 1, "")))); hi {
		t.Error("same address and port: from Hi")
	}
	// The innermost VLAN keeps flows apart, however many tags there are.
	seen := map[Key]bool{}
	for _, b := range [][]byte{
		ether(0x0800, web),
		ether(0x8100, tag(10, 0x0800), web),
		ether(0x8100, tag(10, 0x8100), tag(20, 0x0800), web),
		ether(0x8100, tag(10, 0x8100), tag(20, 0x8100), tag(30, 0x0800), web),
	} {
		k, _ := key(frame(LinkEthernet, b))
		seen[k] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d keys of 4", len(seen))
	}
}
