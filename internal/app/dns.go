package app

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/dnsmode"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
)

// resolver is the home's DNS. Nothing of it keeps the daemon from watching.
type resolver struct {
	w       *Watch
	server  atomic.Pointer[dnsmode.Server] // nil: it could not be started yet
	book    atomic.Pointer[book]
	reload  chan struct{}
	refused chan dnsmode.Blocked
	lost    atomic.Uint64 // refusals for which there was no room
}

// Times and limits of the resolver.
const (
	bookEvery     = 2 * time.Second  // how often the devices are looked up
	retryResolver = 10 * time.Second // how often it is tried to start
	maxRefused    = 256              // refusals that wait to be told
	tellAgain     = time.Minute      // the same name of the same device is told so often
	maxTold       = 2048             // names that are remembered as told
)

// startDNS opens the resolver's addresses; nil: none is wanted.
func (w *Watch) startDNS() *resolver {
	if !w.Config.DNS.Enabled() {
		return nil
	}
	r := &resolver{w: w, reload: make(chan struct{}, 1), refused: make(chan dnsmode.Blocked, maxRefused)}
	r.book.Store(bookOf(w.house.Devices.Devices()))
	r.open()
	return r
}

// open makes the server and opens its addresses; a failure is logged.
func (r *resolver) open() *dnsmode.Server {
	s, err := dnsmode.New(r.config())
	if err == nil {
		err = s.Open()
	}
	if err != nil {
		r.w.Log.Error("the home's names are not resolved; watching goes on", "error", err)
		return nil
	}
	r.server.Store(s)
	r.w.Log.Info("the home's names are resolved", "at", s.Addresses())
	return s
}

// config is what the configuration file says, with what the house knows.
func (r *resolver) config() dnsmode.Config {
	w, d := r.w, &r.w.Config.DNS
	c := dnsmode.Config{PublicListen: d.PublicListen, Clients: w.HomeNet, Upstreams: config.Group(d.Upstreams), WithoutClock: config.Group(d.WithoutClock),
		Names: r, Policy: dnsmode.FromPolicy(w.house.Policy.Handle(), r.who), RebindAllow: d.RebindAllow, Domain: d.Domain, Gateway: d.Gateway,
		Open: w.openPort(), AllowBrowserDoH: d.BrowserDoH, BlockRelay: d.BlockRelay, OnBlock: r.onBlock}
	c.Upstreams.Fastest = d.Fastest
	for _, s := range d.Listen {
		if a, err := config.ListenAddress(s); err == nil { // checked by config
			c.Listen = append(c.Listen, a)
		}
	}
	if len(c.Listen) == 0 {
		for _, a := range w.homeAddresses() {
			if a = netip.AddrPortFrom(a.Addr(), config.DNSPort); d.PublicListen || dnsmode.CheckListen(a) == nil {
				c.Listen = append(c.Listen, a)
			}
		}
	}
	for _, z := range d.Zones {
		c.Zones = append(c.Zones, dnsmode.Zone{Name: z.Name, Upstreams: config.Group(z.Upstreams)})
	}
	c.Blocked.Kind = map[string]dnsmode.Kind{"refused": dnsmode.Refused, "null": dnsmode.Null, "nodata": dnsmode.NoData, "address": dnsmode.Custom}[d.Blocked.Answer]
	for _, s := range d.Blocked.Addresses {
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
			c.Blocked.V4 = a
		} else {
			c.Blocked.V6 = a
		}
	}
	return c
}

// upstreamEntries are the resolvers that the home's DNS needs: never blocked.
func (w *Watch) upstreamEntries() (out []policy.Entry) {
	if !w.Config.DNS.Enabled() {
		return nil
	}
	for _, u := range config.Group(w.Config.DNS.Upstreams).Upstreams {
		ends, _ := u.Endpoints() // checked by config
		for _, e := range ends {
			out = append(out, policy.Entry{Kind: policy.Never, Scope: policy.Scope{Dest: e.Addr().Unmap().WithZone("").String()}, Reason: "resolves names"})
		}
	}
	return out
}

// run answers until ctx ends.
func (r *resolver) run(ctx context.Context) {
	if r == nil {
		return
	}
	done := make(chan struct{}, 3)
	for _, f := range []func(context.Context){r.keepBook, r.keepLists, r.tell} {
		go func() { f(ctx); done <- struct{}{} }()
	}
	for ctx.Err() == nil {
		s := r.server.Load()
		if s == nil {
			if s = r.open(); s != nil {
				r.again()
			}
		}
		if s != nil {
			if err := s.Run(ctx); err != nil {
				r.w.Log.Error("the home's names are not resolved", "error", err)
			}
			r.server.Store(nil)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryResolver):
		}
	}
	for range cap(done) {
		<-done
	}
}

