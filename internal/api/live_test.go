package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

func jsonDecoder(b []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d
}

// listen opens the stream of live events and returns its lines.
func listen(t *testing.T, w *world, base, last string) (*bufio.Scanner, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", base+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.session(auth.Viewer)(r)
	r.Header.Set("Last-Event-ID", last)
	res, err := http.DefaultClient.Do(r)
	if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(res, err)
	}
	return bufio.NewScanner(res.Body), func() { cancel(); res.Body.Close() }
}

// until reads lines to one with the prefix.
func lineWith(t *testing.T, s *bufio.Scanner, prefix string) string {
	t.Helper()
	for s.Scan() {
		if v, ok := strings.CutPrefix(s.Text(), prefix); ok {
			return v
		}
	}
	t.Fatalf("the stream ended before %q", prefix)
	return ""
}

func TestEvents(t *testing.T) {
	was, long := heartbeat, streamTime
	heartbeat, streamTime = 50*time.Millisecond, 120*time.Millisecond
	defer func() { heartbeat, streamTime = was, long }()
	w := newWorld(t)
	srv := httptest.NewServer(w.Handler())
	defer srv.Close()
	sch := newSchemas(t)

	s, stop := listen(t, w, srv.URL, "")
	lineWith(t, s, "retry: ")
	w.Events().Publish(EventDevice, &DeviceEvent{What: "new", Device: Device{ID: "mac:1", Name: "line\nbreak", Kind: "nas"}})
	id := lineWith(t, s, "id: ")
	if typ := lineWith(t, s, "event: "); typ != "device" {
		t.Errorf("type %s", typ)
	}
	sch.check(t, "/components/schemas/DeviceEvent", []byte(lineWith(t, s, "data: ")))
	for range 6 { // beyond the time that other streams have
		lineWith(t, s, ": still here")
	}
	stop()

	// What was missed is sent when the listener comes back.
	for k := range 5 {
		w.Events().Publish(EventFinding, &Finding{ID: fmt.Sprint(k)})
	}
	s, stop = listen(t, w, srv.URL, id)
	for k := range 5 {
		if d := lineWith(t, s, "data: "); !strings.Contains(d, fmt.Sprintf(`"id":"%d"`, k)) {
			t.Errorf("event %d: %s", k, d)
		}
	}
	// A session that ended ends the stream, at the next heartbeat.
	p, _ := w.auth.Session(w.cookies[auth.Viewer])
	if err := w.auth.EndSession("", p.ID); err != nil {
		t.Fatal(err)
	}
	for s.Scan() {
	}
	stop()
	w.cookies[auth.Viewer] = w.cookies[auth.Member]

	for _, last := range []string{"ffffffff-1", "x", strings.Split(id, "-")[0] + "-999999"} { // another run, nonsense, the future
		s, stop = listen(t, w, srv.URL, last)
		if e := lineWith(t, s, "event: "); e != "reset" {
			t.Errorf("after %q: %s", last, e)
		}
		stop()
	}
	for k := range ringEvents + 10 {
		w.Events().Publish(EventFinding, &Finding{ID: fmt.Sprint(k)})
	}
	s, stop = listen(t, w, srv.URL, id) // fell out of the ring
	if e := lineWith(t, s, "event: "); e != "reset" {
		t.Errorf("after an old id: %s", e)
	}
	stop()
}

func TestHubBounds(t *testing.T) {
	h := NewHub()
	big := &Finding{Note: strings.Repeat("x", 12<<10)}
	for range 3 * ringEvents {
		h.Publish(EventFinding, big)
	}
	if h.bytes > ringBytes || len(h.ring) > ringEvents {
		t.Errorf("%d bytes, %d events", h.bytes, len(h.ring))
	}
	h.Publish(EventFinding, &Finding{Note: strings.Repeat("x", maxEvent)})
	if h.tooBig != 1 {
		t.Error("an event over the limit is sent")
	}
	var subs []*subscriber
	for range maxSubscribers {
		s, _, _, ok := h.subscribe("")
		if !ok {
			t.Fatal("refused too early")
		}
		subs = append(subs, s)
	}
	if _, _, _, ok := h.subscribe(""); ok {
		t.Error("more listeners than let be")
	}
	for range subscriberRoom + 1 { // nobody reads
		h.Publish(EventFinding, &Finding{})
	}
	select {
	case <-subs[0].cut:
	default:
		t.Error("a slow listener is kept")
	}
	if h.Listening() != 0 || h.cutOff != maxSubscribers {
		t.Errorf("%d listening, %d cut off", h.Listening(), h.cutOff)
	}
}

