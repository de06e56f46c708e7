package store

import (
	"fmt"
)

const (
	pageSize = 4096
	// applicationID marks the file as Yamori's ("yamo"), so that no other
	// database is taken for a damaged one of ours.
	applicationID = 0x79616d6f
)

// migrations bring a file from one version (PRAGMA user_version) to the next;
// number n makes version n+1. A released one never changes.
var migrations = [...]string{
	// 1: what is the owner's.
	`CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
	CREATE TABLE documents(bucket TEXT, key TEXT, version INTEGER NOT NULL, updated INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY(bucket, key));
	CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, bucket TEXT NOT NULL, key TEXT NOT NULL, before BLOB, after BLOB);
	CREATE TABLE devices(id TEXT PRIMARY KEY, updated INTEGER NOT NULL, value BLOB NOT NULL);`,

	// 2: what happened. Times are milliseconds since 1970; words are numbers
	// of dict. The body stands last, so that a scan need not read it.
	`CREATE TABLE dict(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
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
	CREATE TABLE spans(hour INTEGER PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL);`,

	// 3: the figures.
	`CREATE TABLE rollup(grain INTEGER, bucket INTEGER, category INTEGER, family INTEGER, kind INTEGER, device INTEGER, country INTEGER, asn INTEGER,
		action INTEGER, level INTEGER, direction INTEGER, n INTEGER NOT NULL,
		PRIMARY KEY(grain, bucket, category, family, kind, device, country, asn, action, level, direction)) WITHOUT ROWID;
	CREATE TABLE traffic(grain INTEGER, bucket INTEGER, device INTEGER, up INTEGER NOT NULL, down INTEGER NOT NULL, flows INTEGER NOT NULL, seen INTEGER NOT NULL,
		PRIMARY KEY(grain, bucket, device)) WITHOUT ROWID;`,
}

// schemaVersion is the version this program writes.
const schemaVersion = len(migrations)

// ErrNewer says that the file was written by a later version of the program.
type ErrNewer struct{ File, Program int }

func (e *ErrNewer) Error() string {
	return fmt.Sprintf("store: the database has schema %d and this program knows %d: install the later program again, or restore a backup", e.File, e.Program)
}

// migrate brings the file to the present version, each step in a transaction
// of its own.
func (c *conn) migrate() error {
	v, err := c.one("PRAGMA user_version")
	if err != nil {
		return err
	}
	if int(v) > schemaVersion {
		return &ErrNewer{File: int(v), Program: schemaVersion}
	}
	if v == 0 {
		if err := c.db.Exec(fmt.Sprintf("PRAGMA application_id=%d", applicationID)); err != nil {
			return err
		}
	}
	for ; int(v) < schemaVersion; v++ {
		err := c.tx(true, func() error {
			if err := c.db.Exec(migrations[v]); err != nil {
				return err
			}
			return c.db.Exec(fmt.Sprintf("PRAGMA user_version=%d", v+1))
		})
		if err != nil {
			return fmt.Errorf("store: bringing the database to schema %d: %w", v+1, err)
		}
	}
	return nil
}
