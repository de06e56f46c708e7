package imap

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var c, s = prototest.C, prototest.S

var session = []prototest.Part{
	s("* OK [CAPABILITY IMAP4rev1] ready\r\n"), c("a1 CAPABILITY\r\n"), s("* CAPABILITY IMAP4rev1 IDLE\r\na1 OK done\r\n"),
	c("a2 LOGIN bob secret\r\n"), s("a2 NO [AUTHENTICATIONFAILED] no\r\n"), c("a3 LOGIN {3}\r\n"), s("+ go\r\n"), c("bob {6+}\r\nsecret\r\n"), s("a3 OK in\r\n"),
	c("a4 select \"IN BOX\"\r\n"), s("* 2 EXISTS\r\na4 OK [READ-WRITE]\r\n"), c("a5 UID FETCH 1 BODY[]\r\n"),
	s("* 1 FETCH (BODY[] {20}\r\na5 BAD not an answer FLAGS ())\r\na5 OK\r\n"), c("a6 IDLE\r\n"), s("+ idling\r\n"), c("DONE\r\n"), s("a6 OK\r\n"),
	c("a7 LOGOUT\r\n"), s("* BYE\r\na7 OK bye\r\n"),
}

func TestSession(t *testing.T) {
	want := []string{
		`"imap":{"greeting":"[CAPABILITY IMAP4rev1] ready","status":"OK"}`,
		`"imap":{"tag":"a1","command":"CAPABILITY","status":"OK","capability":"IMAP4rev1 IDLE"}`,
		`"imap":{"tag":"a2","command":"LOGIN","user":"bob","status":"NO"}`,
		`"imap":{"tag":"a3","command":"LOGIN","user":"bob","status":"OK"}`,
		`"imap":{"tag":"a4","command":"select","mailbox":"IN BOX","status":"OK"}`,
		`"imap":{"tag":"a7","command":"LOGOUT","status":"OK"}`,
	}
	for seed := range uint64(30) {
		parts := session
		if seed > 0 {
			parts = prototest.Split(seed, parts...)
		}
		r := prototest.Drive(Protocol, prototest.Options{}, parts...)
		if r.Joined() != strings.Join(want, "\n") || r.Err != nil || len(r.Anomalies) > 0 || r.Done != 8 {
			t.Fatalf("seed %d: %v %v %d done\n%s\nwant\n%s", seed, r.Err, r.Anomalies, r.Done, r.Joined(), strings.Join(want, "\n"))
		}
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name             string
		parts            []prototest.Part
		done             int
		last, next, rest string
		anom             string
	}{
		{"STARTTLS", []prototest.Part{c("1 STARTTLS\r\n"), s("1 OK go\r\n"), c("\x16\x03")}, 1, `"imap":{"tag":"1","command":"STARTTLS","status":"OK"}`, "tls", "\x16\x03", ""},
		{"STARTTLS with eager client", []prototest.Part{s("* OK x\r\n"), c("1 STARTTLS\r\n\x16\x03"), s("1 OK go\r\n\x16")}, 2, "", "tls", "\x16\x03", ""},
		{"STARTTLS seen from one side", []prototest.Part{c("1 STARTTLS\r\n\x16\x03")}, 1, "", "tls", "\x16\x03", ""},
		{"STARTTLS refused", []prototest.Part{c("1 STARTTLS\r\n"), s("1 NO\r\n"), c("2 NOOP\r\n")}, 2, "", "", "", ""},
		{"AUTHENTICATE", []prototest.Part{c("1 AUTHENTICATE PLAIN\r\n"), s("+ \r\n"), c("AGJvYgBzZWNyZXQ= x\r\n"), s("1 OK\r\n"), c("2 LOGOUT\r\n")}, 2, `"imap":{"tag":"2","command":"LOGOUT"}`, "", "", ""},
		{"quoted name with an escape", []prototest.Part{c(`1 LOGIN "b\"ob" x` + "\r\n")}, 1, `"imap":{"tag":"1","command":"LOGIN","user":"b\\\"ob"}`, "", "", ""},
		{"many under way", []prototest.Part{c(strings.Repeat("1 NOOP\r\n", maxPending+3))}, maxPending + 3, "", "", "", ""},
		{"long line", []prototest.Part{c("1 LOGIN " + strings.Repeat("a", 5000) + "\r\n2 NOOP\r\n")}, 2, "", "", "", "imap_line_too_long"},
		{"huge literal", []prototest.Part{c("1 LOGIN {9999999999}\r\n" + strings.Repeat("a", 1000))}, 1, `"imap":{"tag":"1","command":"LOGIN","user":"` + strings.Repeat("a", maxField) + `"}`, "", "", ""},
		{"gap inside a literal", []prototest.Part{c("1 X\r\n"), s("* 1 FETCH ({100}\r\nab"), {Dir: packet.ToClient, Data: []byte("12345678)\r\n1 OK\r\n"), Gap: 90}}, 1, "", "", "", ""},
		{"gap over a line", []prototest.Part{c("1 LOGOUT\r\n"), s("* x"), {Dir: packet.ToClient, Data: []byte("y\r\n1 OK\r\n"), Gap: 90}}, 1, `"imap":{"tag":"1","command":"LOGOUT","status":"OK"}`, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := prototest.Drive(Protocol, prototest.Options{}, tt.parts...)
			last := ""
			if len(r.Events) > 0 {
				last = r.Events[len(r.Events)-1]
			}
			if r.Done != tt.done || tt.last != "" && last != tt.last || r.Next != tt.next || r.Rest[0] != tt.rest || strings.Join(r.Anomalies, " ") != tt.anom || r.Err != nil {
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
		"* OK Dovecot ready.\r\n": proto.Yes, "* O": proto.More, "* PREAUTH x": proto.Yes, "* x": proto.No, "*": proto.More, "*3\r\n$3\r\nSET": proto.No,
		"a1 CAPABILITY\r\n": proto.Yes, "a1 LOGIN x": proto.Yes, "a1": proto.More, "a1 CAP": proto.More, "GET / HTTP/1.1\r\n": proto.No,
		"\x16\x03\x01": proto.No, strings.Repeat("a", maxTag+1): proto.No, "": proto.More,
	})
	prototest.ProbeTurned(t, Protocol, "a1 CAPABILITY\r\n", "* OK IMAP\r\n")
}

func TestNoAllocs(t *testing.T) { prototest.SessionNoAllocs(t, Protocol, session...) }

func BenchmarkParse(b *testing.B) { prototest.SessionBench(b, Protocol, session...) }

func FuzzParse(f *testing.F) {
	f.Add([]byte("a1 LOGIN {3}\r\nbob x\r\na2 SELECT \"x\r\na3 AUTHENTICATE X\r\ny\r\na4 STARTTLS\r\n\x16"), []byte("* OK x\r\n* 1 {3}\r\nabc\r\na1 OK\r\na3 NO\r\na4 OK\r\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		prototest.Segmentation(t, Protocol, uint64(len(a)), c(string(a)), s(string(b)), c(string(a)))
	})
}
