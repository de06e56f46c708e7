package rules

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestParseWhole(t *testing.T) {
	r := one(t, `drop tcp-pkt [$HOME_NET,!10.0.0.1] 1024: <> !$HOME_NET [80,443] (msg:"Say \"hi\"\; \\ \: x"; flow:established, to_server ; `+
		`content:"a|3b|b\;c"; NOCASE; metadata: a b, c d; gid:3; sid:7; rev:2; priority:4; classtype:Bad-unknown;)`)
	if r.Action != Drop || r.Proto != "tcp-pkt" || !r.Both || r.Dir != Either || !r.Enabled {
		t.Errorf("header: %+v", r)
	}
	if r.SID != 7 || r.GID != 3 || r.Rev != 2 || r.Priority != 4 || r.Classtype != "Bad-unknown" {
		t.Errorf("numbers: %+v", r)
	}
	if want := `Say "hi"; \ : x`; r.Msg != want {
		t.Errorf("msg %q, want %q", r.Msg, want)
	}
	if r.File != "t.rules" || r.Line != 1 {
		t.Errorf("at %s:%d", r.File, r.Line)
	}
	want := []Option{
		{Name: "msg", Value: `"Say \"hi\"\; \\ \: x"`, HasValue: true},
		{Name: "flow", Value: "established, to_server", HasValue: true},
		{Name: "content", Value: `"a|3b|b\;c"`, HasValue: true},
		{Name: "nocase"},
		{Name: "metadata", Value: "a b, c d", HasValue: true},
	}
	for i, w := range want {
		o := r.Options[i]
		if got := r.Raw[o.Col-1 : o.Col-1+len(w.Name)]; !strings.EqualFold(got, w.Name) {
			t.Errorf("column of %s leads to %q", w.Name, got)
		}
		o.Col, o.Line = 0, 0
		if o != w {
			t.Errorf("option %+v, want %+v", o, w)
		}
	}
}

// TestGood holds forms that `suricata -T` of 7.0.10 takes, but for => and the
// hooks, which are of version 8.
func TestGood(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`alert tcp any any -> any any (sid:1;)`, ""},
		{`ALERT TCP any any -> any any (SID:1;)`, `alert tcp any any -> any any (sid:1;)`},
		{`alert tcp any any -> any any (sid:1;`, `alert tcp any any -> any any (sid:1;)`},
		{`alert tcp any any -> any any sid:1;)`, `alert tcp any any -> any any (sid:1;)`},
		{`alert tcp any any -> any any ((sid:1;)) `, `alert tcp any any -> any any (sid:1;)`},
		{`alert tcp any any -> any any ( msg : "a" ; sid : 1 ; )`, `alert tcp any any -> any any (msg:"a"; sid:1;)`},
		{`alert  tcp  any  any  ->  any  any  (sid:1;)`, `alert tcp any any -> any any (sid:1;)`},
		{`alert http any any => any any (sid:1;)`, ""},
		{`alert http1:request_line any any -> any any (sid:1;)`, ""},
		{`alert tcp [1.2.3.4, 5.6.7.8] [80, 90] -> any any (sid:1;)`, ""},
		{`alert tcp 1.2.3.4,5.6.7.8 80,90 -> any any (sid:1;)`, ""},
		{`alert tcp [1.2.3.4,] [80,] -> any any (sid:1;)`, ""},
		{`alert tcp ANY Any -> any any (sid:1;)`, ""},
		{`alert tcp !!1.2.3.4 !80:90 -> any : (sid:1;)`, ""},
		{`alert tcp any any -> any any (content:!"a"; sid:1;)`, ""},
		{`alert tcp any any -> any any (content: ! "a"; sid:1;)`, `alert tcp any any -> any any (content:! "a"; sid:1;)`},
		{`alert tcp any any -> any any (pcre:"/a\;(b)/"; sid:1;)`, ""},
		{`alert tcp any any -> any any (nocase:; sid:1;)`, ""},
		{`alert tcp any any -> any any (msg:"a\\;b"; sid:1;)`, ""},
		{`alert tcp any any -> any any (priority:0; gid:0; sid:4294967294;)`, ""},
		{"alert tcp any any -> any any (sid:1;)\r\n", `alert tcp any any -> any any (sid:1;)`},
		{"\ufeffalert tcp any any -> any any (sid:1;)", `alert tcp any any -> any any (sid:1;)`},
		{`rejectboth ip any any -> any any (sid:1;)`, ""},
		{`pass ip any any -> any any (sid:1;)`, ""},
		{`# alert tcp any any -> any any (sid:1;)`, ""},
		{`#alert tcp any any -> any any (sid:1;)`, `# alert tcp any any -> any any (sid:1;)`},
		{`##  # alert tcp any any -> any any (sid:1;)`, `# alert tcp any any -> any any (sid:1;)`},
	} {
		if c.want == "" {
			c.want = c.text
		}
		if got := one(t, c.text).String(); got != c.want {
			t.Errorf("%s\nis %s\nnot %s", c.text, got, c.want)
		}
	}
}

