package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// filled makes a closed store with findings and documents.
func filled(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := open(t, Config{Dir: dir})
	for i := range 20 {
		if _, err := s.Put(context.Background(), "o", "policy", fmt.Sprint(i), json.RawMessage(fmt.Sprint(i)), AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	add(t, s, 0, 2000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRepair damages the file in several ways: the store opens, keeps what
// can be read, sets the damaged file aside and tells.
func TestRepair(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		damage   func(b []byte) []byte
		findings int64 // at least
		docs     int
	}{
		"pages in the middle": {func(b []byte) []byte {
			for i := len(b) / 2; i < len(b)/2+8*pageSize; i++ {
				b[i] ^= 0xa5
			}
			return b
		}, 500, 20},
		"the end is missing": {func(b []byte) []byte { return b[:len(b)*3/4/pageSize*pageSize] }, 200, 20},
		"no database":        {func(b []byte) []byte { return bytes.Repeat([]byte("rubbish "), len(b)/8) }, 0, 0},
		"head overwritten":   {func(b []byte) []byte { copy(b, make([]byte, 100)); return b }, 2000, 20},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			path := filepath.Join(dir, fileName)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, Config{Dir: dir})
			rep := s.Health().Repaired
			if rep == nil {
				t.Fatal("the owner is not told")
			}
			if _, err := os.Stat(rep.Aside); err != nil {
				t.Errorf("not set aside: %v", err)
			}
			if rep.Rows["findings"] < c.findings || len(rep.Lost) == 0 && c.findings < 2000 {
				t.Errorf("brought over %v, lost %v", rep.Rows, rep.Lost)
			}
			docs, err := s.List(ctx, "policy")
			if err != nil || len(docs) < c.docs {
				t.Errorf("%d documents, %v", len(docs), err)
			}
			if _, err := s.AddFinding(ctx, testFinding(5000)); err != nil {
				t.Error(err)
			}
			if p, err := s.Timeline(ctx, Filter{}, 0, 100); err != nil || len(p.Items) == 0 {
				t.Errorf("timeline after the repair: %d, %v", len(p.Items), err)
			}
			flush(t, s)
			tr, err := s.Trends(ctx, TrendQuery{From: t0.AddDate(0, -1, 0), To: t0.AddDate(0, 1, 0), Bucket: Month})
			if err != nil || tr.Total < rep.Rows["findings"] {
				t.Errorf("figures count %d (%v) of %d findings", tr.Total, err, rep.Rows["findings"])
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			s = open(t, Config{Dir: dir})
			if s.Health().Repaired != nil {
				t.Error("repaired again")
			}
			t.Logf("brought over %v", rep.Rows)
		})
	}
}

// TestForeign: another program's database is neither used nor set aside.
func TestForeign(t *testing.T) {
	dir := t.TempDir()
	c, err := openConn(filepath.Join(dir, fileName), 256)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.db.Exec("PRAGMA application_id=77; CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)"); err != nil {
		t.Fatal(err)
	}
	_ = c.close()
	_, err = Open(Config{Dir: dir, Clock: (&fakeClock{t: t0}).now})
	if err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("opened: %v", err)
	}
}

// earlier holds the schema of each version as it was released, with some
// rows: the present program must read them all. It is a copy, not made from
// migrations, so that a change of a released migration is found.
var earlier = map[int]string{
	1: `CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
	CREATE TABLE documents(bucket TEXT, key TEXT, version INTEGER NOT NULL, updated INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY(bucket, key));
	CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, bucket TEXT NOT NULL, key TEXT NOT NULL, before BLOB, after BLOB);
	CREATE TABLE devices(id TEXT PRIMARY KEY, updated INTEGER NOT NULL, value BLOB NOT NULL);
	INSERT INTO documents VALUES('policy', 'mode', 7, 1777896000000, CAST('{"mode":"watch"}' AS BLOB));
	INSERT INTO devices VALUES('mac:1', 1777896000000, CAST('{}' AS BLOB));`,
	2: `CREATE TABLE dict(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
	CREATE TABLE findings(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL, flags INTEGER NOT NULL,
		device INTEGER NOT NULL, category INTEGER NOT NULL, level INTEGER NOT NULL, action INTEGER NOT NULL, direction INTEGER NOT NULL,
		kind INTEGER NOT NULL, family INTEGER NOT NULL, country INTEGER NOT NULL, asn INTEGER NOT NULL, signature INTEGER NOT NULL,
		confidence INTEGER NOT NULL, state INTEGER NOT NULL, until INTEGER NOT NULL, remote BLOB, note TEXT, body BLOB NOT NULL);
	CREATE INDEX findings_device ON findings(device, id);
	CREATE INDEX findings_category ON findings(category, id);
	CREATE INDEX findings_level ON findings(level, id);
	CREATE INDEX findings_action ON findings(action, id);
	CREATE TABLE events(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, flags INTEGER NOT NULL, type INTEGER NOT NULL, device INTEGER NOT NULL, body BLOB NOT NULL);
	CREATE INDEX events_device ON events(device, id);
	CREATE TABLE flows(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, flags INTEGER NOT NULL, millis INTEGER NOT NULL, device INTEGER NOT NULL, remote BLOB,
		port INTEGER NOT NULL, proto INTEGER NOT NULL, app INTEGER NOT NULL, up INTEGER NOT NULL, down INTEGER NOT NULL);
	CREATE INDEX flows_device ON flows(device, id);
	CREATE TABLE evidence(finding INTEGER PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL);
	CREATE TABLE spans(hour INTEGER PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL);
	INSERT INTO dict VALUES(1, 'other'), (2, 'scan'), (3, 'mac:1');
	INSERT INTO findings VALUES(41, 1777896000000, 1777896000000, 3, 0, 3, 2, 2, 1, 1, 0, 0, 0, 0, 5, 500, 0, 0, NULL, NULL, CAST(x'00' || '{"event_type":"alert"}' AS BLOB));`,
	3: `CREATE TABLE rollup(grain INTEGER, bucket INTEGER, category INTEGER, family INTEGER, kind INTEGER, device INTEGER, country INTEGER, asn INTEGER,
		action INTEGER, level INTEGER, direction INTEGER, n INTEGER NOT NULL,
		PRIMARY KEY(grain, bucket, category, family, kind, device, country, asn, action, level, direction)) WITHOUT ROWID;
	CREATE TABLE traffic(grain INTEGER, bucket INTEGER, device INTEGER, up INTEGER NOT NULL, down INTEGER NOT NULL, flows INTEGER NOT NULL, seen INTEGER NOT NULL,
		PRIMARY KEY(grain, bucket, device)) WITHOUT ROWID;`,
}

