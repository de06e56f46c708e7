package labnet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Browse asks the web for pages over HTTPS, one connection after the other.
func Browse(pages int) Behaviour {
	return Behaviour{Name: "browse", Run: func(ctx context.Context, d *Device, v6 bool) (r Result) {
		for range pages {
			if err := d.get(ctx, &r, "www.lab.example", "/", v6); err != nil {
				return r.end(err)
			}
		}
		return r.end(nil)
	}}
}

// Watch downloads a video of so many bytes over HTTPS.
func Watch(bytes int64) Behaviour {
	return Behaviour{Name: "video", Run: func(ctx context.Context, d *Device, v6 bool) (r Result) {
		return r.end(d.get(ctx, &r, "video.lab.example", fmt.Sprintf("/film?bytes=%d", min(bytes, maxVideo)), v6))
	}}
}

// FetchUpdate looks for an update over HTTPS.
func FetchUpdate() Behaviour {
	return Behaviour{Name: "update", Run: func(ctx context.Context, d *Device, v6 bool) (r Result) {
		return r.end(d.get(ctx, &r, "update.lab.example", "/firmware?bytes=200000", v6))
	}}
}

// get looks a name up and fetches a page over HTTPS.
func (d *Device) get(ctx context.Context, r *Result, host, path string, v6 bool) error {
	a, err := d.Lookup(ctx, host, v6)
	if err != nil {
		return err
	}
	c, err := d.connect(ctx, netip.AddrPortFrom(a, 443))
	if err != nil {
		return err
	}
	defer c.Close()
	r.Connected = true
	stop := d.hold(ctx, c, 0)
	defer stop()
	if c, err = d.secure(c, host); err != nil {
		return err
	}
	r.Sent++
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: "+d.agent+"\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	buf := make([]byte, 64<<10)
	for ctx.Err() == nil {
		_ = c.SetDeadline(time.Now().Add(d.home.opt.Patience))
		n, err := resp.Body.Read(buf)
		if r.Bytes += int64(n); errors.Is(err, io.EOF) {
			r.Got++
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// AskFor looks names up; the result is good when the resolver answered each,
// and Got counts those that have an address.
func AskFor(names ...string) Behaviour {
	return Behaviour{Name: "look-up", Run: func(ctx context.Context, d *Device, v6 bool) (r Result) {
		for _, n := range names {
			r.Sent++
			_, err := d.Lookup(ctx, n, v6)
			switch {
			case err == nil:
				r.Got++
			case !errors.Is(err, errNoName):
				return r.end(err)
			}
			r.Connected = true
		}
		return r.end(nil)
	}}
}

// PoolNames are names of pools that a miner looks up; the lab's resolver knows
// them.
func PoolNames() []string { return servers[Pool][1:] }

// SetClock asks a time server (RFC 5905).
func SetClock() Behaviour {
	return Behaviour{Name: "ntp", Run: func(ctx context.Context, d *Device, v6 bool) (r Result) {
		c, err := d.dialUDP(netip.AddrPortFrom(Time.Addr(v6), 123))
		if err != nil {
			return r.end(err)
		}
		defer c.Close()
		stop := d.hold(ctx, c, 0)
		defer stop()
		r.Connected = true
		q := make([]byte, 48)
		q[0] = 0x23
		if _, err := c.Write(q); err != nil {
			return r.end(err)
		}
		r.Sent++
		if _, err := c.Read(q); err != nil {
			return r.end(err)
		}
		r.Got++
		return r.end(nil)
	}}
}

// Bounds of what attacks: they are loops with an end, for show.
const (
	maxTargets  = 512
	maxRate     = 200 // connections a second
	maxAttempts = 200
)

// Scan looks for telnet in the wild net, as a bot looks for the next device: so
// many targets, so many a second, three passwords where somebody answers. It
// ends Done when it came to its end; Got counts who answered.
func Scan(targets, perSecond int) Behaviour {
	targets, perSecond = min(targets, maxTargets), max(1, min(perSecond, maxRate))
	return Behaviour{Name: "telnet scan", Bad: true, Run: func(ctx context.Context, d *Device, _ bool) (r Result) {
		type outcome struct {
			connected, answered bool
		}
		found := make(chan outcome, targets)
		base := wild4.Addr().As4()
		for i := range targets {
			base[3] = byte(i*37 + 17) // all of the net in an order of its own
			to := netip.AddrPortFrom(netip.AddrFrom4(base), telnet)
			go func() {
				c, err := d.connect(ctx, to)
				if err != nil {
					found <- outcome{}
					return
				}
				defer c.Close()
				stop := d.hold(ctx, c, 0)
				defer stop()
				found <- outcome{true, d.guess(c, "root", "root", "admin", "admin", "root", "12345")}
			}()
			r.Sent++
			if !sleep(ctx, time.Second/time.Duration(perSecond)) {
				targets = r.Sent
				break
			}
		}
		for range targets {
			o := <-found
			r.Connected = r.Connected || o.connected
			r.Got += b2i(o.answered)
		}
		return r.end(ctx.Err())
	}}
}

// guess tries names and passwords, in turn, at a telnet log-in. It is true when
// every one was turned down, by somebody who answers.
func (d *Device) guess(c net.Conn, words ...string) bool {
	r := bufio.NewReaderSize(c, 512)
	until := func(end byte) error { _, err := r.ReadSlice(end); return err }
	for i := 0; i+1 < len(words); i += 2 {
		_ = c.SetDeadline(time.Now().Add(d.home.opt.Patience))
		for _, w := range words[i : i+2] {
			if until(':') != nil {
				return false
			}
			if _, err := io.WriteString(c, w+"\r\n"); err != nil {
				return false
			}
		}
		for range 2 {
			if until('\n') != nil {
				return false
			}
		}
	}
	return true
}

// GuessPasswords tries passwords at the log-in of the NAS, one connection each:
// from a device at home, or with FromOutside from the internet through the
// port that the router forwards. The password is not among them. Got counts the
// answers, all of them refusals.
func GuessPasswords(attempts, perSecond int) Behaviour {
	return Behaviour{Name: "password guessing", Bad: true, Run: func(ctx context.Context, d *Device, _ bool) Result {
		return guessWeb(ctx, attempts, perSecond, d.home.opt.Patience, func(ctx context.Context) (net.Conn, error) {
			return d.connect(ctx, netip.AddrPortFrom(inventory[nasIndex].IP4, loginPort))
		})
	}}
}

// GuessFromOutside is GuessPasswords by the scanner of the internet, through
// the port that the router forwards.
func (h *Home) GuessFromOutside(ctx context.Context, attempts, perSecond int) Result {
	if !h.begin() {
		return Result{End: Stopped, Err: ErrClosed}
	}
	defer h.active.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)()
	r := guessWeb(ctx, attempts, perSecond, h.opt.Patience, func(ctx context.Context) (net.Conn, error) {
		return dialFrom(ctx, h.Internet, netip.AddrPortFrom(Scanner.Addr(false), 0), netip.AddrPortFrom(Outside4, loginPort))
	})
	if ctx.Err() != nil && r.End != Done {
		r.End = Stopped // by whoever runs it, as in Run
	}
	return r
}

// Logins is how many passwords have been tried, at the NAS and at telnet
// log-ins.
func (h *Home) Logins() int { return int(h.logins.Load()) }

func guessWeb(ctx context.Context, attempts, perSecond int, patience time.Duration, dial func(context.Context) (net.Conn, error)) (r Result) {
	for i := range min(attempts, maxAttempts) {
		if i > 0 && !sleep(ctx, time.Second/time.Duration(max(1, min(perSecond, maxRate)))) {
			return r.end(ctx.Err())
		}
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			c, err := dial(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })()
			r.Connected = true
			q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://nas/login", nil)
			if err != nil {
				return err
			}
			q.SetBasicAuth("admin", fmt.Sprintf("password%d", i))
			q.Close = true
			if err := q.Write(c); err != nil {
				return err
			}
			r.Sent++
			resp, err := http.ReadResponse(bufio.NewReader(c), q)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized {
				return fmt.Errorf("the NAS answered %s", resp.Status)
			}
			r.Got++
			return nil
		}()
		if err != nil {
			return r.end(err)
		}
	}
	return r.end(nil)
}

