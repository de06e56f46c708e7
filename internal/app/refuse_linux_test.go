package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/netns"
)

// TestNamesRefused: a question for names that is rejected in line is answered
// with a refusal at once, so that who asked does not wait; the next name is not
// refused.
func TestNamesRefused(t *testing.T) {
	if !apart(t) {
		return
	}
	_, pc := homeOf(t)
	nameserver(t)
	sh(t, "iptables-nft -t nat -A POSTROUTING -o dns0 -j MASQUERADE")
	rules := filepath.Join(t.TempDir(), "x.rules")
	if err := os.WriteFile(rules, []byte(`reject dns any any -> any 53 (msg:"pool"; dns.query; content:"pool.example"; sid:9000001; rev:1;)`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runWatch(t, func(c *config.Config) { c.Rules.Files = []string{rules} })
	r.acts("inline")
	ask := func(from *netns.NS, name string) (rcode string, took time.Duration) {
		t.Helper()
		start := time.Now()
		err := from.Do(func() error {
			c := dns.Client{Timeout: 3 * time.Second}
			m, _, err := c.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), "198.51.100.53:53")
			if err == nil {
				rcode = dns.RcodeToString[m.Rcode]
			}
			return err
		})
		if err != nil {
			rcode = err.Error()
		}
		return rcode, time.Since(start)
	}
	if rcode, _ := ask(pc, "www.example."); rcode != "NOERROR" {
		t.Errorf("a good name: %s", rcode)
	}
	if rcode, took := ask(pc, "eu.pool.example."); rcode != "REFUSED" || took > time.Second {
		t.Errorf("a bad name: %s after %v", rcode, took)
	}
	if rcode, _ := ask(pc, "www.example."); rcode != "NOERROR" {
		t.Errorf("a good name afterwards: %s", rcode)
	}
	if s := strings.TrimSpace(ourRules(t)); s == "" {
		t.Error("nothing is inspected in line")
	}
}
