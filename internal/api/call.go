package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/auth"
)

// Limits of requests.
const (
	DefaultLimit = 50 // of a list
	MaxLimit     = 200

	maxBody    = 64 << 10
	maxRestore = 64 << 20
	maxCursor  = 1024
	maxQuery   = 4096
	maxID      = 128
	maxText    = 256 // of a value in a query
)

// call is one request on its way through a handler.
type call struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	route *route
	who   auth.Principal
	query url.Values

	detail map[string]string // for the audit log
	target string
}

func (c *call) ctx() context.Context { return c.r.Context() }

// id is the path's {id}.
func (c *call) id() string { return c.r.PathValue("id") }

// note adds to the line of the audit log.
func (c *call) note(key, value string) {
	if c.detail == nil {
		c.detail = map[string]string{}
	}
	if len(value) > maxText {
		value = strings.ToValidUTF8(value[:maxText], "")
	}
	c.detail[key] = value
}

// decode reads the body; see validate.go.
func (c *call) decode(v any) error { return decode(c.r, v) }

// checkQuery reads the query and refuses what the route does not know.
func (c *call) checkQuery() error {
	if len(c.r.URL.RawQuery) > maxQuery {
		return refuse(http.StatusRequestURITooLong, "query", "the query is too long")
	}
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, "query", "the query cannot be read")
	}
	for k, v := range q {
		i := slices.IndexFunc(c.route.Query, func(p param) bool { return p.Name == k })
		if i < 0 {
			return &fault{status: http.StatusBadRequest, code: "query", detail: "unknown parameter", field: cutText(k, 64)}
		}
		if err := c.route.Query[i].check(v); err != nil {
			return err
		}
	}
	c.query = q
	return nil
}

// check holds a parameter's values to its type.
func (p *param) check(v []string) error {
	bad := func(text string) error {
		return &fault{status: http.StatusBadRequest, code: "query", detail: text, field: p.Name}
	}
	if len(v) != 1 {
		return bad("give it once")
	}
	s := v[0]
	if len(s) > maxText && p.Name != "cursor" || !plain(s) {
		return bad("too long, or not plain text")
	}
	switch {
	case len(p.Enum) > 0:
		if !slices.Contains(p.Enum, s) {
			return bad("one of: " + strings.Join(p.Enum, ", "))
		}
	case p.Type == "integer":
		if n, err := strconv.Atoi(s); err != nil || n < 1 || n > MaxLimit {
			return bad("1 to " + strconv.Itoa(MaxLimit))
		}
	case p.Type == "boolean":
		if s != "true" && s != "false" {
			return bad("true or false")
		}
	case p.Type == "date-time":
		if t, err := parseTime(s, time.UTC); err != nil || t.UTC().Year() > lastYear+1 {
			return bad("a time such as 2026-03-01T00:00:00Z, or a day such as 2026-03-01")
		}
	}
	return nil
}

func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// parseTime reads a time, or a day, which begins at midnight in loc.
func parseTime(s string, loc *time.Location) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.ParseInLocation(time.DateOnly, s, loc)
	}
	return t, err
}

// zone is where the home is.
func (s *Server) zone() *time.Location {
	if z := s.cfg.Backend.Zone; z != nil {
		return z()
	}
	return time.UTC
}

// str, when and flag read checked parameters.
func (c *call) str(name string) string { return c.query.Get(name) }

func (c *call) when(name string) time.Time {
	t, _ := parseTime(c.query.Get(name), c.s.zone())
	return t
}

func (c *call) flag(name string) *bool {
	if !c.query.Has(name) {
		return nil
	}
	b := c.query.Get(name) == "true"
	return &b
}

// cursor is a place in one list with one filter; to clients it is opaque.
type cursor struct {
	Filter string `json:"f"`
	After  string `json:"a"`
}

// filter is a short hash of the list and everything that filters it.
func (c *call) filter() string {
	q := url.Values{}
	for k, v := range c.query {
		if k != "cursor" && k != "limit" {
			q[k] = v
		}
	}
	h := sha256.Sum256([]byte(c.r.URL.Path + "?" + q.Encode()))
	return hex.EncodeToString(h[:6])
}

