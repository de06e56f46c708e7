package packet

import (
	"reflect"
	"strings"
	"testing"
)

// want is what a table row checks of a packet.
type want struct {
	et         int
	version    uint8
	src, dst   string
	proto      uint8
	sp, dp     uint16
	payload    string
	tunnels    Tunnel
	depth      uint8
	vlan       string // of tags kept, "10" or "10,20"
	anomalies  Anomaly
	outer      string // "src dst"
	noL4, frag bool
	missing    int
}

func (w want) check(t *testing.T, p *Packet) {
	t.Helper()
	eq := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	eq("EtherType", int(p.EtherType), w.et)
	eq("Version", p.Version, w.version)
	if w.src != "" {
		eq("Src", p.Src.String(), w.src)
		eq("Dst", p.Dst.String(), w.dst)
	}
	eq("Proto", p.Proto, w.proto)
	eq("SrcPort", p.SrcPort, w.sp)
	eq("DstPort", p.DstPort, w.dp)
	eq("Payload", string(p.Payload), w.payload)
	eq("Tunnels", p.Tunnels, w.tunnels)
	eq("Depth", p.Depth, w.depth)
	var tags []string
	for i := range min(p.VLANs, 2) {
		tags = append(tags, itoa(int(p.VLAN[i])))
	}
	eq("VLAN", strings.Join(tags, ","), w.vlan)
	eq("Anomalies", p.Anomalies, w.anomalies)
	if w.outer != "" {
		eq("Outer", p.OuterSrc.String()+" "+p.OuterDst.String(), w.outer)
	}
	eq("L4 == nil", p.L4 == nil, w.noL4 || w.version == 0)
	eq("Fragment", p.Fragment, w.frag)
	eq("Missing", p.Missing, w.missing)
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// row is one frame and what Decode must make of it.
type row struct {
	name string
	link LinkType
	data []byte
	want want
}

// web is a TCP packet that the rows carry in all kinds of ways, and webWant
// what is to come out.
var web = v4(6, a1, a2, tcp(40000, 80, "GET"))

func webWant(mod func(*want)) want {
	w := want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 6, sp: 40000, dp: 80, payload: "GET"}
	if mod != nil {
		mod(&w)
	}
	return w
}

var web6 = v6(6, b1, b2, tcp(40000, 443, "hi"))

func web6Want(mod func(*want)) want {
	w := want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: 6, sp: 40000, dp: 443, payload: "hi"}
	if mod != nil {
		mod(&w)
	}
	return w
}

func tunnelled(t Tunnel, depth uint8) func(*want) {
	return func(w *want) { w.tunnels, w.depth = t, depth }
}

func none0(et int, a Anomaly) want { return want{et: et, anomalies: a} }

func (r row) run(t *testing.T) {
	t.Run(r.name, func(t *testing.T) { r.want.check(t, decode(frame(r.link, r.data))) })
}

func TestEveryRow(t *testing.T) {
	for _, rows := range [][]row{linkRows, tunnelRows, ipRows, transportRows} {
		for _, r := range rows {
			r.run(t)
		}
	}
}

// A packet that held anything must read as a new one does.
func TestNothingStale(t *testing.T) {
	var all []row
	for _, rows := range [][]row{linkRows, tunnelRows, ipRows, transportRows} {
		all = append(all, rows...)
	}
	d := Decoder{}
	for _, first := range all {
		for _, second := range all {
			p := new(Packet)
			d.Decode(p, frame(first.link, first.data))
			f := frame(second.link, second.data)
			d.Decode(p, f)
			fresh := new(Packet)
			d.Decode(fresh, f)
			if !reflect.DeepEqual(p, fresh) {
				t.Fatalf("%s after %s:\n got %+v\nwant %+v", second.name, first.name, p, fresh)
			}
		}
	}
}

