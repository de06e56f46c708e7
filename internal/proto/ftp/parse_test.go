package ftp

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var c, s = prototest.C, prototest.S

var session = []prototest.Part{
	s("220-Hello\r\n220 (vsFTPd 3.0.3)\r\n"), c("USER bob\r\n"), s("331 Password please.\r\n"), c("PASS secret\r\n"), s("230 Done.\r\n"),
	c("PASV\r\n"), s("227 Entering Passive Mode (192,0,2,7,4,210).\r\n"), c("EPSV\r\n"), s("229 Entering Extended Passive Mode (|||5001|)\r\n"),
	c("PORT 192,0,2,9,200,100\r\n"), s("200 OK\r\n"), c("EPRT |1|192.0.2.9|5002|\r\n"), s("200 OK\r\n"),
	c("RETR a b.txt\r\n"), s("150 Opening.\r\n"), s("226 Complete.\r\n"), c("QUIT\r\n"), s("221\r\n"),
}

func TestSession(t *testing.T) {
	want := []string{
		`"ftp":{"completion_code":["220","220"],"reply":["Hello","(vsFTPd 3.0.3)"],"reply_received":"yes"}`,
		`"ftp":{"command":"USER","command_data":"bob","command_truncated":false,"completion_code":["331"],"reply":["Password please."],"reply_received":"yes"}`,
		`"ftp":{"command":"PASS","completion_code":["230"],"reply":["Done."],"reply_received":"yes"}`,
		`"ftp":{"command":"PASV","completion_code":["227"],"reply":["Entering Passive Mode (192,0,2,7,4,210)."],"dynamic_port":1234,"mode":"passive","reply_received":"yes"}`,
		`"ftp":{"command":"EPSV","completion_code":["229"],"reply":["Entering Extended Passive Mode (|||5001|)"],"dynamic_port":5001,"mode":"passive","reply_received":"yes"}`,
		`"ftp":{"command":"PORT","command_data":"192,0,2,9,200,100","command_truncated":false,"completion_code":["200"],"reply":["OK"],"dynamic_port":51300,"mode":"active","reply_received":"yes"}`,
		`"ftp":{"command":"EPRT","command_data":"|1|192.0.2.9|5002|","command_truncated":false,"completion_code":["200"],"reply":["OK"],"dynamic_port":5002,"mode":"active","reply_received":"yes"}`,
		`"ftp":{"command":"RETR","command_data":"a b.txt","command_truncated":false,"completion_code":["150","226"],"reply":["Opening.","Complete."],"reply_received":"yes"}`,
		`"ftp":{"command":"QUIT","completion_code":["221"],"reply":[""],"reply_received":"yes"}`,
	}
	for seed := range uint64(20) {
		parts := session
		if seed > 0 {
			parts = prototest.Split(seed, parts...)
		}
		if r := prototest.Drive(Protocol, prototest.Options{}, parts...); r.Joined() != strings.Join(want, "\n") || r.Err != nil || len(r.Anomalies) > 0 {
			t.Fatalf("seed %d: %v %v\n%s\nwant\n%s", seed, r.Err, r.Anomalies, r.Joined(), strings.Join(want, "\n"))
		}
	}
}

func TestBuffersAndEndpoints(t *testing.T) {
	got := map[string]bool{}
	server := packet.AddrFrom4([]byte{192, 0, 2, 1})
	prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Server: server}, OnTx: func(tx proto.Tx, done bool) {
		for _, b := range Protocol.Buffers {
			for i := 0; ; i++ {
				v, ok := b.Get(tx, i)
				if !ok {
					break
				}
				got[b.Name+"="+string(v)] = true
			}
		}
		if x := tx.(*Tx); done && x.DataPort != 0 {
			got[string(x.Command)+" "+x.DataAddr.String()+" user "+string(x.User)] = true
		}
	}}, session...)
	for _, want := range []string{"ftp.command=RETR", "ftp.command_data=a b.txt", "ftp.command_data=secret", "ftp.reply=Opening.", "ftp.completion_code=150", "ftp.completion_code=226",
		"PASV 192.0.2.7 user bob", "EPSV 192.0.2.1 user bob", "PORT 192.0.2.9 user bob", "EPRT 192.0.2.9 user bob"} {
		if !got[want] {
			t.Errorf("no %q in %v", want, got)
		}
	}
}

