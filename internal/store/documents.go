package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Document is one thing of the owner's: a setting, a consent, an exception.
type Document struct {
	Bucket  string          `json:"bucket"`
	Key     string          `json:"key"`
	Value   json.RawMessage `json:"value"`
	Version int64           `json:"-"` // grows with each change, never used again
	Updated time.Time       `json:"-"`
}

// ETag is the version in HTTP's form (RFC 9110, section 8.8.3).
func (d Document) ETag() string { return `"` + strconv.FormatInt(d.Version, 10) + `"` }

// Conditions of a change on the document's version.
const (
	AnyVersion int64 = -1 // whatever there is
	NoVersion  int64 = 0  // only when there is none
)

// ErrConflict says that the document is not of the version the change is
// for: someone else changed it.
var ErrConflict = errors.New("store: the document was changed by someone else")

// Op is one step of a change.
type Op struct {
	Bucket, Key string
	Value       json.RawMessage // nil deletes
	If          int64           // AnyVersion, NoVersion, or the version it must have
}

// Change is what one person does at once: all of it happens or nothing.
type Change struct {
	Who    string // user, token or program, for the audit log
	Action string // "policy.update"…
	Ops    []Op
	// Secret keeps the values out of the audit log.
	Secret bool
	// Unlogged keeps the change itself out of the audit log: the program's own
	// counters and stamps, and what the caller notes with Audit.
	Unlogged bool
}

// Bounds of documents.
const (
	MaxDocument = 1 << 20
	maxKey      = 256
)

