package labnet

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/yamori-net/yamori/internal/labnet/talks"
)

// Behaviour is a small program that a device can run.
type Behaviour struct {
	Name string // "cryptonote", "browse"
	Bad  bool   // what a gateway is to stop
	V6   bool   // over IPv6
	Run  func(ctx context.Context, d *Device, v6 bool) Result
}

// Over6 is the behaviour over IPv6.
func (b Behaviour) Over6() Behaviour { b.V6 = true; return b }

// How something ended.
const (
	Done    = "done"    // all was said
	Reset   = "reset"   // the connection was reset
	Refused = "refused" // there was no connection: refused, or unreachable
	Silence = "silence" // no answer within the device's patience
	Closed  = "closed"  // the other side hung up
	Broken  = "broken"  // something else came than was to come
	Stopped = "stopped" // the context ended
)

// Result is what a device can tell of what it did.
type Result struct {
	Connected bool
	Sent      int    // messages, requests or packets that it sent
	Got       int    // answers that came whole
	End       string // Done, Reset, …
	Err       error  // what stands behind End; nil for Done
	Bytes     int64  // received
	Took      time.Duration
}

// OK reports whether everything went as it should.
func (r Result) OK() bool { return r.End == Done }

func (r Result) String() string {
	if r.Err != nil {
		return fmt.Sprintf("%s after %d sent, %d answers (%v)", r.End, r.Sent, r.Got, r.Err)
	}
	return fmt.Sprintf("%s after %d sent, %d answers", r.End, r.Sent, r.Got)
}

// Run lets the device run a program, and returns when it is over. Several may
// run at once.
func (d *Device) Run(ctx context.Context, b Behaviour) Result {
	if !d.home.begin() {
		return Result{End: Stopped, Err: ErrClosed}
	}
	defer d.home.active.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(d.home.ctx, cancel)
	defer stop()
	start := time.Now()
	r := b.Run(ctx, d, b.V6)
	r.Took = time.Since(start)
	if ctx.Err() != nil && r.End != Done {
		r.End = Stopped
	}
	return r
}

// end says how something ended by its error.
func (r *Result) end(err error) Result {
	r.Err = err
	switch {
	case err == nil:
		r.End = Done
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		r.End = Reset
	case isTimeout(err), errors.Is(err, context.DeadlineExceeded):
		r.End = Silence
	case !r.Connected:
		r.End = Refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		r.End = Closed
	default:
		r.End = Broken
	}
	return *r
}

// connect dials with the device's patience.
func (d *Device) connect(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.home.opt.Patience)
	defer cancel()
	return d.Dial(ctx, to)
}

// hold gives a connection a deadline and ties it to the context; the returned
// function unties it.
func (d *Device) hold(ctx context.Context, c net.Conn, more time.Duration) func() bool {
	_ = c.SetDeadline(time.Now().Add(d.home.opt.Patience + more))
	return context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
}

// secure does the handshake of TLS.
func (d *Device) secure(c net.Conn, name string) (net.Conn, error) {
	t := tls.Client(c, &tls.Config{RootCAs: d.home.roots, ServerName: name})
	return t, t.Handshake()
}

// Speak has a conversation with its server, word for word.
func Speak(t talks.Talk) Behaviour { return speak(t, false, 0) }

// SpeakSplit has it with the client's messages in segments of n bytes.
func SpeakSplit(t talks.Talk, n int) Behaviour { return speak(t, false, n) }

// SpeakTLS has it inside TLS.
func SpeakTLS(t talks.Talk) Behaviour { return speak(t, true, 0) }

// Mine speaks a dialect of mining, by its name in talks; it panics for one that
// is not there, because only the program's text names them.
func Mine(dialect string) Behaviour {
	t, ok := talks.Find(dialect)
	if !ok {
		panic("labnet: no conversation " + dialect)
	}
	return Speak(t)
}