// TestBad holds forms that `suricata -T` of 7.0.10 refuses too, but for the
// missing comma after a bracket, which it takes for one, and the indented rule
// and the one the file ends within, over which it passes without a word.
func TestBad(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, col    int
		sid          uint32
		reason, cure string
	}{
		{`alret tcp any any -> any any (sid:31;)`, 1, 1, 31, `unknown action "alret"`, "did you mean alert?"},
		{`hello`, 1, 1, 0, `unknown action "hello"`, "use alert"},
		{`config dns any any -> any any (config: logging disable; sid:1;)`, 1, 1, 1, "config rules", "configuration"},
		{`accept:hook tcp:all any any -> any any (sid:1;)`, 1, 1, 1, "firewall mode", "use alert"},
		{`drop:flow tls any any -> any any (sid:1;)`, 1, 1, 1, "firewall mode", "use alert"},
		{`log tcp any any -> any any (sid:1;)`, 1, 1, 1, "Snort", "use alert"},
		{`alert`, 1, 6, 0, "source address is missing", "a header is"},
		{`alert tcp any any -> any any`, 1, 29, 0, "no options", "(sid:N;)"},
		{`alert tcp any any -> any any ()`, 1, 31, 0, "no sid", "add sid"},
		{`alert tcp any any -> any any (msg:"x";)`, 1, 31, 0, "no sid", "add sid"},
		{`alert tcp any any <- any any (sid:3;)`, 1, 19, 3, `"<-" is no direction`, "swap"},
		{`alert tcp any -> any any (sid:3;)`, 1, 18, 3, `"any" is no direction`, "a header is"},
		{`alert tcp any any -> any any(sid:48;)`, 1, 29, 48, "runs into the options", "blank"},
		{`alert tcp [1.2.3.4 any -> any any (sid:44;)`, 1, 11, 44, "not closed", "]"},
		{`alert tcp 1.2.3.4] any -> any any (sid:45;)`, 1, 18, 45, "did not open", ""},
		{`alert tcp $HOM_NET any -> any any (sid:40;)`, 1, 11, 40, "$HOM_NET is not defined", "did you mean $HOME_NET?"},
		{`alert tcp any any -> any $HTTP_PROTS (sid:40;)`, 1, 26, 40, "$HTTP_PROTS is not defined", "did you mean $HTTP_PORTS?"},
		{`alert tcp any $HOME_NET -> any any (sid:46;)`, 1, 15, 46, "port variable $HOME_NET is not defined", ""},
		{`alert tcp 1.2.3.4/33 any -> any any (sid:41;)`, 1, 11, 41, "length of a prefix", ""},
		{`alert tcp any any -> [10.0.0.1, foo] any (sid:41;)`, 1, 33, 41, `"foo" is no address`, "write an IP address"},
		{`alert tcp HOME_NET any -> any any (sid:41;)`, 1, 11, 41, "no address", "$HOME_NET"},
		{`alert tcp 1.2.3.9-1.2.3.4 any -> any any (sid:43;)`, 1, 11, 43, "backwards", "lower"},
		{`alert tcp 1.2.3.4- any -> any any (sid:43;)`, 1, 11, 43, "no range", "first-last"},
		{`alert tcp 1.2.3.4/255.0.255.0 any -> any any (sid:66;)`, 1, 11, 66, "netmask", "/24"},
		{`alert tcp 01.2.3.4 any -> any any (sid:65;)`, 1, 11, 65, "no address", ""},
		{`alert tcp fe80::1%eth0 any -> any any (sid:65;)`, 1, 11, 65, "no address", ""},
		{`alert tcp [1.2.3.4,,5.6.7.8] any -> any any (sid:9;)`, 1, 20, 9, "empty entry", "comma"},
		{`alert tcp [1.2.3.4,[5.6.7.8],x] any -> any any (sid:9;)`, 1, 30, 9, `"x" is no address`, ""},
		{`alert tcp [[1.2.3.4]5.6.7.8] any -> any any (sid:9;)`, 1, 21, 9, "unexpected", "commas"},
		{`alert tcp [] any -> any any (sid:10;)`, 1, 11, 10, "holds nothing", ""},
		{`alert tcp !any any -> any any (sid:11;)`, 1, 11, 11, "the address list !any negates everything", "remove"},
		{`alert tcp any !any -> any any (sid:14;)`, 1, 15, 14, "the port list !any negates everything", "remove"},
		{`alert tcp [::1,!0.0.0.0/0] any -> any any (sid:42;)`, 1, 11, 42, "negates everything", ""},
		{`alert tcp [1.2.3.4,!1.2.3.4] any -> any any (sid:55;)`, 1, 11, 55, "holds nothing", ""},
		{`alert tcp any [80,!80] -> any any (sid:56;)`, 1, 15, 56, "holds nothing", ""},
		{`alert tcp any 90:80 -> any any (sid:15;)`, 1, 15, 15, "backwards", "lower"},
		{`alert tcp any 65536 -> any any (sid:16;)`, 1, 15, 16, `"65536" is no port`, "0 to 65535"},
		{`alert tcp any 80-90 -> any any (sid:17;)`, 1, 15, 17, `"80-90" is no port`, "write 80:90"},
		{`alert tcp any [80:!90] -> any any (sid:48;)`, 1, 16, 48, "negates within a range", "before"},
		{`alert tcp any any -> any any (sid:28)`, 1, 31, 28, "no semicolon", "semicolon"},
		{`alert tcp any any -> any any (sid:29;) # note`, 1, 38, 29, "no semicolon", "nothing may follow"},
		{`alert tcp any any -> any any (msg:"a";; sid:27;)`, 1, 39, 27, "empty option", "remove"},
		{`alert tcp any any -> any any (msg:"p;x"; sid:71;)`, 1, 31, 71, "does not close", `\;`},
		{`alert tcp any any -> any any (content:!"p;x"; sid:71;)`, 1, 31, 71, "the value of content", `\;`},
		{`alert tcp any any -> any any (msg:noquote; sid:22;)`, 1, 31, 22, "double quotes", `msg:"text"`},
		{`alert tcp any any -> any any (msg:""; sid:51;)`, 1, 31, 51, "msg is empty", ""},
		{`alert tcp any any -> any any (msg:"a"; sid:46; msg:"b";)`, 1, 48, 46, "msg is set twice", "one"},
		{`alert tcp any any -> any any (sid:23; sid:24;)`, 1, 39, 23, "sid is set twice", ""},
		{`alert tcp any any -> any any (sid:1; rev:1; rev:2;)`, 1, 45, 1, "rev is set twice", ""},
		{`alert tcp any any -> any any (sid:0;)`, 1, 31, 0, "sid needs a number from 1", ""},
		{`alert tcp any any -> any any (sid:"26";)`, 1, 31, 0, "sid needs a number", ""},
		{`alert tcp any any -> any any (sid:0x21;)`, 1, 31, 33, "sid needs a number", ""},
		{`alert tcp any any -> any any (sid:4294967295;)`, 1, 31, 0, "sid needs a number", ""},
		{`alert tcp any any -> any any (rev:0; sid:70;)`, 1, 31, 70, "rev needs a number from 1", ""},
		{`alert tcp any any -> any any (priority:-3; sid:18;)`, 1, 31, 18, "priority needs a number", ""},
		{`alert tcp any any -> any any (priority:"3"; sid:18;)`, 1, 31, 18, "priority needs a number", ""},
		{`alert tcp any any -> any any (classtype:; sid:19;)`, 1, 31, 19, "no class", ""},
		{"\n\nalert tcp any any -> \\\n  any any (msg:\"x\"; \\\n\tsid:1; bad;;)", 5, 13, 1, "empty option", ""},
		{"alert tcp any any -> \\\n  [any,x] any (sid:2;)", 2, 8, 2, `"x" is no address`, ""},
		{"alert tcp any any -> any any \\\n(sid:1;) \\\n", 1, 1, 1, "file ends within", "backslash"},
		{"  alert tcp any any -> any any (sid:5;)", 1, 3, 5, "begins with a blank", "remove"},
		{"#\n#  alert tcp any any -> any any (sid:5)", 2, 34, 5, "no semicolon", ""},
	} {
		rules, problems := parse(c.text, ParseConfig{Disabled: true})
		if len(rules) != 0 || len(problems) != 1 {
			t.Errorf("%s\n%d rules, problems %v", c.text, len(rules), problems)
			continue
		}
		p := problems[0]
		if p.File != "t.rules" || p.Line != c.line || p.Col != c.col || p.SID != c.sid || p.Warning ||
			!strings.Contains(p.Reason, c.reason) || !strings.Contains(p.Cure, c.cure) {
			t.Errorf("%s\n got %v\nwant %d:%d sid %d %s (%s)", c.text, p, c.line, c.col, c.sid, c.reason, c.cure)
		}
	}
}

