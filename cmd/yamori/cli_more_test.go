package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/report"
)

// between hands on from one socket to another until gone is called: then all
// connections end and nobody answers.
func between(t *testing.T, from, to string) (gone func()) {
	t.Helper()
	l, err := net.Listen("unix", from)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("unix", to)
			if err != nil {
				_ = a.Close()
				continue
			}
			mu.Lock()
			open = append(open, a, b)
			mu.Unlock()
			go func() { _, _ = io.Copy(a, b); _ = a.Close() }()
			go func() { _, _ = io.Copy(b, a); _ = b.Close() }()
		}
	}()
	gone = func() {
		_ = l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			_ = c.Close()
		}
	}
	t.Cleanup(gone)
	return gone
}

// TestFollow: what was found before is shown, then what is found, also after
// the daemon was away; nothing twice.
func TestFollow(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	for _, o := range []string{"human", "json", "eve"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		notes, err := os.Create(filepath.Join(t.TempDir(), "notes"))
		if err != nil {
			t.Fatal(err)
		}
		way := filepath.Join(t.TempDir(), "way")
		gone := between(t, way, x.socket)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		code := make(chan int, 1)
		go func() {
			code <- run(ctx, []string{"events", "--follow", "--category", "mining", "-o", o, "--socket", way}, w, notes)
			_ = w.Close()
		}()
		lines := make(chan string)
		go func() {
			defer close(lines)
			b, line := make([]byte, 1), []byte{}
			for {
				if _, err := r.Read(b); err != nil {
					return
				}
				if line = append(line, b[0]); b[0] == '\n' {
					lines <- string(line)
					line = line[:0]
				}
			}
		}()
		expect := func(n int, text string) {
			t.Helper()
			for range n {
				select {
				case s := <-lines:
					if !strings.Contains(s, text) {
						t.Errorf("-o %s: %s", o, s)
					}
				case <-time.After(10 * time.Second):
					t.Fatalf("-o %s: %q is not shown", o, text)
				}
			}
		}
		text := map[string]string{"human": "is mining cryptocurrency", "json": `"category":"mining"`, "eve": `"event_type":"alert"`}[o]
		before := x.count()
		expect(before, text)
		x.find(1, uint64(100+before))
		expect(1, text)
		gone()
		x.find(2, uint64(100+before+1)) // while nobody answers
		_ = between(t, way, x.socket)
		expect(1, text)
		x.find(3, uint64(100+before+2))
		expect(1, text)
		cancel()
		for s := range lines {
			t.Errorf("-o %s, too much: %s", o, s)
		}
		if c := <-code; c != 0 {
			t.Errorf("-o %s: exit %d", o, c)
		}
		b, _ := os.ReadFile(notes.Name())
		if !strings.Contains(string(b), "yamori is gone; waiting for it to come back.") {
			t.Errorf("-o %s: %q", o, b)
		}
	}
}

