package store

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Repair tells what a start with a damaged file did.
type Repair struct {
	At     time.Time
	Reason string
	Aside  string // the damaged file; one is kept, outside MaxBytes
	// Rows counts what was brought over, by table; Lost lists the tables of
	// which some could not be read.
	Rows map[string]int64
	Lost []string
}

// check finds damage: a file that is not a database, not ours, or whose pages
// do not hang together.
func (c *conn) check() error {
	id, err := c.one("PRAGMA application_id")
	if err != nil {
		return err
	}
	v, err := c.one("PRAGMA user_version")
	if err != nil {
		return err
	}
	if id != applicationID && (id != 0 || v != 0) {
		return fmt.Errorf("store: the file belongs to another program (application id %#x)", id)
	}
	var found string
	err = c.rows(func(s *sqlite3.Stmt) error { found = s.ColumnText(0); return nil }, "PRAGMA quick_check(1)")
	if err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", sqlite3.CORRUPT, found)
	}
	return nil
}

// tables are brought over in this order: what is the owner's first.
var tables = [...]string{"documents", "audit", "devices", "meta", "dict", "rollup", "traffic", "findings", "evidence", "events", "flows", "spans"}

// repair sets the damaged file aside and fills a new one with what can be
// read of it.
func (s *Store) repair(reason error) error {
	for _, old := range s.damagedFiles() {
		_ = os.Remove(old)
	}
	now := s.cfg.Clock()
	rep := &Repair{At: now, Reason: reason.Error(), Rows: map[string]int64{}}
	rep.Aside = filepath.Join(s.cfg.Dir, damagedName+now.UTC().Format("20060102T150405Z"))
	if err := os.Rename(s.path, rep.Aside); err != nil {
		return err
	}
	// The log belongs to the file; without it the latest commits are lost.
	if err := os.Rename(s.path+"-wal", rep.Aside+"-wal"); err != nil && !os.IsNotExist(err) {
		return err
	}
	_ = os.Remove(s.path + "-shm")
	to, err := s.tryFile(false)
	if err != nil {
		if to != nil {
			_ = to.close()
		}
		return err
	}
	defer to.close()
	if _, _, err := to.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE); err != nil {
		return err
	}
	if err := mendHead(rep.Aside, s.path); err != nil {
		return err
	}
	from, err := openConn(rep.Aside, s.cfg.CacheKiB)
	if err == nil {
		defer from.close()
		for _, t := range tables {
			n, whole := salvage(from, to, t)
			rep.Rows[t] = n
			if !whole {
				rep.Lost = append(rep.Lost, t)
			}
		}
	} else {
		rep.Lost = tables[:]
	}
	if rep.Rows["rollup"] == 0 { // they are counted anew from the findings
		if err := to.exec("DELETE FROM meta WHERE key='rolled'"); err != nil {
			return err
		}
	}
	if _, _, err := to.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE); err != nil {
		return err
	}
	s.health.mu.Lock()
	s.health.repaired = rep
	s.health.mu.Unlock()
	s.cfg.Log.Warn("store: repaired", "aside", rep.Aside, "rows", rep.Rows, "lost", rep.Lost)
	return nil
}

// maxMended is the largest length that the head of a damaged file is believed.
const maxMended = 16 << 30

// mendHead gives a file whose first 100 bytes are gone those of a new one
// (https://www.sqlite.org/fileformat2.html, section 1.3), and one that lost
// its end zeros instead, because SQLite would read no page of either.
func mendHead(path, fresh string) error {
	const magic = "SQLite format 3\x00"
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	var head [100]byte
	if n, _ := f.ReadAt(head[:], 0); n < len(head) {
		return nil
	}
	if string(head[:len(magic)]) == magic {
		want := int64(binary.BigEndian.Uint32(head[28:])) * pageSize
		if want > st.Size() && want <= maxMended {
			return f.Truncate(want) // a hole: takes no room
		}
		return nil
	}
	g, err := os.Open(fresh)
	if err != nil {
		return err
	}
	defer g.Close()
	if _, err := g.ReadAt(head[:], 0); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(head[28:], uint32(st.Size()/pageSize))
	binary.BigEndian.PutUint64(head[32:], 0) // no list of free pages
	_, err = f.WriteAt(head[:], 0)
	return err
}

// salvage copies what can be read of a table: forward to the damage, then
// backward to it.
func salvage(from, to *conn, table string) (n int64, whole bool) {
	cols := columns(to, table)
	have := map[string]bool{}
	for _, c := range columns(from, table) {
		have[c] = true
	}
	var use []string
	for _, c := range cols {
		if have[c] {
			use = append(use, c)
		}
	}
	if len(use) == 0 {
		return 0, false
	}
	list := strings.Join(use, ", ")
	order := map[string]string{"meta": "key", "rollup": "grain, bucket", "traffic": "grain, bucket"}[table]
	if order == "" {
		order = "rowid"
	}
	down := strings.ReplaceAll(order, ",", " DESC,") + " DESC"
	put := "INSERT OR IGNORE INTO " + table + "(" + list + ") VALUES(" + strings.TrimSuffix(strings.Repeat("?,", len(use)), ",") + ")"
	whole = true
	for _, by := range []string{order, down} {
		if whole && by == down {
			break
		}
		got, err := copyRows(from, to, "SELECT "+list+" FROM "+table+" NOT INDEXED ORDER BY "+by, put)
		n += got
		whole = err == nil
	}
	return n, whole
}

// copyStep is how many rows are copied in one transaction.
const copyStep = 200

// copyRows copies the rows of a query until it ends or fails.
func copyRows(from, to *conn, query, put string) (n int64, err error) {
	s, _, err := from.db.Prepare(query)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	for more := true; more; {
		var step int64
		err := to.tx(true, func() error {
			for range copyStep {
				if more = s.Step(); !more {
					return nil
				}
				args := make([]any, s.ColumnCount())
				for i := range args {
					switch s.ColumnType(i) {
					case sqlite3.INTEGER:
						args[i] = s.ColumnInt64(i)
					case sqlite3.FLOAT:
						args[i] = s.ColumnFloat(i)
					case sqlite3.TEXT:
						args[i] = s.ColumnText(i)
					case sqlite3.BLOB:
						args[i] = s.ColumnBlob(i, []byte{})
					}
				}
				if s.Err() != nil {
					return nil // the row lies where the damage is
				}
				if err := to.exec(put, args...); err == nil {
					step += to.db.Changes()
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += step
		if _, _, err := to.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE); err != nil {
			return n, err
		}
	}
	return n, s.Err()
}

func columns(c *conn, table string) (out []string) {
	_ = c.rows(func(s *sqlite3.Stmt) error { out = append(out, s.ColumnText(1)); return nil }, "PRAGMA table_info("+table+")")
	return out
}
