package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/look"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/geo"
	"github.com/yamori-net/yamori/internal/house"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/report"
	"github.com/yamori-net/yamori/internal/store"
)

// openHouse opens what the daemon knows. A disk that fails must not keep it
// from watching: then it goes on with a folder of its own that does not outlast
// it, and says so.
func (w *Watch) openHouse(workers int) error {
	c := w.Config
	w.keeper, w.reactor = &keeper{w: w, wake: make(chan struct{}, 1)}, newReactor(w)
	mode, err := policy.ParseMode(firstOf(c.Policy.Mode, "watch"))
	if err != nil {
		return err
	}
	cfg := house.Config{HomeNet: w.HomeNet, Mode: mode, Answer: policy.Answer{Silent: c.Policy.Answer == "drop", ICMP: c.Policy.ICMP}, Evidence: c.State.Evidence == nil || *c.State.Evidence, Log: w.Log, Now: time.Now, Version: w.Version, Workers: workers,
		GeoSource: c.Geo.Source, Look: w.look, OnPolicy: w.keeper.changed}
	if len(cfg.HomeNet) == 0 {
		cfg.HomeNet = device.DefaultHome()
	}
	if c.Geo.Country != "" {
		if cfg.Geo, err = geo.Open(c.Geo.Country); err != nil {
			return fmt.Errorf("geo.country: %w", err)
		}
	}
	if c.Geo.ASN != "" {
		if cfg.Networks, err = geo.Open(c.Geo.ASN); err != nil {
			return fmt.Errorf("geo.asn: %w", err)
		}
	}
	cfg.Store = store.Config{Dir: firstOf(c.State.Dir, config.DefaultState), MaxBytes: int64(c.State.MaxMB) << 20}
	w.house, err = house.Open(cfg)
	if err == nil {
		return nil
	}
	var newer *store.ErrNewer
	if errors.As(err, &newer) {
		return err // the owner's data belongs to a later version; nothing is to be guessed here
	}
	w.Log.Error("what was known cannot be read; what is found from now on is lost at the end", "folder", cfg.Store.Dir, "error", err,
		"cure", "make the folder writable, or name another one with --state")
	w.lost = err.Error()
	if cfg.Store.Dir, err = os.MkdirTemp("", "yamori-"); err != nil {
		return err
	}
	w.temporary = cfg.Store.Dir
	w.house, err = house.Open(cfg)
	return err
}

// closeHouse keeps what is under way. A folder that stood for the one that could
// not be used goes.
func (w *Watch) closeHouse() {
	if err := w.house.Close(); err != nil {
		w.Log.Error("what was found last could not be kept", "error", err)
	}
	if w.temporary != "" {
		_ = os.RemoveAll(w.temporary)
	}
}

func firstOf(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}

// furnish gives the engine what the house knows.
func (w *Watch) furnish(cfg *engine.Config) {
	h := w.house
	cfg.Observer = func(i int) engine.Observer { return h.Observer(i) }
	cfg.Refs, cfg.Judge, cfg.Evidence = h.Ref, h.Policy.Handle(), h.Evidence
	if err := h.Policy.SetHome(slices.Concat(homeEntries(), w.upstreamEntries(), w.routerEntries())); err != nil {
		w.Log.Warn("the addresses that keep the home working could not be noted", "error", err)
	}
}

// homeEntries are what is never to be blocked: this machine, and who resolves
// names for it.
func homeEntries() (out []policy.Entry) {
	add := func(a netip.Addr, why string) {
		if a = a.Unmap().WithZone(""); a.IsValid() && !a.IsLoopback() && !a.IsUnspecified() {
			out = append(out, policy.Entry{Kind: policy.Never, Scope: policy.Scope{Dest: a.String()}, Reason: why})
		}
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && len(out) < 32 {
			add(p.Addr(), "this gateway")
		}
	}
	b, _ := os.ReadFile("/etc/resolv.conf")
	for _, s := range nameservers(string(b)) {
		add(s, "resolves names")
	}
	return out
}

// ListenUnix listens at the daemon's socket. The file goes with the listener.
func ListenUnix(path string) (*net.UnixListener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("status socket: %w; choose another place with --socket", err)
	}
	if err := freeSocket(path); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("status socket: %w; choose another place with --socket", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("status socket: %w", err)
	}
	return l, nil
}

