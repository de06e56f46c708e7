package plugin

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/packet"
)

func mac(s string) net.HardwareAddr { m, _ := net.ParseMAC(s); return m }

var (
	own     = mac("02:00:00:00:00:02")
	router  = Host{mac("02:00:00:00:00:01"), []netip.Addr{netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("fe80::1")}}
	camera  = Host{mac("02:00:00:00:00:20"), []netip.Addr{netip.MustParseAddr("192.168.1.20"), netip.MustParseAddr("fd00::20")}}
	printer = Host{mac("02:00:00:00:00:30"), []netip.Addr{netip.MustParseAddr("192.168.1.30")}}
)

// TestBytes compares with frames written by hand from the RFCs.
func TestBytes(t *testing.T) {
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"reply": {Reply(camera.MAC, own, own, router.Addrs[0], camera.Addrs[0]),
			"020000000020 020000000002 0806 0001 0800 06 04 0002 020000000002 c0a80101 020000000020 c0a80114" + strings.Repeat("00", 18)},
		"true reply": {Reply(camera.MAC, own, router.MAC, router.Addrs[0], camera.Addrs[0]),
			"020000000020 020000000002 0806 0001 0800 06 04 0002 020000000001 c0a80101 020000000020 c0a80114" + strings.Repeat("00", 18)},
		"announcement": {Announce(own, router.MAC, router.Addrs[0]),
			"ffffffffffff 020000000002 0806 0001 0800 06 04 0001 020000000001 c0a80101 000000000000 c0a80101" + strings.Repeat("00", 18)},
		"request": {Request(own, netip.MustParseAddr("192.168.1.2"), router.Addrs[0]),
			"ffffffffffff 020000000002 0806 0001 0800 06 04 0001 020000000002 c0a80102 000000000000 c0a80101" + strings.Repeat("00", 18)},
		"advertisement": {Advertisement(camera.MAC, own, own, router.Addrs[1], camera.Addrs[1], true),
			"020000000020 020000000002 86dd 60000000 0020 3a ff fe800000000000000000000000000001 fd000000000000000000000000000020 " +
				"88 00 @@@@ a0000000 fe800000000000000000000000000001 02 01 020000000002"},
	} {
		want := strings.ReplaceAll(c.want, " ", "")
		if at := strings.Index(want, "@@@@"); at >= 0 { // the checksum is verified below
			want = want[:at] + hex.EncodeToString(c.got[at/2:at/2+2]) + want[at+4:]
		}
		if got := hex.EncodeToString(c.got); got != want {
			t.Errorf("%s:\n%s, not\n%s", name, got, want)
		}
	}
}

// TestFrames has exactly the two sides told, and at the end what is true.
func TestFrames(t *testing.T) {
	c := Config{Gateway: router, Devices: []Host{camera, printer}}
	told := func(frames [][]byte) (out []string) {
		var d packet.Decoder
		for _, b := range frames {
			var p packet.Packet
			d.Decode(&p, &packet.Frame{Data: b, Len: len(b), Link: packet.LinkEthernet})
			if !bytes.Equal(b[6:12], own) {
				t.Errorf("a frame that does not come from this machine: %x", b)
			}
			if p.ARP.Op != 0 {
				out = append(out, net.HardwareAddr(b[:6]).String()+" "+p.ARP.SenderIP.String()+" "+net.HardwareAddr(p.ARP.SenderMAC[:]).String())
				continue
			}
			if ok, known := packet.VerifyChecksum(&p); !ok || !known {
				t.Errorf("checksum of %x", b)
			}
			out = append(out, net.HardwareAddr(b[:6]).String()+" "+p.Src.String()+" "+net.HardwareAddr(b[80:86]).String())
		}
		return out
	}
	const (
		r, c1, p, me = "02:00:00:00:00:01", "02:00:00:00:00:20", "02:00:00:00:00:30", "02:00:00:00:00:02"
	)
	want := []string{c1 + " 192.168.1.1 " + me, c1 + " fe80::1 " + me, r + " 192.168.1.20 " + me, r + " fd00::20 " + me, p + " 192.168.1.1 " + me, r + " 192.168.1.30 " + me}
	if got := told(c.frames(nil, own, false)); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("told:\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	want = []string{c1 + " 192.168.1.1 " + r, c1 + " fe80::1 " + r, r + " 192.168.1.20 " + c1, r + " fd00::20 " + c1, p + " 192.168.1.1 " + r, r + " 192.168.1.30 " + p}
	if got := told(c.frames(nil, own, true)); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the truth:\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	const all = "ff:ff:ff:ff:ff:ff "
	want = []string{all + "192.168.1.1 " + r, all + "192.168.1.20 " + c1, all + "192.168.1.30 " + p}
	if got := told(c.announcements(nil, own)); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("to all:\n%s", strings.Join(got, "\n"))
	}
}

