package ssh

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// binaryPacket frames a payload as RFC 4253 section 6 asks, with 4 bytes of
// padding.
func binaryPacket(payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+4))
	return string(append(b, 4)) + payload + "\x00\x00\x00\x00"
}

func kexInit(lists ...string) string {
	s := "\x14" + strings.Repeat("c", 16)
	for i := range 10 {
		l := ""
		if i < len(lists) {
			l = lists[i]
		}
		s += string(binary.BigEndian.AppendUint32(nil, uint32(len(l)))) + l
	}
	return binaryPacket(s + "\x00\x00\x00\x00\x00")
}

var (
	clientKex = kexInit("curve25519-sha256,ext-info-c", "ssh-ed25519", "aes128-ctr", "aes256-ctr", "hmac-sha1", "hmac-sha2-256", "none", "zlib")
	serverKex = kexInit("curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes256-ctr", "hmac-sha1", "hmac-sha2-256", "none", "zlib")
	newKeys   = binaryPacket("\x15")
	kexReply  = binaryPacket("\x1f" + strings.Repeat("x", 700))
)

const (
	clientString = "curve25519-sha256,ext-info-c;aes128-ctr;hmac-sha1;none"
	serverString = "curve25519-sha256;aes256-ctr;hmac-sha2-256;zlib"
)

func hash(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

var handshake = []prototest.Part{
	prototest.S("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), prototest.C("SSH-2.0-PuTTY_0.78\r\n" + clientKex),
	prototest.S(serverKex + kexReply + newKeys), prototest.C(newKeys + "encrypted"), prototest.S("encrypted"),
}

func TestHandshake(t *testing.T) {
	want := `"ssh":{"client":{"proto_version":"2.0","software_version":"PuTTY_0.78","hassh":{"hash":"` + hash(clientString) + `","string":"` + clientString +
		`"}},"server":{"proto_version":"2.0","software_version":"OpenSSH_9.2p1","hassh":{"hash":"` + hash(serverString) + `","string":"` + serverString + `"}}}`
	for seed := range uint64(20) {
		parts := handshake
		if seed > 0 {
			parts = prototest.Split(seed, parts...)
		}
		r := prototest.Drive(Protocol, prototest.Options{}, parts...)
		if r.Joined() != want || !r.Finished || r.Err != nil || r.Done != 1 || len(r.Anomalies) != 0 {
			t.Fatalf("seed %d: %+v\nwant %s", seed, r, want)
		}
	}
}

func TestBuffers(t *testing.T) {
	want := map[string]string{
		"ssh.proto to_server": "2.0", "ssh.proto to_client": "2.0",
		"ssh.software to_server": "PuTTY_0.78", "ssh.software to_client": "OpenSSH_9.2p1",
		"ssh.hassh to_server": hash(clientString), "ssh.hassh.string to_server": clientString,
		"ssh.hassh.server to_client": hash(serverString), "ssh.hassh.server.string to_client": serverString,
	}
	got := map[string]string{}
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		for _, b := range Protocol.Buffers {
			if v, ok := b.Get(tx, 0); ok {
				got[b.Name+" "+b.Dir.String()] = string(v)
			}
			if _, ok := b.Get(tx, 1); ok {
				t.Errorf("%s has a second instance", b.Name)
			}
		}
		if done {
			if h := tx.(*Tx).Hello[1]; string(h.Comment) != "Debian-2" || string(h.Lists[ListHostKey]) != "ssh-ed25519" {
				t.Errorf("server: %q %q", h.Comment, h.Lists[ListHostKey])
			}
		}
	}}, handshake...)
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %q, want %q", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d buffers, want %d", len(got), len(want))
	}
}

