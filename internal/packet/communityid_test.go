package packet

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The reference data of the specification (pycommunityid and the baseline
// directory of community-id-spec), with seed 0 and seed 1.
var communityVectors = []struct {
	proto        uint8
	src, dst     string
	sport, dport uint16
	id, seeded   string
}{
	{1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
	{1, "192.168.0.1", "192.168.0.89", 0, 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
	{1, "192.168.0.1", "192.168.0.89", 0, 20, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
	{1, "192.168.0.89", "192.168.0.1", 20, 0, "1:3o2RFccXzUgjl7zDpqmY7yJi8rI=", "1:lCXHHxavE1Vq3oX9NH5ladQg02o="},
	{1, "192.168.0.89", "192.168.0.1", 20, 1, "1:tz/fHIDUHs19NkixVVoOZywde+I=", "1:Ie3wmFyxiEyikbsbcO03d2nh+PM="},
	{58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY="},
	{58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY="},
	{58, "3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0, "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w=", "1:OlOWx9psIbBFi7lOCw/4MhlKR9M="},
	{58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:507:0:1:260:97ff:fe07:69ea", 3, 0, "1:/OGBt9BN1ofenrmSPWYicpij2Vc=", "1:Ij4ZxnC87/MXzhOjvH2vHu7LRmE="},
	{132, "192.168.170.8", "192.168.170.56", 7, 80, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=", "1:Y1/0jQg6e+I3ZwZZ9LP65DNbTXU="},
	{132, "192.168.170.56", "192.168.170.8", 80, 7, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=", "1:Y1/0jQg6e+I3ZwZZ9LP65DNbTXU="},
	{6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
	{6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
	{6, "10.0.0.1", "10.0.0.2", 10, 11569, "1:SXBGMX1lBOwhhoDrZynfROxnhnM=", "1:HmBRGR+fUyXF4t8WEtal7Y0gEAo="},
	{17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", "1:Q9We8WO3piVF8yEQBNJF4uiSVrI="},
	{17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", "1:Q9We8WO3piVF8yEQBNJF4uiSVrI="},
	{46, "10.1.24.4", "10.1.12.1", 0, 0, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=", "1:BK3BVW3U2eemuwVQVN3zd/GULno="},
	{46, "10.1.12.1", "10.1.24.4", 9, 9, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=", "1:BK3BVW3U2eemuwVQVN3zd/GULno="},
}

func TestCommunityID(t *testing.T) {
	for _, v := range communityVectors {
		for seed, want := range []string{v.id, v.seeded} {
			got := string(AppendCommunityID([]byte("x"), addr(v.src), addr(v.dst), v.sport, v.dport, v.proto, uint16(seed)))
			if got != "x"+want {
				t.Errorf("%d %s:%d %s:%d seed %d: got %s, want %s", v.proto, v.src, v.sport, v.dst, v.dport, seed, got[1:], want)
			}
		}
	}
}

// Every pair of types that answer each other gives one ID.
func TestCommunityIDPairs(t *testing.T) {
	id := func(proto uint8, src, dst string, typ uint16) string {
		return string(AppendCommunityID(nil, addr(src), addr(dst), typ, 0, proto, 0))
	}
	for _, p := range icmpPairs {
		if id(1, a1, a2, p[0]) != id(1, a2, a1, p[1]) {
			t.Errorf("ICMP %v", p)
		}
	}
	for _, p := range icmp6Pairs {
		if id(58, b1, b2, p[0]) != id(58, b2, b1, p[1]) {
			t.Errorf("ICMPv6 %v", p)
		}
	}
}

func TestCommunityIDAllocs(t *testing.T) {
	src, dst, buf := addr(a1), addr(a2), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		buf = AppendCommunityID(buf[:0], src, dst, 1, 2, ProtoTCP, 0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Suricata must log the same IDs for the same packets.
func TestCommunityIDSuricata(t *testing.T) {
	suricata, err := exec.LookPath("suricata")
	if err != nil {
		t.Skip("skips 7 packets compared with Suricata: program suricata not found")
	}
	packets := [][]byte{
		v4(6, a1, a2, sealed(6, 16, a1, a2, tcpOpt(40000, 80, SYN, nil, ""))),
		v4(6, a2, "192.0.2.7", sealed(6, 16, a2, "192.0.2.7", tcpOpt(40001, 443, SYN, nil, ""))),
		v6(6, b2, b1, sealed(6, 16, b2, b1, tcpOpt(40002, 443, SYN, nil, ""))),
		v4(17, a1, a2, sealed(17, 6, a1, a2, udp(5000, 6000, []byte("hello")))),
		v6(17, b1, b2, sealed(17, 6, b1, b2, udp(5001, 6000, []byte("hello")))),
		v4(1, a1, a2, sealed(0, 2, "", "", icmp(8, 0, 77, "ping"))),
		v6(58, b2, b1, sealed(58, 2, b2, b1, icmp(128, 0, 78, "ping"))),
	}
	dir := t.TempDir()
	le := func(v ...uint32) (b []byte) {
		for _, x := range v {
			b = append(b, byte(x), byte(x>>8), byte(x>>16), byte(x>>24))
		}
		return b
	}
	pcap := cat(le(0xa1b2c3d4, 4<<16|2, 0, 0, 65535, uint32(LinkRaw)))
	mine := map[string]string{}
	for i, b := range packets {
		pcap = append(pcap, cat(le(1700000000, uint32(i), uint32(len(b)), uint32(len(b))), b)...)
		p := decode(frame(LinkRaw, b))
		sp, dp := p.SrcPort, p.DstPort
		if p.Proto == ProtoICMP || p.Proto == ProtoICMPv6 {
			sp, dp = uint16(p.ICMPType), uint16(p.ICMPCode)
		}
		mine[p.Src.String()+" "+p.Dst.String()+" "+itoa(int(p.Proto))] = string(AppendCommunityID(nil, p.Src, p.Dst, sp, dp, p.Proto, 0))
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	capture := write("in.pcap", string(pcap))
	config := write("suricata.yaml", "%YAML 1.1\n---\noutputs:\n  - eve-log:\n      enabled: yes\n      filetype: regular\n"+
		"      filename: eve.json\n      community-id: yes\n      types: [flow]\n")
	out, err := exec.Command(suricata, "-c", config, "-S", os.DevNull, "-r", capture, "-l", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("suricata: %v\n%s", err, out)
	}
	eve, err := os.ReadFile(filepath.Join(dir, "eve.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	protos := map[string]string{"TCP": "6", "UDP": "17", "ICMP": "1", "IPv6-ICMP": "58"}
	seen := 0
	for line := range strings.Lines(string(eve)) {
		var e struct {
			Src   string `json:"src_ip"`
			Dst   string `json:"dest_ip"`
			Proto string `json:"proto"`
			ID    string `json:"community_id"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		// Suricata writes IPv6 addresses in full.
		key := addr(e.Src).String() + " " + addr(e.Dst).String() + " " + protos[e.Proto]
		if want, ok := mine[key]; !ok || want != e.ID {
			t.Errorf("%s: Suricata says %s, got %q", key, e.ID, want)
		}
		seen++
	}
	if seen != len(packets) {
		t.Errorf("Suricata logged %d flows of %d", seen, len(packets))
	}
}
