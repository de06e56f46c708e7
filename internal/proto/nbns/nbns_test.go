package nbns

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

// TestGoldenDatagrams: the datagram service's captures stand one folder lower.
func TestGoldenDatagrams(t *testing.T) {
	t.Chdir("testdata/dgm")
	prototest.GoldenUDP(t, DatagramProtocol, *update)
}

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// half encodes a name as RFC 1001 section 14.1 says.
func half(name string, suffix byte) string {
	pad := byte(' ')
	if name == "*" {
		pad = 0
	}
	var s strings.Builder
	s.WriteByte(32)
	for i := range 16 {
		c := pad
		if i < len(name) {
			c = name[i]
		}
		if i == 15 {
			c = suffix
		}
		s.WriteByte('A' + c>>4)
		s.WriteByte('A' + c&15)
	}
	return s.String() + "\x00"
}

func head(flags uint16, counts ...byte) string {
	b := binary.BigEndian.AppendUint16([]byte{0x80, 1}, flags)
	for _, c := range counts {
		b = append(b, 0, c)
	}
	return string(b)
}

var (
	query    = head(0x0110, 1, 0, 0, 0) + half("HALLNAS", 0x20) + "\x00\x20\x00\x01"
	answer   = head(0x8500, 0, 1, 0, 0) + half("HALLNAS", 0x20) + "\x00\x20\x00\x01\x00\x00\x01\x2c\x00\x06\x00\x00\xc0\x00\x02\x07"
	negative = head(0x8583, 0, 1, 0, 0) + half("NOBODY", 0) + "\x00\x0a\x00\x01\x00\x00\x00\x00\x00\x00"
	register = head(0x2910, 1, 0, 0, 1) + half("HOME", 0) + "\x00\x20\x00\x01\xc0\x0c\x00\x20\x00\x01\x00\x00\x01\x2c\x00\x06\x80\x00\xc0\x00\x02\x07"
	wildcard = head(0x0000, 1, 0, 0, 0) + half("*", 0) + "\x00\x21\x00\x01"
	status   = head(0x8400, 0, 1, 0, 0) + half("*", 0) + "\x00\x21\x00\x01\x00\x00\x00\x00\x00\x2b\x02" +
		"HALLNAS        \x00\x04\x00" + "HOME           \x00\x84\x00" + "\x02\x00\x00\x00\x00\x0a"
)

func TestEvents(t *testing.T) {
	tests := []struct{ name, in, want, value string }{
		{"query", query, `"nbns":{"type":"request","id":32769,"opcode":"query","broadcast":true,"name":"HALLNAS","suffix":"20","rrtype":"NB"}`, "HALLNAS"},
		{"answer", answer, `"nbns":{"type":"response","id":32769,"opcode":"query","name":"HALLNAS","suffix":"20","rrtype":"NB","rcode":0,"ttl":300,"addresses":[{"addr":"192.0.2.7","group":false}]}`, "HALLNAS"},
		{"negative", negative, `"nbns":{"type":"response","id":32769,"opcode":"query","name":"NOBODY","suffix":"00","rrtype":"NULL","rcode":3}`, "NOBODY"},
		{"registration", register, `"nbns":{"type":"request","id":32769,"opcode":"registration","broadcast":true,"name":"HOME","suffix":"00","rrtype":"NB","ttl":300,"addresses":[{"addr":"192.0.2.7","group":true}]}`, "HOME"},
		{"wildcard", wildcard, `"nbns":{"type":"request","id":32769,"opcode":"query","name":"*","suffix":"00","rrtype":"NBSTAT"}`, "*"},
		{"status", status, `"nbns":{"type":"response","id":32769,"opcode":"query","name":"*","suffix":"00","rrtype":"NBSTAT","rcode":0,"names":[{"name":"HALLNAS","suffix":"00","group":false},{"name":"HOME","suffix":"00","group":true}],"mac":"02:00:00:00:00:0a"}`, "*"},
	}
	for _, tt := range tests {
		eve, anomalies, values := prototest.One(t, Protocol, tt.in)
		if eve != tt.want || len(anomalies) != 0 {
			t.Errorf("%s: %v\n%s\nwant %s", tt.name, anomalies, eve, tt.want)
		}
		if want := []string{"nbns.name=" + tt.value}; !slices.Equal(values, want) {
			t.Errorf("%s: %q", tt.name, values)
		}
		if m := Protocol.Probe(packet.ToServer, []byte(tt.in)); m != proto.Yes {
			t.Errorf("%s: probe %v", tt.name, m)
		}
	}
}

func TestDamage(t *testing.T) {
	tests := []struct {
		name, in string
		probe    proto.Match
		events   int
	}{
		{"cut in the name", query[:30], proto.No, 0},
		{"cut behind the name", query[:len(query)-2], proto.No, 0},
		{"letters beyond P", strings.Replace(query, "E", "Z", 1), proto.No, 1},
		{"status counts beyond its data", strings.Replace(status, "\x2b\x02", "\x2b\xff", 1), proto.Yes, 1},
		{"reserved opcode", head(0x1800, 1, 0, 0, 0) + half("A", 0) + "\x00\x20\x00\x01", proto.No, 1},
		{"dns", head(0x0100, 1, 0, 0, 0) + "\x03www\x00\x00\x01\x00\x01", proto.No, 1},
		{"short", "\x80\x01", proto.No, 0},
	}
	for _, tt := range tests {
		if m := Protocol.Probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		eve, anomalies, _ := prototest.One(t, Protocol, tt.in)
		if (eve != "") != (tt.events > 0) {
			t.Errorf("%s: %q %v", tt.name, eve, anomalies)
		}
	}
}

