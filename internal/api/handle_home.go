package api

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func getStatus(c *call) error {
	st, err := c.s.cfg.Backend.State.Status(c.ctx())
	if err != nil {
		return err
	}
	return c.json(&st)
}

func listDevices(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	l, next, err := c.s.cfg.Backend.Devices.Devices(c.ctx(), DeviceQuery{Kind: c.str("kind"), Person: c.str("person"), Text: c.str("q"), Online: c.flag("online")}, p)
	for i := range l {
		l[i].Clues = nil
	}
	return list(c, l, next, err)
}

// device answers with a device, or the error.
func (c *call) device(d Device, err error) error {
	if err != nil {
		return err
	}
	return c.json(&d)
}

func getDevice(c *call) error {
	return c.device(c.s.cfg.Backend.Devices.Device(c.ctx(), c.id()))
}

// sameDevice checks If-Match of a device.
func (c *call) sameDevice() error {
	if !c.conditional() {
		return nil
	}
	if c.s.cfg.Backend.Devices == nil {
		return refuse(http.StatusServiceUnavailable, "unavailable", "this part is not running")
	}
	d, err := c.s.cfg.Backend.Devices.Device(c.ctx(), c.id())
	if err != nil {
		return err
	}
	return c.ifMatch(&d)
}

func changeDevice(c *call) error {
	var in DeviceChange
	if err := c.decode(&in); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		value *string
	}{{"name", in.Name}, {"kind", in.Kind}, {"person", in.Person}, {"os", in.OS}, {"maker", in.Maker}, {"model", in.Model}} {
		if f.value != nil {
			c.note(f.name, *f.value)
		}
	}
	if err := c.sameDevice(); err != nil {
		return err
	}
	return c.device(c.s.cfg.Backend.Devices.ChangeDevice(c.ctx(), c.id(), in))
}

func mergeDevices(c *call) error {
	var in Merge
	if err := c.decode(&in); err != nil {
		return err
	}
	c.note("with", in.With)
	if in.With == c.id() {
		return invalid("with", "is the same device")
	}
	if err := c.sameDevice(); err != nil {
		return err
	}
	return c.device(c.s.cfg.Backend.Devices.MergeDevices(c.ctx(), c.id(), in.With))
}

func splitDevice(c *call) error {
	var in Split
	if err := c.decode(&in); err != nil {
		return err
	}
	c.note("macs", strings.Join(in.MACs, " "))
	if err := c.sameDevice(); err != nil {
		return err
	}
	return c.device(c.s.cfg.Backend.Devices.SplitDevice(c.ctx(), c.id(), in.MACs))
}

