package upstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// plain asks over UDP, each question from a socket, and so a port, of its own
// (RFC 5452 section 9.2), and over TCP where the answer does not fit.
type plain struct {
	at   []netip.AddrPort
	dial Dial
	tcp  *stream
	// folds: it answers in other letters than it was asked in, so these prove
	// nothing.
	folds atomic.Bool
}

func (p *plain) Close() { p.tcp.Close() }

// randomID draws an ID that nobody outside can guess.
func randomID() uint16 {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint16(b[:])
}

// errFolded is an answer in other letters than the question: of a server that
// does not keep them, or of somebody who guessed the rest.
var errFolded = fmt.Errorf("%w: in other letters", ErrMismatch)

// scramble writes the letters of the question's name large or small by chance;
// the answer has to have them so (draft-vixie-dnsext-dns0x20). It returns where
// the name ends.
func scramble(wire []byte) (end int) {
	var chance [32]byte // a bit for each byte of the longest name
	_, _ = rand.Read(chance[:])
	for end = 12; end < len(wire) && wire[end] != 0; {
		label := wire[end+1:][:min(int(wire[end]), len(wire)-end-1)]
		for i, c := range label {
			at := end - 12 + i
			if c |= 0x20; c >= 'a' && c <= 'z' {
				label[i] = c ^ chance[at/8%32]>>(at%8)&1<<5
			}
		}
		end += 1 + len(label)
	}
	return end
}

func (p *plain) Exchange(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	m, err := p.udp(ctx, q)
	if errors.Is(err, errFolded) {
		// A connection cannot be forged that way. Who has none is asked again
		// as before.
		p.folds.Store(true)
		if m, err = p.tcp.Exchange(ctx, q); err == nil {
			return m, nil
		}
		m, err = p.udp(ctx, q)
	}
	if err != nil {
		return nil, err
	}
	if !m.Truncated {
		return m, nil
	}
	full, err := p.tcp.Exchange(ctx, q)
	if err != nil {
		// Better cut off than nothing: the client may ask over TCP itself.
		m.Answer, m.Ns, m.Extra = nil, nil, nil
		return m, nil
	}
	return full, nil
}

func (p *plain) udp(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	id := randomID()
	wire, err := encode(q, id, false)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, a := range p.at {
		one, cancel := ctx, context.CancelFunc(func() {})
		if d, ok := ctx.Deadline(); ok && i < len(p.at)-1 {
			one, cancel = context.WithTimeout(ctx, time.Until(d)/time.Duration(len(p.at)-i))
		}
		m, err := p.once(one, a, q, id, wire)
		cancel()
		if err == nil {
			return m, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil || errors.Is(err, errFolded) {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func (p *plain) once(ctx context.Context, at netip.AddrPort, q *dns.Msg, id uint16, wire []byte) (*dns.Msg, error) {
	c, err := p.dial(ctx, "udp", at.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer endWith(ctx, c)()
	sent, end := wire, 0
	if !p.folds.Load() {
		sent = bytes.Clone(wire)
		end = scramble(sent)
	}
	if _, err := c.Write(sent); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096) // more than UDPSize, for servers that do not care
	last := error(nil)
	for range maxJunk {
		n, err := c.Read(buf)
		if err != nil {
			if last != nil {
				return nil, last
			}
			return nil, err
		}
		same := end == 0 || n >= end && bytes.Equal(buf[12:end], sent[12:end])
		if same && end > 0 {
			copy(buf[12:end], wire[12:end]) // names in the answer point there
		}
		m, err := check(q, id, buf[:n])
		switch {
		case err == nil && !same && len(m.Question) > 0:
			return nil, errFolded
		case err == nil:
			for _, rr := range m.Answer { // of servers that do not point
				if h := rr.Header(); strings.EqualFold(h.Name, q.Question[0].Name) {
					h.Name = q.Question[0].Name
				}
			}
			return m, nil
		}
		if !errors.Is(err, ErrMismatch) && n >= 12 {
			// It has our ID and cannot be read whole: it says that it was cut, or
			// it is larger than anybody was told to send.
			if buf[2]&0x02 != 0 || n == len(buf) {
				return truncated(q), nil
			}
		}
		last = err // somebody else's; the right one may still come
	}
	return nil, last
}

// truncated is an answer that says: ask over TCP.
func truncated(q *dns.Msg) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	m.Truncated = true
	return m
}

// endWith makes c fail once ctx is over; the function it returns ends that.
func endWith(ctx context.Context, c net.Conn) func() {
	if d, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(d)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}
