package smtp

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var payload = strings.Repeat("MZ not a program\n", 500)

// mail is a mail with a text and two attachments; the second has lines that
// begin with dots, as SMTP doubles them.
func mail() string {
	b := base64.StdEncoding.EncodeToString([]byte(payload))
	var lines strings.Builder
	for ; len(b) > 76; b = b[76:] {
		lines.WriteString(b[:76] + "\r\n")
	}
	return "Subject: two\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\ntext\r\n" +
		"--B\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"a.exe\"\r\n\r\n" + lines.String() + b + "\r\n" +
		"--B\r\nContent-Type: text/plain; name=dots.txt\r\n\r\n..one\r\n...\r\n--B--\r\n"
}

var envelope = []prototest.Part{s("220 mx ESMTP\r\n"), c("EHLO pc\r\n"), s("250 mx\r\n"), c("MAIL FROM:<a@b>\r\n"), s("250 ok\r\n"), c("RCPT TO:<c@d>\r\n"), s("250 ok\r\n")}

func send(parts ...prototest.Part) []prototest.Part {
	return append(append([]prototest.Part{}, envelope...), parts...)
}

func TestFiles(t *testing.T) {
	undotted := strings.ReplaceAll(mail(), "\r\n.", "\r\n")
	for _, tt := range []struct {
		name  string
		parts []prototest.Part
	}{
		{"DATA", send(c("DATA\r\n"), s("354 go\r\n"), c(mail()+".\r\n"), s("250 ok\r\n"))},
		{"BDAT", send(c(fmt.Sprintf("BDAT 100\r\n%sBDAT %d LAST\r\n%s", undotted[:100], len(undotted)-100, undotted[100:])), s("250 ok\r\n250 ok\r\n"))},
	} {
		for seed := range uint64(20) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			l := &prototest.Files{T: t}
			r := prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, parts...)
			l.Check(fmt.Sprintf(`> "a.exe" %d bytes`, len(payload)), `> "dots.txt" 8 bytes`)
			if t.Failed() || l.List[0].Content != payload || l.List[1].Content != ".one\r\n.." || r.Err != nil {
				t.Fatalf("%s, seed %d: %q %v", tt.name, seed, l.Lines(), r.Err)
			}
		}
	}
}

// Mails are numbered; one that is cut off ends its file so.
func TestFilesOfMails(t *testing.T) {
	one := "Content-Disposition: attachment; filename=x\r\n\r\nbody\r\n"
	l := &prototest.Files{T: t}
	prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, append(send(c("DATA\r\n"), s("354 go\r\n"), c(one+".\r\n"), s("250 ok\r\n")),
		c("MAIL FROM:<e@f>\r\n"), s("250 ok\r\n"), c("DATA\r\n"), s("354 go\r\n"), c("Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n"+one))...)
	l.Check(`> "x" 4 bytes`, `> "x" 4 bytes cut`)
	if len(l.List) == 2 && (l.List[0].TxID != 0 || l.List[1].TxID != 1) {
		t.Errorf("of mails %d and %d", l.List[0].TxID, l.List[1].TxID)
	}
}

func TestFileGap(t *testing.T) {
	l := &prototest.Files{T: t}
	prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, send(c("DATA\r\n"), s("354 go\r\n"),
		c("Content-Disposition: attachment; filename=x\r\n\r\nbefore"), prototest.Part{Dir: packet.ToServer, Gap: 9, Data: []byte("after\r\n.\r\n")}, s("250 ok\r\n"))...)
	l.Check(`> "x" 20 bytes gap cut`)
}

func TestFileNoAllocs(t *testing.T) {
	if prototest.Race {
		t.Skip("the race detector takes memory out of pools at random: allocations are not counted")
	}
	p := Protocol.New()
	n := 0
	conn := proto.Conn{Transport: proto.TCP, WantFiles: true, OnAnomaly: func(string) {}, OnTx: func(proto.Tx, bool) {}, OnFile: func(*proto.File) { n++ }}
	parts := send(c("DATA\r\n"), s("354 go\r\n"), c(mail()+".\r\n"), s("250 ok\r\n"))
	run := func() {
		for _, x := range parts[1:] {
			p.Parse(&conn, x.Dir, x.Data)
		}
	}
	run()
	if a := testing.AllocsPerRun(100, run); a > 0 || n == 0 {
		t.Errorf("%v allocations a mail, %d pieces", a, n)
	}
}

// Events tell how far a mail was read, and the names of its attachments.
func TestMailStates(t *testing.T) {
	long := "Content-Type: multipart/mixed; boundary=" + strings.Repeat("B", 300) + "\r\n\r\nx\r\n"
	many := "Content-Type: multipart/mixed; boundary=B\r\n\r\n" + strings.Repeat("--B\r\nContent-Type: text/plain; name=n\r\n\r\nx\r\n", maxAttached+3) + "--B--\r\n"
	full := "Cc: x@y\r\nDate: today\r\nMessage-ID: <1>\r\nX-Mailer: M\r\n" + mail()
	for _, tt := range []struct{ mail, end, want string }{
		{full, ".\r\n", `"email":{"status":"PARSE_DONE","cc":["x@y"],"subject":"two","date":"today","message_id":"<1>","x_mailer":"M","attachment":["a.exe","dots.txt"]}`},
		{long, ".\r\n", `"email":{"status":"PARSE_ERROR"}`},
		{"Subject: s\r\n", "", `"email":{"status":"HEADER_STARTED","subject":"s"}`},
		{"Subject: s\r\n\r\nbody\r\n", "", `"email":{"status":"BODY_STARTED","subject":"s"}`},
		{many, ".\r\n", `"email":{"status":"PARSE_DONE","attachment":["n"` + strings.Repeat(`,"n"`, maxAttached-1) + `]}`},
	} {
		l := &prototest.Files{T: t}
		parts := send(c("DATA\r\n"), s("354 go\r\n"), c(tt.mail+tt.end))
		if tt.end != "" {
			parts = append(parts, s("250 ok\r\n"))
		}
		r := prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, parts...)
		if !strings.HasSuffix(r.Joined(), tt.want) {
			t.Errorf("%s\nwant …%s", r.Joined(), tt.want)
		}
	}
}
