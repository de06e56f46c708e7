package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/yamori-net/yamori/internal/auth"
)

const dev = "mac:02:00:00:00:00:05"

// good has a request that succeeds for each route whose own is not plain: its
// id, body and query.
var good = map[string]struct{ id, body, query, typ string }{
	"setup":                {body: `{"token":"%LINK%","name":"Ema","password":"correct horse battery"}`},
	"session.login":        {body: `{"name":"kenji","password":"correct horse battery"}`},
	"session.password":     {body: `{"old":"correct horse battery","new":"another long phrase"}`},
	"totp.enrol":           {body: `{"password":"correct horse battery"}`},
	"totp.confirm":         {body: `{"code":"%CODE%"}`},
	"totp.remove":          {body: `{"password":"correct horse battery"}`},
	"sessions.end":         {id: "%SESSION%"},
	"users.add":            {body: `{"name":"Ren","password":"correct horse battery","role":"viewer"}`},
	"users.get":            {id: "%USER%"},
	"users.change":         {id: "%USER%", body: `{"role":"member"}`},
	"users.delete":         {id: "%USER%"},
	"tokens.add":           {body: `{"name":"ha","scope":"read","days":30}`},
	"tokens.delete":        {id: "%TOKEN%"},
	"assets":               {id: "page.css"},
	"devices.change":       {id: dev, body: `{"name":"Camera in the hall","kind":"camera"}`},
	"devices.merge":        {id: dev, body: `{"with":"mac:02:00:00:00:00:06"}`},
	"devices.split":        {id: dev, body: `{"macs":["02:00:00:00:00:05"]}`},
	"devices.quarantine":   {id: dev, body: `{"reason":"odd","seconds":3600}`},
	"devices.unquarantine": {id: dev},
	"devices.pause":        {id: dev, body: `{"seconds":900,"schedule":{"slots":[{"days":62,"from":1260,"to":420}]}}`},
	"devices.unpause":      {id: dev},
	"findings.change":      {id: "3", body: `{"state":"ignored","until":"2026-04-01T00:00:00Z","note":"mine"}`},
	"findings.get":         {id: "3"},
	"findings.evidence":    {id: "3"},
	"policy.undo":          {id: "7"},
	"policy.set":           {body: `{"mode":"protect"}`},
	"settings.change":      {body: `{"language":"ja","retention":{"findings":30}}`},
	"restore":              {body: "backup", typ: "application/octet-stream"},
	"import":               {body: "{}\n", typ: "application/x-ndjson"},
	"exceptions.add":       {body: `{"scope":{"device":"` + dev + `","category":"mining"},"seconds":3600,"reason":"mine"}`},
	"consents.add":         {body: `{"scope":{"device":"` + dev + `","pool":"pool.example:3333"}}`},
	"blocks.add":           {body: `{"kind":"pause","scope":{"device":"` + dev + `"},"seconds":900}`},
	"never.add":            {body: `{"scope":{"dest":"192.168.1.10"}}`},
	"actions.add":          {body: `{"scope":{"category":"scan"},"at":"confirmed"}`},
	"exceptions.get":       {id: "e1"}, "exceptions.remove": {id: "e1"},
	"consents.get": {id: "e2"}, "consents.remove": {id: "e2"},
	"blocks.get": {id: "e3"}, "blocks.remove": {id: "e3"},
	"never.get": {id: "e4"}, "never.remove": {id: "e4"},
	"actions.get": {id: "e5"}, "actions.remove": {id: "e5"},
	"trends":        {query: "?from=2026-01-01&to=2026-03-01"},
	"devices.list":  {query: "?limit=3&kind=camera"},
	"findings.list": {query: "?category=mining&since=2026-01-01"},
}

