package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

func TestDocuments(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	v1, err := s.Put(ctx, "mika", "policy", "mode", json.RawMessage(`{"mode":"watch"}`), NoVersion)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, "x", "policy", "mode", json.RawMessage(`1`), NoVersion); err != ErrConflict {
		t.Errorf("made twice: %v", err)
	}
	v2, err := s.Put(ctx, "mika", "policy", "mode", json.RawMessage(`{"mode":"protect"}`), v1)
	if err != nil || v2 <= v1 {
		t.Fatalf("version %d after %d, %v", v2, v1, err)
	}
	// All or nothing: the second step's condition fails.
	_, err = s.Apply(ctx, Change{Who: "x", Ops: []Op{{Bucket: "blocks", Key: "a", Value: json.RawMessage(`1`), If: AnyVersion}, {Bucket: "policy", Key: "mode", If: v1}}})
	if err != ErrConflict {
		t.Errorf("an old version: %v", err)
	}
	if _, err := s.Get(ctx, "blocks", "a"); err != ErrNotFound {
		t.Errorf("half of a change was made: %v", err)
	}
	if _, err := s.Apply(ctx, Change{Who: "mika", Action: "token.new", Secret: true, Ops: []Op{{Bucket: "tokens", Key: "t", Value: json.RawMessage(`"hush-hush"`), If: AnyVersion}}}); err != nil {
		t.Fatal(err)
	}
	for _, op := range []Op{{Key: "a", Value: json.RawMessage(`1`)}, {Bucket: "a", Value: json.RawMessage(`1`)}, {Bucket: "a", Key: "b", Value: json.RawMessage(`{`)},
		{Bucket: "a", Key: "b", Value: json.RawMessage(`"` + strings.Repeat("x", MaxDocument) + `"`)}, {Bucket: strings.Repeat("b", 300), Key: "k", Value: json.RawMessage(`1`)}} {
		if _, err := s.Apply(ctx, Change{Who: "x", Ops: []Op{op}}); err == nil {
			t.Errorf("%.40q is kept", op.Bucket+op.Key)
		}
	}
	_ = s.Close()
	s = open(t, Config{Dir: dir})
	d, err := s.Get(ctx, "policy", "mode")
	if err != nil || string(d.Value) != `{"mode":"protect"}` || d.Version != v2 || d.ETag() != fmt.Sprintf(`"%d"`, v2) {
		t.Errorf("after a restart %+v, %v", d, err)
	}
	if err := s.Delete(ctx, "mika", "policy", "mode", v2); err != nil {
		t.Error(err)
	}
	v3, err := s.Put(ctx, "mika", "policy", "mode", json.RawMessage(`{}`), NoVersion)
	if err != nil || v3 <= v2 {
		t.Errorf("a version was used again: %d after %d (%v)", v3, v2, err)
	}
	log, next, err := s.AuditLog(ctx, 0, 3)
	if err != nil || len(log) != 3 || next == 0 {
		t.Fatalf("audit log %v, next %d, %v", log, next, err)
	}
	if e := log[1]; e.Who != "mika" || e.Action != "policy.delete" || string(e.Before) != `{"mode":"protect"}` || e.After != nil {
		t.Errorf("the deletion is told as %+v", e)
	}
	rest, next, err := s.AuditLog(ctx, next, 10)
	if err != nil || len(rest) != 2 || next != 0 {
		t.Errorf("rest of the audit log %v, %d, %v", rest, next, err)
	}
	for _, e := range append(log, rest...) {
		if strings.Contains(string(e.After)+string(e.Before), "hush") {
			t.Error("a secret is in the audit log")
		}
	}
	all, err := s.List(ctx, "")
	if err != nil || len(all) != 2 {
		t.Errorf("all documents: %v, %v", all, err)
	}
	// The sum of all documents is bounded.
	full := false
	for i := 0; i < 64 && !full; i++ {
		_, err := s.Put(ctx, "x", "big", fmt.Sprint(i), json.RawMessage(`"`+strings.Repeat("x", MaxDocument-2)+`"`), AnyVersion)
		full = errors.Is(err, ErrTooBig)
		if err != nil && !full {
			t.Fatal(err)
		}
	}
	if !full {
		t.Error("documents have no bound")
	}
}