// CallHome reports to the command server as a bot does, beats so often at such
// intervals, and hears each time that there is nothing to do.
func CallHome(beats int, every time.Duration) Behaviour {
	return Behaviour{Name: "command server", Bad: true, Run: func(ctx context.Context, d *Device, v6 bool) (r Result) {
		a, err := d.Lookup(ctx, servers[C2][0], v6)
		if err != nil {
			return r.end(err)
		}
		c, err := d.connect(ctx, netip.AddrPortFrom(a, c2Port))
		if err != nil {
			return r.end(err)
		}
		defer c.Close()
		stop := d.hold(ctx, c, 0)
		defer stop()
		r.Connected = true
		if _, err := c.Write(append([]byte{0, 0, 0, 1, 3}, "lab"...)); err != nil {
			return r.end(err)
		}
		var b [2]byte
		for i := range beats {
			if i > 0 && !sleep(ctx, every) {
				return r.end(ctx.Err())
			}
			_ = c.SetDeadline(time.Now().Add(d.home.opt.Patience))
			if _, err := c.Write([]byte{0, 0}); err != nil {
				return r.end(err)
			}
			r.Sent++
			if _, err := io.ReadFull(c, b[:]); err != nil {
				return r.end(err)
			}
			r.Got++
		}
		return r.end(nil)
	}}
}
