package telnet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var kindNames = [...]string{"server", "client", "prompt", "login", "session"}
var cueNames = [...]string{"-", "user", "password", "failure", "shell", "success"}

// account writes down all transactions but the summary.
func account(parts ...prototest.Part) (lines []string, r prototest.Result) {
	r = prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		t := tx.(*Tx)
		switch t.Kind {
		case ClientLine:
			s := fmt.Sprintf("client %s %q", cueNames[t.Asked], t.Line)
			if t.Secret {
				s += " secret"
			}
			lines = append(lines, s)
		case Login:
			lines = append(lines, fmt.Sprintf("login %d %q %s", t.Attempt, t.User, t.Result))
		case Session:
		default:
			lines = append(lines, fmt.Sprintf("%s %s %q", kindNames[t.Kind], cueNames[t.Cue], t.Line))
		}
	}}, parts...)
	return lines, r
}

var c, s = prototest.C, prototest.S

func TestDialogues(t *testing.T) {
	tests := []struct {
		name  string
		parts []prototest.Part
		want  []string
	}{
		{"inetutils, one failure and a success", []prototest.Part{
			s("\xff\xfd\x18\xff\xfb\x01Linux\r\n\r\nhost login: "), c("\xff\xfb\x18bob\r\x00"), s("bob\r\nPassword: "), c("hunter2\r\x00"),
			s("\r\nLogin incorrect\r\nhost login: "), c("bob\r\n"), s("bob\r\nPassword: "), c("hunter3\r\n"),
			s("\r\nLast login: today\r\n$ "), c("ls\r\n"), s("ls\r\n")},
			[]string{`server - "Linux"`, `prompt user "host login: "`, `client user "bob"`, `server - "host login: bob"`,
				`prompt password "Password: "`, `client password "hunter2" secret`, `server - "Password: "`, `server failure "Login incorrect"`, `login 1 "bob" failure`,
				`prompt user "host login: "`, `client user "bob"`, `server - "host login: bob"`, `prompt password "Password: "`,
				`client password "hunter3" secret`, `server - "Password: "`, `server success "Last login: today"`, `login 2 "bob" success`,
				`prompt shell "$ "`, `client shell "ls"`, `server - "$ ls"`}},
		{"key by key with a correction", []prototest.Part{s("Username:"), c("a"), s("a"), c("x"), s("x"), c("\x7f"), s("\b \b"), c("b"), s("b"), c("\r"), c("\n")},
			[]string{`prompt user "Username:"`, `client user "ab"`}},
		{"a bot does not wait", []prototest.Part{s("login: "), c("root\r\n"), c("xc3511\r\n"), s("\r\n# "), c("/bin/busybox MIRAI\r\n")},
			[]string{`prompt user "login: "`, `client user "root"`, `client password "xc3511" secret`, `server - "login: "`,
				`prompt shell "# "`, `login 1 "root" success`, `client shell "/bin/busybox MIRAI"`}},
		{"no prompt at all", []prototest.Part{c("root\r\n12345\r\nenable\r\n")}, []string{`client - "root"`, `client - "12345"`, `client - "enable"`}},
		{"ends with the outcome open", []prototest.Part{s("login: "), c("a\n"), s("Password:"), c("b\n")},
			[]string{`prompt user "login: "`, `client user "a"`, `prompt password "Password:"`, `client password "b" secret`, `login 1 "a" unknown`}},
		{"ends at the next prompt", []prototest.Part{s("login: "), c("a\n"), s("\r\nPassword:"), c("b\n"), s("\r\nlogin: ")},
			[]string{`prompt user "login: "`, `client user "a"`, `server - "login: "`, `prompt password "Password:"`, `client password "b" secret`, `server - "Password:"`, `login 1 "a" failure`}},
		{"IAC inside a line and an escaped 255", []prototest.Part{c("a\xff\xf1b\xff\xffc\xff\xfa\x18\x00x\xff\xff\xff\xf0d\r\n")}, []string{`client - "ab\xffcd"`}},
		{"gap drops the line", []prototest.Part{c("abc"), {Dir: packet.ToServer, Data: []byte("def\r\nghi\r\n"), Gap: 5}},
			[]string{`client - "def"`, `client - "ghi"`}},
		{"gap ends a subnegotiation", []prototest.Part{c("\xff\xfa\x18"), {Dir: packet.ToServer, Data: []byte("def\r\n"), Gap: 5}}, []string{`client - "def"`}},
		{"line is cut", []prototest.Part{c(strings.Repeat("a", maxLine+10) + "\n")}, []string{`client - "` + strings.Repeat("a", maxLine) + `"`}},
		{"^U", []prototest.Part{c("abc\x15def\n")}, []string{`client - "def"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(8) {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				got, r := account(parts...)
				if strings.Join(got, "\n") != strings.Join(tt.want, "\n") || r.Err != nil {
					t.Fatalf("seed %d: %v\n%s\nwant\n%s", seed, r.Err, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
				}
				if strings.Contains(r.Joined(), "hunter") || strings.Contains(r.Joined(), "xc3511") {
					t.Errorf("a password is in the events: %s", r.Joined())
				}
			}
		})
	}
}

func TestSession(t *testing.T) {
	r := prototest.Drive(Protocol, prototest.Options{},
		s("\xff\xfd\x18\xff\xfd\x27\xff\xfb\x01\xff\xfb\x03"),
		c("\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfa\x18\x00xterm\xff\xf0\xff\xfa\x27\x00\x00USER\x01-f root\xff\xf0"),
		s("login: "), c("bob\r\n"), s("\r\nPassword: "), c("x\r\n"), s("\r\nLogin incorrect\r\n"))
	want := `"telnet":{"type":"login","user":"bob","result":"failure","attempt":1}` + "\n" +
		`"telnet":{"type":"session","terminal":"xterm","environment_user":"-f root","logins":1,"failures":1,"client_lines":2,"server_lines":3,` +
		`"client_will":["terminal_type","new_environment"],"client_do":["echo"],"server_will":["echo","suppress_go_ahead"],"server_do":["terminal_type","new_environment"]}`
	if r.Joined() != want {
		t.Errorf("%s\nwant\n%s", r.Joined(), want)
	}
}

func TestLimits(t *testing.T) {
	count := func(parts ...prototest.Part) map[Kind]int {
		n := map[Kind]int{}
		prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
			k := tx.(*Tx)
			n[k.Kind]++
			if len(k.Line) > maxLine || len(k.User) > maxUser || len(k.Terminal) > maxUser {
				t.Errorf("%d bytes of line, %d of user", len(k.Line), len(k.User))
			}
		}}, parts...)
		return n
	}
	if n := count(s(strings.Repeat("x\n", maxServerLines+5)))[ServerLine]; n != maxServerLines {
		t.Errorf("%d server lines", n)
	}
	if n := count(c(strings.Repeat("x\n", maxClientLines+5)))[ClientLine]; n != maxClientLines {
		t.Errorf("%d client lines", n)
	}
	var parts []prototest.Part
	for range maxLogins + 3 {
		parts = append(parts, s("login: "), c(strings.Repeat("u", maxUser+1)+"\n"), s("\nPassword: "), c("p\n"), s("\nLogin incorrect\n"))
	}
	if n := count(parts...)[Login]; n != maxLogins {
		t.Errorf("%d logins", n)
	}
	p := Protocol.New().(*parser)
	if _, err := p.Parse(prototest.Quiet(proto.TCP), packet.ToServer, []byte("\xff\xfa\x18\x00"+strings.Repeat("x", 9*maxSub)+"\xff\xf0")); err != nil || len(p.half[0].sub) != maxSub || len(p.terminal) != maxUser {
		t.Errorf("%v, %d bytes of subnegotiation, %d of terminal", err, len(p.half[0].sub), len(p.terminal))
	}
	login := []prototest.Part{s("login: "), c("a\n"), s("\nPassword: "), c("p\n"), s(strings.Repeat("day\n", outcomeLines+1))}
	if l, _ := account(login...); l[len(l)-1] != `login 1 "a" unknown` {
		t.Errorf("last: %s", l[len(l)-1])
	}
	r := prototest.Drive(Protocol, prototest.Options{}, c("\xff\xfa\x18\x00x\xff\xfb\x01"))
	if strings.Join(r.Anomalies, " ") != "telnet_bad_subnegotiation" {
		t.Errorf("anomalies %v", r.Anomalies)
	}
}

func TestCues(t *testing.T) {
	prompts := map[string]Cue{"login: ": AskUser, "\x1b[1;32mUser Name:\x1b[0m": AskUser, "BCM96318 Broadband Router\r\nLogin: ": AskUser,
		"Password: ": AskPassword, "password for bob:": AskPassword, "Passcode : ": AskPassword, "~ # ": Shell, "BusyBox> ": Shell, "[bob@host ~]$ ": Shell,
		"Switch>": Shell, "Username>": AskUser, "": None, "hello": None, "12:30:": None, ">": Shell}
	for in, want := range prompts {
		if got := promptCue([]byte(in)); got != want {
			t.Errorf("promptCue(%q) = %s, want %s", in, cueNames[got], cueNames[want])
		}
	}
	lines := map[string]Cue{"Login incorrect": Failure, "% Authentication failed": Failure, "Last login: Mon": Success,
		"BusyBox v1.19 (2014)": Success, "total 12": None, "Access denied": Failure}
	for in, want := range lines {
		if got := lineCue([]byte(in)); got != want {
			t.Errorf("lineCue(%q) = %s, want %s", in, cueNames[got], cueNames[want])
		}
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		d    packet.Dir
		in   string
		want proto.Match
	}{
		{packet.ToClient, "\xff\xfd\x18\xff\xfd\x20", proto.Yes},
		{packet.ToServer, "\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f", proto.Yes},
		{packet.ToClient, "\xff\xfb\x01login: ", proto.Weak},
		{packet.ToClient, "\xff", proto.More}, {packet.ToClient, "\xff\xfb", proto.More},
		{packet.ToClient, "\xff\xfb\x90\x44", proto.No},         // MPEG audio
		{packet.ToClient, "\xff\xfea\x00b\x00", proto.No},       // UTF-16
		{packet.ToClient, "\xff\xd8\xff\xe0\x00\x10", proto.No}, // JPEG
		{packet.ToServer, "\xff\xfa\x18\x00xterm\xff\xf0\xff\xfc\x01", proto.Yes},
		{packet.ToServer, "\xff\xfd\x01\xff\xfa\x18\x00xt", proto.Yes},
		{packet.ToServer, "\xff\xfa\x18\x00xt", proto.More},
		{packet.ToClient, "Welcome\r\n\xff\xfd\x18\xff\xfd\x20", proto.Yes},
		{packet.ToClient, "(none) login: ", proto.Yes}, {packet.ToClient, "Password:", proto.Yes},
		{packet.ToClient, "Welcome\r\n", proto.More}, {packet.ToClient, "Welcome\r\n# ", proto.Weak},
		{packet.ToClient, strings.Repeat("Welcome\r\n", 300), proto.No},
		{packet.ToClient, "220 ftp login:", proto.No}, {packet.ToClient, "220 x\r\n", proto.No},
		{packet.ToServer, "root\r\nxc3511\r\n", proto.Weak}, {packet.ToServer, "ro", proto.More},
		{packet.ToServer, "GET / HTTP/1.1\r\n", proto.No}, {packet.ToServer, strings.Repeat("a\n", 40), proto.No},
		{packet.ToServer, "\x16\x03\x01\x02\x00", proto.No}, {packet.ToServer, "\x00\x00\x00\x20", proto.No},
		{packet.ToServer, "", proto.More},
	}
	for _, tt := range tests {
		if got := probe(tt.d, []byte(tt.in)); got != tt.want {
			t.Errorf("probe(%s, %q) = %v, want %v", tt.d, tt.in, got, tt.want)
		}
	}
}

var session = []prototest.Part{s("\xff\xfd\x18\xff\xfb\x01host login: "), c("\xff\xfb\x18bob\r\n"), s("bob\r\nPassword: "), c("x\r\n"),
	s("\r\nLogin incorrect\r\nhost login: "), c("bob\r\n"), s("bob\r\nPassword: "), c("y\r\n"), s("\r\nWelcome to nowhere\r\n$ "), c("ls\r\n")}

func TestNoAllocs(t *testing.T) { prototest.SessionNoAllocs(t, Protocol, session...) }

func BenchmarkParse(b *testing.B) { prototest.SessionBench(b, Protocol, session...) }

func FuzzParse(f *testing.F) {
	f.Add([]byte("\xff\xfd\x18\xff\xfb\x01host login: Password: $ "), []byte("\xff\xfa\x27\x00\x00USER\x01x\xff\xf0bob\r\nx\r\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		parts := []prototest.Part{{Dir: packet.ToClient, Data: a}, {Dir: packet.ToServer, Data: b}, {Dir: packet.ToClient, Data: b}, {Dir: packet.ToServer, Data: a}}
		whole, _ := account(parts...)
		cut, _ := account(prototest.Split(uint64(len(a)), parts...)...)
		if strings.Join(whole, "\n") != strings.Join(cut, "\n") {
			t.Errorf("segmentation matters:\n%s\n%s", strings.Join(whole, "\n"), strings.Join(cut, "\n"))
		}
		probe(packet.ToServer, a)
		probe(packet.ToClient, a)
	})
}
