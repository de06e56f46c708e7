package match

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/rules"
)

// namesTx is a transaction of names: buffer i of namesProtocol has values[i].
type namesTx struct {
	noTx
	values [5][]string
}

var namesTested = [5]string{"tls.sni", "dns.query", "http.host", "ja3.hash", "http.uri"}

// namesProtocol has buffers that are looked up by hash, and one that is not.
func namesProtocol() []proto.Protocol {
	p := proto.Protocol{Name: "tls", On: proto.UDP}
	for i, name := range namesTested {
		p.Buffers = append(p.Buffers, proto.Buffer{Name: name, Get: func(tx proto.Tx, n int) ([]byte, bool) {
			v := tx.(*namesTx).values[i]
			if n >= len(v) {
				return nil, false
			}
			return []byte(v[n]), true
		}})
	}
	return []proto.Protocol{p}
}

func compileNames(t testing.TB, text string, plain bool) *Set {
	rs, problems := rules.Parse("t.rules", strings.NewReader(text), rules.ParseConfig{Vars: rules.DefaultVars()})
	s, more := Compile(rs, Options{Protocols: namesProtocol(), plainNames: plain})
	for _, p := range append(problems, more...) {
		t.Fatal(p)
	}
	return s
}

// TestNamesSameAsPatterns compares rules whose names are found by hash with the
// same rules filtered by their patterns: both have to give the same alerts.
func TestNamesSameAsPatterns(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 8))
	labels := []string{"a", "b", "example", "Example", "evil", "com", "net", "x-1", "co"}
	hash := func() string {
		return strings.Repeat(string("0f"[rnd.IntN(2)]), 16) + strings.Repeat(string("0fA"[rnd.IntN(3)]), 16)
	}
	name := func() string {
		var l []string
		for range 1 + rnd.IntN(3) {
			l = append(l, labels[rnd.IntN(len(labels))])
		}
		return strings.Repeat(".", rnd.IntN(6)/5) + strings.Join(l, ".") + strings.Repeat(".", rnd.IntN(9)/8)
	}
	var text strings.Builder
	sid := 0
	for range 1500 {
		buf := namesTested[rnd.IntN(len(namesTested))]
		n := name()
		if buf == "ja3.hash" {
			n = hash()
			n = n[:len(n)-rnd.IntN(3)/2*rnd.IntN(20)]
		}
		not := func(k int) string { return strings.Repeat("!", max(0, rnd.IntN(k)-k+2)) }
		o := buf + "; "
		if rnd.IntN(3) == 0 {
			o += "dotprefix; "
			if rnd.IntN(4) > 0 {
				n = "." + strings.TrimPrefix(n, ".")
			}
		}
		if rnd.IntN(5) == 0 {
			o += fmt.Sprintf(`content:%s"%s"; `, not(4), labels[rnd.IntN(len(labels))])
		}
		o += fmt.Sprintf(`content:%s"%s"; `, not(9), n)
		o += []string{"", "startswith; ", fmt.Sprintf("depth:%d; ", len(n)), fmt.Sprintf("offset:%d; ", rnd.IntN(3)), ""}[rnd.IntN(5)]
		if strings.Contains(o, `content:!`) {
			o += []string{"", "nocase; "}[rnd.IntN(2)]
		} else {
			o += []string{"", "nocase; "}[rnd.IntN(2)] + []string{"", "endswith; ", "isdataat:!1,relative; ", "endswith; "}[rnd.IntN(4)]
		}
		o += []string{"", "", fmt.Sprintf("bsize:%d; ", len(n)+rnd.IntN(5)/4), fmt.Sprintf("bsize:!%d; ", len(n)), `content:"e"; `}[rnd.IntN(5)]
		sid++
		fmt.Fprintf(&text, "alert udp any any -> any any (%ssid:%d;)\n", o, sid)
	}
	loaded, sid := loading(text.String())
	hashed, plain := compileNames(t, loaded, false), compileNames(t, loaded, true)
	if n := namesIn(hashed); n < 300 || namesIn(plain) > 0 {
		t.Fatalf("%d of %d rules are found by hash", n, sid)
	}
	byHash, byPattern := NewWorker(hashed, Config{}), NewWorker(plain, Config{})
	found := map[uint32]bool{}
	for range 3000 {
		tx := &namesTx{}
		for i, b := range namesTested {
			for range rnd.IntN(3) {
				v := name()
				if b == "ja3.hash" {
					v = hash()
				}
				tx.values[i] = append(tx.values[i], v)
			}
		}
		a, b := alertsOn(byHash, tx), alertsOn(byPattern, tx)
		if !slices.Equal(a, b) {
			t.Fatalf("%q: by hash %v, by pattern %v", tx.values, a, b)
		}
		for _, id := range a {
			found[id] = true
		}
	}
	if len(found) < sid/4 {
		t.Errorf("only %d of %d rules ever matched", len(found), sid)
	}
}