func TestEraseDevice(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Flows: true})
	const dev, other = "mac:02:00:00:00:00:07", "mac:02:00:00:00:00:08"
	r := add(t, s, 0, 300)
	if err := s.PutEvidence(ctx, r[7].ID, []byte("secretcapturebytes")); err != nil {
		t.Fatal(err)
	}
	if err := s.SetState(ctx, "o", r[7].ID, Seen, time.Time{}, "askedhanako"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetState(ctx, "o", r[8].ID, Seen, time.Time{}, "another's"); err != nil {
		t.Fatal(err)
	}
	s.PutDevice(dev, json.RawMessage(`{"name":"bedroomcamera"}`))
	s.PutDevice(other, json.RawMessage(`{"name":"tv"}`))
	s.addEventLine(t0, "device", dev, []byte(`{"event_type":"device","name":"bedroomcamera"}`))
	s.AddFlow(Flow{Time: t0, Device: dev, Up: 1})
	s.AddTraffic(Traffic{Device: dev, Time: t0, Up: 5, Down: 6, Flows: 1, Seen: 2})
	s.AddTraffic(Traffic{Device: dev, Time: t0, Up: 5})
	for _, doc := range [][3]string{{"devices", dev, `{"name":"bedroomcamera"}`}, {"exceptions", "e1", `{"devices":["` + dev + `","` + other + `"]}`}, {"devices", other, `{}`}} {
		if _, err := s.Put(ctx, "o", doc[0], doc[1], json.RawMessage(doc[2]), AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, s)
	rows, err := s.TrafficOf(ctx, dev, t0.Add(-time.Hour), t0.Add(time.Hour), Hour)
	if err != nil || len(rows) != 1 || rows[0].Up != 10 || rows[0].Down != 6 || rows[0].Seen != 2 || rows[0].Device != dev {
		t.Errorf("traffic %+v, %v", rows, err)
	}
	d, err := s.Describe(ctx, dev)
	if err != nil || d.Findings != 6 || d.Events != 1 || d.Flows != 1 || d.Captures != 1 || d.Figures == 0 || d.TrafficRows != 3 || string(d.Record) != `{"name":"bedroomcamera"}` ||
		len(d.Documents) != 1 || len(d.Mentions) != 1 || d.Audit != 3 || !d.First.Equal(t0) {
		t.Errorf("description %+v, %v", d, err)
	}
	left, err := s.Erase(ctx, "owner", dev)
	if err != nil || len(left) != 1 || left[0] != (DocumentRef{"exceptions", "e1"}) {
		t.Fatalf("left %v, %v", left, err)
	}
	if d, err = s.Describe(ctx, dev); err != nil || d.Findings+d.Events+d.Flows+d.Captures+d.Figures+d.TrafficRows+d.Audit != 0 || d.Record != nil || d.Documents != nil {
		t.Errorf("after erasing %+v, %v", d, err)
	}
	if d, _ := s.Describe(ctx, other); d.Findings != 6 || len(d.Documents) != 1 {
		t.Errorf("another device lost %+v", d)
	}
	tr, err := s.Trends(ctx, TrendQuery{From: t0, To: t0.Add(time.Hour), By: []Dim{ByDevice}, Top: 1000})
	if err != nil || tr.Total != 300 {
		t.Errorf("the home's figures count %d (%v)", tr.Total, err)
	}
	for _, row := range tr.Rows {
		if row.Keys[0] == dev {
			t.Error("the figures still name it")
		}
	}
	log, _, err := s.AuditLog(ctx, 0, MaxPage)
	if err != nil || !slices.ContainsFunc(log, func(e AuditEntry) bool { return strings.Contains(string(e.After), "another's") }) {
		t.Errorf("what the owner wrote about another device left the audit log, too (%v)", err)
	}
	// No byte of it is left in the files, apart from what is the caller's to
	// settle.
	if err := s.Delete(ctx, "o", "exceptions", "e1", AnyVersion); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Erase(ctx, "owner", dev); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	files, _ := filepath.Glob(dir + "/*")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"bedroomcamera", "secretcapture", "askedhanako"} {
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%s still holds %q", filepath.Base(f), word)
			}
		}
	}
}