// TestServe starts all listeners: the socket with the peer's uid, HTTPS with
// the local certificate, and HTTP that leads there.
func TestServe(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	sock := filepath.Join(dir, "s")
	un, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	cert := &Certificate{Dir: filepath.Join(dir, "tls"), Names: []string{"yamori.lan"}, Addrs: func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.168.1.1")} }}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	tlsAt, plainAt := freePort(t), freePort(t)
	go func() {
		done <- w.Serve(ctx, Listen{Unix: un, HTTPS: []netip.AddrPort{tlsAt}, HTTP: []netip.AddrPort{plainAt}, Cert: cert})
	}()

	local := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", sock)
	}}}
	res, err := local.Get("http://yamori/api/v1/session")
	if err != nil {
		t.Fatal(err)
	}
	var me Me
	decodeInto(t, res.Body, &me)
	if me.Role != "owner" || me.Via != "socket" || me.Name != fmt.Sprintf("uid:%d", os.Getuid()) {
		t.Errorf("over the socket: %+v", me)
	}

	print, err := cert.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pem, _ := os.ReadFile(filepath.Join(dir, "tls", "yamori.crt"))
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate")
	}
	if st, _ := os.Stat(filepath.Join(dir, "tls", "yamori.key")); st.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v", st.Mode())
	}
	secure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var body io.Reader = strings.NewReader(`{"name":"Kenji","password":"` + testPass + `"}`)
	r, _ := http.NewRequest("POST", "https://"+tlsAt.String()+"/api/v1/session", body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(csrfHeader, "1")
	for range 2000 { // the listener may still be starting
		if res, err = secure.Do(r); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil || res.StatusCode != 201 {
		t.Fatal(res, err)
	}
	if res.ProtoMajor != 2 {
		t.Errorf("over %s", res.Proto)
	}
	sum := sha256.Sum256(res.TLS.PeerCertificates[0].Raw)
	if got := strings.ToUpper(hex.EncodeToString(sum[:])); got != strings.ReplaceAll(print, ":", "") {
		t.Errorf("fingerprint %s, printed %s", got, print)
	}
	ck := res.Cookies()
	if len(ck) != 1 || ck[0].Name != cookieTLS || !ck[0].Secure || !ck[0].HttpOnly || ck[0].SameSite != http.SameSiteStrictMode || ck[0].Path != "/" || ck[0].Domain != "" {
		t.Errorf("cookie %v", ck)
	}

	res, err = secure.Get("http://" + plainAt.String() + "/api/v1/status?x=1")
	if err != nil || res.StatusCode != http.StatusTemporaryRedirect || res.Header.Get("Location") != "https://"+tlsAt.String()+"/api/v1/status?x=1" {
		t.Error(res, err)
	}
	r, _ = http.NewRequest("POST", "http://"+plainAt.String()+"/api/v1/session", strings.NewReader("{}"))
	if res, err = secure.Do(r); err != nil || res.StatusCode != http.StatusForbidden {
		t.Error("a password over HTTP:", res, err)
	}
	r, _ = http.NewRequest("GET", "http://"+plainAt.String()+"/", nil)
	r.Host = "evil.example"
	if res, err = secure.Do(r); err != nil || res.StatusCode != http.StatusMisdirectedRequest {
		t.Error("redirect for a foreign host:", res, err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("it does not stop")
	}
}

func TestServeOnlyAtHome(t *testing.T) {
	w := newWorld(t)
	for _, a := range []string{"0.0.0.0:0", "[::]:0", "203.0.113.1:0", "[2001:db8::1]:0"} {
		if err := w.Serve(context.Background(), Listen{HTTP: []netip.AddrPort{netip.MustParseAddrPort(a)}}); err == nil || !strings.Contains(err.Error(), "internet") {
			t.Errorf("%s: %v", a, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.Serve(ctx, Listen{HTTP: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")}, Anywhere: true}); err != nil {
		t.Error(err)
	}
}

func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestCertificateRenewal(t *testing.T) {
	addrs := []netip.Addr{netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("203.0.113.9")}
	c := &Certificate{Dir: t.TempDir(), Addrs: func() []netip.Addr { return addrs }}
	fp := func() string { s, err := c.Fingerprint(); must(t, err); return s }
	one := fp()
	leaf := c.cert.Leaf
	if err := leaf.VerifyHostname("192.168.1.1"); err != nil {
		t.Error(err)
	}
	if err := leaf.VerifyHostname("203.0.113.9"); err == nil {
		t.Error("the public address is in the certificate")
	}
	if d := leaf.NotAfter.Sub(leaf.NotBefore); d > 398*24*time.Hour {
		t.Errorf("valid for %v", d)
	}
	again := &Certificate{Dir: c.Dir, Addrs: c.Addrs}
	if s, err := again.Fingerprint(); err != nil || s != one {
		t.Error("a restart makes a new certificate", err)
	}
	addrs = append(addrs, netip.MustParseAddr("10.0.0.1"))
	c.checked = time.Time{}
	key := c.cert.PrivateKey
	two := fp()
	if two == one || c.cert.Leaf.VerifyHostname("10.0.0.1") != nil || !c.cert.PrivateKey.(*ecdsa.PrivateKey).Equal(key) {
		t.Error("a new address: a new certificate with the same key is wanted")
	}
	cert, err := c.renew(time.Now().Add(-certLife + 29*24*time.Hour)) // one that ends soon
	must(t, err)
	c.cert, c.checked = cert, time.Time{}
	if fp() == two || time.Until(c.cert.Leaf.NotAfter) < 300*24*time.Hour {
		t.Error("not renewed before its end")
	}
	cert, err = c.renew(time.Now().AddDate(3, 0, 0)) // made when the clock was ahead
	must(t, err)
	c.cert, c.checked = cert, time.Time{}
	if fp(); time.Now().Before(c.cert.Leaf.NotBefore) {
		t.Error("a certificate of the future is kept")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHosts(t *testing.T) {
	var h hostCheck
	h.init([]string{"Yamori.lan."}, func() []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("fe80::1%eth0")}
	})
	for host, want := range map[string]bool{"localhost": true, "LOCALHOST:80": true, "127.0.0.1:8443": true, "127.9.9.9": true, "[::1]:1": true, "[::1]": true, "192.168.1.1": true, "192.168.1.1:8443": true,
		"yamori.lan": true, "yamori.lan.:443": true, "[fe80::1]:80": true, "[fe80::1%25eth0]": true, "192.168.1.2": false, "evil": false, "localhost.evil": false, "": false, "192.168.1.1:x": false,
		"192.168.1.1:99999": false, "0x7f.1": false, "2130706433": false, "[::ffff:192.168.1.1]": true, "0.0.0.0": false} {
		if got := h.ok(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestGzip(t *testing.T) {
	w := newWorld(t)
	get := func(target, accept string) *httptest.ResponseRecorder {
		return w.do(w.request("GET", target, "", w.session(auth.Owner), header("Accept-Encoding", accept)))
	}
	plain, small := get("/api/v1/devices?limit=50", "br"), get("/api/v1/devices?limit=50", "br, gzip;q=0.5")
	if small.Header().Get("Content-Encoding") != "gzip" || small.Header().Get("Content-Length") != "" || small.Body.Len() > plain.Body.Len()/2 {
		t.Fatalf("%v, %d of %d bytes", small.Header(), small.Body.Len(), plain.Body.Len())
	}
	tag := small.Header().Get("ETag")
	z, err := gzip.NewReader(small.Body)
	must(t, err)
	b, err := io.ReadAll(z)
	must(t, err)
	if !bytes.Equal(b, plain.Body.Bytes()) || tag == plain.Header().Get("ETag") {
		t.Error("another content, or the same tag")
	}
	if rec := w.do(w.request("GET", "/api/v1/devices?limit=50", "", w.session(auth.Owner), header("Accept-Encoding", "gzip"), header("If-None-Match", tag))); rec.Code != http.StatusNotModified {
		t.Errorf("%d with the tag of the compressed one", rec.Code)
	}
	for _, x := range [][2]string{{"/api/v1/devices", "gzip;q=0"}, {"/healthz", "gzip"}, {"/api/v1/session", "gzip"}} {
		if e := get(x[0], x[1]).Header().Get("Content-Encoding"); e != "" {
			t.Errorf("%s with %s: %s", x[0], x[1], e)
		}
	}
}

func TestRecordPage(t *testing.T) {
	w := newWorld(t)
	get := func(lang string) string {
		rec := w.do(w.request("GET", "/devices/"+dev+"/record", "", w.session(auth.Owner), header("Accept-Language", lang)))
		if rec.Code != 200 {
			t.Fatal(rec.Code, rec.Body)
		}
		csp := rec.Header().Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("policy %s", csp)
		}
		return rec.Body.String()
	}
	en, ja := get("en-GB,ja;q=0.5"), get("fr, ja-JP")
	for _, s := range []string{en, ja} {
		if strings.Contains(s, "<script>") || strings.Contains(s, "style=") || strings.Contains(s, "onclick") || strings.Contains(s, "<b>") {
			t.Error("what a device says is markup, or the page has inline code")
		}
		for _, want := range []string{"udhcp 1.2", "findings", "counters", `data-url="/api/v1/devices/mac:02:00:00:00:00:05"`, "/assets/page.js", "&lt;script&gt;"} {
			if !strings.Contains(s, want) {
				t.Errorf("no %q", want)
			}
		}
	}
	if !strings.Contains(en, `lang="en"`) || !strings.Contains(en, wordsEN.Erase) || !strings.Contains(ja, `lang="ja"`) || !strings.Contains(ja, wordsJA.Erase) {
		t.Error("the language is wrong")
	}
	for _, p := range []string{"/login", "/setup", "/assets/page.css", "/assets/page.js"} {
		if rec := w.do(w.request("GET", p, "")); rec.Code != 200 || rec.Body.Len() < 500 {
			t.Errorf("%s: %d", p, rec.Code)
		}
	}
}

// TestPageProblems: who goes to a page by a browser is led to the login, and
// told in words; programs get problem details of the same paths.
func TestPageProblems(t *testing.T) {
	w := newWorld(t)
	browser := header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	ja := header("Accept-Language", "ja")
	record := "/devices/" + dev + "/record"
	for _, x := range []struct {
		name, path string
		opts       []func(*http.Request)
		code       int
		want       string
	}{
		{"no session", record, []func(*http.Request){browser}, http.StatusSeeOther, ""},
		{"no session, a program", record, nil, http.StatusUnauthorized, `"code":"login"`},
		{"no session, of the API", "/api/v1/devices", []func(*http.Request){browser}, http.StatusUnauthorized, `"code":"login"`},
		{"not an owner", record, []func(*http.Request){browser, w.session(auth.Viewer)}, http.StatusForbidden, wordsEN.NotAllowed},
		{"no such device", "/devices/mac:00/record", []func(*http.Request){browser, ja, w.session(auth.Owner)}, http.StatusNotFound, wordsJA.NoPage},
		{"no such page", "/nothing", []func(*http.Request){browser, ja}, http.StatusNotFound, wordsJA.Home},
		{"no such page, a program", "/nothing", nil, http.StatusNotFound, `"code":"not-found"`},
	} {
		rec := w.do(w.request("GET", x.path, "", x.opts...))
		if rec.Code != x.code || !strings.Contains(rec.Body.String(), x.want) {
			t.Errorf("%s: %d %s", x.name, rec.Code, rec.Body)
		}
		if x.code == http.StatusSeeOther && rec.Header().Get("Location") != "/login" {
			t.Errorf("%s: to %s", x.name, rec.Header().Get("Location"))
		}
	}
	home := w.do(w.request("GET", "/home", "", ja)).Body.String()
	for _, want := range []string{wordsJA.Found, "data-words=\"category.mining=", "data-zone="} {
		if !strings.Contains(home, want) {
			t.Errorf("the page of the home lacks %q", want)
		}
	}
}

// TestPageLanguage: what the owner chose holds for every browser.
func TestPageLanguage(t *testing.T) {
	w := newWorld(t)
	for _, x := range [][3]string{{"auto", "ja", "ja"}, {"auto", "fr, en;q=0.5", "en"}, {"ja", "en", "ja"}, {"en", "ja", "en"}} {
		w.h.settings.Language = x[0]
		if got := w.do(w.request("GET", "/login", "", header("Accept-Language", x[1]))).Header().Get("Content-Language"); got != x[2] {
			t.Errorf("setting %s, browser %s: %s, want %s", x[0], x[1], got, x[2])
		}
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t)
	if rec := w.do(w.request("GET", "/metrics", "")); rec.Code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", rec.Code)
	}
	w.Server.cfg.OpenMetrics = true
	got := w.do(w.request("GET", "/metrics", "")).Body.String()
	for _, want := range []string{"# TYPE yamori_flows_active gauge\nyamori_flows_active 3\n", `yamori_alerts_total{category="mining",severity="1",action="blocked"} 2`, `yamori_build_info{version="test"} 1`, `yamori_http_requests_total{code="4xx"} 1`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "192.168") {
		t.Error("a metric outside the table is shown")
	}
	var many []Sample
	for k := range 2 * maxSeries {
		many = append(many, Sample{Name: "yamori_devices", Labels: []string{fmt.Sprint(k), "a\"\\\n"}})
	}
	many = append(many, Sample{Name: "yamori_verdict_latency_seconds", Hist: &Histogram{Bounds: []float64{0.001, 0.01}, Counts: []uint64{5, 2, 1}, Sum: 0.5}})
	out := string(expose(many))
	if n := strings.Count(out, "yamori_devices{"); n != maxSeries {
		t.Errorf("%d series", n)
	}
	for _, want := range []string{`state="a\"\\\n"} 0`, `_bucket{le="0.001"} 5`, `_bucket{le="0.01"} 7`, `_bucket{le="+Inf"} 8`, "_seconds_sum 0.5", "_seconds_count 8"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestReady(t *testing.T) {
	w := newWorld(t)
	up := func(s string) Problem { return Problem{"dns.upstream_down", []Pair{{"upstream", s}}} }
	w.h.notReady = []Problem{{"capture.down", []Pair{}}, up("192.0.2.1"), up("192.0.2.2")}
	rec := w.do(w.request("GET", "/readyz", ""))
	if rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), `"reasons":["capture.down","dns.upstream_down"]`) ||
		!strings.Contains(rec.Body.String(), `{"name":"upstream","value":"192.0.2.2"}`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	newSchemas(t).check(t, "/paths/~1readyz/get/responses/503/content/application~1json/schema", rec.Body.Bytes())
	if rec := w.do(w.request("GET", "/healthz", "")); rec.Code != 200 {
		t.Errorf("healthz: %d", rec.Code)
	}
}

// TestInternalError: what went wrong inside is in the log, not in the answer.
func TestInternalError(t *testing.T) {
	w := newWorld(t)
	w.h.fail = fmt.Errorf("open /var/lib/yamori/secret: broken")
	rec := w.do(w.request("GET", "/api/v1/status", "", w.session(auth.Viewer)))
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	w.h.fail = fmt.Errorf("x: %w", ErrBusy)
	if rec = w.do(w.request("GET", "/api/v1/status", "", w.session(auth.Viewer))); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	w.h.fail = context.DeadlineExceeded
	if rec = w.do(w.request("GET", "/api/v1/status", "", w.session(auth.Viewer))); rec.Code != 503 {
		t.Errorf("%d", rec.Code)
	}
	checkProblem(t, rec)
}

func TestLoginLimit(t *testing.T) {
	w := newWorld(t)
	for k := range 40 {
		rec := w.do(w.request("POST", "/api/v1/session", `{"name":"nobody","password":"wrong password"}`, func(r *http.Request) { r.RemoteAddr = "192.168.1.66:1" }))
		if rec.Code == http.StatusTooManyRequests {
			if k < 3 || rec.Header().Get("Retry-After") == "" {
				t.Errorf("after %d: %v", k, rec.Header())
			}
			return
		}
		if rec.Code != http.StatusUnauthorized {
			t.Fatal(rec.Code)
		}
	}
	t.Error("40 guesses are let be")
}