// loading returns those rules of text that load, and how many they are.
func loading(text string) (loaded string, n int) {
	var out strings.Builder // never copied: it keeps its own address
	rs, problems := rules.Parse("t", strings.NewReader(text), rules.ParseConfig{})
	_, more := Compile(rs, Options{Protocols: namesProtocol()})
	bad := map[int]bool{}
	for _, p := range append(problems, more...) {
		bad[p.Line] = true
	}
	for i, line := range slices.Collect(strings.Lines(text)) {
		if !bad[i+1] {
			out.WriteString(line)
			n++
		}
	}
	return out.String(), n
}

// namesIn counts the names that rules are found by.
func namesIn(s *Set) (n int) {
	for p := range s.txs {
		for d := range s.txs[p] {
			for _, f := range s.txs[p][d].bufs {
				n += f.names.Len()
			}
		}
	}
	return n
}

// alertsOn returns the rules that match a transaction, in order; the worker
// tells of MaxAlerts at most, so they are taken before.
func alertsOn(w *Worker, tx *namesTx) (sids []uint32) {
	s := w.set
	f := &flow.Flow{State: flow.Established, AppIndex: 1}
	f.Key.Proto = packet.ProtoUDP
	w.Begin(&packet.Packet{Version: 4, Proto: packet.ProtoUDP}, f, packet.ToServer)
	c := &w.c
	c.app = 1
	c.flowState()
	g := &s.txs[0][0]
	t := &txDir{}
	w.inspectTx(g, 0, packet.ToServer, tx, t, false)
	for _, id := range t.matched {
		sids = append(sids, s.meta[s.rules[id].meta].SID)
	}
	slices.Sort(sids)
	return sids
}

// BenchmarkNames looks names up as a public rule set wants it, by hash and by
// pattern, and says what the filters of those buffers hold.
func BenchmarkNames(b *testing.B) {
	root := os.Getenv("YAMORI_TESTDATA")
	if root == "" {
		root = "../../../shared"
	}
	files, _ := filepath.Glob(filepath.Join(root, "rules/et-open-2025-08/*.rules"))
	if len(files) == 0 {
		b.Skipf("no rules under %s (set YAMORI_TESTDATA)", root)
	}
	rs, _ := rules.Load(rules.ParseConfig{Vars: rules.DefaultVars()}, files...)
	var values [][]byte
	for _, v := range []string{"www.example.com", "connectivity-check.ubuntu.com", "e6858.dscx.akamaiedge.net", "time.cloudflare.com",
		"clients4.google.com", "api.some-vendor.example", "1.0.168.192.in-addr.arpa", "static.xx.fbcdn.net"} {
		values = append(values, []byte(v))
	}
	for _, plain := range []bool{false, true} {
		set, _ := Compile(rs, Options{Protocols: namesProtocol(), plainNames: plain})
		kind := "hash"
		if plain {
			kind = "pattern"
		}
		b.Run(kind, func(b *testing.B) {
			w := NewWorker(set, Config{})
			size, hits, n := 0, 0, 0
			b.ReportAllocs()
			for b.Loop() {
				v := values[n%len(values)]
				n++
				for i := range set.txs[0][0].bufs {
					f := &set.txs[0][0].bufs[i]
					in := v
					if f.chain != 0 {
						in = w.apply(set.chains[f.chain], v)
					}
					if f.filter != nil {
						hits += len(f.filter.ScanAt(in, 0, &w.scr))
					}
					if f.names != nil {
						hits += len(f.names.Lookup(in, &w.scr))
					}
				}
			}
			for _, f := range set.txs[0][0].bufs {
				size += f.filter.Size() + f.names.Size()
			}
			b.ReportMetric(float64(size), "filter-B")
			b.ReportMetric(float64(namesIn(set)), "names")
			b.ReportMetric(float64(hits)/float64(n), "candidates/op")
		})
	}
}