func TestParse(t *testing.T) {
	many := strings.Repeat("NOOP\r\n", maxPending+3)
	tests := []struct {
		name       string
		parts      []prototest.Part
		done       int
		next, rest string
		anom       string
	}{
		{"AUTH TLS", []prototest.Part{s("220 x\r\n"), c("AUTH TLS\r\n"), s("234 go\r\n"), c("\x16\x03\x01")}, 2, "tls", "\x16\x03\x01", ""},
		{"AUTH TLS with eager client", []prototest.Part{s("220 x\r\n"), c("AUTH TLS\r\n\x16\x03\x01"), s("234 go\r\n\x16")}, 2, "tls", "\x16\x03\x01", ""},
		{"AUTH TLS seen from one side", []prototest.Part{c("AUTH TLS\r\n\x16\x03\x01")}, 1, "tls", "\x16\x03\x01", ""},
		{"AUTH refused, pipelined", []prototest.Part{c("AUTH TLS\r\nUSER bob\r\n"), s("530 no\r\n331 ok\r\n")}, 2, "", "", ""},
		{"multi-line reply with digits in it", []prototest.Part{c("STAT\r\n"), s("211-Status\r\n220 not the end\r\n 211 nor this\r\n211 End\r\n")}, 1, "", "", ""},
		{"many pipelined", []prototest.Part{c(many)}, maxPending + 3, "", "", ""},
		{"long line", []prototest.Part{c("STOR " + strings.Repeat("a", 3*maxLine) + "\r\nNOOP\r\n")}, 2, "", "", "ftp_line_too_long"},
		{"many replies", []prototest.Part{c("HELP\r\n"), s("214-x\r\n" + strings.Repeat(" cmd\r\n", 5*maxReplies) + "214 end\r\n")}, 1, "", "", ""},
		{"gap in a reply", []prototest.Part{c("LIST\r\n"), {Dir: packet.ToClient, Data: []byte("rest\r\n226 x\r\n"), Gap: 9}}, 2, "", "", ""},
		{"no code", []prototest.Part{c("LIST\r\n"), s("what\r\n226 x\r\n")}, 1, "", "", "ftp_bad_reply"},
		{"ABOR behind Telnet commands", []prototest.Part{c("\xff\xf4\xff\xf2ABOR\r\n"), s("226 x\r\n")}, 1, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := prototest.Drive(Protocol, prototest.Options{}, tt.parts...)
			if r.Done != tt.done || r.Next != tt.next || r.Rest[0] != tt.rest || strings.Join(r.Anomalies, " ") != tt.anom || r.Err != nil {
				t.Errorf("%d done, next %q, rest %q, %v, %v\n%s", r.Done, r.Next, r.Rest[0], r.Anomalies, r.Err, r.Joined())
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	for in, port := range map[string]uint16{"1,2,3,4,5,6": 1286, "1,2,3,4,5": 0, "1,2,3,4,5,256": 0, "": 0, "x": 0, "1,2,3,4,,6": 0, "=1,2,3,4,0,21": 21} {
		var x Tx
		if x.hostPort([]byte(in), true); x.DataPort != port {
			t.Errorf("%q: port %d, want %d", in, x.DataPort, port)
		}
	}
	for in, port := range map[string]uint16{"|||6446|)": 6446, "|||": 0, "|2|2001:db8::1|5282|": 5282, "|1|1.2.3|5|": 0, "|||65536|": 0, "!!!7!": 7, "|": 0} {
		var x Tx
		if x.extended([]byte(in)); x.DataPort != port {
			t.Errorf("%q: port %d, want %d", in, x.DataPort, port)
		}
	}
}

func TestProbe(t *testing.T) {
	prototest.Probes(t, Protocol, map[string]proto.Match{
		"220 (vsFTPd 3.0.3)\r\n": proto.Yes, "220-FileZilla Server\r\n": proto.Yes, "220 mail ESMTP Postfix\r\n": proto.No,
		"220 ready\r\n": proto.Weak, "220 rea": proto.More, "22": proto.More, "221 x\r\n": proto.No, "220x": proto.No,
		"USER anonymous\r\n": proto.Weak, "USE": proto.More, "AUTH TLS\r\n": proto.Yes, "AUTH LOGIN\r\n": proto.Weak, "feat\r\n": proto.Yes,
		"EHLO x\r\n": proto.No, "GET / HTTP/1.1\r\n": proto.No, "USER \x01\r\n": proto.No, "": proto.More,
	})
	prototest.ProbeTurned(t, Protocol, "FEAT\r\n", "220 FTP\r\n")
}

func TestNoAllocs(t *testing.T) { prototest.SessionNoAllocs(t, Protocol, session...) }

func BenchmarkParse(b *testing.B) { prototest.SessionBench(b, Protocol, session...) }

func FuzzParse(f *testing.F) {
	f.Add([]byte("USER bob\r\nAUTH TLS\r\nPORT 1,2,3,4,5,6\r\nEPRT |1|1.2.3.4|5|\r\n"), []byte("220-x\r\n220 y\r\n331 a\r\n234 b\r\n"))
	f.Add([]byte("PASV\r\nEPSV\r\n"), []byte("227 (1,2,3,4,5,6)\r\n229 (|||5|)\r\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		prototest.Segmentation(t, Protocol, uint64(len(a)), c(string(a)), s(string(b)))
	})
}
