package match_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/match"
)

// TestCertificates asks for what TLS shows of itself, in a recording of two
// handshakes of TLS 1.2, the second resumed, with a certificate of the client;
// the server's is valid from 2026-11-23 to 2036-11-20.
func TestCertificates(t *testing.T) {
	want := map[string]int{
		"tls_cert_valid": 1, "tls_cert_expired": 0,
		"tls_cert_notbefore:<2026-12": 1, "tls_cert_notbefore:>2026-12-01": 0, "tls_cert_notbefore:2026-11-23T02:50:08": 1,
		"tls_cert_notafter:2036-01<>2037-01": 1, "tls_cert_notafter:2035-01-01T10:00:00<>2036-01-01": 0, "tls_cert_notafter:>2020": 1,
		"tls.cert_chain_len:>0": 1, "tls.cert_chain_len:1": 1, "tls.cert_chain_len:>1": 0,
		"ssl_state:client_hello": 2, "ssl_state:server_hello": 2, "ssl_state:client_keyx": 1, "ssl_state:server_keyx": 1, "ssl_state:unknown": 0,
		"ssl_version:tls1.2": 4, "ssl_version:!tls1.2": 0, "tls.version:1.2": 4, "tls.version:1.3": 0,
		`tls.cert_serial; content:"2e:56"; startswith`: 1, `tls.cert_fingerprint; content:"8E:CD"; startswith`: 1,
	}
	var text strings.Builder
	var list []string
	for o := range want {
		list = append(list, o)
		fmt.Fprintf(&text, "alert tls any any -> any any (%s; sid:%d;)\n", o, len(list))
	}
	r := replay(t, compile(t, text.String(), match.Options{}))
	src, err := pcapfile.Open("../proto/tls/testdata/tls12.pcap")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := src.Run(context.Background(), r.e.Workers[0].Handle); err != nil {
		t.Fatal(err)
	}
	n := map[uint32]int{}
	for _, sid := range r.end() {
		n[sid]++
	}
	for i, o := range list {
		if n[uint32(i+1)] != want[o] {
			t.Errorf("%s: %d alerts, want %d", o, n[uint32(i+1)], want[o])
		}
	}
	for _, bad := range []string{"tls_cert_notbefore:2026-13", "tls_cert_notafter:>2027-01<>2026-01", "tls_cert_notafter:2027-01<>2026-01", "tls_cert_notbefore:x", "tls_cert_valid:1", "ssl_state:hello", "ssl_version:!"} {
		if loads("x", bad+";") == "" {
			t.Error(bad, "loads")
		}
	}
	for _, industry := range []string{"enip.status:1", "dnp3.func:1", "modbus.unit:1"} {
		if why := loads("x", industry+";"); !strings.Contains(why, "not supported") {
			t.Error(industry, why)
		}
	}
}

// TestOldKeywords: versions of IP, calls of RPC, checksums of IPv4.
func TestOldKeywords(t *testing.T) {
	call := make([]byte, 40)
	for i, v := range []uint32{7, 0, 2, 100003, 3, 4} {
		binary.BigEndian.PutUint32(call[4*i:], v)
	}
	right := ip(client, server, 17, nil)
	right[10], right[11] = 0, 0
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(right[i:]))
	}
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(right[10:], ^uint16(sum+sum>>16))
	for _, c := range []struct {
		rule string
		send func(*replayer)
		n    int
	}{
		{"alert ip any any -> any any (l3_proto:ipv4; dsize:>0; sid:1;)", func(r *replayer) { r.frame(udp(client, server, 1, 2, "x")) }, 1},
		{"alert ip any any -> any any (l3_proto:ipv6; dsize:>0; sid:1;)", func(r *replayer) { r.frame(udp(client, server, 1, 2, "x")) }, 0},
		{"alert udp any any -> any any (rpc:100003,3,4; sid:1;)", func(r *replayer) { r.frame(udp(client, server, 1, 2, string(call))) }, 1},
		{"alert udp any any -> any any (rpc:100003,*,*; sid:1;)", func(r *replayer) { r.frame(udp(client, server, 1, 2, string(call))) }, 1},
		{"alert udp any any -> any any (rpc:100003,2,*; sid:1;)", func(r *replayer) { r.frame(udp(client, server, 1, 2, string(call))) }, 0},
		{"alert udp any any -> any any (rpc:100003; sid:1;)", func(r *replayer) { r.frame(udp(client, server, 1, 2, string(call[:27]))) }, 0},
		{"alert tcp any any -> any any (rpc:100003,3; sid:1;)", func(r *replayer) { r.open(1, 2).send(toServer, "\x80\x00\x00\x28"+string(call)) }, 1},
		{"alert ip any any -> any any (ipv4-csum:valid; sid:1;)", func(r *replayer) { r.frame(right) }, 1},
		{"alert ip any any -> any any (ipv4-csum:invalid; sid:1;)", func(r *replayer) { r.frame(right) }, 0},
		{"alert ip any any -> any any (ipv4-csum:invalid; sid:1;)", func(r *replayer) { r.frame(udp(client, server, 1, 2, "x")) }, 1},
		{`alert tcp any any -> any any (flow:to_server; pcre:"/user (\w+)/, flow:user"; flowbits:set,x; noalert; sid:2;)` + "\n" +
			`alert tcp any any -> any any (flow:to_client; content:"hi"; flowvar:user,"oo"; sid:1;)`, func(r *replayer) {
			c := r.open(1, 2)
			c.send(toServer, "user root\n")
			c.send(toClient, "hi\n")
			c.close()
		}, 1},
	} {
		r := replay(t, compile(t, c.rule, match.Options{}))
		c.send(r)
		if got := r.end(); len(got) != c.n {
			t.Errorf("%s: %v", c.rule, got)
		}
	}
	for _, bad := range []string{"rpc:*,1,2", "rpc:x", "rpc:1,2,3,4", "l3_proto:x", "ipv4-csum:x", "flowvar:x", "pktvar:x,\"y\"", "dnp3_func:1", "filestore:x"} {
		if loads("x", bad+";") == "" {
			t.Error(bad, "loads")
		}
	}
}
