package store

import (
	"context"
	"errors"
	"os"

	"github.com/ncruces/go-sqlite3"
)

// Erase forgets a device: its record, findings, events, flows, captures,
// traffic, and the documents whose key is its id. What it adds to the figures
// of the home is kept under "other". The bytes are overwritten, in the file
// and in its log. The audit log keeps that it was done, by whom and when, and
// no more of the device than a device's entries without values.
//
// What remains is returned: documents of the owner's whose value names it
// (an exception for several devices, say), for the caller to settle.
func (s *Store) Erase(ctx context.Context, who, device string) (remaining []DocumentRef, err error) {
	if device == "" || device == Other {
		return nil, errors.New("store: no device to erase")
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	s.q.forget(device)
	err = s.do(ctx, &request{durable: true, run: func() error { return s.eraseNotes(device) }})
	if err != nil {
		return nil, err
	}
	for {
		more := false
		err := s.do(ctx, &request{durable: true, run: func() (err error) {
			more, err = s.eraseStep(device)
			return err
		}})
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	err = s.do(ctx, &request{durable: true, run: func() error { return s.eraseRest(who, device) }, after: func() {
		if id, ok := s.words.ids[device]; ok {
			delete(s.words.ids, device)
			delete(s.words.names, id)
		}
		s.wordsGen.Add(1)
		s.repeats.forget()
		s.fig.forget()
		s.used.bytes, _ = s.w.one("SELECT total(size) FROM evidence")
		s.health.note(s.dropFree())
		// The log still holds old pages until it is emptied.
		s.health.note(s.checkpoint())
		s.publish()
	}})
	if err != nil {
		return nil, err
	}
	d, err := s.Describe(ctx, device)
	return d.Mentions, err
}

// dropFree takes pages out of the file that became free before: they were not
// overwritten.
func (s *Store) dropFree() error {
	for last := int64(-1); ; {
		n, err := s.w.one("PRAGMA freelist_count")
		if err != nil || n == 0 || n == last {
			return err
		}
		last = n
		err = s.w.tx(false, func() error {
			return s.w.rows(func(*sqlite3.Stmt) error { return nil }, "PRAGMA incremental_vacuum(256)")
		})
		if err != nil {
			return err
		}
		if st, err := os.Stat(s.path + "-wal"); err == nil && st.Size() >= s.lim.walSoft {
			if err := s.checkpoint(); err != nil {
				return err
			}
		}
	}
}

// What is deleted or replaced is overwritten where that costs no further write;
// while a device is erased, everywhere (sqlite.org/pragma.html#pragma_secure_delete).
const (
	overwriteFast = "PRAGMA secure_delete=FAST"
	overwriteAll  = "PRAGMA secure_delete=ON"
)

// notedOf selects the entries of the audit log that hold what the owner wrote
// about the findings of a device, which its number stands for. Their key is the
// finding's id.
const notedOf = `bucket='findings' AND (before IS NOT NULL OR after IS NOT NULL) AND
	EXISTS(SELECT 1 FROM findings f WHERE f.id=CAST(audit.key AS INTEGER) AND f.device=?)`

// eraseNotes removes these values, while the findings are there to tell whose
// they are.
func (s *Store) eraseNotes(device string) error {
	id, ok := s.words.ids[device]
	if !ok {
		return nil
	}
	if err := s.w.db.Exec(overwriteAll); err != nil {
		return err
	}
	return s.w.exec("UPDATE audit SET before=NULL, after=NULL WHERE "+notedOf, id)
}

// eraseStep removes some records.
func (s *Store) eraseStep(device string) (more bool, err error) {
	if err := s.w.db.Exec(overwriteAll); err != nil {
		return false, err
	}
	id, ok := s.words.ids[device]
	if !ok {
		return false, nil
	}
	var ids []int64
	err = s.w.rows(func(st *sqlite3.Stmt) error { ids = append(ids, st.ColumnInt64(0)); return nil },
		"SELECT id FROM findings INDEXED BY findings_device WHERE device=? LIMIT ?", id, s.lim.txRows)
	if err != nil {
		return false, err
	}
	for _, f := range ids {
		if err := s.w.exec("DELETE FROM evidence WHERE finding=?", f); err != nil {
			return false, err
		}
		if err := s.w.exec("DELETE FROM findings WHERE id=?", f); err != nil {
			return false, err
		}
		delete(s.repeats.add, f)
	}
	n := int64(len(ids))
	for _, q := range []string{
		"DELETE FROM events WHERE id IN (SELECT id FROM events WHERE device=? LIMIT ?)",
		"DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE device=? LIMIT ?)",
		"DELETE FROM traffic WHERE device=? AND ?>0",
	} {
		if err := s.w.exec(q, id, s.lim.txRows); err != nil {
			return false, err
		}
		n += s.w.db.Changes()
	}
	return n > 0, nil
}

// eraseRest turns the figures into "other" and forgets the word.
func (s *Store) eraseRest(who, device string) error {
	if id, ok := s.words.ids[device]; ok {
		err := s.w.exec(`INSERT INTO rollup(grain, bucket, category, family, kind, device, country, asn, action, level, direction, n)
			SELECT grain, bucket, category, family, kind, ?, country, asn, action, level, direction, n FROM rollup WHERE device=?
			ON CONFLICT DO UPDATE SET n=n+excluded.n`, int64(wordOther), id)
		if err != nil {
			return err
		}
		if err := s.w.exec("DELETE FROM rollup WHERE device=?", id); err != nil {
			return err
		}
		if err := s.w.exec("DELETE FROM dict WHERE id=?", id); err != nil {
			return err
		}
	}
	for _, q := range []string{
		"DELETE FROM devices WHERE id=?1",
		"DELETE FROM documents WHERE key=?1",
		"UPDATE audit SET before=NULL, after=NULL WHERE key=?1 OR instr(ifnull(before,''), '\"'||?1||'\"') OR instr(ifnull(after,''), '\"'||?1||'\"')",
		"UPDATE audit SET key='' WHERE key=?1",
	} {
		if err := s.w.exec(q, device); err != nil {
			return err
		}
	}
	if err := s.audit(who, "device.erase", "devices", "", nil, nil); err != nil {
		return err
	}
	return s.w.db.Exec(overwriteFast)
}
