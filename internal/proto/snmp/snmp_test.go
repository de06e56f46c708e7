package snmp

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// el is one BER element.
func el(tag byte, parts ...string) string {
	v := strings.Join(parts, "")
	switch n := len(v); {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + v
	case n < 0x100:
		return string([]byte{tag, 0x81, byte(n)}) + v
	default:
		return string([]byte{tag, 0x82, byte(n >> 8), byte(n)}) + v
	}
}

const sysDescr = "\x2b\x06\x01\x02\x01\x01\x01\x00"

func varbind(oid string) string { return el(0x30, el(6, oid), el(5)) }

func pdu(tag byte, status string, vars ...string) string {
	return el(tag, el(2, "\x12\x34"), el(2, status), el(2, "\x00"), el(0x30, vars...))
}

func v3(flags string, scoped string) string {
	return el(0x30, el(2, "\x03"), el(0x30, el(2, "\x01"), el(2, "\x05\xdc"), el(4, flags), el(2, "\x03")),
		el(4, el(0x30, el(4, "engine"), el(2, "\x01"), el(2, "\x02"), el(4, "keeper"), el(4, ""), el(4, ""))), scoped)
}

var (
	get1   = el(0x30, el(2, "\x00"), el(4, "public"), pdu(0xa0, "\x00", varbind(sysDescr)))
	reply2 = el(0x30, el(2, "\x01"), el(4, "public"), pdu(0xa2, "\x02", varbind(sysDescr), varbind("\x88\x37\x03")))
	trap1  = el(0x30, el(2, "\x00"), el(4, "public"), el(0xa4, el(6, "\x2b\x06\x01\x04\x01\xbf\x08"), el(0x40, "\xc0\x00\x02\x02"), el(2, "\x03"), el(2, "\x00"), el(0x43, "\x01"), el(0x30)))
	plain3 = v3("\x04", el(0x30, el(4, "engine"), el(4, ""), pdu(0xa8, "\x00", varbind(sysDescr))))
	crypt3 = v3("\x07", el(4, strings.Repeat("x", 200)))
)

