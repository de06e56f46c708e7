// Package api is the HTTP interface of the gateway: /api/v1 with its OpenAPI
// description, live events, health and metrics, and the few pages that must
// work without the dashboard. Every route stands in one table (routes.go),
// from which authorization, checks of queries, openapi.yaml and the tests
// follow.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

// Config is what a Server needs. Auth and Log must be set.
type Config struct {
	Backend Backend
	Auth    *auth.Service
	Audit   auth.Auditor // nil: changes are not recorded
	Log     *slog.Logger
	Version string
	Events  *Hub // nil: a new one

	// Names are host names by which the gateway may be called, besides
	// localhost and the addresses of this host.
	Names []string
	// Addrs lists this host's addresses; nil: those of its interfaces.
	Addrs func() []netip.Addr
	// OpenMetrics lets /metrics be read without a token.
	OpenMetrics bool
	// Explain turns a code into a sentence for the pages; nil: codes are shown.
	Explain func(lang, code string, args map[string]string) string
	// Timeout of a request that is not a stream; 0: 20 s.
	Timeout time.Duration
}

// Server answers requests. Use Handler for a listener of TCP, and Serve for
// all of it.
type Server struct {
	cfg    Config
	mux    *http.ServeMux
	routes []route
	hosts  hostCheck
	cross  *http.CrossOriginProtection
	counts counts

	refusals auth.Refusals // what was tried and not done
	busy     busy          // what is under way over the network

	// change makes If-Match and the change it guards one step. The API is the
	// only one that writes what it guards.
	change sync.Mutex
}

// counts are the API's own figures.
type counts struct {
	requests [6]atomic.Uint64 // by hundreds of the status
	panics   atomic.Uint64
	refused  atomic.Uint64 // by host or origin
}

// New makes a server.
func New(cfg Config) (*Server, error) {
	if cfg.Auth == nil || cfg.Log == nil {
		return nil, errors.New("api: Auth and Log must be set")
	}
	if cfg.Events == nil {
		cfg.Events = NewHub()
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 20 * time.Second
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux(), routes: table(), cross: http.NewCrossOriginProtection()}
	s.hosts.init(cfg.Names, cfg.Addrs)
	allow := map[string][]string{}
	for i := range s.routes {
		rt := &s.routes[i]
		s.mux.HandleFunc(rt.Method+" "+rt.Pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) })
		allow[rt.Pattern] = append(allow[rt.Pattern], rt.Method)
		if rt.Method == http.MethodGet {
			allow[rt.Pattern] = append(allow[rt.Pattern], http.MethodHead)
		}
	}
	for pattern, methods := range allow {
		slices.Sort(methods)
		may := strings.Join(methods, ", ")
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", may)
			s.problem(w, r, refuse(http.StatusMethodNotAllowed, "method", "allowed: "+may))
		})
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			http.Redirect(w, r, "/home", http.StatusSeeOther)
			return
		}
		s.problem(w, r, refuse(http.StatusNotFound, "not-found", "no such path"))
	})
	return s, nil
}

// Events is where live events are published.
func (s *Server) Events() *Hub { return s.cfg.Events }

// connKey is the key of what is known of a connection.
type connKey struct{}

// conn is what is known of a connection.
type conn struct {
	socket bool // came over the Unix socket
	uid    uint32
}

func connOf(r *http.Request) conn { c, _ := r.Context().Value(connKey{}).(conn); return c }

type requestKey struct{}

func requestID(r *http.Request) string { id, _ := r.Context().Value(requestKey{}).(string); return id }

// Handler is everything that stands before the routes.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, newRequestID()))
		cw := &countingWriter{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				s.counts.panics.Add(1)
				s.cfg.Log.Error("a request caused a panic", "id", requestID(r), "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				if cw.status == 0 {
					s.problem(cw, r, refuse(http.StatusInternalServerError, "internal", "the log of yamori says more"))
				}
			}
			s.counts.requests[min(cw.status/100, 5)].Add(1)
		}()
		secureHeaders(cw.Header(), r)
		if !connOf(r).socket {
			if err := s.checkOrigin(r); err != nil {
				s.counts.refused.Add(1)
				s.problem(cw, r, err)
				return
			}
			addr := clientAddr(r)
			if !s.busy.take(addr, maxBusy, maxBusyOf) {
				s.problem(cw, r, ErrBusy)
				return
			}
			defer s.busy.give(addr)
		}
		s.mux.ServeHTTP(cw, r)
	})
}

// countingWriter remembers the status.
type countingWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes that the status is 200 when nobody said otherwise.
func (w *countingWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// serve takes one request through a route.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt *route) {
	c := &call{s: s, w: w, r: r, route: rt}
	err := s.admit(c)
	if err == nil && rt.Part != nil && !rt.Part(&s.cfg.Backend) {
		err = refuse(http.StatusServiceUnavailable, "unavailable", "this part is not running")
	}
	if err == nil {
		err = c.checkQuery()
	}
	if err == nil && !validPath(r) {
		err = refuse(http.StatusNotFound, "not-found", "")
	}
	if err == nil {
		err = s.run(c)
	}
	if err != nil {
		s.problem(c.w, r, err)
	}
	s.record(c, err)
}

// streamTime is how long an upload or a slow answer may take; live events and
// downloads move their own deadlines.
var streamTime = 10 * time.Minute

// run calls the handler under the route's limits.
func (s *Server) run(c *call) error {
	most := c.route.Body0
	if most == 0 {
		most = maxBody
	}
	if c.r.ContentLength > most {
		return &http.MaxBytesError{Limit: most}
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, most)
	if c.route.Stream {
		rc := http.NewResponseController(c.w)
		end := time.Now().Add(streamTime)
		_, _ = rc.SetReadDeadline(end), rc.SetWriteDeadline(end) // not every writer of a test has them
	} else {
		ctx, cancel := context.WithTimeout(c.r.Context(), s.cfg.Timeout)
		defer cancel()
		c.r = c.r.WithContext(ctx)
		if z := zip(c.w, c.r); z != nil {
			c.w = z
			defer z.close()
		}
	}
	if c.route.Cond { // also without If-Match: it must not fall between another's look and its change
		s.change.Lock()
		defer s.change.Unlock()
	}
	ctx := context.WithValue(c.r.Context(), actorKey{}, c.who.Name)
	c.r = c.r.WithContext(context.WithValue(ctx, ownKey{}, c.who.Role < auth.Owner))
	return c.route.Handle(c)
}

// validPath reports whether the path's variable is text of a sensible length.
func validPath(r *http.Request) bool {
	id := r.PathValue("id")
	return len(id) <= maxID && plain(id)
}

// record writes the line of the audit log for what changes something, tried
// or done. Login and set-up write their own.
func (s *Server) record(c *call, err error) {
	if s.cfg.Audit == nil || c.safe() && !c.route.Grave || c.route.Need == Public || c.who.Via == "" {
		return
	}
	e := auth.Entry{Time: time.Now(), Actor: c.who.Name, Via: c.who.Via, UID: c.who.UID, Addr: clientAddr(c.r), Action: c.route.Name,
		Target: c.target, Detail: c.detail, Outcome: "ok"}
	if e.Target == "" {
		e.Target = c.id()
	}
	e.Target = cutText(e.Target, maxText)
	if err != nil {
		e.Outcome = "internal"
		if f := toFault(err); f != nil {
			e.Outcome = f.code
		}
		if !s.refusals.Note(&e, string(e.Via)+" "+e.Actor, e.Time) {
			return
		}
	}
	s.cfg.Audit.Audit(e)
}

func clientAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
