package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// MaxEvidence bounds the capture of one finding.
const MaxEvidence = 64 << 10

// evidenceUse is the writer's count of the captures' bytes.
type evidenceUse struct{ bytes int64 }

// PutEvidence keeps the capture (pcapng) that proves finding id; it replaces
// an earlier one. The oldest captures leave when their share is full. Without
// a share (Config.EvidenceBytes below 0) it does nothing.
func (s *Store) PutEvidence(ctx context.Context, id int64, pcapng []byte) error {
	if len(pcapng) > MaxEvidence {
		return fmt.Errorf("%w: a capture of %d bytes", ErrTooBig, len(pcapng))
	}
	if s.cfg.EvidenceBytes < 0 || len(pcapng) == 0 {
		return nil
	}
	size := int64(len(pcapng))
	var old int64
	err := s.do(ctx, &request{durable: true, run: func() (err error) {
		if old, err = s.w.one("SELECT size FROM evidence WHERE finding=?", id); err != nil {
			return err
		}
		if err := s.w.exec("UPDATE findings SET flags=flags|? WHERE id=?", flagEvidence, id); err != nil {
			return err
		}
		if s.w.db.Changes() == 0 {
			return refusal{ErrNotFound}
		}
		return s.w.exec("INSERT OR REPLACE INTO evidence(finding, size, data) VALUES(?,?,?)", id, size, pcapng)
	}, after: func() {
		s.used.bytes += size - old
		for s.used.bytes > s.cfg.EvidenceBytes {
			if n, err := s.dropEvidence(1); err != nil || n == 0 {
				break
			}
		}
		s.publish()
	}})
	return err
}

// Evidence returns the capture of finding id, or ErrNotFound.
func (s *Store) Evidence(ctx context.Context, id int64) ([]byte, error) {
	var out []byte
	err := s.read(ctx, func(rd *reader) error {
		return rd.c.rows(func(st *sqlite3.Stmt) error { out = st.ColumnBlob(0, nil); return nil }, "SELECT data FROM evidence WHERE finding=?", id)
	})
	if err == nil && out == nil {
		err = ErrNotFound
	}
	return out, err
}

// dropEvidence lets the n oldest captures go.
func (s *Store) dropEvidence(n int) (int64, error) {
	return s.deleteEvidence("SELECT finding, size FROM evidence ORDER BY finding LIMIT ?", n)
}

func (s *Store) olderEvidence(cut time.Time) (int64, error) {
	return s.deleteEvidence("SELECT e.finding, e.size FROM evidence e LEFT JOIN findings f ON f.id=e.finding WHERE f.id IS NULL OR f.last<? ORDER BY e.finding LIMIT 64", cut.UnixMilli())
}

// deleteEvidence removes the captures that a query selects, in a transaction
// of its own.
func (s *Store) deleteEvidence(query string, arg any) (n int64, err error) {
	var bytes int64
	err = s.w.tx(false, func() (err error) {
		n, bytes, err = s.deleteEvidenceRows(query, arg)
		return err
	})
	if err == nil {
		s.used.bytes -= bytes
	}
	return n, err
}

func (s *Store) deleteEvidenceRows(query string, arg any) (n, bytes int64, err error) {
	var ids []int64
	err = s.w.rows(func(st *sqlite3.Stmt) error {
		ids = append(ids, st.ColumnInt64(0))
		bytes += st.ColumnInt64(1)
		return nil
	}, query, arg)
	if err != nil {
		return 0, 0, err
	}
	for _, id := range ids {
		if err := s.w.exec("DELETE FROM evidence WHERE finding=?", id); err != nil {
			return 0, 0, err
		}
		if err := s.w.exec("UPDATE findings SET flags=flags&~? WHERE id=?", flagEvidence, id); err != nil {
			return 0, 0, err
		}
	}
	return int64(len(ids)), bytes, nil
}