// of makes the request of a route, in a world where it succeeds.
func (w *world) of(t testing.TB, rt *route, opts ...func(*http.Request)) *http.Request {
	t.Helper()
	g := good[rt.Name]
	if g.id == "" {
		g.id = dev
	}
	ctx := context.Background()
	for {
		all := g.id + g.body
		switch {
		case strings.Contains(all, "%LINK%"):
			a, err := auth.New(auth.Config{Store: &memory{m: map[string][]byte{}}, Now: time.Now, Hash: auth.Params{Memory: 64, Time: 1, Threads: 1}})
			if err != nil {
				t.Fatal(err)
			}
			link, _ := a.NewSetup(time.Hour)
			w.Server.cfg.Auth = a
			g.body = strings.ReplaceAll(g.body, "%LINK%", link)
			continue
		case strings.Contains(all, "%CODE%"):
			g.body = strings.ReplaceAll(g.body, "%CODE%", w.code(t))
			continue
		case strings.Contains(all, "%SESSION%"):
			_, p, err := w.auth.Login(ctx, auth.Login{Name: "Kenji", Password: testPass, Addr: "192.168.1.51"})
			if err != nil {
				t.Fatal(err)
			}
			g.id = p.ID
			continue
		case strings.Contains(all, "%USER%"):
			g.id = w.users[auth.Viewer].ID
			continue
		case strings.Contains(all, "%TOKEN%"):
			g.id = w.auth.Tokens("")[0].ID
			continue
		}
		break
	}
	if kind, ok := strings.CutPrefix(rt.Name, "devices.un"); ok {
		_, _ = w.h.AddEntry(ctx, kind, EntryNew{Scope: Scope{Device: dev}}, "Kenji")
	}
	if rt.Name == "events" { // ends by itself
		ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		t.Cleanup(cancel)
		opts = append(opts, func(r *http.Request) {
			k := connOf(r)
			*r = *r.WithContext(context.WithValue(ctx, connKey{}, k))
		})
	}
	r := w.request(rt.Method, strings.ReplaceAll(rt.Pattern, "{id}", g.id)+g.query, g.body, opts...)
	if g.typ != "" {
		r.Header.Set("Content-Type", g.typ)
	}
	return r
}

// code enrols the owner and finds the right code by trying, as the server
// checks it.
func (w *world) code(t testing.TB) string {
	t.Helper()
	secret, _, err := w.auth.EnrolTOTP(w.users[auth.Owner].ID)
	if err != nil {
		t.Fatal(err)
	}
	return auth.CodeAt(secret, time.Now())
}

// who lets a request of the least right role in.
func (w *world) who(rt *route) func(*http.Request) {
	if rt.Need == Public {
		return func(*http.Request) {}
	}
	role := rt.Need.role()
	switch rt.Name {
	case "sessions.end", "totp.confirm", "tokens.delete", "blocks.remove", "devices.unpause", "devices.unquarantine":
		role = auth.Owner // who the request is about
	}
	return w.session(role)
}

// TestAuthorization: each route, by who asks and from where. The answers are
// those of a route that would have succeeded.
func TestAuthorization(t *testing.T) {
	for _, rt := range table() {
		t.Run(rt.Name, func(t *testing.T) {
			w := newWorld(t)
			expect := func(what string, want int, opts ...func(*http.Request)) {
				t.Helper()
				rec := w.do(w.of(t, &rt, opts...))
				if rec.Code != want {
					t.Errorf("%s: %d, want %d: %s", what, rec.Code, want, rec.Body)
				}
				if want >= 400 {
					checkProblem(t, rec)
				}
			}
			me := w.who(&rt)
			for _, host := range []string{"evil.example", "evil.example:8443", "192.168.1.99", "yamori.lan.evil.example", "", "[fd00::2]:8443", "192.168.1.1.nip.io"} {
				expect("host "+host, http.StatusMisdirectedRequest, me, func(r *http.Request) { r.Host = host })
			}
			for _, o := range []string{"https://evil.example", "null", "http://192.168.1.1", "https://192.168.1.1:8443", "http://192.168.1.1:8443.evil.example", "file://"} {
				expect("origin "+o, http.StatusForbidden, me, header("Origin", o))
			}
			expect("cross-site", http.StatusForbidden, me, header("Sec-Fetch-Site", "cross-site"))
			expect("same-site", http.StatusForbidden, me, header("Sec-Fetch-Site", "same-site"))
			if rt.Method != "GET" {
				expect("no CSRF header", http.StatusForbidden, me, header(csrfHeader, ""))
			}
			if rt.Need != Public {
				expect("no session", http.StatusUnauthorized)
				expect("made-up session", http.StatusUnauthorized, func(r *http.Request) {
					r.AddCookie(&http.Cookie{Name: cookiePlain, Value: strings.Repeat("A", 43)})
				})
				expect("made-up token", http.StatusUnauthorized, header("Authorization", "Bearer ymr_aaaaaaaaaa_"+strings.Repeat("A", 43)))
				expect("other scheme", http.StatusUnauthorized, header("Authorization", "Basic a2VuamkK"))
				for role := auth.Viewer; role < rt.Need.role(); role++ {
					expect("role "+role.String(), http.StatusForbidden, w.session(role))
					expect("scope "+auth.ScopeName(role), http.StatusForbidden, w.token(role))
				}
				if rt.SessionOnly || rt.NoToken {
					expect("a token", http.StatusForbidden, w.token(auth.Owner))
				}
				if rt.SessionOnly {
					expect("the socket", http.StatusForbidden, socket)
				}
			}
			// At last it works: what was refused before was refused for its reason.
			if rt.Name == "session.logout" { // ends what the others need
				w = newWorld(t)
				me = w.who(&rt)
			}
			expect("the right one", rt.Status, me)
		})
	}
}