func schemaOf(t *testing.T, path string) (out []string) {
	t.Helper()
	c, err := openConn(path, 256)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	err = c.rows(func(s *sqlite3.Stmt) error {
		out = append(out, strings.Join(strings.Fields(s.ColumnText(0)), " "))
		return nil
	}, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestMigrations opens a file of every earlier version (0: empty).
func TestMigrations(t *testing.T) {
	ctx := context.Background()
	fresh := t.TempDir()
	_ = open(t, Config{Dir: fresh}).Close()
	want := schemaOf(t, filepath.Join(fresh, fileName))
	for v := 0; v <= schemaVersion; v++ {
		if v > 0 && earlier[v] == "" {
			t.Fatalf("version %d has no copy in this test", v)
		}
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			c, err := openConn(path, 256)
			if err != nil {
				t.Fatal(err)
			}
			for i := 1; i <= v; i++ {
				if err := c.db.Exec(fmt.Sprintf("PRAGMA application_id=%d; %s PRAGMA user_version=%d", applicationID, earlier[i], i)); err != nil {
					t.Fatal(err)
				}
			}
			_ = c.close()
			s := open(t, Config{Dir: dir})
			if s.Health().Repaired != nil {
				t.Error("an earlier version is taken for damage")
			}
			if v >= 1 {
				if d, err := s.Get(ctx, "policy", "mode"); err != nil || d.Version != 7 {
					t.Errorf("document %+v, %v", d, err)
				}
			}
			if v >= 2 {
				f, err := s.Finding(ctx, 41)
				if err != nil || f.Category != "scan" || f.Device != "mac:1" || string(f.EVE) != `{"event_type":"alert"}` {
					t.Errorf("finding %+v, %v", f, err)
				}
				// Figures are made up for findings that were never counted.
				tr, err := s.Trends(ctx, TrendQuery{From: t0.AddDate(0, -1, 0), To: t0.AddDate(0, 1, 0), Bucket: Month, By: []Dim{ByCategory}})
				if err != nil || tr.Total != 3 {
					t.Errorf("figures %+v, %v", tr, err)
				}
			}
			r, err := s.AddFinding(ctx, testFinding(1))
			if err != nil || v >= 2 && r.ID <= 41 {
				t.Errorf("adding: %+v, %v", r, err)
			}
			_ = s.Close()
			if got := schemaOf(t, path); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("schema\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestNewer: a later program's file is left alone.
func TestNewer(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, fileName)
	c, err := openConn(path, 256)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.db.Exec(fmt.Sprintf("PRAGMA user_version=%d", schemaVersion+1)); err != nil {
		t.Fatal(err)
	}
	_ = c.close()
	_, err = Open(Config{Dir: dir, Clock: (&fakeClock{t: t0}).now})
	var newer *ErrNewer
	if !errors.As(err, &newer) || newer.File != schemaVersion+1 {
		t.Errorf("opened: %v", err)
	}
	if left, _ := filepath.Glob(dir + "/*damaged*"); len(left) != 0 {
		t.Errorf("set aside: %v", left)
	}
}

// TestPrivate: nobody else on the machine reads the files, also where the
// folder is open and files were left open to all.
func TestPrivate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := open(t, Config{Dir: dir})
		add(t, s, 0, 5)
		flush(t, s)
		files, err := os.ReadDir(dir)
		if err != nil || len(files) < 4 {
			t.Fatalf("%v, %v", files, err)
		}
		for _, f := range files {
			st, err := f.Info()
			if err != nil {
				t.Fatal(err)
			}
			if st.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", f.Name(), st.Mode())
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(s.path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