func TestParse(t *testing.T) {
	c, s := prototest.C, prototest.S
	big := binaryPacket("\x1f" + strings.Repeat("x", 34000))
	tests := []struct {
		name  string
		mid   bool
		parts []prototest.Part
		event string // the beginning
		err   error
		anom  string
		fin   bool
	}{
		{"banner only", false, []prototest.Part{c("SSH-2.0-Go\r\n")}, `"ssh":{"client":{"proto_version":"2.0","software_version":"Go"}}`, nil, "", false},
		{"no CR", false, []prototest.Part{c("SSH-2.0-Go\n")}, `"ssh":{"client":{"proto_version":"2.0","software_version":"Go"}}`, nil, "", false},
		{"server lines first", false, []prototest.Part{s("Welcome\r\nto\r\nSSH-2.0-x\r\n")}, `"ssh":{"server":{"proto_version":"2.0"`, nil, "", false},
		{"client line first", false, []prototest.Part{c("hello\r\nSSH-2.0-x\r\n")}, "", errIdent, "", false},
		{"too many lines", false, []prototest.Part{s(strings.Repeat("a\r\n", maxPreLines+1))}, "", errIdent, "", false},
		{"as many lines as allowed", false, []prototest.Part{s(strings.Repeat("a\r\n", maxPreLines) + "SSH-2.0-x\r\n")}, `"ssh":{"server"`, nil, "", false},
		{"line too long", false, []prototest.Part{s(strings.Repeat("a", maxPreLine))}, "", errIdent, "", false},
		{"banner too long", false, []prototest.Part{c("SSH-2.0-" + strings.Repeat("a", maxBanner))}, "", errIdent, "ssh_banner_too_long", false},
		{"banner too long with end", false, []prototest.Part{c("SSH-2.0-" + strings.Repeat("a", maxBanner) + "\n")}, "", errIdent, "ssh_banner_too_long", false},
		{"ssh 1", false, []prototest.Part{s("SSH-1.5-Cisco-1.25\n"), c("SSH-1.5-Cisco-1.25\nxxxx")}, `"ssh":{"client":{"proto_version":"1.5","software_version":"Cisco-1.25"}`, nil, "", true},
		{"ssh 1.99", false, []prototest.Part{s("SSH-1.99-x\n" + serverKex)}, `"ssh":{"server":{"proto_version":"1.99","software_version":"x","hassh"`, nil, "", false},
		{"zero length", false, []prototest.Part{c("SSH-2.0-x\n\x00\x00\x00\x01\x00\x14")}, `"ssh":{"client"`, errPacket, "", false},
		{"huge length", false, []prototest.Part{c("SSH-2.0-x\n\x00\x00\x88\xb9\x00\x14")}, `"ssh":{"client"`, errPacket, "", false},
		{"padding beyond the packet", false, []prototest.Part{c("SSH-2.0-x\n\x00\x00\x00\x03\xff\x14\x00")}, `"ssh":{"client"`, errKex, "", false},
		{"list beyond the packet", false, []prototest.Part{c("SSH-2.0-x\n" + binaryPacket("\x14"+strings.Repeat("c", 16)+"\x7f\xff\xff\xff"))}, `"ssh":{"client"`, errKex, "", false},
		{"no NEWKEYS", false, []prototest.Part{c("SSH-2.0-x\n" + big + big + big + big)}, `"ssh":{"client"`, nil, "ssh_handshake_too_long", false},
		{"gap in a skipped packet", false, []prototest.Part{c("SSH-2.0-x\n" + big[:100]), {Gap: len(big) - 200, Data: []byte(big[len(big)-100:] + clientKex)}}, `"ssh":{"client":{"proto_version":"2.0","software_version":"x","hassh"`, nil, "", false},
		{"gap in the list", false, []prototest.Part{c("SSH-2.0-x\n" + clientKex[:50]), {Gap: 10, Data: []byte("x")}}, `"ssh":{"client"`, errGap, "", false},
		{"gap after NEWKEYS", false, []prototest.Part{c("SSH-2.0-x\n" + newKeys), {Gap: 10, Data: []byte("x")}}, `"ssh":{"client"`, nil, "", false},
		{"midstream", true, []prototest.Part{s(serverKex), c(clientKex + newKeys)}, `"ssh":{"client":{"hassh":{"hash":"` + hash(clientString), nil, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Midstream: tt.mid}}, tt.parts...)
			if !strings.HasPrefix(r.Joined(), tt.event) || tt.event == "" && len(r.Events) > 0 {
				t.Errorf("events %s, want %s", r.Joined(), tt.event)
			}
			if r.Err != tt.err || strings.Join(r.Anomalies, " ") != tt.anom || r.Finished != tt.fin {
				t.Errorf("error %v, anomalies %v, finished %v", r.Err, r.Anomalies, r.Finished)
			}
		})
	}
}

// TestLimit shows that a KEXINIT of the largest size is still read whole
// within what the engine keeps.
func TestLimit(t *testing.T) {
	s := kexInit(strings.Repeat("a", 34900))
	if len(s) <= 34000 || len(s) > maxPacket {
		t.Fatal(len(s))
	}
	r := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(3, prototest.C("SSH-2.0-x\n"+s))...)
	if r.Err != nil || !strings.Contains(r.Joined(), "hassh") {
		t.Error(r.Err, len(r.Joined()))
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		in   string
		want proto.Match
	}{
		{"S", proto.More}, {"SSH-", proto.More}, {"SSH-2.0-x", proto.Yes}, {"SSH-1.5", proto.Yes}, {"SSH-x", proto.No},
		{"SSL", proto.No}, {"GET / HTTP/1.1", proto.No}, {"\x16\x03\x01", proto.No},
		{clientKex, proto.Yes}, {clientKex[:20], proto.More}, {"\x00", proto.More}, {newKeys, proto.No},
		{"\x00\x00\x00\x90\xffSMBr" + strings.Repeat("\x00", 60), proto.No},
		{"\x00\x00\x02\x00\x04\x14" + strings.Repeat("\x00", 60), proto.No},
		{"\x00\x00\x02\x00\x04\x14" + strings.Repeat("c", 16) + "\x00\x00\x00\x20\x00\x01abcdefgh", proto.No},
	}
	for _, tt := range tests {
		for d := range packet.Dir(2) {
			if got := probe(d, []byte(tt.in)); got != tt.want {
				t.Errorf("probe(%q) = %v, want %v", tt.in, got, tt.want)
			}
		}
	}
}

func TestNoAllocs(t *testing.T) { prototest.SessionNoAllocs(t, Protocol, handshake...) }

func BenchmarkParse(b *testing.B) { prototest.SessionBench(b, Protocol, handshake...) }

func FuzzParse(f *testing.F) {
	f.Add([]byte("SSH-2.0-x\r\n"+clientKex+newKeys), []byte("hi\r\nSSH-2.0-y\r\n"+serverKex), false)
	f.Add([]byte(clientKex), []byte(serverKex), true)
	f.Fuzz(func(t *testing.T, a, b []byte, mid bool) {
		o := prototest.Options{Conn: proto.Conn{Midstream: mid}}
		parts := []prototest.Part{{Dir: packet.ToServer, Data: a}, {Dir: packet.ToClient, Data: b}}
		whole := prototest.Drive(Protocol, o, parts...)
		cut := prototest.Drive(Protocol, o, prototest.Split(uint64(len(a)), parts...)...)
		if whole.Joined() != cut.Joined() {
			t.Errorf("segmentation matters:\n%s\n%s", whole.Joined(), cut.Joined())
		}
		if len(a) > 0 {
			probe(packet.ToServer, a)
		}
	})
}
