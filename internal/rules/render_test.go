package rules

import (
	"os"
	"path/filepath"
	"testing"
)

// again renders rules in one file and reads it back.
func again(t testing.TB, rules []*Rule) {
	t.Helper()
	var text []byte
	for _, r := range rules {
		text = append(append(text, r.String()...), '\n')
	}
	back, problems := parse(string(text), ParseConfig{Disabled: true})
	if len(problems) > 0 || len(back) != len(rules) {
		t.Fatalf("%d of %d rules read back, %v", len(back), len(rules), problems)
	}
	for i, r := range rules {
		if err := same(r, back[i]); err != nil {
			t.Fatalf("rendered: %s\n%v", r, err)
		}
		if back[i].String() != r.String() {
			t.Fatalf("rendered twice: %s\n%s", r, back[i])
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rules, problems := parse(`alert tcp   [ $HOME_NET , !10.0.0.1 ]  [ 1: , !9 ]  <> !$HOME_NET !80 ( msg : "a\;b" ; content:"|00|" ;nocase ; sid : 1;rev:3; )
#drop  http any any => any any (nocase:; sid:2; gid:4)
reject tls:client_hello_done any any -> any any \
   (msg:"two \
      lines"; sid:3; metadata: a b, c d;)
# pass ip any any -> any any (sid:4; reference: url,x.y/z; )`, ParseConfig{Disabled: true})
	if len(rules) != 3 || len(problems) != 1 { // the second has no semicolon at its end
		t.Fatalf("%d rules, %v", len(rules), problems)
	}
	again(t, rules)
	if got, want := rules[0].String(), `alert tcp [ $HOME_NET , !10.0.0.1 ] [ 1: , !9 ] <> !$HOME_NET !80 (msg:"a\;b"; content:"|00|"; nocase; sid:1; rev:3;)`; got != want {
		t.Errorf("%s\nis not\n%s", got, want)
	}
}

func TestRoundTripCorpus(t *testing.T) {
	rules, _ := Load(ParseConfig{Disabled: true}, testdata(t, "the round trip of 25,349 rules", "rules/et-open-2025-08"))
	again(t, rules)
	dir := testdata(t, "the round trip of suricata-verify", "captures/suricata-verify/tests")
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".rules" {
			rules, _ := Load(ParseConfig{Disabled: true}, name)
			again(t, rules)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