// TestGoesOn: a bad rule stops neither the rules before it nor those after.
func TestGoesOn(t *testing.T) {
	rules, problems := parse("alert tcp any any -> any any (sid:1;)\nalert tcp x any -> any any (sid:2;)\n\n"+
		"alert tcp any any -> any any (sid:3;)\nnonsense\nalert tcp any any -> any any (sid:4;)", ParseConfig{})
	if len(rules) != 3 || rules[0].SID != 1 || rules[1].SID != 3 || rules[2].SID != 4 || rules[2].Line != 6 {
		t.Errorf("rules %v", rules)
	}
	if len(problems) != 2 || problems[0].Line != 2 || problems[1].Line != 5 {
		t.Errorf("problems %v", problems)
	}
}

// TestProse: comments are rules only when they have a rule's header.
func TestProse(t *testing.T) {
	for _, s := range []string{
		"# alert: this file is old", "# drop tcp packets -> see below (maybe)", "#pass it on to any other place (thanks)",
		"# alert tcp any any -> any any", "# hello alert tcp any any -> any any (sid:1;)", "#", "# alert", "# reject the idea",
		"  pass over this", " # alert tcp any any -> any any (sid:1;)", "\t",
	} {
		if rules, problems := parse(s, ParseConfig{Disabled: true}); len(rules)+len(problems) > 0 {
			t.Errorf("%q gives %v, %v", s, rules, problems)
		}
	}
	const off = "# alert tcp any any -> any any (sid:1;)"
	if rules, problems := parse(off, ParseConfig{}); len(rules)+len(problems) > 0 {
		t.Errorf("a rule in a comment is read without Disabled")
	}
	r := one(t, off)
	if r.Enabled || r.Options[0].Col != 33 || r.Raw != off[2:] {
		t.Errorf("%+v", r)
	}
}