// page reads limit and cursor.
func (c *call) page() (Page, error) {
	p := Page{Limit: DefaultLimit}
	if s := c.str("limit"); s != "" {
		p.Limit, _ = strconv.Atoi(s)
	}
	s := c.str("cursor")
	if s == "" {
		return p, nil
	}
	bad := &fault{status: http.StatusBadRequest, code: "cursor", detail: "not a cursor of this list with this filter", field: "cursor"}
	if len(s) > maxCursor {
		return p, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return p, bad
	}
	var k cursor
	if err := json.Unmarshal(b, &k); err != nil || k.Filter != c.filter() || k.After == "" || !plain(k.After) {
		return p, bad
	}
	p.After = k.After
	return p, nil
}

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"cursor of the next page; left out on the last"`
}

// list answers with a page.
func list[T any](c *call, items []T, next string, err error) error {
	if err != nil {
		return err
	}
	l := List[T]{Items: items}
	if next != "" {
		b, err := json.Marshal(cursor{c.filter(), next})
		if err != nil {
			return err
		}
		l.Next = base64.RawURLEncoding.EncodeToString(b)
	}
	return c.json(&l)
}

// cutPage pages a list that is in memory as a whole: the position is a number.
func cutPage[T any](all []T, p Page) (items []T, next string) {
	from, err := strconv.Atoi(p.After)
	if p.After != "" && (err != nil || from < 0) || from > len(all) {
		from = len(all)
	}
	to := min(from+p.Limit, len(all))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next
}

// editable is what a change of a representation can conflict with. A device's
// last sign of life moves all the time: If-Match looks at this part alone.
func editable(v any) any {
	switch x := v.(type) {
	case *Device:
		var macs []string
		for _, m := range x.MACs {
			macs = append(macs, m.Address)
		}
		return []any{x.ID, x.Name, x.Kind, x.OS, x.Maker, x.Model, x.Person, x.Corrected, macs}
	case *Finding:
		return []any{x.ID, x.State, x.Until, x.Note}
	case *Entry:
		y := *x
		y.Hits, y.LastHit, y.Active = 0, time.Time{}, false
		return y
	case *User:
		return []any{x.ID, x.Name, x.Role, x.TOTP}
	}
	return v
}

// etag has two parts: the hash of what can be edited, and of the whole.
func etag(v any, body []byte) string {
	b, err := json.Marshal(editable(v))
	if err != nil {
		b = body
	}
	e, w := sha256.Sum256(b), sha256.Sum256(body)
	return `"` + hex.EncodeToString(e[:6]) + "." + hex.EncodeToString(w[:6]) + `"`
}

// encode gives the JSON of an answer. v is a pointer.
func encode(v any) ([]byte, error) {
	fill(reflect.ValueOf(v))
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(true) // answers are never HTML, but who knows where they are pasted
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// json answers with v, a pointer to a shape, and the route's status.
func (c *call) json(v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	tag := etag(v, b)
	if c.route.Status == http.StatusOK {
		h.Set("ETag", tag)
	}
	if c.safe() && matches(c.r.Header.Get("If-None-Match"), tag, false) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	c.w.WriteHeader(c.route.Status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(b) // the client may be gone
	}
	return nil
}

// none answers with nothing.
func (c *call) none() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) safe() bool { return c.r.Method == http.MethodGet || c.r.Method == http.MethodHead }

// conditional reports whether the request has If-Match.
func (c *call) conditional() bool { return c.r.Header.Get("If-Match") != "" }

// ifMatch refuses with 412 when the request is about another state than now's.
func (c *call) ifMatch(now any) error {
	if !c.conditional() {
		return nil
	}
	b, err := encode(now)
	if err != nil {
		return err
	}
	if !matches(c.r.Header.Get("If-Match"), etag(now, b), true) {
		return refuse(http.StatusPreconditionFailed, "changed", "somebody changed it meanwhile; read it again")
	}
	return nil
}

// matches looks for tag in a list of entity tags (RFC 9110, section 13.1);
// edit: only the part before the point counts.
func matches(header, tag string, edit bool) bool {
	if header == "" || len(header) > 1024 {
		return false
	}
	for f := range strings.SplitSeq(header, ",") {
		f = strings.TrimSpace(f)
		if f == "*" {
			return true
		}
		if !edit {
			f = strings.TrimPrefix(f, "W/")
		}
		f = strings.TrimSuffix(f, `-gzip"`)
		if !strings.HasSuffix(f, `"`) {
			f += `"`
		}
		if f == tag {
			return true
		}
		if a, _, ok := strings.Cut(f, "."); edit && ok {
			if b, _, _ := strings.Cut(tag, "."); a == b {
				return true
			}
		}
	}
	return false
}

func cutText(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}