func checkProblem(t testing.TB, rec *httptest.ResponseRecorder) {
	t.Helper()
	var p Fault
	d := json.NewDecoder(rec.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || p.Status != rec.Code || p.Code == "" || p.Type != "urn:yamori:problem:"+p.Code || p.Instance == "" ||
		rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("not problem details: %v %+v %v", err, p, rec.Header())
	}
	if rec.Code == http.StatusUnauthorized && rec.Header().Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
	if rec.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("CORS is granted")
	}
}

// schemas compiles the schemas of openapi.yaml.
type schemas struct{ c *jsonschema.Compiler }

func newSchemas(t testing.TB) *schemas {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", spec(t)); err != nil {
		t.Fatal(err)
	}
	return &schemas{c}
}

func (s *schemas) check(t testing.TB, at string, body []byte) {
	t.Helper()
	sch, err := s.c.Compile("openapi.json#" + at)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if err := sch.Validate(v); err != nil {
		t.Errorf("%s is not as described: %v\n%.400s", at, err, body)
	}
}

// pointer escapes a path for a JSON pointer in a URL fragment.
func pointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(s)
}

// TestResponses: what each route answers, to a good request and to a bad one,
// is what openapi.yaml says; so is each request that is taken.
func TestResponses(t *testing.T) {
	sch := newSchemas(t)
	for _, rt := range table() {
		if rt.Name == "events" {
			continue // see TestEvents
		}
		t.Run(rt.Name, func(t *testing.T) {
			w := newWorld(t)
			at := "/paths/" + pointer(rt.Pattern) + "/" + strings.ToLower(rt.Method)
			r := w.of(t, &rt, w.who(&rt))
			var sent []byte
			if rt.Body != nil {
				sent, _ = io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(sent))
				sch.check(t, at+"/requestBody/content/application~1json/schema", sent)
			}
			rec := w.do(r)
			if rec.Code != rt.Status {
				t.Fatalf("%d: %s", rec.Code, rec.Body)
			}
			switch {
			case rt.Result != nil:
				if typ := rec.Header().Get("Content-Type"); typ != "application/json" {
					t.Errorf("type %s", typ)
				}
				sch.check(t, fmt.Sprintf("%s/responses/%d/content/application~1json/schema", at, rt.Status), rec.Body.Bytes())
			case rt.Type != "":
				if typ := rec.Header().Get("Content-Type"); rt.Name != "assets" && !strings.HasPrefix(typ, rt.Type) || rec.Body.Len() == 0 {
					t.Errorf("type %s, %d bytes", typ, rec.Body.Len())
				}
			default:
				if rec.Body.Len() != 0 {
					t.Errorf("a body: %s", rec.Body)
				}
			}
			for _, k := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Request-Id", "Referrer-Policy"} {
				if rec.Header().Get(k) == "" {
					t.Errorf("no %s", k)
				}
			}
			// Bad: a parameter that is not there, and a body that is none.
			rec = newWorld(t).do(w.request(rt.Method, "/nowhere", ""))
			sch.check(t, "/components/schemas/Fault", rec.Body.Bytes())
			w = newWorld(t)
			if r = w.of(t, &rt, w.who(&rt)); rt.Need != Public {
				r.URL.RawQuery = "no_such_parameter=1"
				if rec = w.do(r); rec.Code != http.StatusBadRequest {
					t.Errorf("unknown parameter: %d", rec.Code)
				}
				sch.check(t, "/components/schemas/Fault", rec.Body.Bytes())
			}
			if rt.Body != nil {
				for body, want := range map[string]int{"": 400, "{": 400, "[]": 400, "null": 400, string(sent) + "x": 400, `{"no_such_field":1}`: 422, "\xff": 400, strings.Repeat(" ", maxBody+1): 413} {
					w := newWorld(t)
					r := w.of(t, &rt, w.who(&rt))
					r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), -1
					rec := w.do(r)
					if rec.Code != want {
						t.Errorf("body %.20q: %d, want %d: %s", body, rec.Code, want, rec.Body)
					}
					sch.check(t, "/components/schemas/Fault", rec.Body.Bytes())
				}
				w := newWorld(t)
				rec := w.do(w.of(t, &rt, w.who(&rt), header("Content-Type", "text/plain"), func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }))
				if rec.Code != http.StatusUnsupportedMediaType {
					t.Errorf("text/plain: %d", rec.Code)
				}
			}
		})
	}
}

