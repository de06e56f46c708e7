package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

const dnsMessage = "application/dns-message"

// maxHeader bounds the header of an HTTP answer.
const maxHeader = 16 << 10

// https asks by POST (RFC 8484). Its client follows no redirect, knows no proxy
// and no cookies, and connects to the given addresses alone.
type https struct {
	url    string
	client http.Client
	tr     *http.Transport
}

func newHTTPS(u *url.URL, at []netip.AddrPort, dial Dial, roots *x509.CertPool) *https {
	if u.Path == "" {
		u.Path = "/dns-query"
	}
	tr := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialAny(ctx, dial, "tcp", at) },
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(maxIdle)},
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    maxIdle,
		MaxConnsPerHost:        8 * maxIdle, // with HTTP/1.1 each question has one
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
	}
	return &https{url: u.String(), tr: tr, client: http.Client{Transport: tr,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (h *https) Close() { h.tr.CloseIdleConnections() }

func (h *https) Exchange(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	// ID 0: answers may be kept by HTTP caches on the way (section 4.1).
	wire, err := encode(q, 0, true)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(wire))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", dnsMessage)
	req.Header.Set("Accept", dnsMessage)
	req.Header.Set("User-Agent", "") // none: it tells nothing that helps
	// A connection that ended while idle is no reason to fail; asking twice
	// does no harm.
	req.Header["Idempotency-Key"] = nil
	res, err := h.client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: HTTP status %d", ErrMalformed, res.StatusCode)
	}
	if t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || t != dnsMessage {
		return nil, fmt.Errorf("%w: content of type %.60q", ErrMalformed, res.Header.Get("Content-Type"))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, dns.MaxMsgSize+1))
	if err != nil {
		return nil, err
	}
	if len(body) > dns.MaxMsgSize {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrMalformed, dns.MaxMsgSize)
	}
	m, err := check(q, 0, body)
	if err != nil {
		return nil, err
	}
	age(m, res.Header.Get("Age"))
	return m, nil
}

// age takes the time an answer spent in HTTP caches off its TTLs (section 5.1).
func age(m *dns.Msg, header string) {
	s, err := strconv.ParseUint(strings.TrimSpace(header), 10, 31)
	if err != nil || s == 0 {
		return
	}
	for _, sec := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range sec {
			if hd := rr.Header(); hd.Rrtype != dns.TypeOPT {
				hd.Ttl -= min(hd.Ttl, uint32(s))
			}
		}
	}
}
