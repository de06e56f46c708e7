// Package client speaks to a running gateway: over its Unix socket, as the
// commands do, or over HTTPS with a token.
package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/yamori-net/yamori/internal/api"
)

// Client is safe for use by many goroutines.
type Client struct {
	hc    *http.Client
	base  string
	token string
	at    string // for errors
}

// Unix makes a client for the daemon's socket.
func Unix(path string) *Client {
	return &Client{base: "http://yamori", at: path, hc: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", path)
		}}}}
}

// HTTPS makes a client for base ("https://192.168.1.1:8443") with a token. The
// certificate must have this SHA-256 fingerprint, as the daemon prints it;
// with an empty one, the certificates of the system decide.
func HTTPS(base, token, fingerprint string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an address of the kind https://host:port", base)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if fingerprint != "" {
		want, err := hex.DecodeString(strings.ReplaceAll(fingerprint, ":", ""))
		if err != nil || len(want) != sha256.Size {
			return nil, errors.New("the fingerprint is not a SHA-256 of 32 bytes in hexadecimal")
		}
		conf.InsecureSkipVerify = true // the fingerprint takes the place of the chain
		conf.VerifyConnection = func(cs tls.ConnectionState) error {
			got := sha256.Sum256(cs.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(got[:], want) != 1 {
				return errors.New("the certificate has another fingerprint; compare it with what the gateway prints")
			}
			return nil
		}
	}
	return &Client{base: "https://" + u.Host, token: token, at: u.Host, hc: &http.Client{Transport: &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}}}, nil
}

// Error is an answer that refuses.
type Error struct{ api.Fault }

// Error reads as "not-found (404): …".
func (e *Error) Error() string {
	s := fmt.Sprintf("%s (%d)", e.Code, e.Status)
	if e.Field != "" {
		s += ": " + e.Field
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Is makes 404, 409 and 422 the errors that the gateway's parts use.
func (e *Error) Is(target error) bool {
	return target == api.ErrNotFound && e.Status == http.StatusNotFound || target == api.ErrConflict && e.Status == http.StatusConflict ||
		target == api.ErrInvalid && e.Status == http.StatusUnprocessableEntity
}

// maxAnswer bounds an answer that is read as a whole.
const maxAnswer = 64 << 20

// Unreachable is why nobody could be asked.
type Unreachable struct {
	At     string // the socket
	Denied bool   // it is there, and may not be opened; else nobody listens
}

// Error says what to do.
func (u *Unreachable) Error() string {
	if u.Denied {
		return fmt.Sprintf("no permission to ask yamori at %s; use sudo, or join the socket's group", u.At)
	}
	return fmt.Sprintf("yamori is not running (nobody answers at %s); start it with: sudo yamori run", u.At)
}

// send makes a request; the caller closes the answer's body.
func (c *Client) send(ctx context.Context, method, path, typ string, body io.Reader, head ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if typ != "" {
		r.Header.Set("Content-Type", typ)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for k := 0; k+1 < len(head); k += 2 {
		if head[k+1] != "" {
			r.Header.Set(head[k], head[k+1])
		}
	}
	res, err := c.hc.Do(r)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, &Unreachable{At: c.at}
	case errors.Is(err, fs.ErrPermission):
		return nil, &Unreachable{At: c.at, Denied: true}
	case err != nil:
		return nil, err
	}
	if res.StatusCode < 400 {
		return res, nil
	}
	defer res.Body.Close()
	e := &Error{}
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || json.Unmarshal(b, &e.Fault) != nil || e.Code == "" {
		e.Fault = api.Fault{Status: res.StatusCode, Code: strings.ToLower(http.StatusText(res.StatusCode))}
	}
	return nil, e
}

// call sends in, unless nil, and reads the answer into T.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	var body io.Reader
	typ := ""
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return out, err
		}
		body, typ = bytes.NewReader(b), "application/json"
	}
	res, err := c.send(ctx, method, path, typ, body)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusAccepted {
		return out, nil
	}
	if err := decode(res.Body, &out); err != nil {
		return out, fmt.Errorf("the answer of yamori at %s: %w", c.at, err)
	}
	return out, nil
}