func TestExportImport(t *testing.T) {
	ctx := context.Background()
	a := open(t, Config{})
	r := add(t, a, 0, 450)
	a.addEventLine(t0, "device", "mac:02:00:00:00:00:01", []byte(`{"timestamp":"2026-05-04T12:30:00.000000+0000","event_type":"device"}`))
	if err := a.SetState(ctx, "o", r[3].ID, Ignored, t0.Add(time.Hour), "=mine, \"really\""); err != nil {
		t.Fatal(err)
	}
	flush(t, a)
	var js, eve, cs bytes.Buffer
	for f, w := range map[Format]*bytes.Buffer{JSON: &js, EVE: &eve, CSV: &cs} {
		if err := a.Export(ctx, w, f, Filter{Events: true}); err != nil {
			t.Fatal(f, err)
		}
	}
	if n := strings.Count(eve.String(), "\n"); n != 451 {
		t.Errorf("%d EVE lines", n)
	}
	if n := strings.Count(cs.String(), "\n"); n != 451 || !strings.Contains(cs.String(), `,"'=mine, ""really"""`) {
		t.Errorf("%d CSV lines", n)
	}
	b := open(t, Config{})
	got, err := b.Import(ctx, bytes.NewReader(js.Bytes()))
	if err != nil || got.Findings != 450 || got.Events != 1 || got.Bad != 0 {
		t.Fatalf("import %+v, %v", got, err)
	}
	var again bytes.Buffer
	if err := b.Export(ctx, &again, JSON, Filter{Events: true}); err != nil {
		t.Fatal(err)
	}
	strip := func(s string) string { // ids are new
		var out []string
		for line := range strings.Lines(s) {
			_, rest, _ := strings.Cut(line, `"time":`)
			out = append(out, rest)
		}
		return strings.Join(out, "")
	}
	if x, y := strip(js.String()), strip(again.String()); x != y {
		t.Errorf("what was imported differs: %d and %d bytes", len(x), len(y))
	}
	c := open(t, Config{})
	lines := eve.String() + `{"timestamp":"2026-05-04T12:30:00.000000+0000","event_type":"dns","dns":{}}` + "\n" +
		`{"timestamp":"2026-05-04T12:30:00.000000+0200","event_type":"alert","src_ip":"203.0.113.9","dest_ip":"192.168.1.4","alert":{"action":"blocked","signature_id":2000001,"severity":1}}` + "\n" +
		"not json\n" + strings.Repeat("x", importLine+100) + "\n" + `{"record":"finding","category":"nonsense"}` + "\n" + `{"event_type":"alert"}`
	got, err = c.Import(ctx, strings.NewReader(lines))
	if err != nil || got.Findings != 451 || got.Events != 0 || got.Skipped != 2 || got.Bad != 4 || len(got.Problems) != 4 {
		t.Errorf("import of EVE %+v, %v", got, err)
	}
	p, err := c.Timeline(ctx, Filter{Action: "blocked", Category: event.Odd}, 0, 5)
	if err != nil || len(p.Items) != 1 || p.Items[0].Finding.Direction != Inbound || p.Items[0].Finding.Remote.String() != "203.0.113.9" {
		t.Errorf("Suricata's alert: %+v, %v", p, err)
	}
}