// TestManyNames: a status with more entries than MaxNames reports that many.
func TestManyNames(t *testing.T) {
	const n = MaxNames + 8
	data := string([]byte{n}) + strings.Repeat("HALLNAS        \x00\x04\x00", n) + "\x02\x00\x00\x00\x00\x0a"
	b := []byte(status[:len(status)-0x2b-2])
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	eve, _, _ := prototest.One(t, Protocol, string(b)+data)
	if got := strings.Count(eve, "HALLNAS"); got != MaxNames {
		t.Errorf("%d names of %d", got, n)
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, query, answer, register, status)
	prototest.NoAllocs(t, DatagramProtocol, announcement)
}

func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, query, answer, negative, register, wildcard, status)
}

func FuzzDatagram(f *testing.F) { prototest.Fuzz(f, DatagramProtocol, announcement, queryDatagram) }

func BenchmarkParse(b *testing.B)    { prototest.Bench(b, Protocol, status) }
func BenchmarkDatagram(b *testing.B) { prototest.Bench(b, DatagramProtocol, announcement) }

// mailslot is an SMB_COM_TRANSACTION that writes frame to a mailslot.
func mailslot(name, frame string) string {
	body := name + "\x00"
	off := 32 + 1 + 34 + 2 + len(body)
	w := make([]byte, 34)
	binary.LittleEndian.PutUint16(w[22:], uint16(len(frame)))
	binary.LittleEndian.PutUint16(w[24:], uint16(off))
	w[26] = 3
	s := "\xffSMB\x25" + strings.Repeat("\x00", 27) + "\x11" + string(w)
	return s + string(binary.LittleEndian.AppendUint16(nil, uint16(len(body)+len(frame)))) + body + frame
}

var (
	announcement  = "\x11\x02\x12\x34\xc0\x00\x02\x07\x00\x8a\x00\x00\x00\x00" + half("HALLNAS", 0) + half("HOME", 0x1d) + mailslot(`\MAILSLOT\BROWSE`, frame)
	frame         = "\x01\x00\x80\xfc\x0a\x00HALLNAS\x00\x00\x00\x00\x00\x00\x00\x00\x00\x06\x01\x03\x9a\x81\x00\x0f\x01\x55\xaaNAS in the hall\x00"
	queryDatagram = "\x14\x02\x12\x34\xc0\x00\x02\x07\x00\x8a" + half("HALLNAS", 0)
)

func TestDatagrams(t *testing.T) {
	start := `"nbdgm":{"type":"direct_group","id":4660,"source_ip":"192.0.2.7","source":"HALLNAS","source_suffix":"00","destination":"HOME","destination_suffix":"1d"`
	tests := []struct {
		name, in string
		probe    proto.Match
		want     string
	}{
		{"announcement", announcement, proto.Yes, start + `,"mailslot":"\\MAILSLOT\\BROWSE","browser":{"command":1,"server":"HALLNAS","os_version":"6.1","server_type":8493571,"comment":"NAS in the hall"}}`},
		{"other mailslot", announcement[:82] + mailslot(`\MAILSLOT\NET`, "x"), proto.Yes, start + `,"mailslot":"\\MAILSLOT\\NET"}`},
		{"other browser command", announcement[:82] + mailslot(`\mailslot\browse`, "\x08"), proto.Yes, start + `,"mailslot":"\\mailslot\\browse","browser":{"command":8}}`},
		{"announcement cut", announcement[:82] + mailslot(`\MAILSLOT\BROWSE`, frame[:20]), proto.Yes, start + `,"mailslot":"\\MAILSLOT\\BROWSE","browser":{"command":1}}`},
		{"no smb", announcement[:82], proto.Yes, start + `}`},
		{"query", queryDatagram, proto.Weak, `"nbdgm":{"type":"query","id":4660,"source_ip":"192.0.2.7"}`},
		{"error", "\x13\x02\x12\x34\xc0\x00\x02\x07\x00\x8a\x82", proto.Weak, `"nbdgm":{"type":"error","id":4660,"source_ip":"192.0.2.7"}`},
		{"name cut", announcement[:60], proto.No, ""},
		{"no names", announcement[:14] + "abc", proto.No, ""},
		{"type", "\x20" + announcement[1:], proto.No, ""},
	}
	for _, tt := range tests {
		if m := DatagramProtocol.Probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		eve, anomalies, values := prototest.One(t, DatagramProtocol, tt.in)
		if eve != tt.want || (eve == "") != (len(anomalies) == 1) {
			t.Errorf("%s: %v\n%s\nwant %s", tt.name, anomalies, eve, tt.want)
		}
		if tt.probe == proto.Yes && !slices.Equal(values, []string{"nbdgm.source=HALLNAS"}) {
			t.Errorf("%s: %q", tt.name, values)
		}
	}
}
