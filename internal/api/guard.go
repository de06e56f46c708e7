package api

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

// csrfHeader must be on every change that a cookie allows: a page of another
// origin cannot set it without a preflight, which is never granted.
const csrfHeader = "Yamori-CSRF"

// Names of the cookie. The prefix __Host- (RFC 6265bis, section 4.1.3.2) ties
// it to this host, to HTTPS and to the root path.
const (
	cookieTLS   = "__Host-yamori"
	cookiePlain = "yamori"
)

func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return cookieTLS
	}
	return cookiePlain
}

// setCookie gives the session's secret to the browser; empty takes it away.
func setCookie(w http.ResponseWriter, r *http.Request, secret string) {
	c := &http.Cookie{Name: cookieName(r), Value: secret, Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode, MaxAge: 90 * 24 * 3600}
	if secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func newRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// secureHeaders go with every answer.
func secureHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Accept-Encoding, Cookie, Authorization")
	h.Set("X-Request-Id", requestID(r))
	// No Strict-Transport-Security: browsers ignore it for addresses and for
	// certificates that the user had to accept (RFC 6797, sections 8.1, 8.3).
}

// hostCheck knows by which names the gateway may be called. A page of an
// attacker whose name was re-bound to the gateway's address carries the
// attacker's name in Host and ends here.
type hostCheck struct {
	names map[string]bool
	addrs func() []netip.Addr

	mu   sync.Mutex
	at   time.Time
	have map[netip.Addr]bool
}

// addrsEvery is how long a list of addresses is believed.
const addrsEvery = 10 * time.Second

func (h *hostCheck) init(names []string, addrs func() []netip.Addr) {
	h.names = map[string]bool{"localhost": true}
	for _, n := range names {
		h.names[strings.TrimSuffix(strings.ToLower(n), ".")] = true
	}
	if h.addrs = addrs; addrs == nil {
		h.addrs = interfaceAddrs
	}
}

func interfaceAddrs() []netip.Addr {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr())
		}
	}
	return out
}

// ok reports whether a Host header names this gateway.
func (h *hostCheck) ok(host string) bool {
	name := host
	if n, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		name = n
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return h.names[strings.TrimSuffix(strings.ToLower(name), ".")]
	}
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); h.have == nil || now.Sub(h.at) > addrsEvery || now.Before(h.at) {
		h.at, h.have = now, map[netip.Addr]bool{}
		for _, a := range h.addrs() {
			h.have[a.Unmap().WithZone("")] = true
		}
	}
	return h.have[ip]
}

// checkOrigin holds for every route and method: the request is for this host,
// and no page of another origin asks. CORS is never granted.
func (s *Server) checkOrigin(r *http.Request) error {
	if !s.hosts.ok(r.Host) {
		return refuse(http.StatusMisdirectedRequest, "host", "this is not a name of yamori; use its address, or add the name to the configuration")
	}
	foreign := refuse(http.StatusForbidden, "origin", "a page of another origin asks")
	if err := s.cross.Check(r); err != nil {
		return foreign
	}
	if o := r.Header.Get("Origin"); o != "" {
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		if !strings.EqualFold(o, scheme+r.Host) {
			return foreign
		}
	}
	// A link on another page may lead to a page here; nothing else may.
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "cross-site", "same-site":
		if r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document" || strings.HasPrefix(r.URL.Path, "/api/") {
			return foreign
		}
	}
	return nil
}

// admit finds who asks and whether they may.
func (s *Server) admit(c *call) error {
	who, err := s.identify(c.r)
	rt := c.route
	change := !c.safe()
	if err == nil {
		c.who = who
	}
	cookie := c.who.Via == auth.ViaSession
	if change && (cookie || rt.Need == Public) && !connOf(c.r).socket && c.r.Header.Get(csrfHeader) == "" {
		return refuse(http.StatusForbidden, "csrf", "send the header "+csrfHeader+": 1")
	}
	if rt.Need == Public || rt.Name == "metrics" && s.cfg.OpenMetrics {
		return nil
	}
	if err != nil {
		return err
	}
	if rt.SessionOnly && who.Via != auth.ViaSession {
		return refuse(http.StatusForbidden, "session-only", "this needs a login of a person, in a session")
	}
	if rt.NoToken && who.Via == auth.ViaToken {
		return refuse(http.StatusForbidden, "no-token", "no token may do this")
	}
	if who.Role < rt.Need.role() {
		return refuse(http.StatusForbidden, "role", "this needs the role "+rt.Need.role().String()+", or a token with the scope "+rt.Need.String())
	}
	return nil
}

// identify finds who asks: the process behind the socket, a token, a session.
func (s *Server) identify(r *http.Request) (auth.Principal, error) {
	if k := connOf(r); k.socket {
		return auth.Principal{Name: "uid:" + strconv.FormatUint(uint64(k.uid), 10), Role: auth.Owner, Via: auth.ViaSocket, UID: k.uid}, nil
	}
	none := refuse(http.StatusUnauthorized, "login", "log in, or send a token")
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, secret, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "Bearer") {
			if p, ok := s.cfg.Auth.Token(strings.TrimSpace(secret)); ok {
				return p, nil
			}
		}
		return auth.Principal{}, none
	}
	if k, err := r.Cookie(cookieName(r)); err == nil {
		if p, ok := s.cfg.Auth.Session(k.Value); ok {
			return p, nil
		}
	}
	return auth.Principal{}, none
}
