package rules

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	peerConfig = "/etc/suricata/suricata.yaml"
	peerLists  = 200 // Suricata keeps at most 255 alerts a packet
)

// peerPackets writes a capture of UDP packets from the addresses, the first
// from port 1, the second from port 2 and so on.
func peerPackets(t *testing.T, name string, from []netip.Addr) {
	le, be := binary.LittleEndian, binary.BigEndian
	out := le.AppendUint32(nil, 0xa1b2c3d4)
	out = append(out, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	out = le.AppendUint32(le.AppendUint32(out, 65535), 101) // raw IP
	for i, a := range from {
		udp := be.AppendUint16(be.AppendUint16(nil, uint16(i+1)), 9999)
		udp = append(be.AppendUint16(udp, 13), 0, 0)
		udp = append(udp, "probe"...)
		var p []byte
		if a.Is4() {
			p = []byte{0x45, 0, 0, byte(20 + len(udp)), 0, 0, 0, 0, 64, 17, 0, 0}
			p = append(append(p, a.AsSlice()...), 203, 0, 113, 1)
		} else {
			p = []byte{0x60, 0, 0, 0, 0, byte(len(udp)), 17, 64}
			p = append(append(p, a.AsSlice()...), netip.MustParseAddr("2001:db8:1::1").AsSlice()...)
		}
		p = append(p, udp...)
		out = le.AppendUint32(le.AppendUint32(out, uint32(1000+i)), 0)
		out = le.AppendUint32(le.AppendUint32(out, uint32(len(p))), uint32(len(p)))
		out = append(out, p...)
	}
	if err := os.WriteFile(name, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

// askPeer runs rules over packets in Suricata: which source port each sid saw,
// and which sids it refused.
func askPeer(t *testing.T, text string, from []netip.Addr) (saw map[[2]int]bool, refused map[int]bool) {
	t.Helper()
	if _, err := exec.LookPath("suricata"); err != nil {
		t.Skipf("skipping %d lists: suricata is not installed", peerLists)
	}
	if _, err := os.Stat(peerConfig); err != nil {
		t.Skipf("skipping %d lists: %v", peerLists, err)
	}
	dir := t.TempDir()
	peerPackets(t, filepath.Join(dir, "p.pcap"), from)
	if err := os.WriteFile(filepath.Join(dir, "p.rules"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := exec.Command("suricata", "-c", peerConfig, "-k", "none", "--runmode", "single", "-l", dir,
		"-r", filepath.Join(dir, "p.pcap"), "-S", filepath.Join(dir, "p.rules"),
		"--set", "packet-alert-max=250", "--set", "vars.address-groups.HOME_NET=10.0.0.8/29").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	refused = map[int]bool{}
	for _, l := range strings.Split(string(log), "\n") {
		if _, rest, ok := strings.Cut(l, "; sid:"); ok && strings.Contains(l, "error parsing signature") {
			var sid int
			_, _ = fmt.Sscanf(rest, "%d", &sid)
			refused[sid] = true
		}
	}
	eve, err := os.Open(filepath.Join(dir, "eve.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer eve.Close()
	saw = map[[2]int]bool{}
	s := bufio.NewScanner(eve)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var e struct {
			Port  int `json:"src_port"`
			Alert struct {
				SID int `json:"signature_id"`
			}
		}
		if json.Unmarshal(s.Bytes(), &e) == nil && e.Alert.SID > 0 {
			saw[[2]int{e.Alert.SID, e.Port}] = true
		}
	}
	return saw, refused
}

// peerList writes a random list of entries, lists and variables.
func peerList(r *rand.Rand, depth int, vars []string, entry func() string) string {
	var parts []string
	for range 1 + r.IntN(3) {
		s := entry()
		switch k := r.IntN(10); {
		case k < 2 && depth < 2:
			s = peerList(r, depth+1, vars, entry)
		case k < 3:
			s = vars[r.IntN(len(vars))]
		}
		if r.IntN(3) == 0 {
			s = "!" + s
		}
		parts = append(parts, s)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// TestPeer compares what lists hold with Suricata. What one of them refuses is
// not compared: Suricata refuses some nested port lists by accident.
func TestPeer(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var from []netip.Addr
	for i := range 40 {
		from = append(from, netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
	}
	for i := range 10 {
		from = append(from, netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i)))
	}
	p := newParser(ParseConfig{Vars: DefaultVars().With(Vars{Addrs: map[string]string{"HOME_NET": "10.0.0.8/29"}})})
	for _, c := range []struct {
		name, rule string
		vars       []string
		entry      func() string
		holds      func(list string, packet int) (bool, bool)
	}{
		{"addresses", "alert udp %s any -> any any", []string{"$HOME_NET", "$EXTERNAL_NET", "$AIM_SERVERS"}, func() string {
			lo := r.IntN(35)
			return []string{
				fmt.Sprintf("10.0.0.%d", lo), fmt.Sprintf("10.0.0.%d/%d", lo, 26+r.IntN(7)),
				fmt.Sprintf("10.0.0.%d-10.0.0.%d", lo, lo+r.IntN(9)), fmt.Sprintf("2001:db8::%x/%d", r.IntN(10), 120+r.IntN(9)),
			}[r.IntN(4)]
		}, func(list string, i int) (bool, bool) {
			a, _, err := p.addresses(list)
			ip := from[i].As16()
			return a.Contains(&ip), err == nil
		}},
		{"ports", "alert udp any %s -> any any", []string{"$HTTP_PORTS", "$SHELLCODE_PORTS"}, func() string {
			lo := r.IntN(35)
			return []string{fmt.Sprint(lo), fmt.Sprintf("%d:%d", lo, lo+r.IntN(9)), fmt.Sprintf(":%d", lo), "80"}[r.IntN(4)]
		}, func(list string, i int) (bool, bool) {
			a, _, err := p.portList(list)
			return a.Contains(uint16(i + 1)), err == nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var text strings.Builder
			lists := make([]string, peerLists)
			for i := range lists {
				lists[i] = peerList(r, 0, c.vars, c.entry)
				fmt.Fprintf(&text, c.rule+" (content:\"probe\"; sid:%d;)\n", lists[i], i+1)
			}
			saw, refused := askPeer(t, text.String(), from)
			compared := 0
			for i, list := range lists {
				if _, ok := c.holds(list, 0); !ok || refused[i+1] {
					continue
				}
				compared++
				for k := range from {
					if got, _ := c.holds(list, k); got != saw[[2]int{i + 1, k + 1}] {
						t.Errorf("%s holds %s port %d: %v, Suricata differs", list, from[k], k+1, got)
						break
					}
				}
			}
			if compared < peerLists/2 {
				t.Errorf("only %d of %d lists compared", compared, peerLists)
			}
		})
	}
}
