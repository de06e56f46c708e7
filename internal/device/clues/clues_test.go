package clues

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/fingerprint"
	"github.com/yamori-net/yamori/internal/device/synth"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dhcp"
	"github.com/yamori-net/yamori/internal/proto/dhcpv6"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/llmnr"
	"github.com/yamori-net/yamori/internal/proto/mdns"
	"github.com/yamori-net/yamori/internal/proto/nbns"
	"github.com/yamori-net/yamori/internal/proto/quic"
	"github.com/yamori-net/yamori/internal/proto/ssdp"
	"github.com/yamori-net/yamori/internal/proto/tftp"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

var protocols = []proto.Protocol{tls.Protocol, http.Protocol, dns.Protocol, mdns.Protocol, llmnr.Protocol, nbns.Protocol, nbns.DatagramProtocol,
	dhcp.Protocol, dhcpv6.Protocol, ssdp.Protocol, tftp.Protocol, quic.Protocol}

// list is a sink that keeps clues.
type list struct{ clues []device.Clue }

func (l *list) Add(c device.Clue) { l.clues = append(l.clues, c) }
func (l *list) Advance(int64)     {}

func (l *list) all() (out []string) {
	for _, c := range l.clues {
		if c.Source != device.Seen {
			out = append(out, c.Source.String()+"."+c.Key+"="+c.Value)
		}
	}
	return out
}

func newEngine(t testing.TB, sink device.Sink) *engine.Worker {
	t.Helper()
	e, err := engine.New(engine.Config{Protocols: protocols, Seed: 1, Observer: func(int) engine.Observer { return New(sink, nil, nil) }})
	if err != nil {
		t.Fatal(err)
	}
	return e.Workers[0]
}

var (
	devMAC = packet.MAC{0x02, 1, 2, 3, 4, 5}
	devIP  = [4]byte{192, 168, 7, 2}
	otherI = [4]byte{192, 168, 7, 9}
)

// frame makes an IPv4 packet; checksums are not looked at.
func frame(at int64, mac packet.MAC, src, dst [4]byte, l4proto byte, l4 []byte) *packet.Frame {
	d := append([]byte{2, 9, 9, 9, 9, 9}, mac[:]...)
	d = append(d, 0x08, 0x00, 0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, l4proto, 0, 0)
	binary.BigEndian.PutUint16(d[16:], uint16(20+len(l4)))
	d = append(append(append(d, src[:]...), dst[:]...), l4...)
	return &packet.Frame{Time: at, Data: d, Len: len(d), Link: packet.LinkEthernet}
}

func udp(sport, dport uint16, body string) []byte {
	b := binary.BigEndian.AppendUint16(nil, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(body)))
	return append(append(b, 0, 0), body...)
}