// again asks for the lists to be read again.
func (r *resolver) again() {
	if r == nil {
		return
	}
	select {
	case r.reload <- struct{}{}:
	default:
	}
}

// keepLists reads the lists at the start and whenever it is asked for.
func (r *resolver) keepLists(ctx context.Context) {
	src := listSources(&r.w.Config.DNS)
	for {
		if s := r.server.Load(); s != nil && len(src) > 0 {
			st, err := s.LoadLists(ctx, src)
			if err != nil && ctx.Err() == nil {
				r.w.Log.Error("a list of names is not in force, or only as it was", "error", err)
			}
			for _, l := range st {
				r.w.Log.Info("list of names", "list", l.Name, "names", l.Names, "exceptions", l.Exceptions, "skipped", l.Skipped)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-r.reload:
		}
	}
}

// onBlock takes a refusal that people want to hear of. Those of the owner's own
// blocks, of lists without a category and of the upstream are counted only.
func (r *resolver) onBlock(b dnsmode.Blocked) {
	if b.Reason == dnsmode.ByPolicy || b.Reason == dnsmode.ByUpstream || b.Reason == dnsmode.ByList && b.Category == "" {
		return
	}
	select {
	case r.refused <- b:
	default:
		r.lost.Add(1)
	}
}

// tell makes findings of refusals. It alone uses its recorder and its fronts.
func (r *resolver) tell(ctx context.Context) {
	w := r.w
	sinks := append(event.Tee{w.coll, w.house.Recorder()}, w.exports.fronts()...)
	flush := func() {}
	if w.queue != nil {
		f := w.queue.NewFront()
		sinks, flush = append(sinks, f), f.Flush
	}
	type key struct {
		client netip.Addr
		name   string
	}
	told := map[key]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-r.refused:
			k := key{b.Client, b.Name}
			if at, ok := told[k]; ok && b.Time.Sub(at) < tellAgain && !b.Time.Before(at) {
				continue
			}
			if len(told) >= maxTold {
				clear(told)
			}
			told[k] = b.Time
			sinks.Event(r.event(&b))
			flush()
		}
	}
}

// sidRefused is the number of findings about refused names.
const sidRefused = 1200

// event is the finding of a refusal.
func (r *resolver) event(b *dnsmode.Blocked) *event.Event {
	f := &event.Finding{Category: event.DNS, Family: b.Reason, Detector: "dns", Level: event.Likely, Confidence: 0.9, SignatureID: sidRefused,
		Signature: "Refused name: " + b.Name, Severity: 2, Action: "blocked", Why: b.Why, By: b.By, Code: "dns.blocked", FromClient: true,
		Args:     []event.Arg{{Name: "name", Value: b.Name}, {Name: "list", Value: b.List}, {Name: "reason", Value: b.Reason}},
		Evidence: []event.Evidence{{Code: "dns.name", Value: b.Name}}}
	if c := event.Category(b.Category); event.KnownCategory(c) {
		f.Category = c
	}
	if b.Alias != "" {
		f.Evidence = append(f.Evidence, event.Evidence{Code: "dns.alias", Value: b.Alias})
	}
	ev := &event.Event{Time: b.Time.UnixNano(), Type: event.Alert, HasAddr: true, Src: packet.AddrOf(b.Client), Dst: packet.AddrOf(b.Client), DstPort: config.DNSPort,
		Proto: packet.ProtoUDP, Iface: r.w.iface, AppProto: "dns", Finding: f}
	if s := r.server.Load(); s != nil {
		for _, a := range s.Addresses() {
			if a.Addr().Is4() == b.Client.Unmap().Is4() {
				ev.Dst, ev.DstPort = packet.AddrOf(a.Addr()), a.Port()
				break
			}
		}
	}
	f.Device, ev.SrcMAC = r.who(b.Client)
	if ev.HasMAC = ev.SrcMAC != (packet.MAC{}); f.Device.ID == "" {
		f.Device = r.w.house.Devices.Ref(ev.SrcMAC, ev.Src)
	}
	return ev
}

// dnsFailed is the code of a resolver that could not be started.
const dnsFailed = "dns.failed"

// problems are what is not as it should be.
func (r *resolver) problems() (out []api.Problem) {
	if r == nil {
		return nil
	}
	s := r.server.Load()
	if s == nil {
		return []api.Problem{{Code: dnsFailed, Args: []api.Pair{}}}
	}
	for _, i := range s.Health() {
		p := api.Problem{Code: i.Code, Args: []api.Pair{}}
		for _, a := range i.Args {
			if a.Value != "" {
				p.Args = append(p.Args, api.Pair{Name: a.Name, Value: a.Value})
			}
		}
		out = append(out, p)
	}
	return out
}

