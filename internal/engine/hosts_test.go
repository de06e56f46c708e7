package engine

import (
	"bytes"
	"testing"

	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/proto"
)

// named gives the protocol of these tests a host: "ALPHA host=NAME".
func named(c *Config) {
	c.Protocols[0].Buffers = []proto.Buffer{{Name: "http.host", Get: func(tx proto.Tx, i int) ([]byte, bool) {
		_, h, ok := bytes.Cut(tx.(*lineTx).line, []byte("host="))
		return h, ok && i == 0
	}}}
}

func TestPolicyHosts(t *testing.T) {
	block := policy.Entry{Kind: policy.BlockEntry, Scope: policy.Scope{Host: "foul.example"}}
	never := policy.Entry{Kind: policy.Never, Scope: policy.Scope{Host: "foul.example"}}
	hide := policy.Entry{Kind: policy.Exception, Scope: policy.Scope{Device: "mac:02:00:00:00:00:02", Host: "good.example"}}
	for _, tt := range []struct {
		name, text string
		es         []policy.Entry
		pass       bool
		said       []string
	}{
		{"blocked name", "host=WWW.foul.example", []policy.Entry{block}, false, []string{"drop"}},
		{"another name", "host=notfoul.example", []policy.Entry{block}, true, nil},
		{"what a device claims is not safe", "host=foul.example", []policy.Entry{block, never}, false, []string{"drop"}},
		{"exception for the device and a name", "bad host=cdn.good.example", []policy.Entry{hide}, true, []string{"allowed exception a"}},
		{"exception for another name", "bad host=evil.example", []policy.Entry{hide}, false, []string{"blocked table ", "drop"}},
	} {
		g := guard(t, true, nil, policy.Protect, tt.es...)
		named(&g.e.cfg)
		w := g.e.Workers[0]
		w.hosts = []func(proto.Tx, int) ([]byte, bool){hostGetter(&g.e.cfg.Protocols[0])}
		g.open(9)
		if g.hear(false, 9, 1000, 5000, "ALPHA "+tt.text+"\n") != tt.pass {
			t.Errorf("%s: %+v", tt.name, g.v)
		}
		g.expect(t, tt.name, tt.said...)
		if g.hear(true, 9, 5000, 1000, "answer\n") != tt.pass {
			t.Errorf("%s: the answer: %+v", tt.name, g.v)
		}
	}
	for in, want := range map[string]string{"eu.pool.example:3333": "eu.pool.example", "pool.example": "pool.example", "192.0.2.1:3333": "", "[2001:db8::1]:3": "", "2001:db8::1": "", "": ""} {
		if got := poolHost(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if hostGetter(&proto.Protocol{Buffers: []proto.Buffer{{Name: "dns.query"}}}) != nil {
		t.Error("a question to DNS is no host of the flow")
	}
}
