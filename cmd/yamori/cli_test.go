package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
)

var (
	someTime  = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d`)
	someEntry = regexp.MustCompile(`\b[a-z2-7]{10}\b`)
)

// steady replaces what differs from run to run by something of the same width.
func steady(s string) string {
	s = someTime.ReplaceAllString(s, "2026-01-01 00:00")
	return someEntry.ReplaceAllStringFunc(s, func(m string) string {
		if m == "quarantine" || m == "confidence" || m == "everything" || m == "connection" {
			return m
		}
		return "entry00000"
	})
}

// TestCommands runs commands against a daemon, one after the other, and holds
// what they say to the letter.
func TestCommands(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	for _, c := range []struct {
		args   string // blanks apart; _ is a blank within
		stdout string
	}{
		{"devices --kind camera", `
ID                     NAME           WHAT               WHOSE  ADDRESS      STATE  LAST SEEN
mac:02:00:5e:10:00:01  garden-camera  probably a camera         192.168.1.7  here   2026-01-01 00:00
`},
		{"devices --kind nas", "No devices.\n"},
		{"devices --kind nas --lang ja", "機器はありません。\n"},
		{"devices --kind nas -o json", "[]\n"},
		{"devices --match tablet -o csv", "id,name,kind,os,maker,model,confidence,person,addresses,state,last\r\n" +
			"mac:02:00:5e:10:00:03,tablet,*,192.168.1.9,online,*\r\nmac:02:00:5e:10:00:02,tablet,*,192.168.1.8,online,*\r\n"},
		{"devices name 192.168.1.7 庭のカメラ", `
mac:02:00:5e:10:00:01
  name          庭のカメラ (as you said)
  what          probably a camera
  sure          76 %
  calls itself  garden-camera
  hardware      02:00:5e:10:00:01 (private: chosen by the device)
  addresses     192.168.1.7
  state         here
  first seen    2026-01-01 00:00
  last seen     2026-01-01 00:00
  why it is thought so:
    4.5  the name it gave when it asked for an address  garden-camera
`},
		{"devices person 02-00-5E-10-00-01 花子 --lang ja", `
mac:02:00:5e:10:00:01
  名前      庭のカメラ（ご指定）
  種類      おそらくカメラ
  確かさ    76 %
  持ち主    花子（ご指定）
  自称      garden-camera
  MAC       02:00:5e:10:00:01（プライベートアドレス）
  アドレス  192.168.1.7
  状態      在宅
  最初      2026-01-01 00:00
  最後      2026-01-01 00:00
  そう判断した理由：
    4.5  アドレスを求めたときに名乗った名前  garden-camera
`},
		{"devices list --kind camera --lang ja", `
ID                     名前        種類            持ち主  アドレス     状態  最後
mac:02:00:5e:10:00:01  庭のカメラ  おそらくカメラ  花子    192.168.1.7  在宅  2026-01-01 00:00
`},
		{"devices kind garden-camera nas --lang ja", "*NAS）（ご指定）*"},
		{"devices kind garden-camera _", "*probably a camera*"},
		{"devices name garden-camera _", "*name          garden-camera\n*"},
		{"devices os garden-camera OpenIPC", "*\n  system        OpenIPC (as you said)\n*"},
		{"devices maker garden-camera 工房", "*\n  maker         工房 (as you said)\n*"},
		{"devices model garden-camera X1 --lang ja", "*\n  型番      X1（ご指定）\n*"},
		{"devices show garden-camera -o json", "*\"person\",\n    \"os\",\n    \"maker\",\n    \"model\"\n  ]*"},
		{"devices os garden-camera _", "*name          garden-camera\n*"},
		{"devices maker garden-camera _", "*name*"},
		{"devices model garden-camera _", "*name          garden-camera\n  what          probably a camera\n*"},
		{"events", `
ID  LAST              TIMES  STATE  SURE       DONE              WHAT
2   2026-01-01 00:00  1      new    confirmed  would be stopped  garden-camera is mining cryptocurrency (monero), for the pool pool.example:3333.
`},
		{"events --lang ja", `
ID  最後              回数  状態  確かさ  対応          内容
2   2026-01-01 00:00  1     新着  確実    保護なら遮断  garden-camera が仮想通貨（monero）の採掘（マイニング）をしています。接続先：pool.example:3333
`},
		{"events --device garden-camera --since 1h --category scan", "Nothing was found.\n"},
		{"events --until yesterday", "Nothing was found.\n"},
		{"events show latest", `
garden-camera is mining cryptocurrency (monero), for the pool pool.example:3333. [confirmed]
  2026-01-01 00:00, once
  How we know:
    - It logged in the way miners log in to a pool (worker` + "\ufffd" + `]0;x)
  Yamori would have stopped it, but is only watching.
  If this is you, nothing. If not: unplug the device, update it, change its password, then connect it again.
  state       new
  device      mac:02:00:5e:10:00:01 garden-camera
  category    mining stratum
  other side  203.0.113.77
  rule        1002 mining