func lookAt(c *call) error {
	if err := c.s.cfg.Backend.Devices.LookAt(c.ctx(), c.id()); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

func getRecord(c *call) error {
	rec, err := c.s.cfg.Backend.Records.Record(c.ctx(), c.id())
	if err != nil {
		return err
	}
	return c.json(&rec)
}

func eraseDevice(c *call) error {
	if err := c.sameDevice(); err != nil {
		return err
	}
	e, err := c.s.cfg.Backend.Records.Erase(c.ctx(), c.id())
	if err != nil {
		return err
	}
	c.target = "erased" // the audit log says that it was done, and not of whom
	return c.json(&e)
}

func (c *call) findingQuery() FindingQuery {
	return FindingQuery{Device: c.str("device"), Category: c.str("category"), Family: c.str("family"), Verdict: c.str("verdict"),
		Action: c.str("action"), State: c.str("state"), Since: c.when("since"), Until: c.when("until")}
}

func listFindings(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	l, next, err := c.s.cfg.Backend.Findings.Findings(c.ctx(), c.findingQuery(), p)
	for i := range l {
		l[i].Evidence, l[i].EVE = nil, nil
	}
	return list(c, l, next, err)
}

// finding answers with a finding, or the error.
func (c *call) finding(f Finding, err error) error {
	if err != nil {
		return err
	}
	return c.json(&f)
}

func getFinding(c *call) error {
	return c.finding(c.s.cfg.Backend.Findings.Finding(c.ctx(), c.id()))
}

func changeFinding(c *call) error {
	var in FindingChange
	if err := c.decode(&in); err != nil {
		return err
	}
	if in.Until != nil && (in.State == nil || *in.State != "ignored") {
		return invalid("until", "only with the state ignored")
	}
	if in.State != nil {
		c.note("state", *in.State)
	}
	if in.Until != nil {
		c.note("until", in.Until.UTC().Format(time.RFC3339))
	}
	if c.conditional() {
		f, err := c.s.cfg.Backend.Findings.Finding(c.ctx(), c.id())
		if err != nil {
			return err
		}
		if err := c.ifMatch(&f); err != nil {
			return err
		}
	}
	return c.finding(c.s.cfg.Backend.Findings.ChangeFinding(c.ctx(), c.id(), in))
}

// file prepares a download.
func (c *call) file(name string) {
	h := c.w.Header()
	h.Set("Content-Type", c.route.Type)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// fileWriter sets a new deadline as long as the client takes bytes, and
// remembers whether any went out: before that an error still has an answer.
type fileWriter struct {
	c  *call
	rc *http.ResponseController
	n  int64
}

// Write hands on to the client.
func (w *fileWriter) Write(b []byte) (int, error) {
	_ = w.rc.SetWriteDeadline(time.Now().Add(time.Minute)) // not every writer has one
	n, err := w.c.w.Write(b)
	w.n += int64(n)
	return n, err
}

// stream answers with a file; an error in the middle breaks the connection off,
// so that no client takes a part for the whole.
func (c *call) stream(name string, f func(io.Writer) error) error {
	c.file(name)
	if c.r.Method == http.MethodHead {
		return nil
	}
	w := &fileWriter{c: c, rc: http.NewResponseController(c.w)}
	err := f(w)
	if err != nil && w.n > 0 {
		c.s.cfg.Log.Warn("a download broke off", "id", requestID(c.r), "route", c.route.Name, "error", err)
		panic(http.ErrAbortHandler)
	}
	if err == nil && w.n == 0 {
		c.w.WriteHeader(http.StatusOK)
	}
	return err
}

func getCapture(c *call) error {
	r, err := c.s.cfg.Backend.Findings.Capture(c.ctx(), c.id())
	if err != nil {
		return err
	}
	defer r.Close()
	return c.stream("finding-"+fileName(c.id())+".pcapng", func(w io.Writer) error { _, err := io.Copy(w, r); return err })
}

// fileName keeps letters, digits and dashes.
func fileName(s string) string {
	b := []byte(s)
	for i, x := range b {
		if !(x >= '0' && x <= '9' || x >= 'a' && x <= 'z' || x >= 'A' && x <= 'Z') {
			b[i] = '-'
		}
	}
	return string(b)
}

func export(c *call) error {
	format := c.str("format")
	if format == "" {
		format = "eve"
	}
	q := c.findingQuery()
	return c.stream("findings."+map[string]string{"eve": "eve.json", "csv": "csv", "json": "json"}[format], func(w io.Writer) error {
		return c.s.cfg.Backend.Findings.Export(c.ctx(), q, format, w)
	})
}

func postImport(c *call) error {
	if c.r.Header.Get("Content-Type") != c.route.BodyType {
		return refuse(http.StatusUnsupportedMediaType, "media-type", "send "+c.route.BodyType)
	}
	v, err := c.s.cfg.Backend.Findings.Import(c.ctx(), c.r.Body)
	c.note("findings", strconv.FormatInt(v.Findings, 10))
	if err != nil {
		return err
	}
	return c.json(&v)
}

func listFlows(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	l, next, err := c.s.cfg.Backend.Flows.Flows(c.ctx(), c.str("device"), c.str("app_proto"), p)
	return list(c, l, next, err)
}

func listTimeline(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	l, next, err := c.s.cfg.Backend.Timeline.Timeline(c.ctx(), c.str("device"), c.str("kind"), c.when("since"), c.when("until"), p)
	return list(c, l, next, err)
}

// maxTrend bounds the period of a report.
const maxTrend = maxTrendYears * 366 * 24 * time.Hour

const maxTrendYears = 50

func getTrends(c *call) error {
	from, to := c.when("from"), c.when("to")
	if to.IsZero() {
		to = time.Now().UTC().Truncate(time.Second)
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -30)
	}
	if !from.Before(to) || to.Sub(from) > maxTrend || from.Year() < 1970 {
		return &fault{status: http.StatusBadRequest, code: "query", detail: "from must be before to, not before 1970, and at most " + strconv.Itoa(maxTrendYears) + " years before", field: "from"}
	}
	t, err := c.s.cfg.Backend.Figures.Trends(c.ctx(), from, to)
	if err != nil {
		return err
	}
	return c.json(&t)
}
