package app

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/config"
)

// TestBridgedQuestion: between two ports of a bridge a question of one packet
// is inspected: one for a pool's name never arrives, others are answered.
func TestBridgedQuestion(t *testing.T) {
	if !apart(t) {
		return
	}
	server, pc := homeOf(t)
	if _, err := os.Stat("/proc/sys/net/bridge/bridge-nf-call-iptables"); err != nil {
		t.Skip("skipped: this test needs br_netfilter")
	}
	var mu sync.Mutex
	var heard []string
	var c net.PacketConn
	if err := server.Do(func() (err error) { c, err = net.ListenPacket("udp", "192.168.9.3:53"); return err }); err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: c, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		mu.Lock()
		heard = append(heard, q.Question[0].Name)
		mu.Unlock()
		_ = w.WriteMsg(new(dns.Msg).SetReply(q))
	})}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	ask := func(name string, limit time.Duration) (rcode string) {
		if err := pc.Do(func() error {
			m, _, err := (&dns.Client{Timeout: limit}).Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), "192.168.9.3:53")
			if err == nil {
				rcode = dns.RcodeToString[m.Rcode]
			}
			return err
		}); err != nil {
			return err.Error()
		}
		return rcode
	}
	eventually(t, "the bridge carries", func() bool { return ask("www.example.", 300*time.Millisecond) == "NOERROR" })
	rules := filepath.Join(t.TempDir(), "x.rules")
	if err := os.WriteFile(rules, []byte(`reject dns any any -> any 53 (msg:"pool"; dns.query; content:"pool.example"; sid:9000001; rev:1;)`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runWatch(t, func(c *config.Config) { c.Rules.Files = []string{rules}; c.Inline.Bridge = true })
	r.acts("inline")
	passed := 0 // questions that were not stopped, on a busy machine
	for range 3 {
		if got := ask("www.example.", 3*time.Second); got != "NOERROR" {
			t.Errorf("a good name: %s", got)
		}
		inTime(t, "a bad name", func() bool {
			got := ask("eu.pool.example.", 700*time.Millisecond)
			if got != "REFUSED" {
				passed++
				t.Logf("a bad name: %s", got)
			}
			return got != "REFUSED"
		})
	}
	mu.Lock()
	defer mu.Unlock()
	for _, name := range heard {
		if strings.Contains(name, "pool") {
			passed--
		}
	}
	if passed < 0 {
		t.Errorf("%d questions that were refused have arrived", -passed)
	}
}