// samples are the resolver's figures of /metrics.
func (r *resolver) samples() []api.Sample {
	if r == nil {
		return nil
	}
	out := []api.Sample{{Name: "yamori_queue_drops_total", Labels: []string{"dns"}, Value: float64(r.lost.Load())}}
	srv := r.server.Load()
	if srv == nil {
		return out
	}
	s := srv.Stats()
	out = append(out, api.Sample{Name: "yamori_dns_queries_total", Value: float64(s.Queries)}, api.Sample{Name: "yamori_panics_total", Labels: []string{"dns"}, Value: float64(s.Panics)})
	add := func(name, label string, n uint64) {
		out = append(out, api.Sample{Name: name, Labels: []string{label}, Value: float64(n)})
	}
	for label, n := range map[string]uint64{"cache": s.Cached, "upstream": s.Forwarded, "home": s.Local, "stale": s.Stale, "failed": s.Failed} {
		add("yamori_dns_answers_total", label, n)
	}
	for reason, n := range s.Blocked {
		add("yamori_dns_blocked_total", reason, n)
	}
	for reason, n := range map[string]uint64{"limited": s.Limited, "not_home": s.NotHome, "overload": s.Overload, "malformed": s.Malformed} {
		add("yamori_dns_dropped_total", reason, n)
	}
	for _, l := range s.Lists {
		add("yamori_dns_list_names", l.Name, uint64(l.Names))
	}
	return out
}

// book is a copy of the list of devices, by address and by name, that is read
// for each question without a lock.
type book struct {
	by    map[netip.Addr]*device.Device
	label map[string]*device.Device
	name  map[*device.Device]string
}

// keepBook makes a new one every few seconds.
func (r *resolver) keepBook(ctx context.Context) {
	t := time.NewTicker(bookEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			r.book.Store(bookOf(r.w.house.Devices.Devices()))
		}
	}
}

// bookOf sorts devices. An address belongs to whoever had it last; a name to
// the device that the owner gave it, else to the one that was there first, so
// that no newcomer takes it away.
func bookOf(list []device.Device) *book {
	b := &book{map[netip.Addr]*device.Device{}, map[string]*device.Device{}, map[*device.Device]string{}}
	for i := range list {
		d := &list[i]
		for _, a := range d.Addresses {
			if old := b.by[a.Netip()]; old == nil || old.Last < d.Last {
				b.by[a.Netip()] = d
			}
		}
		l := labelOf(d.Name)
		if old := b.label[l]; l != "" && (old == nil || d.Owned && !old.Owned || d.Owned == old.Owned && d.First < old.First) {
			b.label[l] = d
		}
	}
	for l, d := range b.label {
		b.name[d] = l
	}
	return b
}

// labelOf makes one label of a device's name; empty: none can be made.
func labelOf(name string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case c == '\'' || c == '’':
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 63 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

// who says which device asks.
func (r *resolver) who(a netip.Addr) (event.DeviceRef, packet.MAC) {
	d := r.book.Load().by[a.Unmap().WithZone("")]
	if d == nil {
		return event.DeviceRef{}, packet.MAC{}
	}
	return event.DeviceRef{ID: d.ID, Kind: d.Kind, Name: d.Name}, d.MAC
}

// Addresses are those that the device of a name still has.
func (r *resolver) Addresses(name string) (out []netip.Addr) {
	b := r.book.Load()
	if d := b.label[name]; d != nil {
		for _, a := range d.Addresses {
			if ip := a.Netip(); b.by[ip] == d && !ip.IsLinkLocalUnicast() {
				out = append(out, ip)
			}
		}
	}
	return out
}

// Name is that of the device with an address.
func (r *resolver) Name(a netip.Addr) string {
	b := r.book.Load()
	return b.name[b.by[a.Unmap().WithZone("")]]
}

// found makes the names that findings block for the whole home those of list.
func (r *resolver) found(list map[string]policy.Entry) {
	s := r.server.Load()
	if s == nil {
		return // the next start asks again
	}
	for _, b := range s.Blocks() {
		if e, ok := list[b.Name]; !ok || time.Until(b.Until) > e.Left+time.Minute {
			s.Unblock(b.Name)
		}
	}
	for name, e := range list {
		if err := s.Block(name, e.Left, e.Reason); err != nil {
			r.w.Log.Warn("a name that a finding blocks is answered all the same", "name", name, "error", err)
		}
	}
}

// knows reports whether the resolver itself has said lately that a name has an
// address: then the name is not only what a device claims.
func (r *resolver) knows(name string, a netip.Addr) bool {
	s := r.server.Load()
	return s != nil && s.Knows(name, a)
}
