// Package look asks the devices of the home what they are: it searches with
// SSDP (UPnP Device Architecture 2.0 section 1.3) and multicast DNS (RFC 6762),
// and fetches the descriptions that answers name. It does so once, when the
// owner asks for it, and only speaks to addresses of the home. What comes back
// becomes clues like those of listening.
package look

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/descr"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/ssdp"
)

// Limits of one look.
const (
	MaxAnswers      = 1000                   // datagrams read
	MaxDescriptions = 64                     // documents fetched
	MaxPerHost      = 4                      // of them from one address
	MaxDocument     = descr.MaxBytes         // bytes of one document
	FetchTimeout    = 3 * time.Second        // for one document
	Pause           = 100 * time.Millisecond // between two things sent
	Least           = time.Minute            // between two looks
)

// Errors.
var (
	ErrTooSoon = errors.New("look: the last look was less than a minute ago")
	ErrNoLAN   = errors.New("look: the interface has no address of the home")
)

// services are asked for in multicast DNS.
var services = []string{"_services._dns-sd._udp", "_ipp._tcp", "_googlecast._tcp", "_airplay._tcp", "_raop._tcp", "_hap._tcp", "_smb._tcp",
	"_http._tcp", "_spotify-connect._tcp", "_sonos._tcp", "_hue._tcp", "_axis-video._tcp", "_device-info._tcp"}

// Config says where to look.
type Config struct {
	Home  []netip.Prefix // only addresses in these are spoken to; nil: device.DefaultHome
	Wait  time.Duration  // for answers; default 3 s
	Sink  device.Sink    // takes the clues
	Now   func() int64   // clock of the clues, ns
	Local netip.Addr     // address to send from; its interface is looked at

	// SSDP and MDNS are where searches go; zero: the groups of the standards.
	SSDP, MDNS netip.AddrPort
}

// Looker remembers when it looked last.
type Looker struct {
	cfg  Config
	last int64
}

// New makes a Looker.
func New(cfg Config) *Looker {
	if len(cfg.Home) == 0 {
		cfg.Home = device.DefaultHome()
	}
	if cfg.Wait == 0 {
		cfg.Wait = 3 * time.Second
	}
	if !cfg.SSDP.IsValid() {
		cfg.SSDP = netip.MustParseAddrPort("239.255.255.250:1900")
	}
	if !cfg.MDNS.IsValid() {
		cfg.MDNS = netip.MustParseAddrPort("224.0.0.251:5353")
	}
	return &Looker{cfg: cfg}
}

// Result counts what one look found.
type Result struct {
	Answers      int
	Descriptions int
	Refused      int // locations that are not of the home, or too many
	Failed       int // documents that did not come
}

