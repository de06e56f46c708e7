package upstream

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestScrambled: questions over UDP have letters that nobody outside can guess,
// the answer has those that were asked for.
func TestScrambled(t *testing.T) {
	names := make(chan string, 64)
	f := serve(t, nil, func(network string, q *dns.Msg) [][]byte {
		names <- network + " " + q.Question[0].Name
		return [][]byte{pack(a(q, "203.0.113.7"))}
	})
	u := up(t, Config{URL: f.at.String()})
	const name = "a-long-name-with-letters.1234.example."
	seen := map[string]bool{}
	for range 10 {
		m := exchange(t, u, name)
		if m.Question[0].Name != name || len(m.Answer) != 1 || m.Answer[0].Header().Name != name {
			t.Errorf("%v", m)
		}
		got := <-names
		if !strings.EqualFold(got, "udp "+name) {
			t.Errorf("asked %q", got)
		}
		seen[got] = true
	}
	if len(seen) < 9 {
		t.Errorf("of 10 questions only %d had letters of their own", len(seen))
	}
}

// TestFolded: an answer in other letters counts for nothing, even if all else of
// it is right; the question is asked over TCP. A server that never keeps letters
// is then asked as others were before.
func TestFolded(t *testing.T) {
	const name = "a-long-name-with-letters.example."
	f := serve(t, nil, func(network string, q *dns.Msg) [][]byte {
		address := "203.0.113.7"
		if network == "udp" {
			q.Question[0].Name = strings.ToLower(q.Question[0].Name)
			address = "203.0.113.66"
		}
		return [][]byte{pack(a(q, address))}
	})
	u := up(t, Config{URL: f.at.String()})
	for i, want := range []string{"203.0.113.7", "203.0.113.66", "203.0.113.66"} {
		m := exchange(t, u, name)
		if got := m.Answer[0].(*dns.A).A.String(); got != want || m.Question[0].Name != name {
			t.Errorf("question %d: %v", i, m)
		}
	}
	if f.udp.Load() != 3 || f.tcp.Load() != 1 {
		t.Errorf("%d questions over UDP, %d over TCP", f.udp.Load(), f.tcp.Load())
	}
}

func exchange(t *testing.T, u Upstream, name string) *dns.Msg {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	q := new(dns.Msg)
	q.SetQuestion(name, dns.TypeA)
	m, err := u.Exchange(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestScramble: what is no name cannot lead beyond the message.
func TestScramble(t *testing.T) {
	for _, wire := range [][]byte{nil, make([]byte, 12), append(make([]byte, 12), 63, 'a'), append(make([]byte, 12), 1, 'a', 200), append(make([]byte, 12), 0xff)} {
		if end := scramble(wire); end > max(len(wire), 12) {
			t.Errorf("%v: ends at %d", wire, end)
		}
	}
}