func speak(t talks.Talk, secure bool, pieces int) Behaviour {
	b := Behaviour{Name: t.Name, Bad: t.Mining}
	to, port := Cloud, t.Port
	if t.Mining {
		to = Pool
	}
	if secure {
		b.Name, port = b.Name+" in TLS", t.TLSPort()
	}
	b.Run = func(ctx context.Context, d *Device, v6 bool) (r Result) {
		c, err := d.connect(ctx, netip.AddrPortFrom(to.Addr(v6), port))
		if err != nil {
			// A server that speaks first may have its word, and the reset that
			// follows, before the program has noticed that it is connected.
			r.Connected = t.Steps[0].FromServer && errors.Is(err, syscall.ECONNRESET)
			return r.end(err)
		}
		defer c.Close()
		r.Connected = true
		stop := d.hold(ctx, c, 0)
		defer stop()
		if secure {
			if c, err = d.secure(c, servers[to][0]); err != nil {
				return r.end(err)
			}
		}
		for i, s := range t.Steps {
			if s.Wait > 0 && !s.FromServer && !sleep(ctx, s.Wait) {
				return r.end(ctx.Err())
			}
			if ctx.Err() == nil {
				_ = c.SetDeadline(time.Now().Add(d.home.opt.Patience + s.Wait))
			}
			if !s.FromServer {
				if err := utter(c, s.Data, pieces); err != nil {
					return r.end(err)
				}
				r.Sent++
				continue
			}
			got := make([]byte, len(s.Data))
			n, err := io.ReadFull(c, got)
			if r.Bytes += int64(n); err != nil {
				return r.end(err)
			}
			if !bytes.Equal(got, s.Data) {
				return r.end(fmt.Errorf("step %d: %.80q came instead of %.80q", i, got, s.Data))
			}
			r.Got++
		}
		return r.end(delivered(c, &t))
	}
	return b
}

// utter writes b, in pieces of n bytes unless that is 0. Go sends each at once
// (TCP_NODELAY).
func utter(c net.Conn, b []byte, n int) error {
	for n > 0 && len(b) > n {
		if _, err := c.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	_, err := c.Write(b)
	return err
}

// delivered waits for the last messages to be acknowledged when nothing answers
// them: the server hangs up when it has heard all.
func delivered(c net.Conn, t *talks.Talk) error {
	if t.Steps[len(t.Steps)-1].FromServer {
		return nil
	}
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		if err := w.CloseWrite(); err != nil {
			return err
		}
	}
	var b [1]byte
	if _, err := c.Read(b[:]); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// sleep waits; it is false when the context ended meanwhile.
func sleep(ctx context.Context, t time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(t):
		return true
	}
}

// MineOn mines Monero at the pool: it logs in and hands in shares, one each
// while, as many as told. Inside TLS it does so on port 443.
func MineOn(shares int, every time.Duration, secure bool) Behaviour {
	b := Behaviour{Name: "mine", Bad: true}
	port := uint16(poolPort)
	if secure {
		b.Name, port = "mine in TLS", 443
	}
	b.Run = func(ctx context.Context, d *Device, v6 bool) (r Result) {
		c, err := d.connect(ctx, netip.AddrPortFrom(Pool.Addr(v6), port))
		if err != nil {
			return r.end(err)
		}
		defer c.Close()
		r.Connected = true
		stop := d.hold(ctx, c, 0)
		defer stop()
		if secure {
			if c, err = d.secure(c, servers[Pool][1]); err != nil {
				return r.end(err)
			}
		}
		login, _ := talks.Find("cryptonote")
		msgs := [][]byte{login.Steps[0].Data}
		for i := range shares {
			msgs = append(msgs, fmt.Appendf(nil, `{"id":%d,"jsonrpc":"2.0","method":"submit","params":{"id":"lab1","job_id":"j%d","nonce":"%08x","result":"%s","algo":"rx/0"}}`+"\n",
				i+2, i/3+1, 0x1d0f0000+i*40503, strings.Repeat("b7e1516290af3c58", 4)))
		}
		buf := make([]byte, 4096)
		for i, m := range msgs {
			if i > 0 && !sleep(ctx, every) {
				return r.end(ctx.Err())
			}
			_ = c.SetDeadline(time.Now().Add(d.home.opt.Patience))
			if _, err := c.Write(m); err != nil {
				return r.end(err)
			}
			r.Sent++
			n, err := c.Read(buf)
			if r.Bytes += int64(n); err != nil {
				return r.end(err)
			}
			r.Got++
		}
		return r.end(nil)
	}
	return b
}
