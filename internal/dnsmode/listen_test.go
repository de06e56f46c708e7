package dnsmode

import (
	"context"
	"encoding/binary"
	"fmt"
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
)

// run serves on loopback until the test ends.
func run(t testing.TB, s *Server) netip.AddrPort {
	t.Helper()
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			t.Error("the server does not stop")
		}
	})
	return s.Addresses()[0]
}

func TestSockets(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, nil)
	at := run(t, s)
	for _, network := range []string{"udp", "tcp"} {
		c := &dns.Client{Net: network, Timeout: time.Second}
		m, _, err := c.Exchange(edns("wWw.Example.", dns.TypeA), at.String())
		if err != nil || len(m.Answer) != 1 || m.Answer[0].Header().Name != "wWw.Example." {
			t.Errorf("%s: %v %v", network, m, err)
		}
	}
}

func frame(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

func readFrame(c net.Conn) (*dns.Msg, error) {
	var h [2]byte
	if _, err := io.ReadFull(c, h[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(h[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	return m, m.Unpack(b)
}

func dialTo(t testing.TB, at netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	return c
}

// Questions on one connection are answered as the answers come, and no more
// than so many are under way.
func TestPipeline(t *testing.T) {
	var now, most atomic.Int64
	o := newOutside(t, func(q *dns.Msg, tcp bool) *dns.Msg {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if strings.HasPrefix(strings.ToLower(q.Question[0].Name), "slow") {
			time.Sleep(200 * time.Millisecond)
		} else {
			time.Sleep(10 * time.Millisecond)
		}
		return new(dns.Msg).SetReply(q)
	})
	s := server(t, o, nil)
	c := dialTo(t, run(t, s))
	const n = 60
	var all []byte
	ids := map[uint16]string{}
	for i := range n {
		m := question(fmt.Sprintf("n%d.example.", i), dns.TypeA)
		if i == 0 {
			m = question("slow.example.", dns.TypeA)
		}
		m.Id = uint16(i)
		ids[m.Id] = m.Question[0].Name
		all = append(all, frame(m)...)
	}
	go func() { _, _ = c.Write(all) }()
	first := true
	for range n {
		m, err := readFrame(c)
		if err != nil {
			t.Fatal(err)
		}
		if ids[m.Id] != m.Question[0].Name {
			t.Errorf("ID %d is for %s", m.Id, m.Question[0].Name)
		}
		if first && m.Id == 0 {
			t.Error("a slow answer holds the others up")
		}
		first = false
		delete(ids, m.Id)
	}
	if len(ids) > 0 || most.Load() > maxPipeline || most.Load() < 2 {
		t.Errorf("%d not answered, %d at a time", len(ids), most.Load())
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, nil)
	at := run(t, s)
	open := func() bool {
		c := dialTo(t, at)
		_, _ = c.Write(frame(question("www.example.", dns.TypeA)))
		_, err := readFrame(c)
		return err == nil
	}
	for i := range maxConnsClient {
		if !open() {
			t.Fatalf("connection %d is refused", i)
		}
	}
	if open() {
		t.Error("a client has more connections than it may")
	}
	s.mu.Lock()
	s.total += maxConns - maxConnsClient
	s.mu.Unlock()
	if s.enterTCP(pc) {
		t.Error("more connections than there may be in all")
	}
	if s.Stats().Overload != 2 {
		t.Errorf("%d counted", s.Stats().Overload)
	}
}

// Whoever says nothing, or says it too slowly, does not keep a connection.
func TestSlowClients(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, nil)
	s.times = times{idle: 100 * time.Millisecond, read: 100 * time.Millisecond, write: time.Second}
	at := run(t, s)
	whole := frame(question("www.example.", dns.TypeA))
	for what, b := range map[string][]byte{
		"nothing": nil, "half a length": whole[:1], "half a question": whole[:len(whole)-1],
		"too long": append(binary.BigEndian.AppendUint16(nil, maxQuestion+1), make([]byte, 100)...), "too short": {0, 3, 1, 2, 3},
		"an answer": frame(new(dns.Msg).SetReply(question("www.example.", dns.TypeA))),
	} {
		c := dialTo(t, at)
		_, _ = c.Write(b)
		start := time.Now()
		if m, err := readFrame(c); err == nil || time.Since(start) > time.Second {
			t.Errorf("%s: %v, %v after %v", what, m, err, time.Since(start))
		}
	}
	for range 100 {
		s.mu.Lock()
		n := s.total
		s.mu.Unlock()
		if n == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("connections are left")
}

func TestDatagramsAreBounded(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, nil)
	at := run(t, s)
	for range maxUDP {
		s.slots <- struct{}{}
	}
	c := &dns.Client{Timeout: 100 * time.Millisecond}
	if _, _, err := c.Exchange(question("www.example.", dns.TypeA), at.String()); err == nil {
		t.Error("answered without room")
	}
	if s.Stats().Overload != 1 {
		t.Errorf("%d counted", s.Stats().Overload)
	}
	for range maxUDP {
		<-s.slots
	}
	if _, _, err := c.Exchange(question("www.example.", dns.TypeA), at.String()); err != nil {
		t.Error(err)
	}
}

// An address that is not there yet does not keep the others from answering.
func TestMissingAddress(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	gone := netip.MustParseAddrPort("192.168.254.253:0")
	s := server(t, o, func(c *Config) { c.Listen = append(c.Listen, gone) })
	run(t, s)
	if h := s.Health(); len(h) != 1 || h[0].Code != NotListening || h[0].Args[0].Value != gone.String() {
		t.Errorf("health %v", h)
	}
	s = server(t, o, func(c *Config) { c.Listen = []netip.AddrPort{gone} })
	if err := s.Run(context.Background()); err == nil {
		t.Error("a server that listens nowhere runs")
	}
}

// TestMany asks and changes everything at once; for the race detector.
func TestMany(t *testing.T) {
	o := newOutside(t, func(q *dns.Msg, tcp bool) *dns.Msg {
		m := new(dns.Msg).SetReply(q)
		if strings.HasPrefix(strings.ToLower(q.Question[0].Name), "bad") {
			m.Rcode = dns.RcodeServerFailure
			return m
		}
		m.Answer = []dns.RR{rr(t, q.Question[0].Name+" 1 IN CNAME t.tracker.example."), rr(t, "t.tracker.example. 1 IN A 192.0.2.1")}
		return m
	})
	var told atomic.Int64
	s := server(t, o, func(c *Config) {
		c.OnBlock = func(Blocked) { told.Add(1) }
		c.Names, c.Cache.Bytes, c.Rate = atHome, 16<<10, -1
		c.Upstreams.Fastest = true
	})
	at := run(t, s)
	stop := make(chan struct{})
	var wg, changes sync.WaitGroup
	changes.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_, _ = s.LoadLists(context.Background(), []lists.Source{list("l", []string{"tracker.example", "other.example"}[i%2])})
			_ = s.Block(fmt.Sprintf("n%d.example", i%7), time.Millisecond, "x")
			s.Health()
			s.Stats()
			s.Blocks()
			if i%50 == 0 {
				s.Flush()
			}
		}
	})
	for g := range 6 {
		wg.Go(func() {
			c := &dns.Client{Net: []string{"udp", "tcp"}[g%2], Timeout: 3 * time.Second}
			for i := range 60 {
				name := []string{"n%d.example.", "N%d.Example.", "bad%d.example.", "printer.", "1.1.168.192.in-addr.arpa."}[i%5]
				if strings.Contains(name, "%") {
					name = fmt.Sprintf(name, (i*g)%20)
				}
				if _, _, err := c.Exchange(edns(name, dns.TypeA), at.String()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	changes.Wait()
	if told.Load() == 0 {
		t.Error("nothing was refused")
	}
}
