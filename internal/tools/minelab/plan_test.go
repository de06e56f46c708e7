package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestBeginnings: every pool gives out work at the beginning, of the length of later
// jobs or together with more: those that push, in an answer or behind one, or, where
// that begins with the first message, by a clock or a node's next template.
func TestBeginnings(t *testing.T) {
	lists := []string{"stratum-v1", "stratum-v1-scrypt", "ghostrider"} // of hashes, some longer than others
	next := []string{"kaspa", "dero-work", "blake3"}                   // some, or all, send the next one
	for _, s := range slices.Concat(miners, moreMiners) {
		for seed := range uint64(40) {
			r := rand.New(rand.NewPCG(seed, 1))
			k := s.make(r)
			if len(k.pushes) == 0 || slices.Contains(next, s.name) && len(k.behind.lines) == 0 {
				continue
			}
			job := k.pushes[0].size(r, 0)
			ok, listed := false, slices.Contains(lists, s.name)
			for _, h := range k.hello {
				ok = ok || h.s >= job-3 || listed && h.s >= 300
			}
			for _, n := range k.behind.lines {
				ok = ok || n >= job-3 || listed && n >= 300
			}
			if !ok {
				t.Errorf("%s, seed %d: no job of %d in %v %v", s.name, seed, job, k.hello, k.behind.lines)
			}
		}
	}
}

// TestOnly: the rows of a part of the plan are those of the whole plan.
func TestOnly(t *testing.T) {
	for _, set := range []string{"all", "polls", "more", "farther", "home", "ssh"} {
		all := strings.Split(printed(t, 90, set, ""), "\n")
		for only, label := range map[string]string{"miners": "mining", "services": "benign"} {
			want := slices.DeleteFunc(slices.Clone(all), func(l string) bool {
				w := strings.Split(l, "\t")
				return len(w) > 1 && w[0] != "id" && w[1] != label
			})
			if got := strings.Split(printed(t, 90, set, only), "\n"); !slices.Equal(got, want) || len(got) < 30 {
				t.Errorf("%s, %s: %d rows, want %d", set, only, len(got), len(want))
			}
		}
	}
	if err := writePlan(3, 1, "all", "some"); err == nil {
		t.Error("a part that there is not")
	}
}

// printed returns a plan; every row's talk can be made.
func printed(t *testing.T, n int, set, only string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out := os.Stdout
	os.Stdout = w
	var b bytes.Buffer
	done := make(chan struct{})
	go func() { _, _ = io.Copy(&b, r); close(done) }()
	err = writePlan(n, 7, set, only)
	os.Stdout = out
	_ = w.Close()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	name := t.TempDir() + "/plan.tsv"
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	rows, err := readPlan(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].talk()
	}
	return b.String()
}