`},
		{"events show 2 --lang ja", "*  見守り中のため、通信は止めていません（保護モードなら止めます）。\n*  状態  新着\n*"},
		{"events ignore latest --for 1h --note mine", "*ignored*"},
		{"events solved 2", "*solved*"},
		{"events seen 2 -o json", `*"state": "seen"*`},
		{"events -o eve", `{"timestamp":*"event_type":"alert"*"category":"mining"*}` + "\n"},
		{"events -o csv", "id,time,last,count,device,*\n2,*"},
		{"allow garden-camera --category scan --for 1h --reason a_test", `
ID          KIND     WHAT                UNTIL             USED  BY     REASON
entry00000  allowed  garden-camera scan  2026-01-01 00:00  0     uid:0  a test
`},
		{"allow --rule 2008983 --dest 203.0.113.0/24", "*→ 203.0.113.0/24 rule 2008983*removed*"},
		{"allow --mining --pool pool.example:3333", "*own mining  pool pool.example:3333*"},
		{"allow undo", "Taken back: added (own mining) entry00000\n"},
		{"allow list --device garden-camera --lang ja", `
ID          種類  対象                期限              適用  設定者  理由
entry00000  許可  garden-camera 探り  2026-01-01 00:00  0     uid:0   a test
`},
		{"allow remove garden-camera", "Ended: entry00000\nyamori undo takes the last one back.\n"},
		{"undo", "Taken back: removed (allowed) entry00000\n"},
		{"block 2001:db8::/32 --port 23 --for 1w", "*blocked  → 2001:db8::/32 port 23  2026-01-01 00:00*"},
		{"block *.bad.example --device garden-camera --reject", "*garden-camera → bad.example*"},
		{"block list -o csv", "id,kind,about,until,active,hits,author,reason,created\r\n*,block,*\r\n*,block,garden-camera*\r\n"},
		{"block remove garden-camera --lang ja", "解除しました：entry00000\n最後のものは yamori undo で元に戻せます。\n"},
		{"quarantine garden-camera --for 1d", "*quarantined  garden-camera  2026-01-01 00:00*"},
		{"pause garden-camera --schedule mon-fri_21:00-06:00;_土,日_23-8", `*paused  garden-camera  mon-fri 21:00-06:00; sat,sun 23:00-08:00*`},
		{"devices show garden-camera", "*here, quarantined*"},
		{"quarantine remove garden-camera", "Ended: *"},
		{"quarantine list", "No device is quarantined.\n"},
		{"pause resume garden-camera", "Ended: *"},
		{"pause 192.168.1.7 until-morning", "*paused  garden-camera  2026-01-01 00:00*"},
		{"policy", "Mode watch: findings are told, nothing is blocked by itself.\n"},
		{"policy protect --lang ja", "保護モード：見つかった脅威を遮断することがあります。\n"},
		{"policy", "Mode protect: findings may block.\nBut yamori does not stand in the packets' way*"},
		{"policy changes", "*mode changed*uid:0\n"},
		{"undo --lang ja", "元に戻しました：モード変更\n"},
		{"policy -o json", "{\n  \"mode\": \"watch\"\n}\n"},
		{"policy never add 192.168.1.53 --reason DNS", "*never blocked  → 192.168.1.53*DNS\n"},
		{"policy never", "*192.168.1.53*"},
		{"policy actions add confirmed --category scan", "*decides  scan from confirmed*"},
		{"policy actions list -o json", `*"at": "confirmed"*`},
		{"settings language=ja retention.findings=30 look=on", "*language            ja     language of pages and notices*retention.findings  30     days*"},
		{"settings --lang ja -o csv", "name,value,about\r\n*look,on,機器への問い合わせを許可する\r\n*"},
		{"tokens", "There are no tokens.\n"},
		{"tokens add home_assistant --days 30", "ymr_*\nThis is shown once; *It may read, until 2026-01-01 00:00.\n"},
		{"tokens revoke home_assistant", "Ended: *\n"},
		{"users", "Nobody can log in yet; make a user with: yamori users add NAME --role owner\n"},
		{"flows --device garden-camera", `
