package pop3

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var c, s = prototest.C, prototest.S

var session = []prototest.Part{
	s("+OK ready <1@x>\r\n"), c("CAPA\r\n"), s("+OK\r\nUSER\r\nSTLS\r\n.\r\n"), c("USER bob\r\n"), s("+OK\r\n"), c("PASS secret\r\n"), s("-ERR [AUTH] no\r\n"),
	c("APOP al c4c9334bac560ecc979e58001b3e22fb\r\n"), s("+OK 2 mails\r\n"), c("LIST\r\nLIST 1\r\nRETR 1\r\n"),
	s("+OK\r\n1 10\r\n2 20\r\n.\r\n+OK 1 10\r\n+OK follows\r\n+OK not an answer\r\n..\r\n" + strings.Repeat("long", 1000) + "\r\n.\r\n"), c("QUIT\r\n"), s("+OK bye\r\n"),
}

func TestSession(t *testing.T) {
	want := []string{
		`"pop3":{"response":{"success":true,"status":"OK","header":"ready <1@x>"}}`,
		`"pop3":{"request":{"command":"CAPA"},"response":{"success":true,"status":"OK"}}`,
		`"pop3":{"request":{"command":"USER","args":["bob"]},"response":{"success":true,"status":"OK"}}`,
		`"pop3":{"request":{"command":"PASS"},"response":{"success":false,"status":"ERR","header":"[AUTH] no"}}`,
		`"pop3":{"request":{"command":"APOP","args":["al"]},"response":{"success":true,"status":"OK","header":"2 mails"}}`,
		`"pop3":{"request":{"command":"LIST"},"response":{"success":true,"status":"OK"}}`,
		`"pop3":{"request":{"command":"LIST","args":["1"]},"response":{"success":true,"status":"OK","header":"1 10"}}`,
		`"pop3":{"request":{"command":"RETR","args":["1"]},"response":{"success":true,"status":"OK","header":"follows"}}`,
		`"pop3":{"request":{"command":"QUIT"},"response":{"success":true,"status":"OK","header":"bye"}}`,
	}
	for seed := range uint64(30) {
		parts := session
		if seed > 0 {
			parts = prototest.Split(seed, parts...)
		}
		if r := prototest.Drive(Protocol, prototest.Options{}, parts...); r.Joined() != strings.Join(want, "\n") || r.Err != nil || len(r.Anomalies) > 0 {
			t.Fatalf("seed %d: %v %v\n%s\nwant\n%s", seed, r.Err, r.Anomalies, r.Joined(), strings.Join(want, "\n"))
		}
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name       string
		parts      []prototest.Part
		done       int
		next, rest string
		anom       string
	}{
		{"STLS", []prototest.Part{c("STLS\r\n"), s("+OK go\r\n"), c("\x16\x03")}, 1, "tls", "\x16\x03", ""},
		{"STLS with eager client", []prototest.Part{s("+OK x\r\n"), c("STLS\r\n\x16\x03"), s("+OK go\r\n\x16")}, 2, "tls", "\x16\x03", ""},
		{"STLS seen from one side", []prototest.Part{c("STLS\r\n\x16\x03")}, 1, "tls", "\x16\x03", ""},
		{"STLS refused", []prototest.Part{c("STLS\r\n"), s("-ERR no\r\n"), c("QUIT\r\n")}, 2, "", "", ""},
		{"AUTH", []prototest.Part{c("AUTH PLAIN\r\n"), s("+ \r\n"), c("AGJvYgBzZWNyZXQ=\r\n"), s("+OK\r\n"), c("STAT\r\n"), s("+OK 0 0\r\n")}, 2, "", "", ""},
		{"many pipelined", []prototest.Part{c(strings.Repeat("NOOP\r\n", maxPending+3))}, maxPending + 3, "", "", ""},
		{"long line", []prototest.Part{c("USER " + strings.Repeat("a", 3000) + "\r\nQUIT\r\n")}, 2, "", "", "pop3_line_too_long"},
		{"no status", []prototest.Part{c("QUIT\r\n"), s("what\r\n+OK\r\n")}, 1, "", "", "pop3_bad_answer"},
		{"gap inside a mail", []prototest.Part{c("RETR 1\r\n"), s("+OK\r\nx"), {Dir: packet.ToClient, Data: []byte("y\r\n.\r\n"), Gap: 99}, c("QUIT\r\n"), s("+OK\r\n")}, 2, "", "", ""},
		{"gap between", []prototest.Part{c("STAT\r\n"), {Dir: packet.ToClient, Data: []byte("y\r\n"), Gap: 99}, c("QUIT\r\n"), s("+OK\r\n")}, 2, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := prototest.Drive(Protocol, prototest.Options{}, tt.parts...)
			if r.Done != tt.done || r.Next != tt.next || r.Rest[0] != tt.rest || strings.Join(r.Anomalies, " ") != tt.anom || r.Err != nil {
				t.Errorf("%d done, next %q, rest %q, %v, %v\n%s", r.Done, r.Next, r.Rest[0], r.Anomalies, r.Err, r.Joined())
			}
			if strings.Contains(r.Joined(), "AGJv") {
				t.Error("a token is in the events")
			}
		})
	}
}

func TestProbe(t *testing.T) {
	prototest.Probes(t, Protocol, map[string]proto.Match{
		"+OK ready\r\n": proto.Yes, "+OK\r\n": proto.Weak, "+OK": proto.More, "+": proto.More, "+PONG\r\n": proto.No, "-ERR x\r\n": proto.No,
		"CAPA\r\n": proto.Yes, "user bob\r\n": proto.Weak, "USER\r\n": proto.No, "CA": proto.More, "APOP a b\r\n": proto.Yes,
		"AUTH TLS\r\n": proto.Weak, "GET / HTTP/1.1\r\n": proto.No, strings.Repeat("CAPA", 99): proto.No, "": proto.More,
	})
	prototest.ProbeTurned(t, Protocol, "CAPA\r\n", "+OK POP3\r\n")
}

func TestNoAllocs(t *testing.T) { prototest.SessionNoAllocs(t, Protocol, session...) }

func BenchmarkParse(b *testing.B) { prototest.SessionBench(b, Protocol, session...) }

func FuzzParse(f *testing.F) {
	f.Add([]byte("CAPA\r\nUSER a\r\nPASS b\r\nRETR 1\r\nAUTH X\r\nyy\r\nSTLS\r\n\x16"), []byte("+OK x\r\n.\r\n-ERR\r\n+OK\r\n..\r\n.\r\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		prototest.Segmentation(t, Protocol, uint64(len(a)), c(string(a)), s(string(b)), c(string(a)))
	})
}