// listeners opens the Unix socket and says where HTTPS is to be.
func (w *Watch) listeners() (l api.Listen, err error) {
	if l.Unix, err = w.listenUnix(); err != nil {
		return l, err
	}
	l.Open = w.listenAt
	if w.Config.API.Off {
		return l, nil
	}
	for _, s := range w.Config.API.Listen {
		l.HTTPS = append(l.HTTPS, netip.MustParseAddrPort(s)) // checked by config
	}
	if len(l.HTTPS) == 0 {
		l.HTTPS = w.homeAddresses()
	}
	if len(l.HTTPS) > 0 {
		dir := firstOf(w.temporary, w.Config.State.Dir, config.DefaultState)
		l.Cert = &api.Certificate{Dir: dir, Names: w.Config.API.Names}
	}
	return l, nil
}

// homeAddresses are those of the watched interface that belong to the home:
// nothing is served to the internet unless the owner says so.
func (w *Watch) homeAddresses() (out []netip.AddrPort) {
	ifc, err := net.InterfaceByName(w.iface)
	if err != nil {
		return nil
	}
	addrs, _ := ifc.Addrs()
	home := w.HomeNet
	if len(home) == 0 {
		home = device.DefaultHome()
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		for _, h := range home {
			if h.Contains(p.Addr()) {
				out = append(out, netip.AddrPortFrom(p.Addr(), config.DefaultPort))
				break
			}
		}
	}
	return out
}

// serve answers over the Unix socket and HTTPS until ctx ends.
func (w *Watch) serve(ctx context.Context) (func(), error) {
	l, err := w.listeners()
	if err != nil {
		return nil, err
	}
	srv, err := api.New(api.Config{Backend: w.house.Backend(daemon{w}), Auth: w.house.Auth, Audit: w.house, Log: w.Log, Version: w.Version, Events: w.house.Hub,
		Names: w.Config.API.Names, OpenMetrics: w.Config.API.OpenMetrics,
		Explain: func(lang, code string, args map[string]string) string {
			return report.Explain(report.Lang(lang), code, args)
		}})
	if err != nil {
		_ = l.Unix.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.listen(ctx, srv, l)
	}()
	return func() { cancel(); <-done }, nil
}

// listen serves; when an address cannot be had, the socket alone is served:
// watching goes on.
func (w *Watch) listen(ctx context.Context, srv *api.Server, l api.Listen) {
	if len(l.HTTPS) > 0 {
		w.invite(l)
	}
	err := srv.Serve(ctx, l)
	if err == nil || ctx.Err() != nil {
		return
	}
	w.Log.Error("the API does not answer over the network; the socket does", "error", err)
	w.apiDown.Store(true)
	if u, err := w.listenUnix(); err == nil {
		err = srv.Serve(ctx, api.Listen{Unix: u})
		if err != nil && ctx.Err() == nil {
			w.Log.Error("the socket does not answer", "error", err)
		}
	}
}

// setupLife is how long the one-time link of the first start holds.
const setupLife = time.Hour

// invite prints where the API is, and while there is no user yet the link that
// makes the first one.
func (w *Watch) invite(l api.Listen) {
	where := "https://" + l.HTTPS[0].String()
	print256, err := l.Cert.Fingerprint()
	if err != nil {
		w.Log.Error("the certificate for HTTPS could not be made", "error", err)
		return
	}
	w.Log.Info("the API answers", "at", where, "certificate_sha256", print256)
	if !w.house.Auth.NeedsSetup() {
		return
	}
	secret, err := w.house.Auth.NewSetup(setupLife)
	if err != nil {
		w.Log.Error("the set-up link could not be made", "error", err)
		return
	}
	fmt.Fprintf(w.Stdout, report.Daemon(w.Lang).Invite, where+"/setup#token="+secret, print256)
}

// look asks the home's devices for their descriptions, because the owner said
// so. It returns at once; what is learnt goes to the list of devices.
func (w *Watch) look(device.Device) error {
	if w.looking.Swap(true) {
		return api.ErrBusy
	}
	cfg := look.Config{Home: w.HomeNet, Sink: w.house.Devices, Now: func() int64 { return time.Now().UnixNano() }}
	for _, a := range w.homeAddresses() {
		if a.Addr().Is4() {
			cfg.Local = a.Addr()
			break
		}
	}
	go func() {
		defer w.looking.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := look.New(cfg).Look(ctx); err != nil {
			w.Log.Warn("asking the devices failed", "error", err)
		}
	}()
	return nil
}
