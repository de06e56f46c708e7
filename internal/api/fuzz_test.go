package api

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

// hit sends anything to a route and fails on a panic, on 5xx, and on an answer
// to an error that is not problem details.
func (w *world) hit(t testing.TB, rt *route, id, query, body, head string) {
	t.Helper()
	r := w.request(rt.Method, "/", body, w.session(auth.Owner))
	r.URL.Path = strings.ReplaceAll(rt.Pattern, "{id}", id)
	r.URL.RawPath, r.URL.RawQuery = "", query
	r.RequestURI = ""
	if rt.BodyType != "" {
		r.Header.Set("Content-Type", rt.BodyType)
	}
	for k := range strings.SplitSeq("If-Match,If-None-Match,Last-Event-ID,Accept-Encoding,Accept-Language", ",") {
		r.Header.Set(k, head)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	if rt.Name == "events" {
		cancel()
	}
	defer cancel()
	panics := w.counts.panics.Load()
	rec := w.do(r.WithContext(ctx))
	if w.counts.panics.Load() != panics {
		t.Fatalf("%s: panic: id %q query %q body %q head %q", rt.Name, id, query, body, head)
	}
	if rec.Code >= 500 {
		t.Fatalf("%s: %d: id %q query %q body %q head %q: %s", rt.Name, rec.Code, id, query, body, head, rec.Body)
	}
	if rec.Code >= 400 && rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s: %d without problem details: %v", rt.Name, rec.Code, rec.Header())
	}
	// The fuzzer may have removed who asks.
	if _, ok := w.auth.Session(w.cookies[auth.Owner]); !ok {
		*w = *newWorld(t)
	}
}

// FuzzRoutes sends anything to every route as an owner.
func FuzzRoutes(f *testing.F) {
	w := newWorld(f)
	for k := range w.routes {
		rt := &w.routes[k]
		g := good[rt.Name]
		f.Add(byte(k), g.id, strings.TrimPrefix(g.query, "?"), g.body, `"a.b"`)
		f.Add(byte(k), "\x00/..", "limit=0&cursor=eyJyIjoieCJ9&device=%ff", `{"name":null}`, "*")
	}
	f.Fuzz(func(t *testing.T, k byte, id, query, body, head string) {
		w.hit(t, &w.routes[int(k)%len(w.routes)], id, query, body, head)
	})
}

// TestRandomRequests does a part of that at each test run: pieces that the
// routes know, put together at random.
func TestRandomRequests(t *testing.T) {
	w := newWorld(t)
	rnd := rand.New(rand.NewPCG(7, 11))
	var names, values []string
	for _, rt := range w.routes {
		for _, p := range rt.Query {
			names, values = append(names, p.Name), append(values, p.Enum...)
		}
	}
	values = append(values, "", "0", "-1", "200", "201", "99999999999999999999", "true", "2026-03-01", "2026-03-01T00:00:00Z", "9999-12-31T23:59:59+23:59", "0000-01-01", "%ff", "%00", "a%0d%0ab",
		"eyJyIjoiZGV2aWNlcy5saXN0IiwiZiI6IiIsImEiOiIxIn0", strings.Repeat("A", 2000), "é", "+", "&&&;=")
	pieces := []string{`{`, `}`, `[`, `]`, `"`, `:`, `,`, `null`, `true`, `-1`, `1e400`, `1.5`, `"name"`, `"kind"`, `"scope"`, `"seconds"`, `9223372036854775807`, `"device"`, `"at"`, `"likely"`, `"schedule"`,
		`{"slots":[{"days":0,"from":-1,"to":99999}]}`, `"until":"9999-12-31T23:59:59Z"`, `"state":"ignored"`, `{"scope":{}}`, `{"name":"\u0000"}`, "\xff", `{"macs":[]}`, `{"retention":{"x":-5}}`, `{"days":9223372036854775807}`}
	pick := func(l []string) string { return l[rnd.IntN(len(l))] }
	for n := range 4000 {
		rt := &w.routes[n%len(w.routes)]
		g := good[rt.Name]
		id, body := g.id, g.body
		if rnd.IntN(3) == 0 {
			id = pick(values)
		}
		switch rnd.IntN(4) {
		case 0:
			body = ""
			for range rnd.IntN(8) {
				body += pick(pieces)
			}
		case 1:
			if body != "" {
				b := []byte(body)
				b[rnd.IntN(len(b))] = byte(rnd.UintN(256))
				body = string(b)
			}
		}
		var q []string
		for range rnd.IntN(3) {
			q = append(q, pick(names)+"="+pick(values))
		}
		w.hit(t, rt, id, strings.Join(q, "&"), body, pick([]string{"", "*", `"x.y"`, "gzip", "ja;q=1,,,", strings.Repeat(`"a",`, 500), "0-1", "\x00"}))
	}
}

// TestCursors: pages make the whole, once; a cursor of another list, of another
// filter or made up is refused.
func TestCursors(t *testing.T) {
	w := newWorld(t)
	get := func(target string, want int) *List[Device] {
		t.Helper()
		rec := w.do(w.request("GET", target, "", w.session(auth.Viewer)))
		if rec.Code != want {
			t.Fatalf("%s: %d %s", target, rec.Code, rec.Body)
		}
		var l List[Device]
		if want == 200 {
			decodeInto(t, rec.Body, &l)
		}
		return &l
	}
	seen := map[string]bool{}
	next, pages := "", 0
	for {
		l := get("/api/v1/devices?limit=33&kind=camera&cursor="+next, 200)
		for _, d := range l.Items {
			if seen[d.ID] || len(d.Clues) > 0 {
				t.Errorf("%s again, or with clues", d.ID)
			}
			seen[d.ID] = true
		}
		if pages++; l.Next == "" {
			break
		}
		next = l.Next
	}
	if len(seen) != 120 || pages != 4 {
		t.Errorf("%d devices on %d pages", len(seen), pages)
	}
	get("/api/v1/devices?limit=5&kind=camera&cursor="+next, 200)
	get("/api/v1/devices?limit=33&kind=nas&cursor="+next, 400)
	get("/api/v1/findings?cursor="+next, 400)
	get("/api/v1/devices?kind=camera&cursor="+next+"x", 400)
	get("/api/v1/devices?kind=camera&limit=1000", 400)
	get("/api/v1/devices?kind=camera&kind=nas", 400)
}

func decodeInto(t testing.TB, r io.Reader, v any) {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	d := jsonDecoder(b)
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// BenchmarkListDevices measures a list of 50 devices through all that stands
// before it.
func BenchmarkListDevices(b *testing.B) {
	w := newWorld(b)
	h := w.Handler()
	b.ReportAllocs()
	for b.Loop() {
		rec := &sink{h: http.Header{}}
		h.ServeHTTP(rec, w.request("GET", "/api/v1/devices?limit=50", "", w.session(auth.Viewer)))
		if rec.status != 200 {
			b.Fatal(rec.status)
		}
		b.SetBytes(int64(rec.n))
	}
}

// sink is a client that takes everything.
type sink struct {
	h         http.Header
	status, n int
}

func (s *sink) Header() http.Header { return s.h }
func (s *sink) WriteHeader(n int)   { s.status = n }
func (s *sink) Write(b []byte) (int, error) {
	s.n += len(b)
	return len(b), nil
}