func TestFrameFields(t *testing.T) {
	f := frame(LinkEthernet, ether(0x0800, v4opt(6, a1, a2, []byte{1, 1, 1, 0}, 0xbeef, 0x4000,
		tcpOpt(1, 2, SYN|ECE|CWR, []byte{2, 4, 5, 0xb4}, ""))))
	p := decode(f)
	if p.Time != f.Time || p.Frame != f {
		t.Error("Time or Frame not taken over")
	}
	if string(p.SrcMAC[:]) != mac1 || string(p.DstMAC[:]) != mac2 || !p.HasMAC {
		t.Errorf("MACs %x %x", p.SrcMAC, p.DstMAC)
	}
	if p.TTL != 64 || p.TOS != 0x10 || p.IPID != 0xbeef || p.IPFlags != ipDF || p.IPHdr != 24 {
		t.Errorf("IP fields: %+v", p)
	}
	if p.Seq != 0x01020304 || p.Ack != 0x05060708 || p.Window != 0x2000 || p.TCPFlags != SYN|ECE|CWR {
		t.Errorf("TCP fields: %+v", p)
	}
	if string(p.TCPOpts) != "\x02\x04\x05\xb4" || len(p.L4) != 24 || len(p.IP) != 48 {
		t.Errorf("slices: opts %x, %d, %d", p.TCPOpts, len(p.L4), len(p.IP))
	}
	p = decode(frame(LinkRaw, web6))
	if p.TOS != 0x12 || p.TTL != 63 || p.HasMAC {
		t.Errorf("IPv6 fields: %+v", p)
	}
}

func TestARP(t *testing.T) {
	msg := cat(u16(1, 0x0800), []byte{6, 4}, u16(2), []byte(mac1), ip(a1), []byte(mac2), ip(a2))
	p := decode(frame(LinkEthernet, ether(0x0806, msg, zeros(18))))
	wantARP := ARP{Op: 2, SenderMAC: MAC([]byte(mac1)), TargetMAC: MAC([]byte(mac2)), SenderIP: addr(a1), TargetIP: addr(a2)}
	if p.ARP != wantARP || p.EtherType != 0x0806 || p.Anomalies != 0 {
		t.Errorf("got %+v, %v", p.ARP, p.Anomalies)
	}
	for name, c := range map[string]struct {
		msg  []byte
		want Anomaly
	}{
		"short":         {msg[:27], TruncatedFrame},
		"token ring":    {cat(u16(4), msg[2:]), UnknownLink},
		"not IPv4":      {cat(msg[:2], u16(0x86dd), msg[4:]), UnknownLink},
		"hardware size": {cat(msg[:4], []byte{8}, msg[5:]), UnknownLink},
		"reserved op":   {cat(msg[:6], u16(0), msg[8:]), UnknownLink},
	} {
		if p := decode(frame(LinkEthernet, ether(0x0806, c.msg))); p.ARP != (ARP{}) || p.Anomalies != c.want {
			t.Errorf("%s: %+v, %v", name, p.ARP, p.Anomalies)
		}
	}
	// Of another link: not this one's business.
	p = decode(frame(LinkEthernet, ether(0x0800, v4(17, a1, a2, udp(5, 4789, zeros(0), vxlanHdr, ether(0x0806, msg))))))
	if p.ARP.Op != 0 || p.Proto != 17 || p.DstPort != 4789 || p.Tunnels != 0 || p.Anomalies != 0 {
		t.Errorf("ARP in VXLAN: %+v", p)
	}
}

// Capture sources hand over the tag that the card took off the frame.
func TestStrippedTag(t *testing.T) {
	f := frame(LinkEthernet, ether(0x8100, tag(20, 0x0800), web))
	f.VLAN, f.VLANTPID = 0xe00a, 0x88a8
	webWant(func(w *want) { w.vlan = "10,20" }).check(t, decode(f))
	f = frame(LinkEthernet, ether(0x0800, web))
	f.VLAN = 7 // no TPID: no tag
	webWant(nil).check(t, decode(f))
}

