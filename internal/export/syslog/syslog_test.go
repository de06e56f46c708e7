package syslog

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

func finding(mod func(*event.Event)) *event.Event {
	ev := &event.Event{Time: 1767323045123456789, Type: event.Alert, HasAddr: true, Src: packet.AddrOf(netip.MustParseAddr("192.168.1.20")),
		Dst: packet.AddrOf(netip.MustParseAddr("2001:db8::7")), SrcPort: 40000, DstPort: 3333, Proto: 6, AppProto: "stratum", FlowID: 7,
		Finding: &event.Finding{Category: event.Mining, Family: "stratum", Level: event.Confirmed, Severity: 1, SignatureID: 1001, Action: "blocked", Why: "table",
			Signature: "Cryptocurrency mining", Device: event.DeviceRef{ID: "mac:02:00:00:00:00:01", Kind: "camera", Name: `"Garden" [north] \o/`}}}
	if mod != nil {
		mod(ev)
	}
	return ev
}

func TestMessage(t *testing.T) {
	c := Config{Address: "192.0.2.1", Host: "gw"}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	f := newFormat(&c)
	f.pid = "9"
	got := string(f.message(finding(nil)))
	want := `<26>1 2026-01-02T03:04:05.123456Z gw yamori 9 alert [yamori@32473 category="mining" family="stratum" level="confirmed" action="blocked" why="table" gid="7411" sid="1001" device="mac:02:00:00:00:00:01" kind="camera" name="\"Garden\" [north\] \\o/" src_ip="192.168.1.20" dest_ip="2001:db8::7" src_port="40000" dest_port="3333" proto="6" app_proto="stratum" flow_id="7"] Cryptocurrency mining: blocked`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	// The grammar of RFC 5424 section 6, as far as a pattern can say it.
	grammar := regexp.MustCompile(`^<\d{1,3}>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} (-|\[[!-~]+( [!-~]+="([^"\\\]]|\\["\\\]])*")*\])( .*)?$`)
	for name, ev := range map[string]*event.Event{
		"plain": finding(nil),
		"evil": finding(func(e *event.Event) {
			e.Finding.Signature = "a\n<0>1 - forged\x00\xff"
			e.Finding.Device.Name = "]\"\\\r\n\xfe" + strings.Repeat("長", 400)
		}),
		"rule":    finding(func(e *event.Event) { e.Finding.Rule = &event.Rule{GID: 1, SID: 5}; e.HasAddr = false }),
		"no name": finding(func(e *event.Event) { e.Finding.Device = event.DeviceRef{}; e.Finding.Signature = "採掘" }),
	} {
		m := string(f.message(ev))
		if !grammar.MatchString(m) || strings.ContainsAny(m, "\n\r\x00") || len(m) > maxDatagram {
			t.Errorf("%s: %q", name, m)
		}
		if name == "no name" && !strings.Contains(m, "] \xef\xbb\xbf採掘") {
			t.Errorf("no mark before UTF-8: %q", m)
		}
	}
	c.Format = "eve"
	f = newFormat(&c)
	if m := string(f.message(finding(nil))); !strings.Contains(m, `] {"timestamp"`) || !strings.HasSuffix(m, "}}") && !strings.HasSuffix(m, "}") {
		t.Errorf("%s", m)
	}
	big := finding(func(e *event.Event) { e.Finding.Signature = strings.Repeat("採", 3000) })
	if m := f.message(big); len(m) > maxDatagram || len(m) < maxDatagram-3 {
		t.Errorf("%d bytes in a datagram", len(m))
	}
	for s, want := range map[*event.Event]int{
		finding(func(e *event.Event) { e.Finding.Severity = 2 }): 4, finding(func(e *event.Event) { e.Finding.Quiet = true }): 5,
		finding(func(e *event.Event) { e.Finding.Severity = 3 }): 5, {Type: event.Flow}: 6, finding(func(e *event.Event) { e.Finding.Level = event.Suspect }): 5,
	} {
		if got := severity(s); got != want {
			t.Errorf("severity %d, want %d", got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for field, c := range map[string]Config{
		"network": {Network: "smoke", Address: "x"}, "address:": {}, "address ": {Address: "a b:1"}, "facility": {Address: "x", Facility: "kitchen"},
		"format": {Address: "x", Format: "xml"}, "types": {Address: "x", Types: []string{"dns"}}, "ca and name": {Address: "x", CA: "f"},
		"queue": {Address: "x", Queue: -1}, "host": {Address: "x", Host: "a b"},
	} {
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), "syslog: "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for in, want := range map[string]string{"h": "h:514", "2001:db8::1": "[2001:db8::1]:514", "h:99": "h:99"} {
		c := Config{Address: in}
		if err := c.Check(); err != nil || c.Address != want {
			t.Errorf("%s: %s, %v", in, c.Address, err)
		}
	}
	if _, err := New(Config{Address: "x", Network: "tls", CA: "/does/not/exist"}); err == nil || !strings.Contains(err.Error(), "ca") {
		t.Error(err)
	}
}

// frames reads octet counted messages.
func frames(c net.Conn, out chan<- string) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		n, err := r.ReadString(' ')
		if err != nil {
			return
		}
		k, err := strconv.Atoi(strings.TrimSpace(n))
		if err != nil {
			out <- "bad count " + n
			return
		}
		b := make([]byte, k)
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		out <- string(b)
	}
}

func serve(l net.Listener, out chan<- string, conns chan<- net.Conn) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if conns != nil {
			conns <- c
		}
		go frames(c, out)
	}
}