func (l *Looker) home(a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range l.cfg.Home {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Look searches once. It is not for concurrent use.
func (l *Looker) Look(ctx context.Context) (Result, error) {
	var res Result
	now := l.cfg.Now()
	if l.last != 0 && now-l.last < int64(Least) {
		return res, ErrTooSoon
	}
	if !l.home(l.cfg.Local) {
		return res, ErrNoLAN
	}
	l.last = now
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(l.cfg.Local, 0)))
	if err != nil {
		return res, fmt.Errorf("look: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := l.ask(ctx, conn); err != nil {
		return res, err
	}
	f := fetcher{l: l, res: &res, hosts: map[netip.Addr]int{}, seen: map[string]bool{}}
	if err := l.listen(ctx, conn, &f); err != nil {
		return res, err
	}
	for _, t := range f.todo {
		if ctx.Err() != nil {
			return res, ctx.Err()
		}
		f.fetch(ctx, t)
		if err := sleep(ctx, Pause); err != nil {
			return res, err
		}
	}
	return res, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// ask sends the searches.
func (l *Looker) ask(ctx context.Context, conn *net.UDPConn) error {
	search := "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n"
	if _, err := conn.WriteToUDPAddrPort([]byte(search), l.cfg.SSDP); err != nil {
		return fmt.Errorf("look: %w", err)
	}
	for _, s := range services {
		if err := sleep(ctx, Pause/4); err != nil {
			return err
		}
		if _, err := conn.WriteToUDPAddrPort(question(s+".local"), l.cfg.MDNS); err != nil {
			return fmt.Errorf("look: %w", err)
		}
	}
	return nil
}

// question asks for the pointers of a name, with an answer to the port it was
// sent from (RFC 6762 section 5.4).
func question(name string) []byte {
	b := []byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for len(name) > 0 {
		i := 0
		for i < len(name) && name[i] != '.' {
			i++
		}
		b = append(append(b, byte(i)), name[:i]...)
		name = name[min(i+1, len(name)):]
	}
	return append(b, 0, 0, byte(dns.TypePTR), 0x80, 1)
}

// listen reads answers until the time is over.
func (l *Looker) listen(ctx context.Context, conn *net.UDPConn, f *fetcher) error {
	if err := conn.SetReadDeadline(time.Now().Add(l.cfg.Wait)); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	buf := make([]byte, 9000)
	for f.res.Answers < MaxAnswers {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return nil // the time is over
		}
		if !l.home(from.Addr()) {
			continue
		}
		f.res.Answers++
		f.answer(from, buf[:n])
	}
	return nil
}

type target struct {
	host netip.Addr
	url  string
}

type fetcher struct {
	l     *Looker
	res   *Result
	hosts map[netip.Addr]int
	seen  map[string]bool
	todo  []target
}

func (f *fetcher) tell(host netip.Addr, s device.Source, key string, value []byte) {
	if len(value) == 0 {
		return
	}
	f.l.cfg.Sink.Add(device.Clue{Source: s, Key: key, Value: string(value[:min(len(value), device.MaxValue)]), Time: f.l.cfg.Now(), IP: packet.AddrOf(host)})
}

// answer reads one datagram.
func (f *fetcher) answer(from netip.AddrPort, b []byte) {
	host := from.Addr().Unmap()
	var m ssdp.Message
	if m.Parse(b) && m.Kind == ssdp.Response {
		if st := m.Get(ssdp.ST); len(st) > 4 && string(st[:4]) == "urn:" || string(st) == "roku:ecp" {
			f.tell(host, device.SSDP, "type", st)
		}
		f.tell(host, device.SSDP, "server", m.Get(ssdp.Server))
		f.plan(host, string(m.Get(ssdp.Location)))
		return
	}
	var d dns.Message
	if !d.Parse(b) || !d.Response() {
		return
	}
	for i := range d.Len(dns.Answers) {
		r := d.Record(dns.Answers, i)
		if r.Type != dns.TypePTR {
			continue
		}
		if s := service(string(d.Name(r))); s == "_services._dns-sd._udp" {
			f.tell(host, device.MDNS, "service", []byte(service(string(d.Target(r)))))
		} else if s != "" {
			f.tell(host, device.MDNS, "service", []byte(s))
		}
	}
}

func service(name string) string {
	const local = ".local"
	if len(name) > len(local) && name[0] == '_' && name[len(name)-len(local):] == local {
		return name[:len(name)-len(local)]
	}
	return ""
}

// plan notes a description to fetch. It has to be where the answer came from:
// a device may not send the gateway to another machine.
func (f *fetcher) plan(host netip.Addr, location string) {
	if location == "" || f.seen[location] {
		return
	}
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "http" || u.User != nil {
		f.res.Refused++
		return
	}
	a, err := netip.ParseAddr(u.Hostname())
	if err != nil || a.Unmap() != host || !f.l.home(a) || f.hosts[host] >= MaxPerHost || len(f.todo) >= MaxDescriptions {
		f.res.Refused++
		return
	}
	f.seen[location] = true
	f.hosts[host]++
	f.todo = append(f.todo, target{host, location})
}

func (f *fetcher) fetch(ctx context.Context, t target) {
	ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url, nil)
	if err != nil {
		f.res.Failed++
		return
	}
	c := http.Client{
		Transport:     &http.Transport{Proxy: nil, DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := c.Do(req)
	if err != nil {
		f.res.Failed++
		return
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxDocument))
	if err != nil || resp.StatusCode != http.StatusOK || !descr.IsDescription(b) {
		f.res.Failed++
		return
	}
	f.res.Descriptions++
	keys := map[string]string{"deviceType": "type", "friendlyName": "name", "manufacturer": "maker", "modelName": "model", "modelNumber": "model", "UDN": "udn"}
	told := map[string]bool{}
	descr.Elements(b, func(name, text []byte) bool {
		n := string(name)
		if k := keys[n]; k != "" && (!told[n] || n == "deviceType") {
			told[n] = true
			v := descr.Unescape(text)
			if k == "udn" && len(v) > 5 && string(v[:5]) == "uuid:" {
				v = v[5:]
			}
			f.tell(t.host, device.UPnP, k, v)
		}
		return true
	})
}
