package rules

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	a := write("a.rules", "alert tcp $HOME_NET any -> any any (sid:1; rev:1;)\n")
	b := write("b.rules", "\nalert tcp $HOME_NET any -> any any (sid:1; rev:2;)\nalert ip any any -> any any (sid:2;)")
	write("note.txt", "no rules")
	odd := write("o[d]d/c.rules", "alert ip any any -> any any (sid:3;)")

	rules, problems := Load(ParseConfig{}, filepath.Join(dir, "*.rules"), a, odd)
	if len(rules) != 3 || rules[0].File != b || rules[0].Line != 2 || rules[2].File != odd {
		t.Errorf("%v", rules)
	}
	if len(problems) != 1 || problems[0].File != a || !problems[0].Warning || !strings.Contains(problems[0].Reason, b+":2") {
		t.Errorf("%v", problems)
	}
	rules, problems = Load(ParseConfig{}, dir, filepath.Dir(odd))
	if len(rules) != 3 || len(problems) != 1 {
		t.Errorf("folders: %v, %v", rules, problems)
	}
	missing := filepath.Join(dir, "missing.rules")
	rules, problems = Load(ParseConfig{}, missing, filepath.Join(dir, "x*.rules"), filepath.Join(dir, "[*.rules"), a)
	if len(rules) != 1 || len(problems) != 3 {
		t.Fatalf("%v, %v", rules, problems)
	}
	for i, want := range []string{
		missing + ": open: no such file or directory",
		filepath.Join(dir, "x*.rules") + ": no file matches",
		filepath.Join(dir, "[*.rules") + ": the pattern is malformed",
	} {
		if got := problems[i].Error(); !strings.HasPrefix(got, want) || problems[i].Line != 0 {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken disk") }

func TestReadError(t *testing.T) {
	rules, problems := Parse("f", failing{}, ParseConfig{})
	if len(rules) != 0 || len(problems) != 1 || problems[0].Error() != "f: broken disk" {
		t.Errorf("%v %v", rules, problems)
	}
	if _, problems := ParseReferences("f", failing{}); len(problems) != 1 {
		t.Error(problems)
	}
}

// zeros gives n zero bytes without holding them.
type zeros struct{ n int }

func (z *zeros) Read(b []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(len(b), z.n)
	clear(b[:n])
	z.n -= n
	return n, nil
}
