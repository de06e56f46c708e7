package stratum

import (
	"os"
	"strings"
	"testing"
)

// TestReadme keeps the README true: its example is what the session gives, and
// it names every dialect, buffer and anomaly.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{sessionEvent}
	for _, b := range Protocol.Buffers {
		want = append(want, "`"+b.Name+"`")
	}
	for _, d := range dialects[1:] {
		if d == "ethereumstratum-2.0" {
			d = "-2.0" // in short, beside 1.0
		}
		want = append(want, "`"+d+"`")
	}
	for _, w := range append(want, "`malformed_message`", "`message_over_limit`", "`junk_between_messages`") {
		if !strings.Contains(string(b), w) {
			t.Errorf("README.md does not hold %s", w)
		}
	}
}

// TestMarks: the table of marks is complete, and no mark is enough alone.
func TestMarks(t *testing.T) {
	codes := map[string]bool{}
	for m := range NumMarks {
		if m.Code() == "" || m.Doc() == "" || codes[m.Code()] || m.Weight() <= 0 || m.Weight() >= Certain {
			t.Errorf("mark %d: %+v", m, marks[m])
		}
		codes[m.Code()] = true
		var s Session
		if s.Mark(m); s.Mining() {
			t.Errorf("%s alone is enough", m.Code())
		}
	}
	for g := range ByHeader + 1 {
		var s Session
		for m := range NumMarks {
			if marks[m].Group == g {
				s.Mark(m)
			}
		}
		if w, groups := s.Marks.Sum(); s.Mining() || groups != 1 || w <= 0 {
			t.Errorf("marks of group %d alone are enough", g)
		}
	}
}

func TestMethodNames(t *testing.T) {
	for i := range methods {
		if m := &methods[i]; m.method != MiningOther && methodOf([]byte(m.name)) != m.method {
			t.Errorf("%s", m.name)
		}
	}
	for name, want := range map[string]Method{
		"mining.ping": MiningOther, "mining.": Other, "etc_submitLogin": EthSubmitLogin, "ckb_getWork": EthGetWork, "auth_submitLogin": Other,
		"ckb_submitWork": EthSubmitWork, "alph_submitHashrate": EthSubmitRate, "etc_x": Other, "eth_getLogs": Other, "": Other, "Login": Other,
	} {
		if got := methodOf([]byte(name)); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	s := Session{Methods: 1<<Subscribe | 1<<Authorize | 1<<Login, Dialect: DialectStratum}
	if got := s.MethodNames(MarkMethod); got != "mining.subscribe, mining.authorize" {
		t.Errorf("%q", got)
	}
	s = Session{Methods: 1 << EthSubmitLogin, Dialect: DialectCKB}
	if got := s.MethodNames(MarkMethod); got != "ckb_submitLogin" {
		t.Errorf("%q", got)
	}
}
