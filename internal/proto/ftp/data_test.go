package ftp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

func control(client, server string) prototest.Options {
	return prototest.Options{Conn: proto.Conn{Client: packet.AddrFrom4([]byte(client)), Server: packet.AddrFrom4([]byte(server))}}
}

// What the control connection announces: before the transfer, and with it.
func TestExpect(t *testing.T) {
	const client, server = "\xc0\x00\x02\x01", "\xc0\x00\x02\x02"
	for _, tt := range []struct {
		name  string
		parts []prototest.Part
		want  []string
	}{
		{"PASV", []prototest.Part{prototest.C("PASV\r\n"), prototest.S("227 Entering (192,0,2,2,4,1)\r\n"), prototest.C("RETR dir/a b.bin\r\n")},
			[]string{`192.0.2.1 192.0.2.2 1025 "" ""`, `192.0.2.1 192.0.2.2 1025 "RETR" "dir/a b.bin"`}},
		{"an address of a third host", []prototest.Part{prototest.C("PASV\r\n"), prototest.S("227 Entering (10,0,0,5,1,189)\r\n"), prototest.C("STOR x\r\n")},
			[]string{`192.0.2.1 192.0.2.2 445 "" ""`, `192.0.2.1 192.0.2.2 445 "STOR" "x"`}},
		{"EPSV", []prototest.Part{prototest.C("EPSV\r\n"), prototest.S("229 ok (|||5000|)\r\n"), prototest.C("list\r\n")},
			[]string{`192.0.2.1 192.0.2.2 5000 "" ""`, `192.0.2.1 192.0.2.2 5000 "LIST" ""`}},
		{"PORT", []prototest.Part{prototest.C("PORT 192,0,2,1,8,0\r\nSTOR up\r\nSTOR again\r\n")},
			[]string{`192.0.2.2 192.0.2.1 2048 "" ""`, `192.0.2.2 192.0.2.1 2048 "STOR" "up"`}},
		{"EPRT", []prototest.Part{prototest.C("EPRT |1|192.0.2.1|2049|\r\nNLST *\r\n")},
			[]string{`192.0.2.2 192.0.2.1 2049 "" ""`, `192.0.2.2 192.0.2.1 2049 "NLST" ""`}},
		{"nothing negotiated", []prototest.Part{prototest.C("RETR x\r\n")}, nil},
		{"a refusal", []prototest.Part{prototest.C("PASV\r\n"), prototest.S("425 no (192,0,2,2,4,1)\r\n"), prototest.C("RETR x\r\n")}, nil},
		{"a long name", []prototest.Part{prototest.C("PORT 192,0,2,1,8,0\r\nRETR " + strings.Repeat("n", 900) + "\r\n")},
			[]string{`192.0.2.2 192.0.2.1 2048 "" ""`, `192.0.2.2 192.0.2.1 2048 "RETR" "` + strings.Repeat("n", maxName) + `"`}},
	} {
		for seed := range uint64(5) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			var got []string
			o := control(client, server)
			o.OnExpect = func(x *proto.Expected) {
				got = append(got, fmt.Sprintf("%s %s %d %q %q", x.Client.Netip(), x.Server.Netip(), x.Port, x.Verb, x.Name))
			}
			prototest.Drive(Protocol, o, parts...)
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
				break
			}
		}
	}
}

func TestData(t *testing.T) {
	body := strings.Repeat("content ", 5000)
	for _, tt := range []struct {
		name   string
		x      *proto.Expected
		parts  []prototest.Part
		events string
		files  []string
	}{
		{"download", &proto.Expected{Verb: "RETR", Name: []byte("a.bin")}, []prototest.Part{prototest.S(body)},
			`"ftp_data":{"filename":"a.bin","command":"RETR"}`, []string{`< "a.bin" 40000 bytes`}},
		{"upload", &proto.Expected{Verb: "STOR", Name: []byte("a.bin")}, []prototest.Part{prototest.C(body)},
			`"ftp_data":{"filename":"a.bin","command":"STOR"}`, []string{`> "a.bin" 40000 bytes`}},
		{"a listing is no file", &proto.Expected{Verb: "LIST"}, []prototest.Part{prototest.S(body)}, `"ftp_data":{"command":"LIST"}`, nil},
		{"command not seen", &proto.Expected{}, []prototest.Part{prototest.S(body)}, `"ftp_data":{}`, []string{`< "" 40000 bytes`}},
		{"a gap", &proto.Expected{Verb: "RETR"}, []prototest.Part{prototest.S("abc"), {Dir: packet.ToClient, Gap: 7, Data: []byte("xyz")}},
			`"ftp_data":{"command":"RETR"}`, []string{`< "" 13 bytes gap cut`}},
		{"nothing sent", &proto.Expected{Verb: "RETR"}, nil, "", nil},
	} {
		l := &prototest.Files{T: t}
		r := prototest.Drive(DataProtocol, prototest.Options{OnFile: l.OnFile, Conn: proto.Conn{Expected: tt.x}}, tt.parts...)
		if r.Joined() != tt.events || fmt.Sprint(l.Lines()) != fmt.Sprint(tt.files) {
			t.Errorf("%s: %s %q, want %s %q", tt.name, r.Joined(), l.Lines(), tt.events, tt.files)
		}
	}
}

// Who answers speaks something else: what follows is identified by content.
func TestDataBothWays(t *testing.T) {
	l := &prototest.Files{T: t}
	r := prototest.Drive(DataProtocol, prototest.Options{OnFile: l.OnFile, Conn: proto.Conn{Expected: &proto.Expected{Verb: "RETR"}}},
		prototest.C("GET / HTTP/1.1\r\n\r\n"), prototest.S("HTTP/1.1 200 OK\r\n"))
	if !r.Switched || r.Next != "" || fmt.Sprint(r.Anomalies) != "[ftp_data_both_ways]" {
		t.Errorf("%v %q %v", r.Switched, r.Next, r.Anomalies)
	}
}

func TestDataBuffers(t *testing.T) {
	var got []string
	prototest.Drive(DataProtocol, prototest.Options{Conn: proto.Conn{Expected: &proto.Expected{Verb: "STOR"}},
		OnTx: func(tx proto.Tx, _ bool) { got = append(got, prototest.Values(t, DataProtocol, tx)...) }}, prototest.C("x"))
	if fmt.Sprint(got) != "[ftpdata_command=stor ftpdata_command=stor]" {
		t.Errorf("%q", got)
	}
}

func FuzzData(f *testing.F) {
	f.Add([]byte("abc"), []byte("name"))
	f.Fuzz(func(t *testing.T, b, name []byte) {
		l := &prototest.Files{T: t}
		prototest.Drive(DataProtocol, prototest.Options{OnFile: l.OnFile, Conn: proto.Conn{Expected: &proto.Expected{Verb: "RETR", Name: name}}}, prototest.Split(1, prototest.S(string(b)))...)
		if len(b) > 0 && (len(l.List) != 1 || l.List[0].Content != string(b)) {
			t.Errorf("%q", l.Lines())
		}
	})
}