// TestConditions: If-Match on each route that takes it; If-None-Match.
func TestConditions(t *testing.T) {
	for _, rt := range table() {
		if !rt.Cond {
			continue
		}
		w := newWorld(t)
		if rec := w.do(w.of(t, &rt, w.who(&rt), header("If-Match", `"0123456789ab.0123456789ab"`))); rec.Code != http.StatusPreconditionFailed {
			t.Errorf("%s: %d with a wrong If-Match: %s", rt.Name, rec.Code, rec.Body)
		}
		g := good[rt.Name]
		get := strings.ReplaceAll(rt.Pattern, "{id}", g.id)
		if strings.HasPrefix(rt.Name, "users.") {
			get = "/api/v1/users/" + w.users[auth.Viewer].ID
		} else if strings.HasPrefix(rt.Name, "devices.") {
			get = "/api/v1/devices/" + dev
		}
		rec := w.do(w.request("GET", get, "", w.session(auth.Owner)))
		tag := rec.Header().Get("ETag")
		if rec.Code != 200 || tag == "" {
			t.Fatalf("%s: %d, ETag %q", get, rec.Code, tag)
		}
		if rec := w.do(w.request("GET", get, "", w.session(auth.Owner), header("If-None-Match", tag))); rec.Code != http.StatusNotModified || rec.Body.Len() != 0 {
			t.Errorf("%s: %d with the same If-None-Match", get, rec.Code)
		}
		if d := w.h.devices[dev]; d != nil {
			d.Last = d.Last.Add(time.Hour) // a sign of life is no conflict
		}
		if rec := w.do(w.of(t, &rt, w.who(&rt), header("If-Match", tag))); rec.Code != rt.Status {
			t.Errorf("%s: %d with the right If-Match: %s", rt.Name, rec.Code, rec.Body)
		}
		if strings.HasPrefix(rt.Name, "devices.change") {
			if rec := w.do(w.of(t, &rt, w.who(&rt), header("If-Match", tag))); rec.Code != http.StatusPreconditionFailed {
				t.Errorf("%s: %d after a change", rt.Name, rec.Code)
			}
		}
	}
}