func decode(r io.Reader, v any) error {
	return json.NewDecoder(io.LimitReader(r, maxAnswer)).Decode(v)
}

// none is the answer of a request that answers nothing.
type none struct{}

// pages walks a list to its end, or until the caller stops.
func pages[T any](ctx context.Context, c *Client, path string, q url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := clone(q)
		q.Set("limit", strconv.Itoa(api.MaxLimit))
		for {
			l, err := call[api.List[T]](ctx, c, http.MethodGet, path+"?"+q.Encode(), nil)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, x := range l.Items {
				if !yield(x, nil) {
					return
				}
			}
			if l.Next == "" {
				return
			}
			q.Set("cursor", l.Next)
		}
	}
}

func clone(q url.Values) url.Values {
	out := url.Values{}
	for k, v := range q {
		if len(v) > 0 && v[0] != "" {
			out[k] = v
		}
	}
	return out
}

// download copies an answer to w.
func (c *Client) download(ctx context.Context, path string, w io.Writer, head ...string) error {
	res, err := c.send(ctx, http.MethodGet, path, "", nil, head...)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(w, res.Body)
	return err
}

// Event is one live event.
type Event struct {
	ID, Type string // type "reset": events were missed, read the lists again
	Data     json.RawMessage
}

// Events calls f for each live event after the one with id last (empty: from
// now on) until ctx ends, f fails, or the connection does; the caller comes
// back with the last id.
func (c *Client) Events(ctx context.Context, last, typ string, f func(Event) error) error {
	return c.events(ctx, last, typ, nil, f)
}

// again is how long Follow waits before it comes back.
const again = time.Second

// Follow calls f for each live event until ctx ends or f fails, and comes back
// when the connection fails. Before the first event, and whenever events may
// have been missed, it calls missed: what lists say then, and the events
// after, are all there is, some of them twice. lost, unless nil, hears of a connection that failed.
func (c *Client) Follow(ctx context.Context, typ string, missed func() error, lost func(error), f func(Event) error) error {
	last := ""
	var stop error // of missed or f
	var ever, up bool
	keep := func(err error) error {
		if err != nil {
			stop = err
		}
		return err
	}
	for {
		err := c.events(ctx, last, typ, func() error {
			ever, up = true, true
			return keep(missed())
		}, func(e Event) error {
			if e.Type == "reset" {
				return keep(missed())
			}
			last = e.ID
			return keep(f(e))
		})
		var refused *Error
		switch {
		case stop != nil:
			return stop
		case ctx.Err() != nil:
			return ctx.Err()
		case !ever, errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
			return err // it never was there, or does not want
		}
		if up && lost != nil {
			lost(err)
		}
		up = false
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// events reads one connection's events; open is called when it stands.
func (c *Client) events(ctx context.Context, last, typ string, open func() error, f func(Event) error) error {
	path := "/api/v1/events"
	if typ != "" {
		path += "?type=" + url.QueryEscape(typ)
	}
	res, err := c.send(ctx, http.MethodGet, path, "", nil, "Last-Event-ID", last)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if open != nil {
		if err := open(); err != nil {
			return err
		}
	}
	s := bufio.NewScanner(res.Body)
	s.Buffer(nil, 64<<10)
	var e Event
	for s.Scan() {
		key, value, _ := strings.Cut(s.Text(), ": ")
		switch key {
		case "id":
			e.ID = value
		case "event":
			e.Type = value
		case "data":
			e.Data = json.RawMessage(value)
		case "":
			if e.Type == "bye" {
				return io.EOF
			}
			if e.Data != nil {
				if err := f(e); err != nil {
					return err
				}
			}
			e = Event{}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := s.Err(); err != nil {
		return err
	}
	return io.EOF
}