func TestLines(t *testing.T) {
	r := one(t, "\nalert tcp any \\\n  any -> any any ( \\  \r\n  msg:\"a \\\n b\"; sid:9;)\n# x")
	if r.Line != 2 || r.Msg != "a  b" || r.SID != 9 {
		t.Errorf("%+v", r)
	}
	if m, s := r.Options[0], r.Options[1]; m.Line != 4 || m.Col != 3 || s.Line != 5 || s.Col != 6 {
		t.Errorf("msg at %d:%d, sid at %d:%d", m.Line, m.Col, s.Line, s.Col)
	}
	if p := r.Problem(r.Options[1], badValue("cure", "reason")); p.Error() != "t.rules:5:6: sid 9: reason (cure)" {
		t.Error(p)
	}
	if p := r.Problem(Option{}, badValue("", "reason")); p.Error() != "t.rules:2:1: sid 9: reason" {
		t.Error(p)
	}
	// A rule in a comment goes on in comments only.
	r = one(t, "# alert tcp any any -> any any \\\n#   (msg:\"a\"; \\\n# sid:3;)\n")
	if r.Enabled || r.SID != 3 || r.Options[1].Line != 3 || r.Options[1].Col != 3 {
		t.Errorf("%+v", r)
	}
	rules, _ := parse("# alert tcp any any -> any any (sid:1;) \\\nalert tcp any any -> any any (sid:2;)", ParseConfig{Disabled: true})
	if len(rules) != 2 {
		t.Errorf("a comment swallowed a rule: %v", rules)
	}
}

func TestDouble(t *testing.T) {
	rule := func(comment, msg, id string) string {
		return comment + `alert tcp any any -> any any (msg:"` + msg + `"; ` + id + ")\n"
	}
	for _, c := range []struct {
		name, text string
		want       string // messages that stay
		line       int    // of the problem
		warning    bool
	}{
		{"newer later", rule("", "a", "sid:1; rev:1;") + rule("", "b", "sid:1; rev:2;"), "b", 1, true},
		{"older later", rule("", "a", "sid:1; rev:2;") + rule("", "b", "sid:1; rev:1;"), "a", 2, true},
		{"same rev", rule("", "a", "sid:1; rev:2;") + rule("", "b", "sid:1; rev:2;"), "a", 2, false},
		{"other gid", rule("", "a", "sid:1;") + rule("", "b", "sid:1; gid:2;"), "ab", 0, false},
		{"comment newer", rule("", "a", "sid:1; rev:1;") + rule("# ", "b", "sid:1; rev:2;"), "a", 2, true},
		{"comment first", rule("# ", "a", "sid:1; rev:3;") + rule("", "b", "sid:1; rev:2;"), "b", 1, true},
		{"order", rule("", "a", "sid:1;") + rule("", "b", "sid:2;") + rule("", "c", "sid:1; rev:1;"), "bc", 1, true},
	} {
		rules, problems := parse(c.text, ParseConfig{Disabled: true})
		got := ""
		for _, r := range rules {
			got += r.Msg
		}
		if got != c.want {
			t.Errorf("%s: %q stay, want %q", c.name, got, c.want)
		}
		if c.line == 0 {
			if len(problems) > 0 {
				t.Errorf("%s: %v", c.name, problems)
			}
		} else if len(problems) != 1 || problems[0].Line != c.line || problems[0].Warning != c.warning || problems[0].SID != 1 {
			t.Errorf("%s: problems %v", c.name, problems)
		}
	}
}

