// Command ndpiagree compares what Yamori calls the flows of captures with
// nDPI's labels of the same flows, and the JA3 and JA4 of both.
//
//	go run ./internal/tools/ndpiagree [-v] FOLDER
//
// FOLDER holds flow-labels.tsv and the captures it names. A label counts when
// nDPI was sure by inspection (confidence beginning with DPI) and its protocol,
// the part before the dot, is one Yamori knows.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/app"
)

// names maps nDPI's protocol to the app_proto values that agree with it.
var names = map[string][]string{
	"TLS": {"tls"}, "DTLS": {"dtls"}, "QUIC": {"quic"}, "HTTP": {"http"}, "HTTP2": {"http2"},
	"HTTP_Proxy": {"http"}, "HTTP_Connect": {"http"}, "WebSocket": {"websocket"},
	"DNS": {"dns"}, "MDNS": {"mdns"}, "LLMNR": {"llmnr"}, "NetBIOS": {"nbns", "nbdgm", "smb"},
	"SSDP": {"ssdp"}, "DHCP": {"dhcp"}, "DHCPV6": {"dhcpv6"}, "SSH": {"ssh"}, "Telnet": {"telnet"},
	"SMBv1": {"smb"}, "SMBv23": {"smb"}, "SOCKS": {"socks"}, "Mining": {"stratum"},
	"NTP": {"ntp"}, "FTP_CONTROL": {"ftp"}, "SMTP": {"smtp"}, "IMAP": {"imap"}, "POP3": {"pop3"},
	"SMTPS": {"tls", "smtp"}, "IMAPS": {"tls", "imap"}, "POPS": {"tls", "pop3"},
	"RDP": {"rdp"}, "MQTT": {"mqtt"}, "RTSP": {"rtsp"}, "SIP": {"sip"}, "SNMP": {"snmp"}, "STUN": {"stun"},
	"BitTorrent": {"bittorrent"}, "OpenVPN": {"openvpn"}, "WireGuard": {"wireguard"},
}

type endpoint struct {
	ip   netip.Addr
	port uint16
}

// pair names a flow in either direction.
type pair struct {
	proto string
	a, b  endpoint
}

func pairOf(proto string, a, b endpoint) pair {
	if c := cmp.Or(a.ip.Compare(b.ip), cmp.Compare(a.port, b.port)); c > 0 {
		a, b = b, a
	}
	return pair{proto, a, b}
}

// seen is what Yamori says of a flow.
type seen struct{ apps, ja3, ja4 []string }

// record is what is read of an EVE line.
type record struct {
	Type    string `json:"event_type"`
	Src     string `json:"src_ip"`
	Dst     string `json:"dest_ip"`
	SrcPort uint16 `json:"src_port"`
	DstPort uint16 `json:"dest_port"`
	Proto   string `json:"proto"`
	App     string `json:"app_proto"`
	Orig    string `json:"app_proto_orig"`
	TLS     *hello `json:"tls"`
	QUIC    *hello `json:"quic"`
}

type hello struct {
	JA3 struct {
		Hash string `json:"hash"`
	} `json:"ja3"`
	JA4 string `json:"ja4"`
}

// flows replays one capture.
func flows(file string) (map[pair]*seen, error) {
	var buf bytes.Buffer
	r := app.Replay{Files: []string{file}, Output: app.EVE, Flows: true, Stdout: &buf, Stderr: io.Discard,
		Log: slog.New(slog.DiscardHandler)}
	_, err := r.Run(context.Background()) // a damaged capture still has flows
	out := map[pair]*seen{}
	for line := range bytes.Lines(buf.Bytes()) {
		var rec record
		if jerr := json.Unmarshal(line, &rec); jerr != nil {
			return nil, fmt.Errorf("%s: %w", file, jerr)
		}
		src, e1 := netip.ParseAddr(rec.Src)
		dst, e2 := netip.ParseAddr(rec.Dst)
		if e1 != nil || e2 != nil {
			continue
		}
		k := pairOf(rec.Proto, endpoint{src, rec.SrcPort}, endpoint{dst, rec.DstPort})
		s := out[k]
		if s == nil {
			s = &seen{}
			out[k] = s
		}
		if rec.Type == "flow" {
			s.apps = append(s.apps, rec.App, rec.Orig)
		}
		for _, h := range []*hello{rec.TLS, rec.QUIC} {
			if h != nil && h.JA4 != "" {
				s.ja3, s.ja4 = append(s.ja3, h.JA3.Hash), append(s.ja4, h.JA4)
			}
		}
	}
	return out, err
}

// String prints the endpoints as addresses.
func (p pair) String() string {
	return fmt.Sprintf("%s %s:%d %s:%d", p.proto, p.a.ip, p.a.port, p.b.ip, p.b.port)
}

