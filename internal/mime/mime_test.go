package mime

import (
	"bytes"
	stdbase64 "encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"testing"
)

// log writes down what a Reader says: `[name]` content `|`, "!" when cut.
type log struct {
	s    strings.Builder
	open bool
}

func (l *log) Begin(name []byte) {
	if l.open {
		l.s.WriteString("<nested>")
	}
	l.open = true
	fmt.Fprintf(&l.s, "[%s]", name)
}
func (l *log) Data(b []byte) {
	if len(b) == 0 || !l.open {
		l.s.WriteString("<empty>")
	}
	l.s.Write(b)
}
func (l *log) Gap(n int) { fmt.Fprintf(&l.s, "<gap %d>", n) }
func (l *log) End(cut bool) {
	l.open = false
	if cut {
		l.s.WriteString("!")
	}
	l.s.WriteString("|")
}

// read drives a Reader with the mail in pieces of n bytes.
func read(mail string, n int) string {
	var l log
	var r Reader
	r.Reset(&l)
	for len(mail) > 0 {
		k := min(n, len(mail))
		r.Write([]byte(mail[:k]))
		mail = mail[k:]
	}
	r.End(false)
	if l.open {
		l.s.WriteString("<open>")
	}
	return l.s.String()
}

func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

const attach = "Content-Disposition: attachment; filename="

var mails = []struct{ name, mail, want string }{
	{"no attachment", crlf("Subject: x", "", "text"), ""},
	{"the whole mail", crlf("Content-Type: text/plain; name=a.txt", "", "one", "two"), "[a.txt]one\r\ntwo|"},
	{"multipart", crlf("Content-Type: multipart/mixed; boundary=\"b b\"", "", "preamble", "--b b", "", "body", "--b b",
		attach+"x.bin", "", "data", "", "--b b--", "epilogue"), "[x.bin]data\r\n|"},
	{"base64", crlf("content-type: Multipart/Mixed;", "\tboundary=B", "", "--B", "Content-Transfer-Encoding: BASE64", attach+`"a b.exe"`, "",
		"aGVsbG8g", "d29ybGQ=", "--B--"), "[a b.exe]hello world|"},
	{"base64 without padding, with rubbish", crlf("Content-Transfer-Encoding: base64", attach+"x", "", "aGV!sbG8", " gd29ybGQ"), "[x]hello world|"},
	{"base64 joined", crlf("Content-Transfer-Encoding: base64", attach+"x", "", "YQ==YmM=", "ZA"), "[x]abcd|"},
	{"quoted-printable", crlf("Content-Transfer-Encoding: quoted-printable", attach+"x", "", "a=3Db=", "c  ", "=zz=4"), "[x]a=bc\r\n=zz=4|"},
	{"nested", crlf("Content-Type: multipart/mixed; boundary=out", "", "--out", "Content-Type: multipart/alternative; boundary=in", "",
		"--in", attach+"1", "", "one", "--in", attach+"2", "", "two", "--in--", "between", "--out", attach+"3", "", "three", "--out--"),
		"[1]one|[2]two|[3]three|"},
	{"an inner part is ended by the outer boundary", crlf("Content-Type: multipart/mixed; boundary=out", "", "--out",
		"Content-Type: multipart/alternative; boundary=in", "", "--in", attach+"1", "", "one", "--out", attach+"2", "", "two", "--out--"), "[1]one|[2]two|"},
	{"a mail in a mail", crlf("Content-Type: multipart/mixed; boundary=B", "", "--B", "Content-Type: message/rfc822", "", "Subject: in", attach+"in", "", "x", "--B--"), "[in]x|"},
	{"names in pieces", crlf("Content-Disposition: attachment;", " filename*0=one;", " filename*1=two", "", "x"), "[onetwo]x|"},
	{"extended name", crlf("Content-Disposition: attachment; filename*=utf-8''a%20%C3%BC", "", "x"), "[a ü]x|"},
	{"the plain name wins", crlf("Content-Disposition: attachment; filename*=utf-8''a; filename=b", "", "x"), "[b]x|"},
	{"disposition before type", crlf(attach+"d", "Content-Type: a/b; name=t", "", "x"), "[d]x|"},
	{"a semicolon in quotes", crlf(attach+`"a;b"`, "", "x"), "[a;b]x|"},
	{"cut off", crlf("Content-Type: multipart/mixed; boundary=B", "", "--B", attach+"x", "", "data"), "[x]data!|"},
	{"bare LF", "Content-Type: multipart/mixed; boundary=B\n\n--B\n" + attach + "x\n\na\nb\n--B--\n", "[x]a\nb|"},
	{"an empty attachment", crlf("Content-Type: multipart/mixed; boundary=B", "", "--B", attach+"x", "", "--B--"), "[x]|"},
	{"dashes that are no boundary", crlf("Content-Type: multipart/mixed; boundary=B", "", "--B", attach+"x", "", "--", "--A", "-", "--B--"), "[x]--\r\n--A\r\n-|"},
}

// What is found does not depend on where the mail is cut.
func TestMails(t *testing.T) {
	for _, m := range mails {
		for _, n := range []int{1 << 20, 1, 2, 3, 7, 64} {
			if got := read(m.mail, n); got != m.want {
				t.Errorf("%s, %d bytes at a time: %q, want %q", m.name, n, got, m.want)
			}
		}
	}
}