func tcp(sport, dport uint16, seq, ack uint32, flags byte, opts, body string) []byte {
	b := binary.BigEndian.AppendUint16(nil, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, ack)
	b = append(b, byte(5+len(opts)/4)<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	return append(append(b, opts...), body...)
}

const hello = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>` +
	`<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Hello</a:Action></s:Header><s:Body><d:Hello><a:EndpointReference>` +
	`<a:Address>urn:uuid:11111111-2222-3333-4444-555555555555</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>` +
	`<d:Scopes>onvif://www.onvif.org/type/ptz onvif://www.onvif.org/hardware/IPC-X1</d:Scopes></d:Hello></s:Body></s:Envelope>`

// cipher is the one of TP-Link's smart home protocol.
func cipher(s string) string {
	k, b := byte(171), []byte(s)
	for i := range b {
		b[i] ^= k
		k = b[i]
	}
	return string(b)
}

func TestDatagrams(t *testing.T) {
	all := [4]byte{255, 255, 255, 255}
	tests := []struct {
		name string
		l4   []byte
		dst  [4]byte
		want []string
	}{
		{"ws-discovery", udp(40000, 3702, hello), [4]byte{239, 255, 255, 250}, []string{"wsd.epr=11111111-2222-3333-4444-555555555555",
			"wsd.types=dn:NetworkVideoTransmitter", "wsd.scopes=onvif://www.onvif.org/type/ptz", "wsd.scopes=onvif://www.onvif.org/hardware/IPC-X1", "wsd.model=IPC-X1"}},
		{"a probe says nothing of itself", udp(40000, 3702, strings.Replace(hello, "/Hello<", "/Probe<", 1)), [4]byte{239, 255, 255, 250}, nil},
		{"tp-link", udp(9999, 40000, cipher(`{"system":{"get_sysinfo":{"type":"IOT.SMARTPLUGSWITCH","alias":"x"}}}`)), otherI, []string{"lan.say=tplink.plug"}},
		{"eq-3", udp(23272, 23272, "eQ3MaxApKEQ0000000\x00I\x00\x00\x00\x00"), all, []string{"port.lan=udp/23272", "lan.say=eq3max"}},
		{"search for eq-3", udp(23272, 23272, "eQ3Max*\x00**********I"), all, []string{"port.lan=udp/23272"}},
		{"dropbox", udp(17500, 17500, `{"host_int": 1, "version": [2, 0]}`), all, []string{"port.lan=udp/17500", "lan.say=dropbox"}},
		{"unknown name", udp(5000, 53, "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07private\x07example\x00\x00\x01\x00\x01"), [4]byte{192, 168, 7, 1}, nil},
		{"known name", udp(5000, 53, "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03abc\x08SamsungOTN\x03net\x00\x00\x01\x00\x01"), [4]byte{192, 168, 7, 1}, nil},
		{"known name, right", udp(5000, 53, "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03abc\x0aSamsungOTN\x03net\x00\x00\x01\x00\x01"), [4]byte{192, 168, 7, 1}, []string{"dns.name=samsungotn.net"}},
	}
	for _, tt := range tests {
		var l list
		newEngine(t, &l).Handle(frame(1e18, devMAC, devIP, tt.dst, 17, tt.l4))
		if got := l.all(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A description that is fetched tells about the device that serves it.
func TestDescription(t *testing.T) {
	var l list
	w := newEngine(t, &l)
	cli := packet.MAC{2, 7, 7, 7, 7, 7}
	body := `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType>` +
		`<friendlyName>Hall &amp; door</friendlyName><manufacturer>Example</manufacturer><modelName>IPC-1</modelName><UDN>uuid:12345678</UDN></device></root>`
	req := "GET /desc.xml HTTP/1.1\r\nHost: 192.168.7.2\r\nUser-Agent: Dalvik/2.1.0 (Linux; U; Android 13)\r\n\r\n"
	res := "HTTP/1.1 200 OK\r\nServer: Example/1.0\r\nContent-Type: text/xml\r\nContent-Length: " + string(appendUint(nil, uint64(len(body)))) + "\r\n\r\n" + body
	at := int64(1e18)
	for _, f := range []*packet.Frame{
		frame(at, cli, otherI, devIP, 6, tcp(40000, 49152, 100, 0, packet.SYN, "\x02\x04\x05\xb4", "")),
		frame(at, devMAC, devIP, otherI, 6, tcp(49152, 40000, 500, 101, packet.SYN|packet.ACK, "", "")),
		frame(at, cli, otherI, devIP, 6, tcp(40000, 49152, 101, 501, packet.ACK, "", req)),
		frame(at, devMAC, devIP, otherI, 6, tcp(49152, 40000, 501, uint32(101+len(req)), packet.ACK, "", res)),
	} {
		w.Handle(f)
	}
	w.Close()
	want := []string{"tcp.syn=64:65535:M", "http.user_agent=Dalvik/2.1.0 (Linux; U; Android 13)", "http.server=Example/1.0",
		"upnp.type=urn:schemas-upnp-org:device:Basic:1", "upnp.name=Hall & door", "upnp.maker=Example", "upnp.model=IPC-1", "upnp.udn=12345678"}
	if got := l.all(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, c := range l.clues {
		if c.Source == device.UPnP && c.MAC != devMAC {
			t.Errorf("%+v is told of the wrong device", c)
		}
	}
}

// Of requests in clear only those are told that the table knows; no address of
// a page is kept.
func TestRequests(t *testing.T) {
	for _, tt := range []struct {
		host, target string
		want         []string
	}{
		{"www.fitbit.com", "/scale/register?serialNumber=1", []string{"dns.name=fitbit.com", "http.path=www.fitbit.com/scale/*"}},
		{"WWW.FITBIT.COM:80", "/SCALE/upload", []string{"dns.name=fitbit.com", "http.path=www.fitbit.com/scale/*"}},
		{"www.fitbit.com", "/eu/home", []string{"dns.name=fitbit.com"}},
		{"www.example.org", "/scale/upload", nil},
	} {
		var l list
		w := newEngine(t, &l)
		cloud := [4]byte{203, 0, 113, 7}
		req := "GET " + tt.target + " HTTP/1.1\r\nHost: " + tt.host + "\r\n\r\n"
		at := int64(1e18)
		for _, f := range []*packet.Frame{
			frame(at, devMAC, devIP, cloud, 6, tcp(40000, 80, 100, 0, packet.SYN, "", "")),
			frame(at, devMAC, cloud, devIP, 6, tcp(80, 40000, 500, 101, packet.SYN|packet.ACK, "", "")),
			frame(at, devMAC, devIP, cloud, 6, tcp(40000, 80, 101, 501, packet.ACK, "", req)),
		} {
			w.Handle(f)
		}
		w.Close()
		got := slices.DeleteFunc(l.all(), func(s string) bool { return strings.HasPrefix(s, "tcp.syn") })
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s%s: %q", tt.host, tt.target, got)
		}
	}
}

// What is told once is held back, but not for ever.
func TestHoldBack(t *testing.T) {
	var l list
	epoch := uint64(0)
	x := New(&l, nil, func() uint64 { return epoch })
	w := who{mac: devMAC}
	say := func() int {
		l.clues = nil
		x.tell(w, device.DHCP, "hostname", []byte("name"))
		x.tellConst(w, device.NDP, "role", "ra")
		return len(l.clues)
	}
	x.Tick(1e9)
	if a, b := say(), say(); a != 2 || b != 0 {
		t.Errorf("%d %d", a, b)
	}
	if x.Tick(2e9); say() != 0 {
		t.Error("told again too soon")
	}
	if epoch++; true {
		x.Tick(3e9)
	}
	if say() != 2 {
		t.Error("not told again after the owner changed something")
	}
	if x.Tick(3e9 + forget); say() != 2 {
		t.Error("never told again")
	}
	for i := range 10 * maxTold {
		x.tell(w, device.DHCP, "hostname", appendUint(nil, uint64(i)))
	}
	if n := len(x.told[0]) + len(x.told[1]); n > 2*maxTold {
		t.Errorf("%d values remembered", n)
	}
	x.tell(w, device.DHCP, "x", []byte("  a\x00b"))
	if c := l.clues[len(l.clues)-1]; c.Value != "a" {
		t.Errorf("%q", c.Value)
	}
	x.tell(w, device.DHCP, "x", []byte(strings.Repeat("y", 500)))
	if c := l.clues[len(l.clues)-1]; len(c.Value) != device.MaxValue {
		t.Errorf("%d bytes", len(c.Value))
	}
}

func TestQueue(t *testing.T) {
	q := NewQueue()
	for i := range QueueSize + 10 {
		q.Add(device.Clue{Source: device.DHCP, Time: int64(i)})
	}
	if q.Dropped() != 10 {
		t.Errorf("%d dropped", q.Dropped())
	}
	var l list
	q.Drain(&l)
	if len(l.clues) != QueueSize {
		t.Errorf("%d clues", len(l.clues))
	}
}

// saved is a store that counts.
type saved struct {
	mu sync.Mutex
	n  int
}

func (s *saved) Load(func(string, []byte) error) error { return nil }
func (s *saved) Save(string, []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return nil
}

// What a worker sees reaches the registry, is judged and saved.
func TestLive(t *testing.T) {
	store := &saved{}
	r, err := device.NewRegistry(device.Config{Judge: fingerprint.Judge, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	l := NewLive(r, nil, 1)
	e, err := engine.New(engine.Config{Protocols: protocols, Seed: 1, Observer: func(i int) engine.Observer { return l.Observer(i) }, Refs: r.Ref})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { l.Run(ctx, func() int64 { return 1e18 + 60e9 }, func(err error) { t.Error(err) }) })
	var mac packet.MAC
	for _, c := range synth.Products() {
		if c.Kind == "printer" {
			mac = c.MAC
			for i := range c.Frames {
				e.Workers[0].Handle(&c.Frames[i])
			}
			break
		}
	}
	cancel()
	wg.Wait()
	if ref := r.Ref(mac, packet.AddrFrom4([]byte{192, 168, 77, 122})); ref.Kind != "printer" || ref.Name == "" {
		t.Errorf("%+v", ref)
	}
	if store.n == 0 || l.Dropped() != 0 {
		t.Errorf("%d saved, %d dropped", store.n, l.Dropped())
	}
}

func TestMerge(t *testing.T) {
	a, b := &Batch{}, &Batch{}
	a.Add(device.Clue{Source: device.DHCP, Key: "a", Time: 5})
	b.Add(device.Clue{Source: device.DHCP, Key: "b", Time: 3})
	a.Add(device.Clue{Source: device.DHCP, Key: "c", Time: 9})
	var l list
	Merge(&l, a, b)
	if got := l.all(); !slices.Equal(got, []string{"dhcp.b=", "dhcp.a=", "dhcp.c="}) {
		t.Errorf("%q", got)
	}
}

// frames are all synthetic conversations, one after the other.
func frames() (out []packet.Frame, span int64) {
	for i, c := range synth.Products() {
		for _, f := range c.Frames {
			f.Time += int64(i) * 60e9
			out = append(out, f)
		}
	}
	return out, int64(len(synth.Products())) * 60e9
}

// Devices that repeat themselves cost no memory, whatever they say.
func TestNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("1 case: the race detector allocates")
	}
	fs, span := frames()
	var l list
	x := New(&l, nil, nil)
	e, err := engine.New(engine.Config{Protocols: protocols, Seed: 1, MaxFlows: 4096, Observer: func(int) engine.Observer { return noTick{x} }})
	if err != nil {
		t.Fatal(err)
	}
	pass := func() {
		l.clues = l.clues[:0]
		for i := range fs {
			e.Workers[0].Handle(&fs[i])
			fs[i].Time += span
		}
	}
	for range 5 {
		pass()
	}
	if n := testing.AllocsPerRun(50, pass); n > 0.5 {
		t.Errorf("%.1f allocations in %d packets", n, len(fs))
	}
}

// noTick keeps what was told from being forgotten.
type noTick struct{ *Extractor }

func (n noTick) Tick(int64) {}

// BenchmarkHook compares the packets of devices presenting themselves without
// the extractor, with it when everything was told before, and with it when
// everything is told: the densest traffic there is for it.
func BenchmarkHook(b *testing.B) {
	for _, mode := range []string{"without", "told", "telling"} {
		b.Run(mode, func(b *testing.B) {
			fs, span := frames()
			var l list
			cfg := engine.Config{Protocols: protocols, Seed: 1, MaxFlows: 4096}
			switch x := New(&l, nil, nil); mode {
			case "told":
				cfg.Observer = func(int) engine.Observer { return noTick{x} }
			case "telling":
				cfg.Observer = func(int) engine.Observer { return x }
			}
			e, err := engine.New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				i := n % len(fs)
				e.Workers[0].Handle(&fs[i])
				fs[i].Time += span
				if n++; i == 0 {
					l.clues = l.clues[:0]
				}
			}
		})
	}
}

// FuzzFrame gives the whole way any bytes: nothing panics, and no clue is
// longer than it may be.
func FuzzFrame(f *testing.F) {
	fs, _ := frames()
	for i := 0; i < len(fs); i += 7 {
		f.Add(fs[i].Data)
	}
	for _, l4 := range [][]byte{udp(40000, 3702, hello), udp(9999, 40000, cipher(`{"alias":1}`)), udp(54321, 9, "\x21\x31"+strings.Repeat("x", 40))} {
		f.Add(frame(0, devMAC, devIP, otherI, 17, l4).Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var l list
		e, err := engine.New(engine.Config{Protocols: protocols, Seed: 1, MaxFlows: 16, OnPanic: func(v any, stack []byte) { t.Fatalf("%v\n%s", v, stack) },
			Observer: func(int) engine.Observer { return New(&l, nil, nil) }})
		if err != nil {
			t.Fatal(err)
		}
		e.Workers[0].Handle(&packet.Frame{Time: 1e18, Data: data, Len: len(data), Link: packet.LinkEthernet})
		e.Close()
		for _, c := range l.clues {
			if len(c.Value) > device.MaxValue {
				t.Fatalf("%+v", c)
			}
		}
	})
}

// FuzzWSD gives the reader of WS-Discovery any text.
func FuzzWSD(f *testing.F) {
	f.Add([]byte(hello))
	f.Add([]byte("/Hello<<Types><Address>urn:uuid:</Address>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var l list
		New(&l, nil, nil).wsd(who{mac: devMAC}, b)
		if len(l.clues) > 64 {
			t.Fatalf("%d clues of one message", len(l.clues))
		}
	})
}
