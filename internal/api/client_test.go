package api_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
)

const dev = "mac:02:00:00:00:00:05"

// serve starts a server on a socket, and on HTTPS when cert is not nil.
func serve(t *testing.T, s *api.Server, cert *api.Certificate) (sock string, at netip.AddrPort) {
	t.Helper()
	sock = filepath.Join(t.TempDir(), "s")
	un, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	l := api.Listen{Unix: un, Cert: cert}
	if cert != nil {
		x, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at = netip.MustParseAddrPort(x.Addr().String())
		_ = x.Close()
		l.HTTPS = []netip.AddrPort{at}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for range 3000 {
		if at.IsValid() {
			c, err := net.Dial("tcp", at.String())
			if err != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			_ = c.Close()
		}
		break
	}
	return sock, at
}

// TestClient calls every route that is not for browsers alone, over the socket.
func TestClient(t *testing.T) {
	var mu sync.Mutex
	hit := map[string]bool{}
	s, _, viewer := api.NewTestServer(t, func(name string) { mu.Lock(); hit[name] = true; mu.Unlock() })
	sock, _ := serve(t, s, nil)
	c, ctx := client.Unix(sock), context.Background()
	ok := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	n := 0
	for d, err := range c.Devices(ctx, api.DeviceQuery{Kind: "camera"}) {
		ok("devices", err)
		if n++; d.ID == "" {
			t.Error("a device without identity")
		}
	}
	if n != 120 {
		t.Errorf("%d devices", n)
	}
	ok("findings", all(c.Findings(ctx, api.FindingQuery{Since: time.Unix(0, 0)})))
	ok("flows", all(c.Flows(ctx, "", "")))
	ok("timeline", all(c.Timeline(ctx, dev, "", time.Time{}, time.Time{})))
	ok("audit", all(c.Audit(ctx, "", "", time.Time{}, time.Time{})))
	ok("users", all(c.Users(ctx)))
	ok("tokens", all(c.Tokens(ctx)))
	ok("sessions", all(c.Sessions(ctx)))
	one := func(_ any, err error) { t.Helper(); ok("", err) }
	me, err := c.Me(ctx)
	if ok("me", err); me.Via != "socket" {
		t.Errorf("%+v", me)
	}
	_, err = c.Ready(ctx)
	ok("ready", err)
	get := func(v any, err error) { t.Helper(); one(v, err) }
	name := "Hall"
	st, err := c.Status(ctx)
	get(st, err)
	d, err := c.ChangeDevice(ctx, dev, api.DeviceChange{Name: &name})
	if get(d, err); d.Name != "Hall" {
		t.Errorf("name %q", d.Name)
	}
	d, err = c.Device(ctx, dev)
	get(d, err)
	d, err = c.MergeDevices(ctx, dev, "mac:02:00:00:00:00:06")
	get(d, err)
	d, err = c.SplitDevice(ctx, dev, "02:00:00:00:00:05")
	get(d, err)
	ok("look", c.LookAt(ctx, dev))
	e, err := c.Quarantine(ctx, dev, api.Hold{Reason: "x"})
	get(e, err)
	ok("unquarantine", c.Unquarantine(ctx, dev))
	e, err = c.Pause(ctx, dev, api.Hold{Seconds: 60})
	get(e, err)
	ok("unpause", c.Unpause(ctx, dev))
	rec, err := c.Record(ctx, dev)
	get(rec, err)
	f, err := c.Finding(ctx, "3")
	get(f, err)
	state := "solved"
	f, err = c.ChangeFinding(ctx, "3", api.FindingChange{State: &state})
	get(f, err)
	var b bytes.Buffer
	ok("capture", c.Capture(ctx, "3", &b))
	ok("export", c.Export(ctx, api.FindingQuery{}, "csv", &b))
	tr, err := c.Trends(ctx, time.Time{}, time.Time{})
	get(tr, err)
	p, err := c.SetMode(ctx, "protect")
	get(p, err)
	p, err = c.Policy(ctx)
	if get(p, err); p.Mode != "protect" {
		t.Error(p)
	}
	for _, list := range []string{client.Exceptions, client.Consents, client.Blocks, client.Never, client.Actions} {
		in := api.EntryNew{Scope: api.Scope{Device: dev}, Seconds: 60}
		if list == client.Actions {
			in.At = "likely"
		}
		e, err := c.AddEntry(ctx, list, in)
		get(e, err)
		e, err = c.Entry(ctx, list, e.ID)
		get(e, err)
		ok(list, all(c.Entries(ctx, list, dev)))
		ok(list, c.RemoveEntry(ctx, list, e.ID))
	}
	ok("changes", all(c.Changes(ctx)))
	undone, err := c.Undo(ctx, "7")
	if get(undone, err); !strings.HasPrefix(undone.Author, "uid:") {
		t.Errorf("undone by %q", undone.Author)
	}
	set, err := c.Settings(ctx)
	get(set, err)
	set, err = c.ChangeSettings(ctx, api.SettingsChange{})
	get(set, err)
	b.Reset()
	ok("backup", c.Backup(ctx, api.BackupOptions{Passphrase: "ひみつ 1%"}, &b))
	back, err := c.Restore(ctx, "ひみつ 1%", &b)
	get(back, err)
	in, err := c.Import(ctx, strings.NewReader("{}\n{}\n"))
	if get(in, err); in.Findings != 2 {
		t.Errorf("imported %+v", in)
	}
	r, err := c.Rules(ctx)
	get(r, err)
	r, err = c.ReloadRules(ctx)
	get(r, err)
	u, err := c.AddUser(ctx, api.UserNew{Name: "Ren", Password: "correct horse battery", Role: "viewer"})
	get(u, err)
	u, err = c.User(ctx, u.ID)
	get(u, err)
	pw := "another long phrase"
	u, err = c.ChangeUser(ctx, u.ID, api.UserChange{Password: &pw})
	get(u, err)
	ok("delete user", c.DeleteUser(ctx, u.ID))
	tok, err := c.AddToken(ctx, api.TokenNew{Name: "ha", Scope: "read", Days: 1})
	if get(tok, err); !strings.HasPrefix(tok.Secret, tok.Prefix) {
		t.Error("no secret")
	}
	ok("delete token", c.DeleteToken(ctx, tok.ID))
	ok("end session", c.EndSession(ctx, s.Login(t, "Nana")))
	_ = viewer
	stop := errors.New("enough")
	go func() {
		for s.Events().Listening() == 0 {
			time.Sleep(time.Millisecond)
		}
		s.Events().Publish(api.EventStatus, &api.Status{Version: "x"})
	}()
	if err := c.Events(ctx, "", "status", func(e client.Event) error {
		if e.Type != "status" || e.ID == "" || !bytes.Contains(e.Data, []byte(`"version":"x"`)) {
			t.Errorf("%+v", e)
		}
		return stop
	}); err != stop {
		t.Error(err)
	}
	er, err := c.Erase(ctx, dev)
	get(er, err)

	if _, err := c.Device(ctx, dev); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("after erasing: %v", err)
	}
	var refused *client.Error
	if _, err := c.SetMode(ctx, "attack"); !errors.As(err, &refused) || refused.Field != "mode" {
		t.Errorf("a mode that is none: %v", err)
	}
	browsers := []string{"healthz", "metrics", "openapi", "setup.page", "login.page", "home.page", "assets", "record.page", "setup", "session.login", "session.logout", "session.password", "totp.enrol", "totp.confirm", "totp.remove"}
	for _, name := range api.RouteNames() {
		if !hit[name] && !slices.Contains(browsers, name) {
			t.Errorf("the client never called %s", name)
		}
	}
	if _, err := client.Unix("/nonexistent/s").Status(ctx); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("no daemon: %v", err)
	}
}

func all[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestClientHTTPS: a token and the printed fingerprint let in; another
// fingerprint does not.
func TestClientHTTPS(t *testing.T) {
	s, token, _ := api.NewTestServer(t, nil)
	cert := &api.Certificate{Dir: t.TempDir(), Addrs: func() []netip.Addr { return nil }}
	_, at := serve(t, s, cert)
	fp, err := cert.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.HTTPS("https://"+at.String(), token, fp)
	if err != nil {
		t.Fatal(err)
	}
	if me, err := c.Me(context.Background()); err != nil || me.Via != "token" || me.Scope != "admin" {
		t.Errorf("%+v %v", me, err)
	}
	c, _ = client.HTTPS("https://"+at.String(), token, strings.Repeat("00:", 31)+"00")
	if _, err := c.Me(context.Background()); err == nil || !strings.Contains(err.Error(), "another fingerprint") {
		t.Errorf("another certificate: %v", err)
	}
	for _, bad := range [][2]string{{"http://x", ""}, {"x", ""}, {"https://x", "zz"}} {
		if _, err := client.HTTPS(bad[0], "", bad[1]); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
