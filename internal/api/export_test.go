package api

import (
	"context"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

// What the tests of other packages of this folder see.

// NewTestServer is a server with a house of fakes. hit, unless nil, is called
// with the name of each route whose handler runs.
func NewTestServer(t testing.TB, hit func(string)) (s *Server, ownerToken, viewerID string) {
	w := newWorld(t)
	for k := range w.routes {
		rt := &w.routes[k]
		if h := rt.Handle; hit != nil {
			rt.Handle = func(c *call) error { hit(rt.Name); return h(c) }
		}
	}
	return w.Server, w.tokens[auth.Owner], w.users[auth.Viewer].ID
}

// Login gives a session to end.
func (s *Server) Login(t testing.TB, name string) string {
	_, p, err := s.cfg.Auth.Login(context.Background(), auth.Login{Name: name, Password: testPass, Addr: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// NewLink makes a server without users and the secret of its one-time link.
func NewLink(t testing.TB) (*Server, string) {
	w := newWorld(t)
	a, err := auth.New(auth.Config{Store: &memory{m: map[string][]byte{}}, Now: time.Now, Hash: auth.Params{Memory: 64, Time: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	link, err := a.NewSetup(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w.Server.cfg.Auth = a
	return w.Server, link
}

// RouteNames lists the table.
func RouteNames() (out []string) {
	for _, rt := range table() {
		out = append(out, rt.Name)
	}
	return out
}
