package dnsmode

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/lists"
	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
)

// outside is an upstream on loopback; nobody else is ever asked.
type outside struct {
	at     netip.AddrPort
	n      atomic.Int64
	mu     sync.Mutex
	seen   []*dns.Msg
	answer func(q *dns.Msg, tcp bool) *dns.Msg // nil: silence
}

func (o *outside) set(f func(q *dns.Msg, tcp bool) *dns.Msg) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = f
}

func (o *outside) last() *dns.Msg {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen[len(o.seen)-1]
}

func newOutside(t testing.TB, f func(q *dns.Msg, tcp bool) *dns.Msg) *outside {
	t.Helper()
	o := &outside{answer: f}
	h := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		o.n.Add(1)
		o.mu.Lock()
		if len(o.seen) < 1000 {
			o.seen = append(o.seen, q)
		}
		f := o.answer
		o.mu.Unlock()
		_, tcp := w.RemoteAddr().(*net.TCPAddr)
		if m := f(q, tcp); m != nil {
			_ = w.WriteMsg(m)
		}
	})
	var ln net.Listener
	var pc net.PacketConn
	for i := 0; ; i++ {
		var err error
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if pc, err = net.ListenPacket("udp", ln.Addr().String()); err == nil {
			break
		}
		ln.Close()
		if i == 20 {
			t.Fatal(err)
		}
	}
	o.at = ln.Addr().(*net.TCPAddr).AddrPort()
	for _, s := range []*dns.Server{{Listener: ln, Handler: h}, {PacketConn: pc, Handler: h}} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go func() { _ = s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return o
}

func rr(t testing.TB, s string) dns.RR {
	t.Helper()
	r, err := dns.NewRR(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return r
}

// records answers every question with all records; those that end in a line
// "authority" or "additional" begin the other sections.
func records(t testing.TB, rcode int, text string) func(*dns.Msg, bool) *dns.Msg {
	var sec [3][]dns.RR
	n := 0
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); line {
		case "":
		case "authority":
			n = 1
		case "additional":
			n = 2
		default:
			sec[n] = append(sec[n], rr(t, line))
		}
	}
	return func(q *dns.Msg, tcp bool) *dns.Msg {
		m := new(dns.Msg).SetRcode(q, rcode)
		for i, to := range []*[]dns.RR{&m.Answer, &m.Ns, &m.Extra} {
			for _, r := range sec[i] {
				*to = append(*to, dns.Copy(r))
			}
		}
		if !tcp {
			m.Truncate(1232)
		}
		return m
	}
}

const www = "www.example. 300 IN A 192.0.2.1"

// clock is a fake one.
type clock struct{ ns atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Unix(1_800_000_000, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func server(t testing.TB, o *outside, change func(*Config)) *Server {
	t.Helper()
	c := Config{
		Listen:    []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Upstreams: upstream.GroupConfig{Upstreams: []upstream.Config{{URL: o.at.String()}}},
	}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var pc = netip.MustParseAddr("192.168.1.20")

// ask asks over UDP as a device of the home; nil: no answer.
func ask(t testing.TB, s *Server, m *dns.Msg) *dns.Msg { return askBy(t, s, m, pc, false) }

func askBy(t testing.TB, s *Server, m *dns.Msg, by netip.Addr, tcp bool) *dns.Msg {
	t.Helper()
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	out := s.Answer(context.Background(), by, tcp, wire)
	if out == nil {
		return nil
	}
	r := new(dns.Msg)
	if err := r.Unpack(out); err != nil {
		t.Fatalf("the answer cannot be read: %v", err)
	}
	if r.Id != m.Id || !r.Response || !r.RecursionAvailable {
		t.Fatalf("not an answer to the question: %v", r)
	}
	return r
}

func question(name string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(name, qtype)
	return m
}

func edns(name string, qtype uint16) *dns.Msg {
	m := question(name, qtype)
	m.SetEdns0(4096, false)
	return m
}

// explained gives the codes of the explanations in an answer.
func explained(m *dns.Msg) (out []uint16) {
	if o := m.IsEdns0(); o != nil {
		for _, e := range o.Option {
			if ede, ok := e.(*dns.EDNS0_EDE); ok {
				out = append(out, ede.InfoCode)
			}
		}
	}
	return out
}

func addresses(m *dns.Msg) (out []string) {
	for _, r := range m.Answer {
		switch r := r.(type) {
		case *dns.A:
			out = append(out, r.A.String())
		case *dns.AAAA:
			out = append(out, r.AAAA.String())
		}
	}
	return out
}

func list(name, text string) lists.Source {
	return lists.Source{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

func loadLists(t testing.TB, s *Server, src ...lists.Source) {
	t.Helper()
	if _, err := s.LoadLists(context.Background(), src); err != nil {
		t.Fatal(err)
	}
}