type score struct{ agree, of int }

func (s score) String() string {
	return fmt.Sprintf("%5d of %5d  %6.2f %%", s.agree, s.of, 100*float64(s.agree)/float64(max(s.of, 1)))
}

func main() {
	verbose := flag.Bool("v", false, "print every disagreement")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: ndpiagree [-v] FOLDER")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "ndpiagree:", err)
		os.Exit(1)
	}
}

func run(dir string, verbose bool) error {
	rows, err := labels(filepath.Join(dir, "flow-labels.tsv"))
	if err != nil {
		return err
	}
	by := map[string]*score{}
	var ja3, ja4, ja4raw score
	var file string
	var got map[pair]*seen
	for _, row := range rows {
		want, known := names[row.proto]
		if !known && row.ja4 == "" && row.ja3 == "" {
			continue
		}
		if row.file != file {
			file = row.file
			if got, err = flows(filepath.Join(dir, file)); err != nil && verbose {
				fmt.Printf("! %v\n", err)
			}
		}
		s := got[row.pair]
		if s == nil {
			s = &seen{}
		}
		if known && row.sure {
			sc := by[row.proto]
			if sc == nil {
				sc = &score{}
				by[row.proto] = sc
			}
			sc.of++
			if slices.ContainsFunc(want, func(n string) bool { return slices.Contains(s.apps, n) }) {
				sc.agree++
			} else if verbose {
				fmt.Printf("%s: %v: nDPI %s, Yamori %q\n", file, row.pair, row.proto, s.apps)
			}
		}
		compare := func(sc *score, name, label string, mine []string, same func(label, mine string) bool) {
			if label == "" {
				return
			}
			sc.of++
			if slices.ContainsFunc(mine, func(m string) bool { return same(label, m) }) {
				sc.agree++
			} else if verbose && name != "" {
				fmt.Printf("%s: %v: %s nDPI %s, Yamori %q\n", file, row.pair, name, label, mine)
			}
		}
		equal := func(a, b string) bool { return a == b }
		compare(&ja3, "JA3", row.ja3, s.ja3, equal)
		compare(&ja4raw, "", row.ja4, s.ja4, equal)
		compare(&ja4, "JA4", row.ja4, s.ja4, sameJA4)
	}
	var all score
	for _, p := range slices.Sorted(maps.Keys(by)) {
		fmt.Printf("%-14s %v\n", p, by[p])
		all.agree += by[p].agree
		all.of += by[p].of
	}
	fmt.Printf("%-14s %v\n%-14s %v\n", "all", all, "JA3", ja3)
	fmt.Printf("%-14s %v  (as written by nDPI: %d)\n", "JA4", ja4, ja4raw.agree)
	return nil
}

// sameJA4 compares a label with a JA4 of Yamori's, allowing for what nDPI
// writes differently from the specification
// (https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md): it
// has "d" also where there is no server name, takes the first two characters
// of the ALPN value instead of the first and the last ("ht" for http/1.1, "h3"
// for h3-29), and hashes an empty list of extensions instead of writing zeros.
// For DTLS it takes the version of the record, not the highest one offered.
// The counts of ciphers and extensions and both hashes must be equal.
func sameJA4(label, mine string) bool {
	mask := func(s string) string {
		if len(s) < 10 {
			return s
		}
		if s[0] == 'd' {
			s = "d??" + s[3:]
		}
		return s[:3] + "?" + s[4:8] + "??" + strings.Replace(s[10:], "_e3b0c44298fc", "_000000000000", 1)
	}
	return mask(label) == mask(mine)
}

type label struct {
	file, proto, ja3, ja4 string
	pair                  pair
	sure                  bool
}

func labels(path string) ([]label, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []label
	sc := bufio.NewScanner(f)
	for n := 1; sc.Scan(); n++ {
		c := strings.Split(sc.Text(), "\t")
		if n == 1 || len(c) < 17 || c[0] != "default" {
			continue
		}
		a, err1 := netip.ParseAddr(c[3])
		b, err2 := netip.ParseAddr(c[5])
		var sp, dp uint16
		_, err3 := fmt.Sscan(c[4], &sp)
		_, err4 := fmt.Sscan(c[6], &dp)
		if cmp.Or(err1, err2) != nil || err3 != nil || err4 != nil || c[2] != "TCP" && c[2] != "UDP" {
			continue // ICMP and its kin have no ports and no application
		}
		proto, _, _ := strings.Cut(c[8], ".")
		out = append(out, label{file: c[1], proto: proto, ja3: c[13], ja4: c[14],
			pair: pairOf(c[2], endpoint{a, sp}, endpoint{b, dp}), sure: strings.HasPrefix(c[16], "DPI")})
	}
	return out, sc.Err()
}
