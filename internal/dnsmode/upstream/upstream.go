// Package upstream asks the resolvers that the home's resolver forwards to:
// over UDP and TCP, TLS (RFC 7858) and HTTPS (RFC 8484). It never resolves a
// name by itself: a server with a name is given with its addresses.
package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Dial opens a connection; addresses are always numbers.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// Config names one upstream.
type Config struct {
	// URL is "192.0.2.1", "[2001:db8::1]:53", "udp://…" (UDP, TCP where an
	// answer does not fit), "tcp://…", "tls://name" or "https://name/dns-query".
	URL string
	// Addresses are where a server with a name is reached.
	Addresses []netip.Addr
	// Roots are the authorities trusted for TLS; nil: those of the system.
	Roots *x509.CertPool
	// Dial replaces the system's; for marks, interfaces and namespaces.
	Dial Dial
}

// Errors of an exchange.
var (
	ErrMismatch  = errors.New("the answer is to another question")
	ErrMalformed = errors.New("the answer cannot be read")
	ErrTLSName   = errors.New("a server asked over TLS or HTTPS by name needs its addresses, so that nobody must be asked for them")
	ErrURL       = errors.New("not an upstream: write an address, udp://, tcp://, tls:// or https://")
)

// Limits and times.
const (
	// UDPSize is what fits unfragmented on practically every path (DNS flag
	// day 2020).
	UDPSize = 1232
	// maxIdle bounds connections kept open to one upstream.
	maxIdle = 4
	// idleFor is how long a connection is kept without use.
	idleFor = 10 * time.Second
	// maxJunk bounds the datagrams that are not the answer that one question
	// listens to.
	maxJunk = 64
	// padTo is the block to which questions that are encrypted are padded
	// (RFC 8467 section 4.1).
	padTo = 128
)

// Upstream is one resolver.
type Upstream interface {
	// Exchange asks q, whose OPT record, if any, is the caller's wish. The
	// answer is to that question. q is not changed.
	Exchange(ctx context.Context, q *dns.Msg) (*dns.Msg, error)
	// Close ends idle connections.
	Close()
}

// Endpoints lists the addresses and ports of an upstream, to be compared with
// those that the home's resolver listens on.
func (c *Config) Endpoints() ([]netip.AddrPort, error) {
	_, ap, err := c.parse()
	return ap, err
}

// parse splits URL into its form and where it is reached.
func (c *Config) parse() (*url.URL, []netip.AddrPort, error) {
	s := c.URL
	if !strings.Contains(s, "://") {
		if a, err := netip.ParseAddr(s); err == nil {
			s = netip.AddrPortFrom(a, 53).String()
		}
		s = "udp://" + s
	}
	// A bare IPv6 address after a scheme is taken, too.
	if scheme, rest, _ := strings.Cut(s, "://"); strings.Count(rest, ":") > 1 && rest[0] != '[' {
		if a, err := netip.ParseAddr(rest); err == nil {
			s = scheme + "://[" + a.String() + "]"
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, nil, fmt.Errorf("%q: %w", c.URL, ErrURL)
	}
	port := map[string]uint16{"udp": 53, "tcp": 53, "tls": 853, "https": 443}[u.Scheme]
	if port == 0 || u.Scheme != "https" && (u.Path != "" || u.RawQuery != "") {
		return nil, nil, fmt.Errorf("%q: %w", c.URL, ErrURL)
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return nil, nil, fmt.Errorf("%q: %w", c.URL, ErrURL)
		}
		port = uint16(n)
	}
	addrs := c.Addresses
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && len(addrs) == 0 {
		addrs = []netip.Addr{a}
	}
	if len(addrs) == 0 {
		return nil, nil, fmt.Errorf("%q: %w", c.URL, ErrTLSName)
	}
	var out []netip.AddrPort
	for _, a := range addrs {
		out = append(out, netip.AddrPortFrom(a, port))
	}
	return u, out, nil
}

// New makes an upstream; it opens nothing yet.
func New(c Config) (Upstream, error) {
	u, at, err := c.parse()
	if err != nil {
		return nil, err
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	switch u.Scheme {
	case "udp":
		return &plain{at: at, dial: c.Dial, tcp: newStream(at, c.Dial, nil)}, nil
	case "tcp":
		return newStream(at, c.Dial, nil), nil
	case "tls":
		return newStream(at, c.Dial, tlsConfig(u.Hostname(), c.Roots)), nil
	}
	return newHTTPS(u, at, c.Dial, c.Roots), nil
}

// dialAny tries addresses in order until one answers.
func dialAny(ctx context.Context, dial Dial, network string, at []netip.AddrPort) (net.Conn, error) {
	var errs []error
	for i, a := range at {
		// Each gets its part of the time that is left.
		one, cancel := ctx, context.CancelFunc(func() {})
		if d, ok := ctx.Deadline(); ok && i < len(at)-1 {
			one, cancel = context.WithTimeout(ctx, time.Until(d)/time.Duration(len(at)-i))
		}
		c, err := dial(one, network, a.String())
		cancel()
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// check reads an answer and holds it against the question (RFC 5452 section
// 9.1): ID, name in any letters, type and class.
func check(q *dns.Msg, id uint16, wire []byte) (*dns.Msg, error) {
	if len(wire) < 12 {
		return nil, ErrMalformed
	}
	if uint16(wire[0])<<8|uint16(wire[1]) != id || wire[2]&0x80 == 0 {
		return nil, ErrMismatch
	}
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	// Records cut short are read without complaint, and written again would
	// make a message that no client can read.
	again, err := m.Pack()
	if err == nil {
		err = new(dns.Msg).Unpack(again)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if len(m.Question) == 0 && m.Rcode == dns.RcodeFormatError {
		return m, nil // a server that does not even read the question
	}
	if m.Opcode != dns.OpcodeQuery || len(m.Question) != 1 || m.Question[0].Qtype != q.Question[0].Qtype ||
		m.Question[0].Qclass != q.Question[0].Qclass || !strings.EqualFold(m.Question[0].Name, q.Question[0].Name) {
		return nil, ErrMismatch
	}
	return m, nil
}

// encode packs q with another ID, and padded where that helps. Packing writes
// into the OPT record, so that each question on its way has one of its own.
func encode(q *dns.Msg, id uint16, pad bool) ([]byte, error) {
	m := *q
	m.Id = id
	if o := q.IsEdns0(); o != nil {
		opt := &dns.OPT{Hdr: o.Hdr, Option: append([]dns.EDNS0(nil), o.Option...)}
		if pad {
			// The message, the option's four bytes, and the padding fill blocks.
			opt.Option = append(opt.Option, &dns.EDNS0_PADDING{Padding: make([]byte, (padTo-(q.Len()+4)%padTo)%padTo)})
		}
		m.Extra = nil
		for _, rr := range q.Extra {
			if rr != dns.RR(o) {
				m.Extra = append(m.Extra, rr)
			}
		}
		m.Extra = append(m.Extra, opt)
	}
	return m.Pack()
}