// TestAudited: each route that changes something, and each that shows what is
// private, writes a line that names who and how; also when it was refused.
func TestAudited(t *testing.T) {
	for _, rt := range table() {
		w := newWorld(t)
		before := len(w.h.audit)
		if rt.Name == "setup" {
			continue // its own Service; see auth
		}
		w.do(w.of(t, &rt, w.who(&rt)))
		var lines []auth.Entry
		for _, e := range w.h.audit[before:] {
			if e.Action == rt.Name || rt.Name == "session.login" && e.Action == "login" {
				lines = append(lines, e)
			}
		}
		want := 0
		if rt.Method != "GET" || rt.Grave {
			want = 1
		}
		if len(lines) != want {
			t.Errorf("%s: %d lines of the audit log, want %d", rt.Name, len(lines), want)
			continue
		}
		if want == 1 && (lines[0].Outcome != "ok" || lines[0].Actor == "" || lines[0].Addr != "192.168.1.50" || lines[0].Time.IsZero()) {
			t.Errorf("%s: %+v", rt.Name, lines[0])
		}
		b, _ := json.Marshal(lines)
		if strings.Contains(string(b), "correct horse") || strings.Contains(string(b), "another long") {
			t.Errorf("%s: a password is in the audit log", rt.Name)
		}
	}
	w := newWorld(t)
	w.do(w.request("PUT", "/api/v1/policy", `{"mode":"protect"}`, w.session(auth.Viewer)))
	if e := w.h.audit[len(w.h.audit)-1]; e.Action != "policy.set" || e.Outcome != "role" || e.Actor != "Nana" {
		t.Errorf("a refused change: %+v", e)
	}
	w.do(w.request("PUT", "/api/v1/policy", `{"mode":"protect"}`, socket))
	if e := w.h.audit[len(w.h.audit)-1]; e.Via != auth.ViaSocket || e.UID != 1000 || e.Actor != "uid:1000" || e.Detail["mode"] != "protect" {
		t.Errorf("a change over the socket: %+v", e)
	}
	w.do(w.request("DELETE", "/api/v1/devices/"+dev, "", w.session(auth.Owner)))
	if e := w.h.audit[len(w.h.audit)-1]; e.Action != "devices.erase" || e.Outcome != "ok" || strings.Contains(fmt.Sprint(e), dev) {
		t.Errorf("erased, and the audit log says of whom: %+v", e)
	}
	w = newWorld(t)
	for _, x := range []struct{ method, path, body, want string }{
		{"PATCH", "/api/v1/settings", `{"evidence":false,"time_zone":"Asia/Tokyo","retention":{"findings":30}}`, "map[evidence:false retention.findings:30 time_zone:Asia/Tokyo]"},
		{"POST", "/api/v1/blocks", `{"scope":{"dest":"203.0.113.9","port":3333},"seconds":60}`, "map[dest:203.0.113.9 kind:block port:3333 seconds:60]"},
		{"POST", "/api/v1/devices/" + dev + "/split", `{"macs":["02:00:00:00:00:05"]}`, "map[macs:02:00:00:00:00:05]"},
		{"PATCH", "/api/v1/findings/3", `{"state":"ignored","until":"2026-04-01T00:00:00Z"}`, "map[state:ignored until:2026-04-01T00:00:00Z]"},
	} {
		w.do(w.request(x.method, x.path, x.body, w.session(auth.Owner)))
		if e := w.h.audit[len(w.h.audit)-1]; fmt.Sprint(e.Detail) != x.want {
			t.Errorf("%s %s: %v, want %s", x.method, x.path, e.Detail, x.want)
		}
	}
}

