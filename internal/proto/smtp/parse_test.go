package smtp

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var c, s = prototest.C, prototest.S

const head = "From: Bob <bob@a.example>\r\nTo: <al@b.example>\r\nSubject: Hello\r\n\r\n"

var session = []prototest.Part{
	s("220 mx ESMTP\r\n"), c("EHLO pc\r\n"), s("250-mx\r\n250 PIPELINING\r\n"),
	c("MAIL FROM:<bob@a.example> SIZE=100\r\nRCPT TO:<al@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n"), s("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
	c(head + "body\r\n..dot\r\n" + strings.Repeat("long", 1000) + "\r\n.\r\n"), s("250 queued\r\n"),
	c("MAIL FROM:<>\r\n"), s("250 ok\r\n"), c("RCPT TO:<d@b.example>\r\n"), s("250 ok\r\n"), c("BDAT 10\r\n0123456\r\n."), s("250 ok\r\n"),
	c("BDAT 5 LAST\r\n.\r\n.\n"), s("250 queued\r\n"), c("QUIT\r\n"), s("221 bye\r\n"),
}

const want = `"smtp":{"helo":"pc","mail_from":"<bob@a.example>","rcpt_to":["<al@b.example>","<c@b.example>"]},"email":{"status":"PARSE_DONE","from":"Bob <bob@a.example>","to":["<al@b.example>"],"subject":"Hello"}` +
	"\n" + `"smtp":{"helo":"pc","mail_from":"<>","rcpt_to":["<d@b.example>"]},"email":{"status":"PARSE_DONE"}`

func TestSession(t *testing.T) {
	for seed := range uint64(30) {
		parts := session
		if seed > 0 {
			parts = prototest.Split(seed, parts...)
		}
		var status []uint16
		r := prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
			if done {
				status = append(status, tx.(*Tx).Status, uint16(tx.(*Tx).MailSize))
			}
		}}, parts...)
		if r.Joined() != want || r.Err != nil || len(r.Anomalies) > 0 || r.Done != 2 {
			t.Fatalf("seed %d: %v %v\n%s\nwant\n%s", seed, r.Err, r.Anomalies, r.Joined(), want)
		}
		if status[0] != 250 || int(status[1]) != len(head)+4000+2+6+7 || status[2] != 250 || status[3] != 15 {
			t.Fatalf("seed %d: status and size %v", seed, status)
		}
	}
}

func TestBuffers(t *testing.T) {
	got := map[string]bool{}
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		for _, b := range Protocol.Buffers {
			for i := 0; ; i++ {
				v, ok := b.Get(tx, i)
				if !ok {
					break
				}
				got[b.Name+"="+string(v)] = true
			}
		}
	}}, session...)
	for _, w := range []string{"smtp.helo=pc", "smtp.mail_from=<bob@a.example>", "smtp.mail_from=<>", "smtp.rcpt_to=<al@b.example>", "smtp.rcpt_to=<c@b.example>", "smtp.rcpt_to=<d@b.example>"} {
		if !got[w] {
			t.Errorf("no %s in %v", w, got)
		}
	}
}

// TestHead: the fields of a mail's head, the first of each name, and the way
// it took.
func TestHead(t *testing.T) {
	in := "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nReceived: from x by y; today\r\nRECEIVED: from y by z\r\nCc: c@b.example\r\nDate: Fri, 21 Apr 2023 05:10:36 +0000\r\n" +
		"Message-ID: <1@a.example>\r\nX-Mailer: Pigeon 3\r\nX-Mailer: other\r\nSubject: Hello\r\n" + strings.Repeat("Received: again\r\n", maxReceived) + "\r\nReceived: body\r\n.\r\n"
	var got []string
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if done {
			for _, v := range prototest.Values(t, Protocol, tx) {
				if strings.HasPrefix(v, "email.") {
					got = append(got, v)
				}
			}
		}
	}}, c(in))
	want := "email.cc=c@b.example|email.subject=Hello|email.date=Fri, 21 Apr 2023 05:10:36 +0000|email.message_id=<1@a.example>|email.x_mailer=Pigeon 3|" +
		"email.received=from x by y; today|email.received=from y by z" + strings.Repeat("|email.received=again", maxReceived-2)
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
}