func get(t *testing.T, out <-chan string, want string) {
	t.Helper()
	select {
	case m := <-out:
		if !strings.HasSuffix(m, want) {
			t.Errorf("%q, want …%q", m, want)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("nothing came, want %q", want)
	}
}

func named(s string) *event.Event { return finding(func(e *event.Event) { e.Finding.Signature = s }) }

func TestUDP(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := New(Config{Address: l.LocalAddr().String()})
	if err != nil {
		t.Fatal(err)
	}
	f := s.NewFront()
	f.Event(named("one"))
	f.Event(&event.Event{Type: event.Flow}) // not asked for
	f.Event(named("two"))
	s.Close()
	for _, want := range []string{"one: blocked", "two: blocked"} {
		b := make([]byte, 4096)
		_ = l.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, _, err := l.ReadFrom(b)
		if err != nil || !strings.HasSuffix(string(b[:n]), want) {
			t.Errorf("%q, %v", b[:n], err)
		}
	}
	if st := s.Stats(); st.Sent != 2 || st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
}

// TestTCP: the server comes late, goes away and comes back.
func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	s, err := start(Config{Network: "tcp", Address: addr}, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	f := s.NewFront()
	f.Event(named("early"))
	for s.Stats().Failed == 0 {
		time.Sleep(time.Millisecond)
	}
	if st := s.Stats(); st.Up || !strings.Contains(st.Error, "check that the server listens at "+addr) {
		t.Errorf("%+v", st)
	}
	out, conns := make(chan string, 9), make(chan net.Conn, 9)
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	go serve(l, out, conns)
	get(t, out, "early: blocked")
	f.Event(named("second\nline"))
	get(t, out, "second line: blocked")
	(<-conns).Close()
	time.Sleep(2 * idle)
	f.Event(named("after a restart"))
	get(t, out, "after a restart: blocked")
	s.Close()
	l.Close()
	if st := s.Stats(); st.Sent != 3 || !st.Up {
		t.Errorf("%+v", st)
	}
}

func TestTLS(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "log"}, DNSNames: []string{"log.home.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out := make(chan string, 9)
	go serve(l, out, nil)
	s, err := start(Config{Network: "tls", Address: l.Addr().String(), CA: ca, Name: "log.home.example"}, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	f := s.NewFront()
	f.Event(named("secret"))
	get(t, out, "secret: blocked")
	time.Sleep(2 * idle)
	f.Event(named("again"))
	get(t, out, "again: blocked")
	s.Close()
	// A server that is not who it should be gets nothing.
	s, err = start(Config{Network: "tls", Address: l.Addr().String(), CA: ca, Name: "other.example"}, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	s.NewFront().Event(named("secret"))
	for s.Stats().Failed < 2 {
		time.Sleep(time.Millisecond)
	}
	go func() { time.Sleep(20 * time.Millisecond); s.stop() }()
	s.Close()
	if st := s.Stats(); st.Sent != 0 || st.Dropped != 1 || !strings.Contains(st.Error, "certificate") {
		t.Errorf("%+v", st)
	}
}

// TestQueue: a server that takes nothing costs messages, and no waiting.
func TestQueue(t *testing.T) {
	s, err := start(Config{Network: "tcp", Address: "127.0.0.1:1", Queue: 8}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f := s.NewFront()
	for i := range 20 {
		f.Event(named(fmt.Sprint(i)))
	}
	s.stop()
	s.Close()
	if st := s.Stats(); st.Dropped != 20 || st.Sent != 0 {
		t.Errorf("%+v", st)
	}
}

func TestAllocs(t *testing.T) {
	c := Config{Address: "192.0.2.1", Host: "gw"}
	_ = c.Check()
	f, ev := newFormat(&c), finding(nil)
	if n := testing.AllocsPerRun(100, func() { f.message(ev) }); n > 2 { // the text of two addresses
		t.Errorf("%v allocations a message", n)
	}
}