// TestRefusalsBounded: who may not change anything does not push out of the audit
// log what others did.
func TestRefusalsBounded(t *testing.T) {
	w := newWorld(t)
	viewer, before := w.session(auth.Viewer), len(w.h.audit)
	for range 300 {
		w.do(w.request("PUT", "/api/v1/policy", `{"mode":"protect"}`, viewer))
	}
	if n := len(w.h.audit) - before; n < 5 || n > 50 {
		t.Errorf("300 refusals made %d lines", n)
	}
	w.do(w.request("PUT", "/api/v1/policy", `{"mode":"protect"}`, w.session(auth.Owner)))
	if e := w.h.audit[len(w.h.audit)-1]; e.Action != "policy.set" || e.Outcome != "ok" {
		t.Errorf("what was done: %+v", e)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	w := newWorld(t)
	for _, p := range []string{"/api/v1/nothing", "/api/v2/devices", "/x", "/api/v1/devices/a/b/c", "/assets/../openapi.yaml", "/assets/record.html", "/api/v1/devices/%00", "/api/v1/devices/" + strings.Repeat("a", 500)} {
		rec := w.do(w.request("GET", p, "", w.session(auth.Owner)))
		if rec.Code != http.StatusNotFound && rec.Code/100 != 3 {
			t.Errorf("%s: %d", p, rec.Code)
		}
		if rec.Code == http.StatusNotFound {
			checkProblem(t, rec)
		}
	}
	for _, rt := range table() {
		rec := w.do(w.request("BREW", strings.ReplaceAll(rt.Pattern, "{id}", "x"), ""))
		if rec.Code != http.StatusMethodNotAllowed || !strings.Contains(rec.Header().Get("Allow"), rt.Method) {
			t.Errorf("BREW %s: %d, Allow %q", rt.Pattern, rec.Code, rec.Header().Get("Allow"))
		}
		checkProblem(t, rec)
	}
}

// TestMissingPart: a part that is not wired answers 503, and nothing panics.
func TestMissingPart(t *testing.T) {
	for _, rt := range table() {
		w := newWorld(t)
		w.Server.cfg.Backend = Backend{}
		rec := w.do(w.of(t, &rt, w.who(&rt)))
		if rt.Part != nil && rec.Code != http.StatusServiceUnavailable || rt.Part == nil && rec.Code != rt.Status && rt.Name != "readyz" {
			t.Errorf("%s: %d", rt.Name, rec.Code)
		}
	}
}

// TestMembersBlocks: a member lifts what a member made, not what the owner did.
func TestMembersBlocks(t *testing.T) {
	w := newWorld(t)
	if rec := w.do(w.request("DELETE", "/api/v1/blocks/e3", "", w.session(auth.Member))); rec.Code != http.StatusForbidden {
		t.Errorf("the owner's block: %d", rec.Code)
	}
	rec := w.do(w.request("POST", "/api/v1/devices/"+dev+"/pause", `{"seconds":60}`, w.session(auth.Member)))
	var e Entry
	if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil || e.Author != "Aiko" || e.Kind != "pause" {
		t.Fatal(rec.Body, err)
	}
	if rec := w.do(w.request("DELETE", "/api/v1/blocks/"+e.ID, "", w.session(auth.Member))); rec.Code != http.StatusNoContent {
		t.Errorf("an own pause: %d %s", rec.Code, rec.Body)
	}
}

// TestYAMLTypes: a reader of YAML that is not ours finds the version a string.
func TestYAMLTypes(t *testing.T) {
	var doc struct {
		Info struct{ Version any }
	}
	if err := yaml.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	if _, ok := doc.Info.Version.(string); !ok {
		t.Errorf("info.version is %T", doc.Info.Version)
	}
}

// TestMembersReplace: a member does not end an owner's quarantine by asking for
// the same one for a second, nor lifts a part of what holds a device.
func TestMembersReplace(t *testing.T) {
	w := newWorld(t)
	owner, member := w.session(auth.Owner), w.session(auth.Member)
	if rec := w.do(w.request("POST", "/api/v1/devices/"+dev+"/quarantine", `{}`, owner)); rec.Code != 201 {
		t.Fatal(rec.Code, rec.Body)
	}
	for _, path := range []string{"/api/v1/devices/" + dev + "/quarantine", "/api/v1/blocks"} {
		body := `{"seconds":1}`
		if path == "/api/v1/blocks" {
			body = `{"kind":"quarantine","scope":{"device":"` + dev + `"},"seconds":1}`
		}
		if rec := w.do(w.request("POST", path, body, member)); rec.Code != 403 {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

// TestTimes: a day begins at midnight at home; what no clock can show is refused.
func TestTimes(t *testing.T) {
	w := newWorld(t)
	w.Server.cfg.Backend.Zone = func() *time.Location { return time.FixedZone("JST", 9*3600) }
	owner := w.session(auth.Owner)
	if rec := w.do(w.request("GET", "/api/v1/trends?from=2026-01-01&to=2026-02-01", "", owner)); rec.Code != 200 {
		t.Fatal(rec.Code, rec.Body)
	}
	if want := time.Date(2025, 12, 31, 15, 0, 0, 0, time.UTC); !w.h.from.Equal(want) || !w.h.to.Equal(want.AddDate(0, 1, 0)) {
		t.Errorf("from %v to %v", w.h.from, w.h.to)
	}
	for _, until := range []string{"9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"} {
		if rec := w.do(w.request("PATCH", "/api/v1/findings/3", `{"state":"ignored","until":"`+until+`"}`, owner)); rec.Code != 422 {
			t.Errorf("until %s: %d", until, rec.Code)
		}
	}
	if rec := w.do(w.request("GET", "/api/v1/findings?until=9999-12-31T23:59:59-12:00", "", owner)); rec.Code != 400 {
		t.Errorf("%d", rec.Code)
	}
}

// TestHubForget: who comes back hears nothing of a device that was erased, and
// all else.
func TestHubForget(t *testing.T) {
	h := NewHub()
	for _, id := range []string{"mac:02:00:00:00:00:01", "mac:02:00:00:00:00:02", "mac:02:00:00:00:00:01", "mac:02:00:00:00:00:03"} {
		h.Publish(EventDevice, &DeviceEvent{What: "new", Device: Device{ID: id}})
	}
	h.Forget("mac:02:00:00:00:00:01")
	_, back, missed, ok := h.subscribe(h.epoch + "-0")
	if !ok || missed || len(back) != 2 || back[0].seq != 2 || back[1].seq != 4 {
		t.Errorf("%+v, missed %t", back, missed)
	}
	for range ringEvents {
		h.Publish(EventDevice, &DeviceEvent{What: "new"})
	}
	n := 0
	for _, e := range h.ring {
		n += len(e.text)
	}
	if n != h.bytes {
		t.Errorf("%d bytes are counted, %d are there", h.bytes, n)
	}
}