func TestParse(t *testing.T) {
	mail := c("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n")
	tests := []struct {
		name             string
		parts            []prototest.Part
		events           int
		last, next, rest string
		anom             string
	}{
		{"STARTTLS", []prototest.Part{s("220 x\r\n"), c("EHLO a\r\n"), s("250 x\r\n"), c("STARTTLS\r\n"), s("220 go\r\n"), c("\x16\x03")}, 1, `"smtp":{"helo":"a"}`, "tls", "\x16\x03", ""},
		{"STARTTLS with eager client", []prototest.Part{s("220 x\r\n"), c("STARTTLS\r\n\x16\x03"), s("220 go\r\n\x16")}, 0, "", "tls", "\x16\x03", ""},
		{"STARTTLS seen from one side", []prototest.Part{c("STARTTLS\r\n\x16\x03")}, 0, "", "tls", "\x16\x03", ""},
		{"STARTTLS refused", []prototest.Part{s("220 x\r\n"), c("STARTTLS\r\n"), s("454 no\r\n"), c("EHLO a\r\n")}, 1, `"smtp":{"helo":"a"}`, "", "", ""},
		{"DATA refused", []prototest.Part{mail, s("250 x\r\n250 x\r\n250 x\r\n550 no\r\n"), c("EHLO a\r\n")}, 1, `"smtp":{"helo":"a","mail_from":"<a>","rcpt_to":["<b>"]}`, "", "", ""},
		{"one side only", []prototest.Part{c("EHLO a\r\n"), mail, c(head + "x\r\n.\r\nEHLO b\r\n")}, 1, `"smtp":{"helo":"b",`, "", "", ""},
		{"RSET", []prototest.Part{c("MAIL FROM:<a>\r\nRSET\r\nMAIL FROM:<c>\r\n")}, 2, `"smtp":{"mail_from":"<c>"}`, "", "", ""},
		{"gap inside the mail", []prototest.Part{mail, s("354 x\r\n"), c(head + "bo"), {Data: []byte("dy\r\n.\r\nEHLO b\r\n"), Gap: 5000}}, 1, `"smtp":{"helo":"b","mail_from":"<a>"`, "", "", ""},
		{"gap over the end of the mail", []prototest.Part{mail, s("250 x\r\n250 x\r\n354 x\r\n"), c(head + "bo"), {Data: []byte("\r\n"), Gap: 5000}, s("250 queued\r\n"), c("MAIL FROM:<n>\r\n")}, 2, `"smtp":{"mail_from":"<n>"}`, "", "", ""},
		{"gap inside a chunk", []prototest.Part{c("BDAT 100 LAST\r\nabc"), {Data: []byte("1234567EHLO b\r\n"), Gap: 90}}, 1, `"smtp":{"helo":"b"}`, "", "", ""},
		{"long line", []prototest.Part{c("EHLO " + strings.Repeat("a", 5000) + "\r\n")}, 1, `"smtp":{"helo":"` + strings.Repeat("a", maxField) + `"}`, "", "", "smtp_line_too_long"},
		{"long head", []prototest.Part{mail, c(strings.Repeat("X: y\r\n", maxHeader/6+1) + "Subject: late\r\n\r\n.\r\n")}, 1, `"smtp":{"mail_from":"<a>","rcpt_to":["<b>"]}`, "", "", ""},
		{"recipients", []prototest.Part{c(strings.Repeat("RCPT TO:<b>\r\n", maxRcpt+1))}, 1, `"smtp":{"rcpt_to":[`, "", "", "smtp_too_many_recipients"},
		{"huge chunk", []prototest.Part{c("BDAT 99999999999999999999\r\nEHLO x\r\n")}, 0, "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := prototest.Drive(Protocol, prototest.Options{}, tt.parts...)
			last := ""
			if len(r.Events) > 0 {
				last = r.Events[len(r.Events)-1]
			}
			if len(r.Events) != tt.events || !strings.HasPrefix(last, tt.last) || r.Next != tt.next || r.Rest[0] != tt.rest || strings.Join(r.Anomalies, " ") != tt.anom || r.Err != nil {
				t.Errorf("next %q, rest %q, %v, %v\n%s", r.Next, r.Rest[0], r.Anomalies, r.Err, r.Joined())
			}
		})
	}
}

