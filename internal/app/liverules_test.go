package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/report"
)

// watching is a Watch with everything but a network.
func watching(t *testing.T, files ...string) (*Watch, error) {
	t.Helper()
	c := &config.Config{Socket: filepath.Join(t.TempDir(), "s.sock"), Rules: config.Rules{Files: files, MemoryMB: 1}, State: config.State{Dir: t.TempDir()}, API: config.API{Off: true}}
	w := &Watch{Config: c, Rules: ConfiguredRules(c), Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.DiscardHandler)}
	w.coll = &report.Collector{}
	if err := w.openHouse(1); err != nil {
		return nil, err
	}
	t.Cleanup(w.closeHouse)
	_, stop, err := w.build(1)
	if err != nil {
		return nil, err
	}
	t.Cleanup(stop)
	srv, err := w.serve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv)
	return w, nil
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const one = `alert tcp any any -> any any (msg:"a"; content:"x"; sid:1;)` + "\n"

func TestReloadRules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.rules")
	write(t, file, one)
	w, err := watching(t, file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	st, err := AskStatus(ctx, w.socket())
	if err != nil || st.Rules < 2 || st.RulesSince.IsZero() {
		t.Fatalf("%+v, %v", st, err)
	}
	own := st.Rules - 1
	write(t, file, one+strings.Replace(one, "sid:1", "sid:2", 1)+strings.Replace(one, "content", "kontent", 1))
	r, err := AskReload(ctx, w.socket())
	if err != nil || r.Loaded != own+2 || r.Failed != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	good := w.engine.Rules()

	var big strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&big, "alert tcp any any -> any any (msg:\"big %d\"; content:\"%0200d\"; sid:%d;)\n", i, i, i+1)
	}
	for _, c := range []struct{ text, want string }{
		{big.String(), "more than the 1 MB allowed (load fewer rules, or raise rules.memory_mb)"},
		{"", "a.rules: open: no such file"}, // the file is gone
	} {
		if write(t, file, c.text); c.text == "" {
			_ = os.Remove(file)
		}
		_, err = AskReload(ctx, w.socket())
		if err == nil || !strings.Contains(err.Error(), "the old rules stay: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if w.engine.Rules() != good {
			t.Error("the old rules are gone")
		}
		if s := w.Status().Rules; int64(s.Loaded) != own+2 || !strings.Contains(s.Refused, c.want) {
			t.Errorf("status %+v", s)
		}
	}

	// A signal does the same.
	write(t, file, one)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hup := make(chan os.Signal, 1)
	w.Reopen = hup
	go w.onSignal(ctx)
	hup <- syscall.SIGHUP
	for end := time.Now().Add(10 * time.Second); w.engine.Rules() == good; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a signal loads no rules")
		}
	}
}

// TestRulesMissingAtStart: a home whose rule file is gone is watched all the same, says so, and has its rules again when
// they are there.
func TestRulesMissingAtStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "late.rules")
	w, err := watching(t, file)
	if err != nil {
		t.Fatal(err)
	}
	own, err := (&RuleConfig{Builtin: true}).Load()
	if err != nil {
		t.Fatal(err)
	}
	if s := w.Status().Rules; s.Loaded != own.Loaded || !strings.Contains(s.Refused, file) || s.RefusedAt.IsZero() {
		t.Errorf("at the start: %+v", s)
	}
	write(t, file, one)
	if s, err := w.ReloadRules(); err != nil || s.Loaded != own.Loaded+1 || s.Refused != "" {
		t.Errorf("reloaded: %+v, %v", s, err)
	}
}

// A file's rule of the same sid takes the place of one of the project's own.
func TestOwnRulesAreReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.rules")
	write(t, file, strings.Replace(one, "sid:1;", "sid:1741001;", 1))
	with, err := (&RuleConfig{Builtin: true}).Load()
	if err != nil || with.Failed > 0 {
		t.Fatal(with, err)
	}
	both, err := (&RuleConfig{Builtin: true, Files: []string{file}}).Load()
	if err != nil || both.Loaded != with.Loaded || both.Failed != 0 {
		t.Errorf("%d loaded of %d, %d failed, %v", both.Loaded, with.Loaded, both.Failed, err)
	}
}