// TestFiles: captures and backups are written whole, for their owner's eyes;
// a backup can be taken back, by another house too.
func TestFiles(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	dir := t.TempDir()
	t.Chdir(dir)
	x.keepCapture("the packets")
	ok := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := x.call(args...)
		if code != 0 {
			t.Fatalf("%s: exit %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout + stderr
	}
	if s := ok("events", "capture", "latest", "-w", "e.pcapng"); s != "Wrote e.pcapng (11 B).\n" {
		t.Error(s)
	}
	if b, err := os.ReadFile("e.pcapng"); err != nil || string(b) != "the packets" {
		t.Error(string(b), err)
	}
	if s := ok("events", "capture", "latest", "-w", "-"); s != "the packets" {
		t.Error(s)
	}
	if s := ok("events", "show", "latest"); !strings.Contains(s, "yamori events capture 2 -w event-2.pcapng") {
		t.Error(s)
	}
	ok("devices", "name", "garden-camera", "Garden")
	if s := ok("backup"); !strings.Contains(s, "Passwords and tokens are not in it") || !strings.Contains(s, "Wrote yamori-") {
		t.Error(s)
	}
	made, err := filepath.Glob("yamori-*.backup")
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	if st, err := os.Stat(made[0]); err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st.Mode(), err)
	}
	if err := os.WriteFile("phrase", []byte("a long passphrase\r\nnot this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdin(t, "correct horse battery\n")
	ok("users", "add", "kenji", "--role", "owner", "--password-stdin")
	s := ok("backup", "-w", "all.backup", "--with-findings", "--passphrase-file", "phrase", "-o", "json")
	var info struct {
		File    string
		Bytes   int64
		Secrets bool
	}
	if err := json.Unmarshal([]byte(s), &info); err != nil || info.File != "all.backup" || info.Bytes == 0 || !info.Secrets {
		t.Error(s, err)
	}
	if left, _ := filepath.Glob(".yamori-*"); len(left) > 0 {
		t.Error(left)
	}

	y := newHome(t)
	stdin(t, "n\n")
	if code, _, stderr := y.call("restore", "all.backup"); code != exitUsage || !strings.Contains(stderr, "add --yes") {
		t.Error(code, stderr)
	}
	if code, _, stderr := y.call("restore", "e.pcapng", "--yes"); code != exitError || stderr == "" || strings.Contains(stderr, "its log says") {
		t.Error(code, stderr)
	}
	code, stdout, stderr := y.call("restore", "all.backup", "--yes", "--passphrase-file", "phrase")
	if code != 0 || !strings.HasPrefix(stdout, "Restored:\n  devices    ") || strings.Contains(stdout, "!") {
		t.Error(code, stdout, stderr)
	}
	if code, stdout, _ := y.call("users", "-o", "csv"); code != 0 || !strings.Contains(stdout, ",kenji,owner,false,") {
		t.Error(stdout)
	}
}

// terminal makes a terminal in place of standard input; the other end is what
// a person types on and sees.
func terminal(t *testing.T) *os.File {
	t.Helper()
	m, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal can be made: %v", err)
	}
	t.Cleanup(func() { _ = m.Close() })
	if err := unix.IoctlSetPointerInt(int(m.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(m.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	s, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdin
	os.Stdin = s
	t.Cleanup(func() { os.Stdin = old; _ = s.Close() })
	return m
}

func echoes(t *testing.T) bool {
	t.Helper()
	x, err := unix.IoctlGetTermios(int(os.Stdin.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return x.Lflag&unix.ECHO != 0
}

// TestPrompts: a password is asked for twice and not shown; what cannot be
// taken back is asked about.
func TestPrompts(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	stdin(t, "correct horse battery\n")
	if code, stdout, stderr := x.call("users", "add", "kenji", "--role", "owner", "--password-stdin"); code != 0 || !strings.Contains(stdout, "kenji  owner") {
		t.Fatal(code, stdout, stderr)
	}
	m := terminal(t)
	typed := func(args []string, lines ...string) (int, string, string) {
		t.Helper()
		type result struct {
			code           int
			stdout, stderr string
		}
		done := make(chan result, 1)
		go func() {
			code, stdout, stderr := x.call(args...)
			done <- result{code, stdout, stderr}
		}()
		for _, l := range lines {
			for range 500 { // until it asks without showing
				if !strings.HasPrefix(l, "secret") || !echoes(t) {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			if _, err := io.WriteString(m, l+"\n"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		select {
		case r := <-done:
			return r.code, r.stdout, r.stderr
		case <-time.After(20 * time.Second):
			t.Fatalf("%s waits for ever", args)
		}
		return 0, "", ""
	}
	for _, c := range []struct {
		args  []string
		typed []string
		code  int
		text  string
	}{
		{[]string{"passwd", "kenji"}, []string{"secret horse battery", "secret horse batterx"}, 1, "the two are not the same; nothing was changed"},
		{[]string{"passwd", "kenji"}, []string{"secret", "secret"}, 1, "password: "},
		{[]string{"passwd", "KENJI"}, []string{"secret horse battery", "secret horse battery"}, 0, "The password of kenji is changed"},
		{[]string{"passwd", "kenji", "--lang", "ja"}, []string{"secret horse battery", "secret horse battery"}, 0, "kenji のパスワードを変更しました"},
		{[]string{"forget", "garden-camera"}, []string{"n"}, 1, "nothing was done"},
		{[]string{"forget", "garden-camera", "--lang", "ja"}, []string{"はい"}, 0, "消去しました："},
	} {
		code, stdout, stderr := typed(c.args, c.typed...)
		if code != c.code || !strings.Contains(stdout+stderr, c.text) {
			t.Errorf("%s: exit %d\n%s%s", c.args, code, stdout, stderr)
		}
		if !echoes(t) {
			t.Fatalf("%s: the terminal shows nothing any more", c.args)
		}
	}
	if code, _, _ := x.call("devices", "show", "garden-camera"); code != exitError {
		t.Error("the camera is not forgotten")
	}
	// Ctrl-C while it asks gives the terminal back.
	ctx, cancel := context.WithCancel(context.Background())
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"passwd", "kenji", "--socket", x.socket}, out, out) }()
	for range 500 {
		if !echoes(t) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if code := <-done; code != exitError || !echoes(t) {
		t.Errorf("exit %d", code)
	}
	if b, _ := os.ReadFile(out.Name()); !strings.HasSuffix(string(b), "yamori: interrupted\n") {
		t.Errorf("%q", b)
	}
}

// TestCompletion: what can be written is offered with what it is.
func TestCompletion(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	if code, _, stderr := x.call("block", "203.0.113.9"); code != 0 {
		t.Fatal(stderr)
	}
	for _, c := range []struct {
		args string
		want []string
		not  string
	}{
		{"devices show", []string{"garden-camera\tmac:02:00:5e:10:00:01", "mac:02:00:5e:10:00:02\ttablet 192.168.1.8"}, "evil\x1b"},
		{"quarantine", []string{"garden-camera\t"}, ""},
		{"pause garden-camera", []string{"until-morning", "1h"}, "mac:"},
		{"events show", []string{"2\t"}, ""},
		{"block remove", []string{"→ 203.0.113.9"}, ""},
		{"devices kind garden-camera", []string{"camera\n", "nas\n"}, "mac:"},
		{"events --category", []string{"mining\n"}, ""},
		{"events --device", []string{"garden-camera\t"}, ""},
		{"events --output", []string{"human\n", "json\n", "eve\n", "csv\n"}, ""},
		{"settings", []string{"language=ja\t", "retention.findings=365\tdays"}, ""},
		{"policy", []string{"protect\n"}, ""},
		{"undo", []string{"1\tadded (blocked)"}, ""},
	} {
		args := append([]string{"__complete"}, strings.Fields(c.args)[0])
		args = append(args, "--socket", x.socket)
		args = append(args, strings.Fields(c.args)[1:]...)
		code, stdout, stderr := call(t, append(args, "")...)
		for _, w := range c.want {
			if code != 0 || !strings.Contains(stdout, w) {
				t.Errorf("%s: no %q in\n%s%s", c.args, w, stdout, stderr)
			}
		}
		if c.not != "" && strings.Contains(stdout, c.not) {
			t.Errorf("%s: %q in\n%s", c.args, c.not, stdout)
		}
	}
}

// TestWhen: times as people write them.
func TestWhen(t *testing.T) {
	now := time.Date(2026, 3, 4, 22, 30, 0, 0, time.UTC) // a Wednesday
	for _, c := range []struct {
		s    string
		want time.Duration
	}{{"", 0}, {"15m", 15 * time.Minute}, {"1h30m", 90 * time.Minute}, {"2d", 48 * time.Hour}, {"0.5d", 12 * time.Hour}, {"1w", 7 * 24 * time.Hour},
		{"until-morning", 8*time.Hour + 30*time.Minute}, {"x", -1}, {"-1h", -1}, {"0s", -1}, {"d", -1}, {"NaNd", -1}, {"1e9w", -1}, {"10ms", -1}} {
		d, err := howLong(c.s, now)
		if (c.want < 0) != (err != nil) || err == nil && d != c.want {
			t.Errorf("%q: %v %v", c.s, d, err)
		}
	}
	for _, c := range []struct{ s, want string }{{"today", "2026-03-04T00:00:00Z"}, {"yesterday", "2026-03-03T00:00:00Z"}, {"2h", "2026-03-04T20:30:00Z"}, {"2026-01-02", "2026-01-02T00:00:00Z"},
		{"2026-01-02 03:04", "2026-01-02T03:04:00Z"}, {"2026-01-02T03:04:05+09:00", "2026-01-01T18:04:05Z"}, {"soon", ""}, {"2026-13-01", ""}} {
		got, err := when("since", c.s, now)
		if (c.want == "") != (err != nil) || err == nil && rfc(got) != c.want {
			t.Errorf("%q: %v %v", c.s, got, err)
		}
	}
	a := &asker{lang: report.English}
	for _, c := range []struct{ s, en, ja string }{
		{"mon-fri 21:00-06:00", "mon-fri 21:00-06:00", "月-金 21:00-06:00"}, {"21-6", "daily 21:00-06:00", "毎日 21:00-06:00"},
		{"sat,sun 0-24; 月曜日,wed,friday 7:05-8:00", "sat,sun 00:00-24:00; mon,wed,fri 07:05-08:00", "土,日 00:00-24:00; 月,水,金 07:05-08:00"},
		{"fri-mon 1-2", "mon,fri-sun 01:00-02:00", "月,金-日 01:00-02:00"}, {"daily 23-0", "daily 23:00-24:00", "毎日 23:00-24:00"},
		{"", "", ""}, {"mon", "", ""}, {"mon 1-1", "", ""}, {"mon 1", "", ""}, {"mon 1:60-2", "", ""}, {"moon-fri 1-2", "mon-fri 01:00-02:00", "月-金 01:00-02:00"}, {"mo 1-2", "", ""},
	} {
		if strings.HasPrefix(c.s, "moon") {
			c.en = "" // no day
		}
		got, err := schedule(c.s)
		if (c.en == "") != (err != nil) {
			t.Errorf("%q: %+v %v", c.s, got, err)
			continue
		}
		if err != nil {
			continue
		}
		a.lang = report.English
		if s := a.scheduleText(got); s != c.en {
			t.Errorf("%q: %q", c.s, s)
		}
		a.lang = report.Japanese
		s := a.scheduleText(got)
		if s != c.ja {
			t.Errorf("%q: %q", c.s, s)
		}
		if again, err := schedule(s); err != nil || !slices.Equal(again.Slots, got.Slots) {
			t.Errorf("%q: %+v is not %+v, %v", s, again, got, err)
		}
	}
}

// TestGrid: columns stand under each other, whatever the script.
func TestGrid(t *testing.T) {
	var b bytes.Buffer
	if err := grid(&b, [][]string{{"ID", "名前", "X"}, {"1", "ｶﾒﾗ", "a"}, {"22", "e\u0301 한국 🎮", "b"}, {"3", "", ""}}); err != nil {
		t.Fatal(err)
	}
	want := "ID  名前       X\n1   ｶﾒﾗ        a\n22  e\u0301 한국 🎮  b\n3\n"
	if b.String() != want {
		t.Errorf("\n%s\nwanted\n%s", b.String(), want)
	}
	for _, c := range []struct {
		s    string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"庭のカメラ", 10, "庭のカメラ"}, {"庭のカメラ", 9, "庭のカメ…"}, {"庭のカメラ", 8, "庭のカ…"}, {"", 0, ""}} {
		if got := fit(c.s, c.most); got != c.want || width(got) > c.most {
			t.Errorf("%q to %d: %q", c.s, c.most, got)
		}
	}
	b.Reset()
	if err := writeJSON(&b, "a\x1b\x7f\u009b\u202e庭\U000e0001<\xff", false); err != nil {
		t.Fatal(err)
	}
	if want := `"a\u001b\u007f\u009b\u202e庭\udb40\udc01<\ufffd"` + "\n"; b.String() != want {
		t.Errorf("%s, not %s", b.String(), want)
	}
	b.Reset()
	w := &lineWriter{w: &b, clean: cleanText}
	for _, s := range []string{"a\u00e9", "b\x1b", "c\nd", "\u009b"} {
		for i := range len(s) { // byte by byte
			if _, err := w.Write([]byte{s[i]}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Flush(); err != nil || b.String() != "a\u00e9b\ufffdc\nd\ufffd" {
		t.Errorf("%q %v", b.String(), err)
	}
	if _, err := w.Write(make([]byte, 3*maxLine)); err != nil || len(w.held) > maxLine {
		t.Error("a line without an end grows")
	}
	b.Reset()
	if err := writeCSV(&b, []column[string]{{name: "x", cell: func(s *string) string { return *s }}}, []string{"=1+1", "a,b", "\x1b"}); err != nil || b.String() != "x\r\n'=1+1\r\n\"a,b\"\r\n\ufffd\r\n" {
		t.Errorf("%q %v", b.String(), err)
	}
}

// TestCured: what the daemon refuses is said with what to do.
func TestCured(t *testing.T) {
	for _, c := range []struct {
		f    api.Fault
		want string
	}{
		{api.Fault{Status: 404, Code: "not-found"}, "list them and use an id from there"},
		{api.Fault{Status: 409, Code: "last-owner", Detail: "make another user owner first"}, "this is the last owner; make another user owner first"},
		{api.Fault{Status: 409, Code: "exists"}, "choose another one"},
		{api.Fault{Status: 409, Code: "fixed", Detail: "it cannot be removed"}, "yamori refuses: it cannot be removed"},
		{api.Fault{Status: 422, Code: "invalid", Field: "name", Detail: "too\x1blong"}, "name: too\ufffdlong"},
		{api.Fault{Status: 500, Code: "internal", Instance: "urn:yamori:request:abc"}, "its log says why, under abc"},
		{api.Fault{Status: 503, Code: "busy"}, "try again in a moment"},
		{api.Fault{Status: 503, Code: "unavailable"}, "is not running"},
		{api.Fault{Status: 403, Code: "role"}, "role (403)"},
	} {
		if got := cured(report.English, &client.Error{Fault: c.f}); !strings.Contains(got.Error(), c.want) {
			t.Errorf("%+v: %v", c.f, got)
		}
	}
}

// TestLabel: a device without a name is told apart by its maker and address.
func TestLabel(t *testing.T) {
	for _, c := range []struct {
		d    api.Device
		want string
	}{
		{api.Device{ID: "mac:x", Maker: "Intel", Addresses: []string{"192.0.2.1", "192.0.2.2"}}, "Intel 192.0.2.1"},
		{api.Device{ID: "mac:x", Maker: "LG", Model: "LG TV", Addresses: []string{"192.0.2.1"}}, "LG TV 192.0.2.1"},
		{api.Device{ID: "mac:x", Addresses: []string{"192.0.2.1"}}, "192.0.2.1"},
		{api.Device{ID: "mac:x", Maker: "Intel"}, ""},
	} {
		if got := labelOf(&c.d); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	a := &asker{known: map[string]string{"mac:x": "Intel 192.0.2.1"}}
	for _, c := range [][2]string{{"mac:x", "Intel 192.0.2.1"}, {"mac:y", "mac:y"}} {
		if got := a.told(&api.Finding{Device: c[0]}).Who; got != c[1] {
			t.Errorf("%s: %s", c[0], got)
		}
	}
}

// TestReasonText: reasons that the program gives have words of each language,
// those of people stay.
func TestReasonText(t *testing.T) {
	for _, c := range []struct {
		lang           report.Lang
		reason, wanted string
	}{{report.English, "this gateway", "this gateway"}, {report.Japanese, "this gateway", "このゲートウェイ"}, {report.Japanese, "mines", "mines"}} {
		a := &asker{lang: c.lang}
		if got := a.reasonText(&api.Entry{Reason: c.reason}); got != c.wanted {
			t.Errorf("%s, %s: %s", c.lang, c.reason, got)
		}
	}
}