// Apply makes a change durable, and writes it into the audit log. It returns
// the version of each document (0 of a deleted one), or ErrConflict,
// ErrNotFound (a deletion with a version of what is not there), ErrTooBig.
func (s *Store) Apply(ctx context.Context, c Change) ([]int64, error) {
	for _, op := range c.Ops {
		if err := checkOp(op); err != nil {
			return nil, err
		}
	}
	versions := make([]int64, len(c.Ops))
	err := s.do(ctx, &request{durable: true, run: func() error {
		// All conditions hold before anything is written, so that a refusal
		// leaves nothing behind in a transaction shared with others.
		var grow int64
		for _, op := range c.Ops {
			doc, err := s.document(s.w, op.Bucket, op.Key)
			if err != nil {
				return err
			}
			if op.If == NoVersion && doc.Version != 0 || op.If > 0 && op.If != doc.Version {
				return refusal{ErrConflict}
			}
			grow += int64(len(op.Value) - len(doc.Value))
		}
		if grow > 0 {
			n, err := s.w.one("SELECT total(length(value)) FROM documents")
			if err != nil {
				return err
			}
			if n+grow > s.lim.documents {
				return refusal{fmt.Errorf("%w: all documents together", ErrTooBig)}
			}
		}
		for i, op := range c.Ops {
			v, err := s.applyOp(c, op)
			if err != nil {
				return err
			}
			versions[i] = v
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return versions, nil
}

func checkOp(op Op) error {
	switch {
	case op.Bucket == "" || op.Key == "" || len(op.Bucket) > maxKey || len(op.Key) > maxKey:
		return errors.New("store: a document needs a bucket and a key of at most 256 bytes")
	case len(op.Value) > MaxDocument:
		return fmt.Errorf("%w: a document of %d bytes", ErrTooBig, len(op.Value))
	case op.Value != nil && !json.Valid(op.Value):
		return errors.New("store: a document's value is not JSON")
	}
	return nil
}

func (s *Store) applyOp(c Change, op Op) (version int64, err error) {
	old, err := s.document(s.w, op.Bucket, op.Key)
	if err != nil {
		return 0, err
	}
	if op.Value == nil {
		if old.Version == 0 {
			return 0, nil
		}
		if err := s.w.exec("DELETE FROM documents WHERE bucket=? AND key=?", op.Bucket, op.Key); err != nil {
			return 0, err
		}
	} else {
		s.seq++
		version = s.seq
		err := s.w.exec("INSERT OR REPLACE INTO documents(bucket, key, version, updated, value) VALUES(?,?,?,?,?)",
			op.Bucket, op.Key, version, s.clk.estimate().UnixMilli(), []byte(op.Value))
		if err != nil {
			return 0, err
		}
	}
	if c.Unlogged {
		return version, nil
	}
	before, after := []byte(old.Value), []byte(op.Value)
	if c.Secret {
		before, after = nil, nil
	}
	return version, s.audit(c.Who, c.Action, op.Bucket, op.Key, before, after)
}

// document reads one; Version 0: there is none.
func (s *Store) document(c *conn, bucket, key string) (d Document, err error) {
	err = c.rows(func(st *sqlite3.Stmt) error { d = scanDocument(st); return nil },
		"SELECT bucket, key, version, updated, value FROM documents WHERE bucket=? AND key=?", bucket, key)
	return d, err
}

func scanDocument(st *sqlite3.Stmt) Document {
	return Document{Bucket: st.ColumnText(0), Key: st.ColumnText(1), Version: st.ColumnInt64(2), Updated: time.UnixMilli(st.ColumnInt64(3)), Value: st.ColumnBlob(4, nil)}
}

// Put makes one document durable: Apply with one step.
func (s *Store) Put(ctx context.Context, who, bucket, key string, value json.RawMessage, ifVersion int64) (int64, error) {
	v, err := s.Apply(ctx, Change{Who: who, Action: bucket + ".put", Ops: []Op{{Bucket: bucket, Key: key, Value: value, If: ifVersion}}})
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// Delete removes one document.
func (s *Store) Delete(ctx context.Context, who, bucket, key string, ifVersion int64) error {
	_, err := s.Apply(ctx, Change{Who: who, Action: bucket + ".delete", Ops: []Op{{Bucket: bucket, Key: key, If: ifVersion}}})
	return err
}

// Get returns one document, or ErrNotFound.
func (s *Store) Get(ctx context.Context, bucket, key string) (Document, error) {
	var d Document
	err := s.read(ctx, func(rd *reader) (err error) {
		d, err = s.document(rd.c, bucket, key)
		return err
	})
	if err == nil && d.Version == 0 {
		err = ErrNotFound
	}
	return d, err
}

// List returns the documents of a bucket by key; of all buckets when it is
// empty.
func (s *Store) List(ctx context.Context, bucket string) ([]Document, error) {
	var out []Document
	err := s.read(ctx, func(rd *reader) error {
		return rd.c.rows(func(st *sqlite3.Stmt) error { out = append(out, scanDocument(st)); return nil },
			"SELECT bucket, key, version, updated, value FROM documents WHERE ?1='' OR bucket=?1 ORDER BY bucket, key", bucket)
	})
	return out, err
}

// AuditEntry is one change someone made.
type AuditEntry struct {
	ID            int64
	Time          time.Time
	Who           string
	Action        string
	Bucket, Key   string
	Before, After json.RawMessage // nil: not there, or secret
}

// maxAuditValue bounds a value in the audit log; a longer one is left out.
const maxAuditValue = 16 << 10

// audit notes a change; called in a transaction.
func (s *Store) audit(who, action, bucket, key string, before, after []byte) error {
	val := func(b []byte) any {
		if b == nil || len(b) > maxAuditValue {
			return nil
		}
		return b
	}
	s.seq++
	err := s.w.exec("INSERT INTO audit(id, at, who, action, bucket, key, before, after) VALUES(?,?,?,?,?,?,?,?)",
		s.seq, s.clk.estimate().UnixMilli(), cut(who, maxKey), cut(action, maxKey), cut(bucket, maxKey), cut(key, maxKey), val(before), val(after))
	if s.audits++; err != nil || s.audits%auditEvery != 0 {
		return err
	}
	return s.boundAudit()
}

// auditEvery is after how many entries the audit log is looked at.
const auditEvery = 64

// boundAudit lets the oldest entries go that are too many, or too large
// together.
func (s *Store) boundAudit() error {
	if err := s.w.exec("DELETE FROM audit WHERE id <= (SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET ?)", int64(maxAudit)); err != nil {
		return err
	}
	return s.w.exec(`DELETE FROM audit WHERE id <= (SELECT id FROM (SELECT id, sum(32 + length(who) + length(action) + length(bucket) + length(key) +
		ifnull(length(before), 0) + ifnull(length(after), 0)) OVER (ORDER BY id DESC) AS size FROM audit) WHERE size > ? ORDER BY id DESC LIMIT 1)`, s.lim.audit)
}

// Audit notes in the audit log what is no document: a log-in, a report that
// was sent.
func (s *Store) Audit(ctx context.Context, who, action, subject string, detail json.RawMessage) error {
	if detail != nil && !json.Valid(detail) {
		return errors.New("store: the detail of an audit entry is not JSON")
	}
	return s.do(ctx, &request{durable: true, run: func() error { return s.audit(who, action, "", subject, nil, detail) }})
}

// AuditLog returns at most limit entries before cursor (0: from the newest),
// newest first, and the next cursor (0: no more).
func (s *Store) AuditLog(ctx context.Context, cursor int64, limit int) (list []AuditEntry, next int64, err error) {
	limit = max(1, min(limit, MaxPage))
	if cursor <= 0 {
		cursor = 1 << 62
	}
	err = s.read(ctx, func(rd *reader) error {
		return rd.c.rows(func(st *sqlite3.Stmt) error {
			e := AuditEntry{ID: st.ColumnInt64(0), Time: time.UnixMilli(st.ColumnInt64(1)), Who: st.ColumnText(2), Action: st.ColumnText(3), Bucket: st.ColumnText(4), Key: st.ColumnText(5)}
			if st.ColumnType(6) != sqlite3.NULL {
				e.Before = st.ColumnBlob(6, nil)
			}
			if st.ColumnType(7) != sqlite3.NULL {
				e.After = st.ColumnBlob(7, nil)
			}
			list = append(list, e)
			return nil
		}, "SELECT id, at, who, action, bucket, key, before, after FROM audit WHERE id<? ORDER BY id DESC LIMIT ?", cursor, limit)
	})
	if err == nil && len(list) == limit {
		next = list[limit-1].ID
	}
	return list, next, err
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