func TestBackup(t *testing.T) {
	ctx := context.Background()
	a := open(t, Config{})
	for _, d := range [][3]string{{"policy", "mode", `{"mode":"protect"}`}, {"users", "mika", `{"hash":"argon-secret"}`}, {HostBucket, "listen", `"192.168.1.1:443"`}} {
		if _, err := a.Put(ctx, "o", d[0], d[1], json.RawMessage(d[2]), AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	a.PutDevice("mac:1", json.RawMessage(`{"n":1}`))
	add(t, a, 0, 20)
	secrets := []string{"users", "tokens"}
	var plain, sealed bytes.Buffer
	if err := a.Backup(ctx, &plain, BackupOptions{Secrets: secrets}); err != nil {
		t.Fatal(err)
	}
	if err := a.Backup(ctx, &sealed, BackupOptions{Secrets: secrets, Passphrase: "correct horse", Findings: true}); err != nil {
		t.Fatal(err)
	}
	for _, b := range []string{plain.String(), sealed.String()} {
		if strings.Contains(b, "argon-secret") || strings.Contains(b, "192.168.1.1:443") {
			t.Error("the backup holds a secret or an address of the machine in clear")
		}
	}
	b := open(t, Config{})
	if _, err := b.Put(ctx, "o", "policy", "stale", json.RawMessage(`1`), AnyVersion); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(ctx, "o", HostBucket, "listen", json.RawMessage(`"10.0.0.1:443"`), AnyVersion); err != nil {
		t.Fatal(err)
	}
	// Nothing is touched by a backup that is not whole.
	raw := sealed.String()
	for name, bad := range map[string]string{
		"cut":      raw[:len(raw)/2],
		"no end":   raw[:strings.LastIndex(raw[:len(raw)-1], "\n")+1],
		"changed":  strings.Replace(raw, "protect", "watch!!", 1),
		"appended": raw + "{}\n",
		"foreign":  "{\"x\":1}\n",
		"newer":    strings.Replace(raw, `"yamori_backup":1`, `"yamori_backup":99`, 1),
		"empty":    "",
	} {
		if _, err := b.Restore(ctx, "o", strings.NewReader(bad), "correct horse"); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
	// A file that anybody may have written makes nobody a user.
	var open bytes.Buffer
	if err := a.Backup(ctx, &open, BackupOptions{}); err != nil || !strings.Contains(open.String(), "argon-secret") {
		t.Fatal(err)
	}
	if _, err := b.Restore(ctx, "o", &open, "", secrets...); err == nil {
		t.Error("secrets in the open: restored")
	}
	if _, err := b.Restore(ctx, "o", strings.NewReader(raw), "wrong"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := b.Get(ctx, "policy", "stale"); err != nil {
		t.Errorf("a refused backup changed something: %v", err)
	}
	got, err := b.Restore(ctx, "o", strings.NewReader(plain.String()), "")
	if err != nil || got.Documents != 1 || got.Devices != 1 || got.SecretsLeft {
		t.Errorf("restored %+v, %v", got, err)
	}
	got, err = b.Restore(ctx, "o", strings.NewReader(raw), "")
	if err != nil || !got.SecretsLeft || got.Findings != 20 {
		t.Errorf("restored %+v, %v", got, err)
	}
	// Taken back once more it adds nothing.
	got, err = b.Restore(ctx, "o", strings.NewReader(raw), "correct horse")
	if err != nil || got.Documents != 2 || got.Findings != 0 {
		t.Errorf("restored %+v, %v", got, err)
	}
	if d, err := b.Get(ctx, "users", "mika"); err != nil || string(d.Value) != `{"hash":"argon-secret"}` {
		t.Errorf("secret %s, %v", d.Value, err)
	}
	if _, err := b.Get(ctx, "policy", "stale"); err != ErrNotFound {
		t.Errorf("a bucket is replaced whole: %v", err)
	}
	if d, _ := b.Get(ctx, HostBucket, "listen"); string(d.Value) != `"10.0.0.1:443"` {
		t.Errorf("the machine's own address became %s", d.Value)
	}
	if devs, err := b.Devices(ctx); err != nil || len(devs) != 1 || string(devs[0].Value) != `{"n":1}` {
		t.Errorf("devices %v, %v", devs, err)
	}
	log, _, _ := b.AuditLog(ctx, 0, 1)
	if len(log) != 1 || log[0].Action != "backup.restore" {
		t.Errorf("audit log %v", log)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte("{\"yamori_backup\":1}\n{\"document\":{\"bucket\":\"a\",\"key\":\"b\",\"value\":1}}\n{\"sha256\":\"00\"}\n"), "p")
	f.Add([]byte("{\"yamori_backup\":1}\n{\"secret\":{\"Salt\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"Time\":1,\"MemoryKiB\":8}}\n"), "p")
	f.Fuzz(func(t *testing.T, b []byte, pass string) {
		_, _ = readBackup(bytes.NewReader(b), pass)
	})
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(`{"timestamp":"2026-05-04T12:30:00.000000+0000","event_type":"alert","alert":{"signature_id":1},"yamori":{"category":"mining"}}`))
	f.Add([]byte(`{"record":"finding","category":"scan","time":"2026-05-04T12:30:00Z","remote":"::1","count":9}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if fi, e, err := parseRecord(b, []string{"dns"}); err == nil && fi != nil && (e != nil || fi.Count < 1 || len(fi.EVE) > maxBody || !event.KnownCategory(fi.Category)) {
			t.Errorf("%+v", fi)
		}
	})
}

// TestBackupBound: more findings than a restore would read are not written; the
// latest are.
func TestBackupBound(t *testing.T) {
	ctx := context.Background()
	a := open(t, Config{})
	total := 5 * exportStep
	add(t, a, 0, total)
	var whole, part bytes.Buffer
	if err := a.Backup(ctx, &whole, BackupOptions{Findings: true}); err != nil {
		t.Fatal(err)
	}
	a.lim.backup = int64(whole.Len()) / 2
	if err := a.Backup(ctx, &part, BackupOptions{Findings: true}); err != nil {
		t.Fatal(err)
	}
	b := open(t, Config{})
	got, err := b.Restore(ctx, "o", &part, "")
	if err != nil || got.Findings != 2*exportStep {
		t.Fatalf("%+v %v", got, err)
	}
	p, err := b.Timeline(ctx, Filter{}, 0, 1)
	if err != nil || len(p.Items) != 1 || !p.Items[0].Finding.Time.Equal(t0.Add(time.Duration(total-1)*time.Second)) {
		t.Errorf("the latest is not there: %+v %v", p, err)
	}
}