func TestAuth(t *testing.T) {
	var last Tx
	r := prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) { last = *tx.(*Tx) }},
		s("220 x\r\n"), c("EHLO a\r\n"), s("250 x\r\n"), c("AUTH LOGIN\r\n"), s("334 VXNlcm5hbWU6\r\n"), c("Ym9i\r\n"), s("334 UGFzc3dvcmQ6\r\n"), c("c2VjcmV0\r\n"), s("535 no\r\n"),
		c("AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n"), s("235 yes\r\n"))
	if last.AuthBad != 1 || !last.AuthOK || string(last.Auth) != "PLAIN" || strings.Contains(r.Joined(), "c2Vj") || strings.Contains(r.Joined(), "AGJv") {
		t.Errorf("%+v\n%s", last, r.Joined())
	}
}

// either is the better answer of the two directions.
func either(b []byte) proto.Match {
	return max(probe(packet.ToServer, b), probe(packet.ToClient, b))
}

func TestProbe(t *testing.T) {
	tests := []struct {
		in   string
		want proto.Match
	}{
		{"220 mx ESMTP Postfix\r\n", proto.Yes}, {"220-mx.example Exim 4\r\n", proto.Yes}, {"220 (vsFTPd 3)\r\n", proto.No}, {"220 ready\r\n", proto.Weak},
		{"220 re", proto.More}, {"2", proto.More}, {"220x", proto.No}, {"221 a\r\n", proto.No}, {"EHLO x\r\n", proto.Yes}, {"helo x\n", proto.Yes},
		{"EHL", proto.More}, {"EHLO x", proto.More}, {"MAIL FROM:<a>\r\n", proto.Yes}, {"HELO \x00\n", proto.No}, {"USER x\r\n", proto.No},
		{"EHLO " + strings.Repeat("x", maxLine), proto.No}, {"", proto.More},
	}
	for _, tt := range tests {
		if got := either([]byte(tt.in)); got != tt.want {
			t.Errorf("probe(%.40q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	// The wrong way round is left for the engine to turn.
	if probe(packet.ToServer, []byte("220 mx ESMTP\r\n")) != proto.No || probe(packet.ToClient, []byte("EHLO x\r\n")) != proto.No {
		t.Error("direction does not matter")
	}
}

func conn() *proto.Conn {
	return &proto.Conn{OnTx: func(proto.Tx, bool) {}, OnMessage: func(packet.Dir, []byte) {}, OnAnomaly: func(string) {}}
}

func drive(p proto.Parser, cn *proto.Conn) {
	for _, pt := range session {
		_, _ = p.Parse(cn, pt.Dir, pt.Data)
	}
	p.End(cn)
	p.Reset()
}

func TestNoAllocs(t *testing.T) {
	p, cn := Protocol.New(), conn()
	for range 3 {
		drive(p, cn)
	}
	if n := testing.AllocsPerRun(100, func() { drive(p, cn) }); n != 0 {
		t.Errorf("%v allocations per session", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p, cn := Protocol.New(), conn()
	b.ReportAllocs()
	for b.Loop() {
		drive(p, cn)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("EHLO a\r\nMAIL FROM:<a>\r\nDATA\r\n"+head+".\r\nBDAT 3 LAST\r\nabc"), []byte("220 x\r\n250 x\r\n354 x\r\n"))
	f.Add([]byte("STARTTLS\r\n\x16"), []byte("220 x\r\n220 x\r\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		parts := []prototest.Part{{Dir: packet.ToServer, Data: a}, {Dir: packet.ToClient, Data: b}, {Dir: packet.ToServer, Data: a}}
		whole := prototest.Drive(Protocol, prototest.Options{}, parts...)
		cut := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(uint64(len(a)), parts...)...)
		if whole.Joined() != cut.Joined() || whole.Next != cut.Next {
			t.Errorf("segmentation matters:\n%s\n%s", whole.Joined(), cut.Joined())
		}
		probe(packet.ToServer, a)
	})
}