func TestCheck(t *testing.T) {
	mine := []netip.Addr{netip.MustParseAddr("192.168.1.2")}
	many := func(n int) (out []Host) {
		for i := range n {
			out = append(out, Host{net.HardwareAddr{2, 0, 0, 1, 0, byte(i)}, []netip.Addr{netip.AddrFrom4([4]byte{192, 168, 2, byte(i + 1)})}})
		}
		return out
	}
	host := func(m string, a ...string) Host {
		h := Host{MAC: mac(m)}
		for _, s := range a {
			h.Addrs = append(h.Addrs, netip.MustParseAddr(s))
		}
		return h
	}
	var long []netip.Addr
	for i := range maxAddresses {
		long = append(long, netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}))
	}
	heavy := many(MaxDevices)
	for i := range heavy {
		for j := range maxAddresses {
			heavy[i].Addrs = append(heavy[i].Addrs[:j], netip.AddrFrom4([4]byte{10, 1, byte(i), byte(j)}))
		}
	}
	for name, c := range map[string]struct {
		cfg Config
		bad string // part of the error; "": good
	}{
		"good":                {Config{Gateway: router, Devices: []Host{camera, printer}}, ""},
		"most devices":        {Config{Gateway: router, Devices: many(MaxDevices)}, ""},
		"most addresses":      {Config{Gateway: router, Devices: []Host{{camera.MAC, long}}}, ""},
		"no devices":          {Config{Gateway: router}, "name the devices"},
		"too many devices":    {Config{Gateway: router, Devices: many(MaxDevices + 1)}, "more than 32"},
		"too many frames":     {Config{Gateway: router, Devices: heavy}, "frames at a time"},
		"router as device":    {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:01", "192.168.1.9")}}, "is the router"},
		"router's address":    {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:20", "192.168.1.1")}}, "belongs to the router"},
		"this machine":        {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:02", "192.168.1.9")}}, "is this machine"},
		"this machine's":      {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:20", "192.168.1.2")}}, "address of this machine"},
		"twice":               {Config{Gateway: router, Devices: []Host{camera, camera}}, "named twice"},
		"everybody":           {Config{Gateway: router, Devices: []Host{host("ff:ff:ff:ff:ff:ff", "192.168.1.9")}}, "no hardware address"},
		"group":               {Config{Gateway: router, Devices: []Host{host("01:00:5e:00:00:01", "192.168.1.9")}}, "no hardware address"},
		"broadcast":           {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:20", "255.255.255.255")}}, "no address of one host"},
		"multicast":           {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:20", "ff02::1")}}, "no address of one host"},
		"no address":          {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:20")}}, "0 addresses"},
		"too many addresses":  {Config{Gateway: router, Devices: []Host{{camera.MAC, append(long, netip.MustParseAddr("10.0.1.1"))}}}, "17 addresses"},
		"no router":           {Config{Devices: []Host{camera}}, "router has no hardware address"},
		"nothing in common":   {Config{Gateway: Host{router.MAC, router.Addrs[1:]}, Devices: []Host{printer}}, "in common"},
		"too often":           {Config{Gateway: router, Devices: []Host{camera}, Every: time.Millisecond}, "choose between"},
		"too seldom":          {Config{Gateway: router, Devices: []Host{camera}, Every: time.Hour}, "choose between"},
		"mapped":              {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:20", "::ffff:192.168.1.9")}}, "no address of one host"},
		"zone":                {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:20", "fe80::9%eth0")}}, "no address of one host"},
		"long hardware names": {Config{Gateway: router, Devices: []Host{host("02:00:00:00:00:00:00:20", "192.168.1.9")}}, "no hardware address"},
	} {
		err := c.cfg.check(own, mine)
		switch {
		case c.bad == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.bad != "" && (err == nil || !strings.Contains(err.Error(), c.bad) || !errors.Is(err, ErrRefused)):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzFrames builds frames of any addresses and reads them with the project's
// own decoder.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(own), []byte(camera.MAC), router.Addrs[0].AsSlice(), camera.Addrs[0].AsSlice(), true)
	f.Add([]byte(own), []byte(camera.MAC), router.Addrs[1].AsSlice(), camera.Addrs[1].AsSlice(), false)
	f.Fuzz(func(t *testing.T, me, to, about, target []byte, isRouter bool) {
		a, ok := netip.AddrFromSlice(about)
		b, ok2 := netip.AddrFromSlice(target)
		if len(me) != 6 || len(to) != 6 || !ok || !ok2 || a.Is4() != b.Is4() {
			return
		}
		var p packet.Packet
		if a.Is4() {
			x := Reply(to, me, me, a, b)
			new(packet.Decoder).Decode(&p, &packet.Frame{Data: x, Len: len(x), Link: packet.LinkEthernet})
			if p.ARP.Op != 2 || p.ARP.SenderIP.Netip() != a || p.ARP.TargetIP.Netip() != b || !bytes.Equal(p.ARP.SenderMAC[:], me) || !bytes.Equal(p.ARP.TargetMAC[:], to) {
				t.Fatalf("%+v of %x", p.ARP, x)
			}
			if got, m, ok := answer(x); !ok || got != a || !bytes.Equal(m, me) {
				t.Fatalf("answer of %x", x)
			}
			return
		}
		x := Advertisement(to, me, me, a, b, isRouter)
		new(packet.Decoder).Decode(&p, &packet.Frame{Data: x, Len: len(x), Link: packet.LinkEthernet})
		if p.ICMPType != 136 || p.Anomalies != 0 {
			t.Fatalf("type %d, anomalies %#x of %x", p.ICMPType, p.Anomalies, x)
		}
		if ok, known := packet.VerifyChecksum(&p); !ok || !known {
			t.Fatalf("checksum of %x", x)
		}
	})
}

// FuzzHeard reads any frame as ARP.
func FuzzHeard(f *testing.F) {
	f.Add(Reply(camera.MAC, own, own, router.Addrs[0], camera.Addrs[0]))
	c := Config{Gateway: router, Devices: []Host{camera}}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, m, ok := answer(b); ok && len(m) != 6 {
			t.Fatal(m)
		}
		if c.interest(b) && len(b) < etherSize+arpSize {
			t.Fatal("too short")
		}
	})
}