func TestMessages(t *testing.T) {
	bad := []string{"malformed_data"}
	tests := []struct {
		name, in  string
		probe     proto.Match
		want      string
		values    []string
		anomalies []string
	}{
		{"get", get1, proto.Yes, `"snmp":{"version":1,"pdu_type":"get_request","vars":["1.3.6.1.2.1.1.1.0"],"community":"public"}`,
			[]string{"snmp.version=1", "snmp.community=public", "snmp.pdu_type=0"}, nil},
		{"response", reply2, proto.Yes, `"snmp":{"version":2,"pdu_type":"response","error":"NoSuchName","vars":["1.3.6.1.2.1.1.1.0","2.999.3"],"community":"public"}`,
			[]string{"snmp.version=2", "snmp.community=public", "snmp.pdu_type=2"}, nil},
		{"trap", trap1, proto.Yes, `"snmp":{"version":1,"pdu_type":"trap_v1","trap_type":"linkUp","trap_oid":"1.3.6.1.4.1.8072","trap_address":"192.0.2.2","community":"public"}`,
			[]string{"snmp.version=1", "snmp.community=public", "snmp.pdu_type=4"}, nil},
		{"version 3", plain3, proto.Yes, `"snmp":{"version":3,"pdu_type":"report","vars":["1.3.6.1.2.1.1.1.0"],"usm":"keeper"}`,
			[]string{"snmp.version=3", "snmp.usm=keeper", "snmp.pdu_type=8"}, nil},
		{"encrypted", crypt3, proto.Yes, `"snmp":{"version":3,"pdu_type":"encrypted","usm":"keeper"}`, []string{"snmp.version=3", "snmp.usm=keeper"}, nil},
		{"many variables", el(0x30, el(2, "\x01"), el(4, "c"), pdu(0xa5, "\x00", strings.Repeat(varbind("\x2b"), MaxVars+5))), proto.Yes,
			`"snmp":{"version":2,"pdu_type":"get_bulk_request","vars":[` + strings.Repeat(`"1.3",`, MaxVars-1) + `"1.3"],"community":"c"}`,
			[]string{"snmp.version=2", "snmp.community=c", "snmp.pdu_type=5"}, nil},
		{"long identifier", el(0x30, el(2, "\x01"), el(4, "c"), pdu(0xa0, "\x00", varbind("\x2b"+strings.Repeat("\x01", 300)))), proto.Yes,
			`"snmp":{"version":2,"pdu_type":"get_request","vars":["1.3` + strings.Repeat(".1", maxArcs-1) + `"],"community":"c"}`,
			[]string{"snmp.version=2", "snmp.community=c", "snmp.pdu_type=0"}, nil},
		{"trailing", get1 + "x", proto.Weak, `"snmp":{"version":1,"pdu_type":"get_request","vars":["1.3.6.1.2.1.1.1.0"],"community":"public"}`,
			[]string{"snmp.version=1", "snmp.community=public", "snmp.pdu_type=0"}, nil},
		{"unknown pdu", strings.Replace(get1, "\xa0", "\xa9", 1), proto.Weak, `"snmp":{"version":1,"community":"public"}`, []string{"snmp.version=1", "snmp.community=public"}, bad},
		{"version 2u", strings.Replace(get1, "\x02\x01\x00", "\x02\x01\x02", 1), proto.No, ``, nil, bad},
		{"cut", get1[:len(get1)-3], proto.No, ``, nil, bad},
		{"length of five octets", "\x30\x85\x00\x00\x00\x00\x10" + get1[2:], proto.No, ``, nil, bad},
		{"indefinite length", "\x30\x80" + get1[2:], proto.No, ``, nil, bad},
		{"huge length", "\x30\x84\xff\xff\xff\xff" + get1[2:], proto.No, ``, nil, bad},
		{"ldap", "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", proto.No, `"snmp":{"version":2,"community":""}`, []string{"snmp.version=2", "snmp.community="}, bad},
		{"kerberos", "\x6a\x03\x30\x01\x02", proto.No, ``, nil, bad},
		{"empty", "", proto.No, ``, nil, bad},
	}
	for _, tt := range tests {
		if m := probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		eve, anomalies, values := prototest.One(t, Protocol, tt.in)
		if eve != tt.want || !slices.Equal(anomalies, tt.anomalies) || !slices.Equal(values, tt.values) {
			t.Errorf("%s: %v %q\n%s\nwant %s", tt.name, anomalies, values, eve, tt.want)
		}
	}
}

// TestCuts: a message cut anywhere is no message, and no cut panics.
func TestCuts(t *testing.T) {
	for _, s := range []string{get1, reply2, trap1, plain3, crypt3} {
		for i := range s {
			if m := probe(packet.ToServer, []byte(s[:i])); m == proto.Yes {
				t.Errorf("%d of %d octets: Yes", i, len(s))
			}
			// The outer length mended, the inside cut.
			if i > 3 && i < 0x80 {
				prototest.One(t, Protocol, el(0x30, s[2:i]))
			}
		}
	}
}

func TestNoAllocs(t *testing.T)   { prototest.NoAllocs(t, Protocol, get1, reply2, trap1, plain3, crypt3) }
func FuzzParse(f *testing.F)      { prototest.Fuzz(f, Protocol, get1, reply2, trap1, plain3, crypt3) }
func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, reply2) }

// A rule's header is compared with the message that its buffers are of.
func TestDirections(t *testing.T) {
	for i, d := range []packet.Dir{packet.ToServer, packet.ToClient} {
		parts := []prototest.Part{{Dir: packet.ToServer, Data: []byte(get1)}, {Dir: packet.ToClient, Data: []byte(reply2)}}
		n := [2]int{}
		prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
			for _, b := range Protocol.Buffers {
				if _, ok := b.Get(tx, 0); ok {
					n[b.Dir]++
				}
			}
		}}, parts[i])
		if n[d] != 3 || n[d.Reverse()] != 0 {
			t.Errorf("message %v: %v buffers of each direction, want version, community and kind of its own", d, n)
		}
	}
}