// Cooked frames know the sender's address only, and the loopback has none.
func TestCookedMAC(t *testing.T) {
	for name, c := range map[string]struct {
		link LinkType
		data []byte
		has  bool
	}{
		"SLL":           {LinkSLL, cat(sllHdr(1, 0x0800), web), true},
		"SLL loopback":  {LinkSLL, cat(sllHdr(772, 0x0800), web), false},
		"SLL2":          {LinkSLL2, cat(sll2Hdr(1, 0x0800), web), true},
		"SLL2 loopback": {LinkSLL2, cat(sll2Hdr(772, 0x0800), web), false},
		"SLL2 tun":      {LinkSLL2, patch(cat(sll2Hdr(65534, 0x0800), web), 11, 0), false},
	} {
		p := decode(frame(c.link, c.data))
		if p.HasMAC != c.has || c.has != (string(p.SrcMAC[:]) == mac1) || p.DstMAC != (MAC{}) || p.Version != 4 {
			t.Errorf("%s: HasMAC %v, %x %x", name, p.HasMAC, p.SrcMAC, p.DstMAC)
		}
	}
}

func TestUnknownLinkType(t *testing.T) {
	none0(0, UnknownLink).check(t, decode(frame(147, web)))
}

// Frames cut off by a snap length.
func TestSnapLength(t *testing.T) {
	long := v4(6, a1, a2, tcpOpt(1, 2, ACK, []byte{1, 1, 1, 0}, strings.Repeat("x", 100)))
	base := want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 6, sp: 1, dp: 2}
	for _, c := range []struct {
		name string
		keep int
		mod  func(*want)
	}{
		{"payload", 54, func(w *want) { w.payload, w.missing = strings.Repeat("x", 10), 90 }},
		{"options", 42, func(w *want) { w.missing, w.anomalies, w.noL4 = 102, TruncatedL4, true }},
		{"ports only", 24, func(w *want) { w.missing, w.anomalies, w.noL4 = 120, TruncatedL4, true }},
		{"no port", 23, func(w *want) { w.missing, w.anomalies, w.noL4, w.sp, w.dp = 121, TruncatedL4, true, 0, 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := frame(LinkEthernet, ether(0x0800, long)[:14+c.keep])
			f.Len = 14 + len(long)
			w := base
			c.mod(&w)
			w.check(t, decode(f))
		})
	}
	t.Run("inside tunnels", func(t *testing.T) {
		b := ether(0x0800, v4(47, "10.0.0.1", "10.0.0.2", u16(0, 0x6558), ether(0x0800, v4(41, a1, a2, v6(17, b1, b2, udp(1, 2, zeros(500)))))))
		f := frame(LinkEthernet, b[:len(b)-300])
		f.Len = len(b)
		w := want{et: 0x86dd, version: 6, src: b1, dst: b2, proto: 17, sp: 1, dp: 2, payload: string(zeros(200)),
			tunnels: TunnelGRE | Tunnel6in4, depth: 2, missing: 300, outer: "10.0.0.1 10.0.0.2"}
		w.check(t, decode(f))
	})
	t.Run("padding behind the cut", func(t *testing.T) {
		// The wire length counts the padding of the frame, Missing does not.
		f := frame(LinkEthernet, ether(0x0800, v4(17, a1, a2, udp(1, 2, zeros(10))))[:14+30])
		f.Len = 60
		want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 17, sp: 1, dp: 2, payload: "\x00\x00", missing: 8}.check(t, decode(f))
	})
	t.Run("not sent", func(t *testing.T) {
		want{et: 0x0800, version: 4, src: a1, dst: a2, proto: 6, sp: 1, dp: 2, payload: strings.Repeat("x", 10),
			missing: 90, anomalies: TruncatedIP}.check(t, decode(frame(LinkEthernet, ether(0x0800, long)[:14+54])))
	})
}
