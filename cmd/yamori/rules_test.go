package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testRules = `alert tcp any any -> any any (msg:"A miner's login"; flow:established,to_server; content:"method|22 3a 22|login"; reference:url,example.org/x; classtype:coin-mining; sid:11; rev:3;)
alert tcp any any -> any any (msg:"Wrong word"; flow:established,to_server; content:"method"; content:"logout"; distance:3; sid:12;)
alert tcp any any -> any 80 (msg:"Wrong port"; content:"method"; sid:13;)
alert tcp any any -> any any (msg:"Wrong way"; flow:to_client; content:"method"; sid:14;)
alert http any any -> any any (msg:"Wrong protocol"; http.uri; content:"method"; sid:15;)
alert udp any any -> any any (msg:"Wrong transport"; content:"method"; sid:16;)
alert tcp any any -> any any (msg:"Wrong flags"; flags:R; sid:17;)
alert tcp any any -> any any (msg:"Silent"; content:"method"; noalert; sid:18;)
alert tcp any any -> any any (msg:"Broken"; kontent:"method"; sid:19;)
# alert tcp any any -> any any (msg:"In a comment"; content:"login"; sid:20;)
`

func TestRulesCommands(t *testing.T) {
	dir := t.TempDir()
	file, pcap, sock := filepath.Join(dir, "t.rules"), filepath.Join(dir, "capture.pcap"), filepath.Join(dir, "no.sock")
	writeCapture(t, pcap)
	if err := os.WriteFile(file, []byte(testRules), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		code   int
		stdout string // contained
		stderr string
	}{
		{"rules check " + file, 1, "Rules: 9; 8 load, 1 do not.", ""},
		{"rules list " + file, 0, "       19  rev 0    alert   failed    Broken: unknown option \"kontent\"", ""},
		{"rules list " + file, 0, "       11  rev 3    alert   stream    A miner's login", ""},
		{"rules list --disabled --sid 20 -o csv " + file, 0, "20,1,0,alert,In a comment,,disabled," + file + ",10,", ""},
		{"rules list --msg MINER -o json " + file, 0, `"state": "stream"`, ""},
		{"rules list", 0, "1741001", ""},
		{"rules list -o xml", 2, "", `output "xml": use human, json or csv`},
		{"rules show 11 " + file, 0, `prefilter   method|22 3a 22|login in payload`, ""},
		{"rules show 11 " + file, 0, `reference   https://example.org/x`, ""},
		{"rules show 19 " + file, 0, `did you mean content?`, ""},
		{"rules show -o json 1:11 " + file, 0, `"category": "Crypto Currency Mining Activity Detected"`, ""},
		{"rules show 99 " + file, 1, "", "sid 99: no rule has this sid; see yamori rules list"},
		{"rules show x " + file, 2, "", `sid "x": write its number`},
		{"rules show", 2, "", "see 'yamori rules show --help'"},
		{"rules test 11 " + pcap + " --rules " + file, 0, "It alerts.\n  alert: packet 5, 2026-01-01T00:00:00.045000Z, TCP 192.168.1.2:40000 -> 198.51.100.7:3333", ""},
		{"rules test 12 " + pcap + " --rules " + file, 1, `this option fails on payload: content:"logout"`, ""},
		{"rules test 12 " + pcap + " --rules " + file, 1, `bytes): {|22|id|22 3a|1,`, ""},
		{"rules test 13 " + pcap + " --rules " + file, 1, "the destination port never fits", ""},
		{"rules test 14 " + pcap + " --rules " + file, 1, "there was never a payload to look into", ""},
		{"rules test 15 " + pcap + " --rules " + file, 1, "no flow was recognised as http", ""},
		{"rules test 16 " + pcap + " --rules " + file, 1, "no packet is of the rule's protocol (udp)", ""},
		{"rules test 17 " + pcap + " --rules " + file, 1, "this option never holds: flags:R", ""},
		{"rules test 18 " + pcap + " --rules " + file, 1, "noalert or a pass rule keeps the alert back.\n  match: packet", ""},
		{"rules test 19 " + pcap + " --rules " + file, 1, "", "the rule cannot be loaded: " + file + ":9"},
		{"rules test 20 " + pcap + " --rules " + file, 0, "It alerts.", ""},
		{"rules test -o json 16 " + pcap + " --rules " + file, 1, `"stage": "protocol"`, ""},
		{"rules test 11 " + filepath.Join(dir, "none.pcap") + " --rules " + file, 1, "", "none.pcap"},
		{"rules test 11", 2, "", "see 'yamori rules test --help'"},
		{"rules check --lang ja " + file, 1, "規則 9 件：読み込めるもの 8 件、読み込めないもの 1 件。", ""},
		{"rules show --lang ja 11 " + file, 0, "前段        method|22 3a 22|login（payload の中）", ""},
		{"rules show --lang ja 99 " + file, 1, "", "sid 99：この sid の規則はありません"},
		{"rules test --lang ja 11 " + pcap + " --rules " + file, 0, "警告を出します。\n  警告：パケット 5、", ""},
		{"rules test --lang ja 12 " + pcap + " --rules " + file, 1, `payload でこのオプションが一致しません：content:"logout"`, ""},
		{"rules test --lang ja 13 " + pcap + " --rules " + file, 1, "宛先のポート が規則と一度も合いません", ""},
		{"rules test --lang ja -o json 16 " + pcap + " --rules " + file, 1, `"why": "no packet is of the rule's protocol (udp)"`, ""},
		{"rules test --lang xx 16 " + pcap + " --rules " + file, 2, "", `language "xx": use en or ja`},
		{"rules keywords --lang ja byte_jump", 0, "例： ", ""},
		{"rules chek", 2, "", "see 'yamori rules --help'"},
		{"rules keywords byte_jump", 0, "example: ", ""},
		{"rules keywords bytejump", 1, "", "did you mean byte_jump?"},
		{"rules keywords -o csv", 0, "family,name,aliases,doc,example,inert\n", ""},
		{"rules reload --socket " + sock, 1, "", "yamori is not running"},
		{"rules reload -o csv", 2, "", `output "csv": use human or json`},
		{"replay -o eve --no-builtin --rules " + file + " " + pcap, 0, `"signature_id":11`, ""},
		{"__complete rules keywords http.u", 0, "http.uri", ""},
	} {
		code, out, errs := call(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.stdout) || !strings.Contains(errs, c.stderr) {
			t.Errorf("yamori %s\nexit %d, want %d\nstdout: %s\nstderr: %s", c.args, code, c.code, out, errs)
		}
	}
}

func TestRulesCheckShape(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.rules")
	if err := os.WriteFile(file, []byte(testRules), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ := call(t, "rules", "check", "-o", "json", "--disabled", file)
	var s struct {
		Total, Loaded, Failed int
		Problems              []struct {
			File, Reason, Cure string
			Line, Column, SID  int
		}
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	if s.Total != 10 || s.Loaded != 9 || s.Failed != 1 || len(s.Problems) != 1 {
		t.Fatalf("%+v", s)
	}
	if p := s.Problems[0]; p.File != file || p.Line != 9 || p.Column != 45 || p.SID != 19 || !strings.Contains(p.Reason, "kontent") || p.Cure == "" {
		t.Errorf("%+v", p)
	}
}