DEVICE         FROM               TO                 NAME  SPEAKS  SENT    RECEIVED  SINCE
garden-camera  192.168.1.7:40000  [2001:db8::9]:443        tls     1.5 kB  2.5 MB    -
`},
		{"flows --app-proto ssh", "No connection is open.\n"},
		{"timeline --kind finding", `
WHEN              WHAT                                                                              EVENT
2026-01-01 00:00  garden-camera is mining cryptocurrency (monero), for the pool pool.example:3333.  2
`},
		{"audit-log --action policy.set -o csv", "time,actor,via,action,target,outcome,detail\r\n*,uid:0,socket,policy.set,,ok,mode=protect\r\n"},
		{"audit-log --actor nobody", "No such lines.\n"},
		{"report -o json", `*"mining_share": 1,*"label": "garden-camera"*`},
		{"report --from 1d", "*1 of them cryptocurrency mining (100.0\u00a0%)*"},
		{"report --lang ja -o html", "<!doctype html>*仮想通貨*</html>\n"},
		{"devices record garden-camera", "*findings *  1 *"},
		{"forget garden-camera --yes -o json", `*"findings": 1*`},
		{"events", "Nothing was found.\n"},
	} {
		args := strings.Fields(c.args)
		for i := range args {
			args[i] = strings.TrimSpace(strings.ReplaceAll(args[i], "_", " "))
		}
		code, stdout, stderr := x.call(args...)
		want := strings.TrimPrefix(c.stdout, "\n")
		if code != 0 || !like(steady(stdout), want) {
			t.Errorf("%s: exit %d\n%s%s\nwanted:\n%s", c.args, code, fit(steady(stdout), 3000), stderr, want)
		}
	}
}

// like compares with a pattern in which * stands for anything.
func like(s, pattern string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return s == pattern
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, last)
}

// TestWrongUse: a wrong argument is said with its cure, and ends with 2; what
// the house refuses with 1.
func TestWrongUse(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	none := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct {
		args string
		code int
		text string
	}{
		{"devices nonsense", 2, `unknown command "nonsense" for "yamori devices"`},
		{"devices -o xml", 2, `output "xml": use human, json or csv`},
		{"devices --lang de", 2, `language "de": use en or ja`},
		{"devices --kind toaster", 2, `--kind "toaster": use computer, phone`},
		{"devices show", 2, "write: yamori devices show DEVICE [flags]; see 'yamori devices show --help'"},
		{"devices show tablet", 1, "2 devices are meant by \"tablet\"; name one by its id:\n  mac:02:00:5e:10:00:03  tablet  192.168.1.9\n  mac:02:00:5e:10:00:02  tablet  192.168.1.8"},
		{"quarantine TABLET", 1, "2 devices are meant"},
		{"devices show came", 1, "did you mean:\n  mac:02:00:5e:10:00:01  garden-camera  192.168.1.7"},
		{"devices show 192.168.1.99", 1, "no device is \"192.168.1.99\"; yamori devices lists them"},
		{"devices show x\x1b[2J", 1, "no device is \"x\ufffd[2J\""},
		{"devices kind garden-camera toaster", 2, `use computer, phone`},
		{"devices merge garden-camera 192.168.1.7", 2, "both are the same device"},
		{"devices split garden-camera 02:00", 2, "is no hardware address"},
		{"devices split garden-camera 02:00:5e:10:00:02", 1, "is not an address of mac:02:00:5e:10:00:01"},
		{"devices split garden-camera 02:00:5e:10:00:01", 1, "macs: a device keeps at least one of its addresses"},
		{"devices look garden-camera", 1, "yamori settings look=on"},
		{"events --category nonsense", 2, "--category \"nonsense\": use mining"},
		{"events --since soon", 2, "--since \"soon\" is no time; write a day"},
		{"events --limit -1", 2, "--limit -1: use 0 for all"},
		{"events --follow -o csv", 2, "--follow writes human, json or eve"},
		{"events --verdict likely -o eve", 2, "use -o json"},
		{"events --device nobody", 1, "no device is \"nobody\""},
		{"events show 99", 1, "there is no event \"99\" (any more); yamori events lists them"},
		{"events show x/../y", 1, "there is no event"},
		{"events seen 99", 1, "there is no event \"99\""},
		{"events ignore 2 --for never", 2, "\"never\" is no time to last; write 15m, 1h, 2d, 1w or until-morning"},
		{"events capture 2", 2, "name the file to write: -w event-2.pcapng"},
		{"events capture 2 -w " + none, 1, "no packets are kept of event \"2\""},
		{"events capture latest -w " + none + "/a/b", 1, "choose another place with -w"},
		{"allow", 2, "say what to allow: a device, --dest"},
		{"allow --mining", 2, "say what is yours: a device, --pool or --wallet"},
		{"allow --mining garden-camera --category scan", 2, "--mining goes with a device"},
		{"allow garden-camera --for 0s", 2, "is no time to last"},
		{"allow garden-camera --for 20000d", 2, "longer than ten years"},
		{"allow garden-camera --rule abc", 2, "--rule \"abc\": write the number of a rule"},
		{"allow garden-camera --dest nonsense", 1, "\"nonsense\" is not an address or a network"},
		{"allow garden-camera --port 70000", 2, "--port 70000: use 1 to 65535"},
		{"allow remove nothing", 1, "\"nothing\" is neither an entry of this list nor a device"},
		{"allow remove garden-camera", 1, "there is nothing of this kind about \"garden-camera\"; see yamori allow list"},
		{"allow undo", 1, "there is nothing to take back"},
		{"undo 99", 1, "there is no change \"99\""},
		{"block", 2, "say what to block"},
		{"block 203.0.113", 2, "is no address, network or name"},
		{"block https://bad.example/", 2, "is no address, network or name"},
		{"block 0.0.0.0/0", 1, "pause or quarantine a device instead"},
		{"quarantine", 2, "write: yamori quarantine DEVICE [flags]"},
		{"pause garden-camera soon", 2, "\"soon\" is no time to last"},
		{"pause garden-camera 1h --schedule daily", 2, "a time or a schedule, not both"},
		{"pause garden-camera --schedule daily", 2, "is no stretch of a day"},
		{"pause garden-camera --schedule someday_1-2", 2, `"someday" are no days`},
		{"pause garden-camera --schedule mon_25-26", 2, `"25-26" is no stretch of a day`},
		{"policy attack", 2, `mode "attack": use watch or protect`},
		{"policy never add", 2, "say what is never to be blocked"},
		{"policy actions add often", 2, "use never, likely or confirmed"},
		{"settings colour=red", 2, `there is no setting "colour"; there are language, time_zone`},
		{"settings look", 2, "write NAME=VALUE"},
		{"settings look=maybe", 2, "look: \"maybe\": use on or off"},
		{"settings time_zone=Nowhere/Atall", 1, "time_zone: is no IANA name such as Asia/Tokyo"},
		{"settings retention.findings=x", 2, "use 1 to 36500 days"},
		{"settings retention.coffee=1", 1, "retention: is for "},
		{"report --from 2026-13", 2, "is no date; write a day (2026-09-04)"},
		{"report --demo --from 2020", 2, "begins"},
		{"report --demo --from 2020 --to 2021", 2, "the demonstration knows the year 2017 alone"},
		{"report -o xml", 2, "use human, json, html or csv"},
		{"tokens add x --scope root", 2, "--scope \"root\": use read, act or admin"},
		{"tokens add x --days 0", 2, "--days 0: use 1 to 731"},
		{"tokens revoke nothing", 1, "there is no token \"nothing\""},
		{"users add kenji", 2, "--role viewer, member or owner"},
		{"users change kenji", 2, "nothing to change"},
		{"users remove kenji", 1, "there are no users yet; make the first one with: yamori users add kenji --role owner"},
		{"passwd kenji", 1, "there are no users yet"},
		{"forget garden-camera", 2, "add --yes when you are sure"},
		{"forget mac:02:00:00:00:00:99 --yes", 1, "no device is"},
		{"restore " + none, 1, "check the name, or use - for standard input"},
		{"restore - --passphrase-file -", 2, "standard input cannot be the backup and the passphrase"},
		{"backup --passphrase-file " + none, 1, "no such file"},
		{"timeline --kind x", 2, "--kind \"x\": use finding"},
		{"audit-log --limit -3", 2, "--limit -3"},
		{"flows --limit -3", 2, "--limit -3"},
	} {
		stdin(t, "")
		args := strings.Fields(c.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "_", " ")
			if strings.HasPrefix(c.args, "settings") {
				args[i] = strings.Fields(c.args)[i]
			}
		}
		code, stdout, stderr := x.call(args...)
		if code != c.code || !strings.Contains(stderr, c.text) || !strings.HasPrefix(stderr[max(0, strings.LastIndex(stderr, "yamori: ")):], "yamori: ") {
			t.Errorf("%s: exit %d, not %d\n%s%s\nwanted: %s", c.args, code, c.code, stdout, stderr, c.text)
		}
	}
}

// TestNobodyThere: without a daemon every command says how to start one, and
// completion is silent.
func TestNobodyThere(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "none")
	for _, c := range []string{"devices", "devices show x", "events", "events --follow", "events -o eve", "timeline", "flows", "report", "allow x", "allow list", "block 192.0.2.1", "quarantine x",
		"pause x", "policy", "undo", "forget x --yes", "settings", "backup -w " + filepath.Join(t.TempDir(), "b"), "restore " + os.Args[0] + " --yes", "passwd x", "users", "tokens", "audit-log"} {
		code, _, stderr := call(t, append(strings.Fields(c), "--socket", sock)...)
		if code != exitError || !strings.Contains(stderr, "yamori is not running") || !strings.Contains(stderr, "sudo yamori run") {
			t.Errorf("%s: exit %d, %s", c, code, stderr)
		}
	}
	code, stdout, stderr := call(t, "__complete", "devices", "show", "--socket", sock, "")
	if code != 0 || stdout != ":4\n" || strings.Contains(stderr, "running") {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	if code, stdout, _ := call(t, "report", "--demo", "--socket", sock); code != 0 || !strings.Contains(stdout, "45,600,000") {
		t.Errorf("the demonstration: %d %s", code, stdout)
	}
}

// TestHelp: every command has an example that names it, and those that ask the
// daemon have the flags of all.
func TestHelp(t *testing.T) {
	n := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if c.Hidden || c.Name() == "completion" || c.Name() == "help" || c.HasParent() && (c.Parent().Name() == "completion") {
			return
		}
		n++
		if !strings.Contains(c.Example, c.CommandPath()) && c.HasParent() {
			t.Errorf("%s: no example names it:\n%s", c.CommandPath(), c.Example)
		}
		if c.Short == "" || c.HasParent() && !c.Parent().HasParent() && c.GroupID == "" {
			t.Errorf("%s: no description, or in no group of the help", c.CommandPath())
		}
		if f := c.Flags().Lookup("lang"); f != nil && c.Flags().Lookup("socket") != nil && c.Name() != "run" {
			for _, name := range []string{"output", "config"} {
				if c.Flags().Lookup(name) == nil {
					t.Errorf("%s: no --%s", c.CommandPath(), name)
				}
			}
			if c.Flags().ShorthandLookup("o") == nil {
				t.Errorf("%s: no -o", c.CommandPath())
			}
		}
		for line := range strings.Lines(c.Example) {
			if !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: an example is not set in: %q", c.CommandPath(), line)
			}
		}
	}
	walk(newRoot(os.Stdout, os.Stderr))
	if n < 60 {
		t.Errorf("only %d commands", n)
	}
}

// TestTerminal: nothing that a device says of itself moves the terminal.
func TestTerminal(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	x.find(4, 78)
	for _, c := range []string{"devices", "devices show 192.168.1.10", "devices record 192.168.1.10", "events", "events show latest", "timeline", "flows", "report", "quarantine 192.168.1.10", "block list",
		"__complete devices show", "devices show printer"} {
		for _, o := range []string{"human", "json", "csv", "eve"} {
			args := append(strings.Fields(c), "-o", o, "--socket", x.socket)
			if strings.HasPrefix(c, "__complete") {
				args = append(args, "")
			}
			code, stdout, stderr := call(t, args...)
			if code == exitUsage {
				continue // not an output of this command
			}
			if i := strings.IndexFunc(stdout+stderr, func(r rune) bool { return !visible(r) && !strings.ContainsRune("\n\r\t", r) }); i >= 0 {
				t.Errorf("%s -o %s: %q", c, o, (stdout + stderr)[i:min(i+20, len(stdout+stderr))])
			}
			if o == "human" && c != "flows" && !strings.Contains(stdout+stderr, "evil") {
				t.Errorf("%s -o %s shows no name:\n%s", c, o, stdout+stderr)
			}
		}
	}
	if unicode.IsPrint('\u202e') {
		t.Error("marks that turn the writing round would be shown")
	}
}