// The encoders of the standard library are the oracle.
func TestDecode(t *testing.T) {
	whole := make([]byte, 100<<10)
	for i := range whole {
		whole[i] = byte(i * i >> 3)
	}
	var lines strings.Builder
	for b := stdbase64.StdEncoding.EncodeToString(whole); len(b) > 0; b = b[min(76, len(b)):] {
		lines.WriteString(b[:min(76, len(b))] + "\r\n")
	}
	if got := read("Content-Transfer-Encoding: base64\r\n"+attach+"x\r\n\r\n"+lines.String(), 1460); got != "[x]"+string(whole)+"|" {
		t.Error("base64")
	}
	var qp bytes.Buffer
	w := quotedprintable.NewWriter(&qp)
	w.Binary = true
	w.Write(whole)
	w.Close()
	if got := read("Content-Transfer-Encoding: quoted-printable\r\n"+attach+"x\r\n\r\n"+qp.String(), 1460); got != "[x]"+string(whole)+"|" {
		t.Error("quoted-printable")
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 3*maxLine)
	for _, n := range []int{1, 1460, 1 << 20} {
		if got := read(crlf("Content-Type: multipart/mixed; boundary=B", "", "--B", attach+"x", "", long, "y", "--B--"), n); got != "[x]"+long+"\r\ny|" {
			t.Errorf("%d: a long line: %d bytes", n, len(got))
		}
		b64 := stdbase64.StdEncoding.EncodeToString([]byte(long))
		if got := read(crlf("Content-Transfer-Encoding: base64", attach+"x", "", b64), n); got != "[x]"+long+"|" {
			t.Errorf("%d: a long line of base64: %d bytes", n, len(got))
		}
		if got := read(crlf(attach+"a; x="+long, "", "y"), n); got != "[a]y|" {
			t.Errorf("%d: a long field: %.40q", n, got)
		}
		if got := read(crlf("Content-Type: multipart/mixed; boundary=B", "", "--B", attach+"x", "", "y", "--B"+strings.Repeat(" ", 2*maxLine), "", "z"), n); got != "[x]y|" {
			t.Errorf("%d: a long boundary: %.40q", n, got)
		}
	}
}

func TestLimits(t *testing.T) {
	name := strings.Repeat("n", 2*maxName)
	if got := read(crlf(attach+name, "", "y"), 100); got != "["+name[:maxName]+"]y|" {
		t.Errorf("name of %d bytes", len(got))
	}
	if got := read(crlf("Content-Type: multipart/mixed; boundary="+strings.Repeat("b", maxBoundary+1), attach+"x", "", "y"), 100); got != "[x]y|" {
		t.Errorf("a long boundary: %q", got)
	}
	deep := ""
	for i := range maxDepth + 2 {
		deep += crlf(fmt.Sprintf("Content-Type: multipart/mixed; boundary=%c", 'a'+i), "", fmt.Sprintf("--%c", 'a'+i))
	}
	if got := read(deep+crlf(attach+"x", "", "y", "--a--"), 100); got != "" {
		t.Errorf("deeper than %d: %q", maxDepth, got)
	}
	var r Reader
	r.Reset(&log{})
	for range 1000 {
		r.Write([]byte("Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 150) + "\r\n\r\n--" + strings.Repeat("b", 150) + "\r\n" + attach + strings.Repeat("n", 3000)))
		if n := r.Size(); n > 32<<10 {
			t.Fatalf("holds %d bytes", n)
		}
	}
}

func TestGap(t *testing.T) {
	var l log
	var r Reader
	r.Reset(&l)
	r.Write([]byte(crlf("Content-Type: multipart/mixed; boundary=B", "", "--B", attach+"x", "") + "be"))
	r.Gap(100)
	r.Write([]byte("lf\r\nkept\r\n--B\r\n" + attach + "y"))
	r.Gap(20)
	r.Write([]byte("\r\n\r\nnothing\r\n--B\r\n" + attach + "z\r\n\r\n1\r\n--B--\r\n"))
	r.End(false)
	if got, want := l.s.String(), "[x]be<gap 100>lf\r\nkept|[z]1|"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNoAllocs(t *testing.T) {
	var r Reader
	var count counter
	b := []byte(mails[7].mail + mails[3].mail)
	run := func() {
		r.Reset(&count)
		r.Write(b)
		r.End(true)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n > 0 || count == 0 {
		t.Errorf("%v allocations a mail", n)
	}
}

type counter int

func (c *counter) Begin([]byte) { *c++ }
func (c *counter) Data([]byte)  {}
func (c *counter) Gap(int)      {}
func (c *counter) End(bool)     {}

func FuzzReader(f *testing.F) {
	for _, m := range mails {
		f.Add(m.mail)
	}
	f.Fuzz(func(t *testing.T, mail string) {
		if a, b := read(mail, 1<<20), read(mail, 3); a != b {
			t.Errorf("%q\n%q", a, b)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	mail := []byte(crlf("Content-Transfer-Encoding: base64", attach+"x", "") + strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1000))
	var r Reader
	var count counter
	b.SetBytes(int64(len(mail)))
	for b.Loop() {
		r.Reset(&count)
		r.Write(mail)
		r.End(false)
	}
}
