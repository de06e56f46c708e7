package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// connMemory bounds what one connection may allocate, all of SQLite's caches
// and sorting included. Reaching it fails the statement, not the program.
const connMemory = 24 << 20

// conn is a connection with its prepared statements. Not safe for concurrent
// use.
type conn struct {
	db    *sqlite3.Conn
	stmts map[string]*sqlite3.Stmt // texts are constants of this package
	sync  string                   // the value of PRAGMA synchronous in force
}

// openConn opens path. Cache is SQLite's page cache in KiB.
func openConn(path string, cache int) (*conn, error) {
	ctx := sqlite3.WithMaxMemory(context.Background(), connMemory)
	db, err := sqlite3.OpenContext(ctx, path)
	if err != nil {
		return nil, err
	}
	c := &conn{db: db, stmts: map[string]*sqlite3.Stmt{}}
	// Nothing here writes: a full disk must not keep readers away.
	err = db.Exec(fmt.Sprintf(`PRAGMA busy_timeout=5000; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-%d;
		PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON`, cache))
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	return c.db.Close()
}

// prep returns the statement for sql, reset and bound to args (int64, int,
// string, []byte, float64, bool, nil).
func (c *conn) prep(sql string, args ...any) (*sqlite3.Stmt, error) {
	s := c.stmts[sql]
	if s == nil {
		var err error
		if s, _, err = c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, fmt.Errorf("%w (%s)", err, sql)
		}
		c.stmts[sql] = s
	}
	_ = s.Reset()
	for i, a := range args {
		var err error
		switch v := a.(type) {
		case int64:
			err = s.BindInt64(i+1, v)
		case int:
			err = s.BindInt64(i+1, int64(v))
		case string:
			err = s.BindText(i+1, v)
		case []byte:
			err = s.BindBlob(i+1, v)
		case float64:
			err = s.BindFloat(i+1, v)
		case bool:
			err = s.BindBool(i+1, v)
		case nil:
			err = s.BindNull(i + 1)
		default:
			err = fmt.Errorf("store: cannot bind %T", a)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// exec runs a statement that returns nothing.
func (c *conn) exec(sql string, args ...any) error {
	s, err := c.prep(sql, args...)
	if err != nil {
		return err
	}
	return s.Exec()
}

// rows calls f for each row of the result; the row is valid during the call.
func (c *conn) rows(f func(*sqlite3.Stmt) error, sql string, args ...any) error {
	s, err := c.prep(sql, args...)
	if err != nil {
		return err
	}
	defer func() { _ = s.Reset() }()
	for s.Step() {
		if err := f(s); err != nil {
			return err
		}
	}
	return s.Err()
}

// one returns the number in the first column of the first row, 0 where there
// is none.
func (c *conn) one(sql string, args ...any) (n int64, err error) {
	err = c.rows(func(s *sqlite3.Stmt) error { n = s.ColumnInt64(0); return nil }, sql, args...)
	return n, err
}

// tx runs f in a write transaction. Durable: what was committed is on the
// disk when tx returns (and so is all that was committed before).
func (c *conn) tx(durable bool, f func() error) error {
	want := "NORMAL"
	if durable {
		want = "FULL"
	}
	if c.sync != want {
		if err := c.db.Exec("PRAGMA synchronous=" + want); err != nil {
			return err
		}
		c.sync = want
	}
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		if err = c.exec("COMMIT"); err == nil {
			return nil
		}
	}
	if !c.db.GetAutocommit() { // some errors roll back by themselves
		if rerr := c.db.Exec("ROLLBACK"); rerr != nil {
			err = errors.Join(err, rerr)
		}
	}
	return err
}

// isFull reports whether err says that there is no room, in the file's bound
// or on the disk.
func isFull(err error) bool {
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, errNoSpace)
}

// isDamaged reports whether err says that the file is not what it was.
func isDamaged(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB)
}