func TestWarnings(t *testing.T) {
	rules, problems := parse("alert tcp any any -> any any (sid:1; priority:5; priority:2; classtype:a; classtype:b; gid:2; gid:3;)", ParseConfig{})
	if len(rules) != 1 || rules[0].GID != 3 || rules[0].Priority != 2 || rules[0].Classtype != "a" {
		t.Fatalf("%+v", rules)
	}
	if len(problems) != 3 || !problems[0].Warning || problems[0].Col != 50 || problems[0].SID != 1 || problems[1].Col != 75 {
		t.Errorf("%v", problems)
	}
}

func TestProtoHook(t *testing.T) {
	r := one(t, "alert dns:request_complete any any -> any any (sid:1;)")
	if p, h := r.ProtoHook(); p != "dns" || h != "request_complete" {
		t.Error(p, h)
	}
	if p, h := one(t, "alert HTTP any any -> any any (sid:1;)").ProtoHook(); p != "HTTP" || h != "" {
		t.Error(p, h)
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"tcp", "udp", "http", "http2", "dns", "content", "isdataat"}
	for word, want := range map[string]string{
		"tpc": "tcp", "htp": "http", "http": "", "contnet": "content", "isdatat": "isdataat", "contentt": "content",
		"zzz": "", "x": "", "": "", "conxxxt": "", strings.Repeat("a", 100): "",
	} {
		if got := Suggest(word, known); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

// TestMessages: problems repeat the rule's text short and without controls.
func TestMessages(t *testing.T) {
	const evil = "\x1b[31m\x00\u009b1m\xff"
	for _, text := range []string{
		evil + " tcp any any -> any any (sid:1;)",
		"alert tcp " + evil + " any -> any any (sid:1;)",
		"alert tcp $" + evil + " any -> any any (sid:1;)",
		"alert tcp !any" + evil + " any -> any any (sid:1;)",
		"alert tcp any " + evil + "-1 -> any any (sid:1;)",
		"alert tcp any 80-" + evil + " -> any any (sid:1;)",
		"alert tcp any any " + evil + " any any (sid:1;)",
		"alert tcp any any -> any any (" + evil + ":\"; sid:1;)",
		"alert tcp any any -> any any (sid:1; " + evil + ")",
		"alert tcp any any -> any any (sid:" + evil + ";)",
		"alert tcp any any -> any any (sid:1; classtype:" + evil + ";)",
		"alert tcp any any -> any " + strings.Repeat("x", 5000) + " (sid:1;)",
	} {
		_, problems := parse(text, ParseConfig{})
		if len(problems) != 1 {
			t.Fatalf("%q: %v", text, problems)
		}
		s := problems[0].Error()
		if len(s) > 400 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(s) {
			t.Errorf("%q", s)
		}
	}
}

// A rule both ways between the same ends is one way: it must not match twice.
func TestBothWays(t *testing.T) {
	for header, want := range map[string]bool{
		"any any <> any any":                  false,
		"$HOME_NET any <> $HOME_NET any":      false,
		"[192.0.2.1] 80 <> 192.0.2.1/32 [80]": false,
		"any any <> any 80":                   true,
		"any any <> $HOME_NET any":            true,
		"any any -> any 80":                   false,
	} {
		rs, problems := Parse("t.rules", strings.NewReader("alert tcp "+header+" (sid:1;)\n"), ParseConfig{Vars: DefaultVars()})
		if len(problems) > 0 || len(rs) != 1 {
			t.Fatalf("%s: %v", header, problems)
		}
		if rs[0].Both != want {
			t.Errorf("%s: both ways %v", header, rs[0].Both)
		}
	}
}
