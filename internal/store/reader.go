package store

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"
)

// maxReaders bounds the connections that read, each with its own cache.
const maxReaders = 2

// maxReaderWords bounds the words a reader remembers.
const maxReaderWords = 4096

// reader is a connection for queries.
type reader struct {
	s     *Store
	c     *conn
	un    unpacker
	words map[int64]string
	gen   uint64 // of words
}

// reader waits for a free connection and keeps the log from being emptied
// until release. A nil context waits as long as it takes.
func (s *Store) reader(ctx context.Context) (*reader, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	select {
	case <-s.quit:
		return nil, ErrClosed
	default:
	}
	rd, err := s.freeReader(ctx)
	if err != nil {
		return nil, err
	}
	s.gate.RLock()
	if g := s.wordsGen.Load(); g != rd.gen || len(rd.words) > maxReaderWords {
		clear(rd.words)
		rd.gen = g
	}
	rd.c.db.SetInterrupt(ctx)
	return rd, nil
}

func (s *Store) freeReader(ctx context.Context) (*reader, error) {
	select {
	case rd := <-s.readers:
		return rd, nil
	default:
	}
	s.openMu.Lock()
	if s.open < maxReaders {
		defer s.openMu.Unlock()
		c, err := openConn(s.path, s.cfg.CacheKiB)
		if err != nil {
			return nil, err
		}
		if err := c.db.Exec("PRAGMA query_only=ON"); err != nil {
			_ = c.close()
			return nil, err
		}
		s.open++
		return &reader{s: s, c: c, words: map[int64]string{}}, nil
	}
	s.openMu.Unlock()
	select {
	case rd := <-s.readers:
		return rd, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.quit:
		return nil, ErrClosed
	}
}

func (rd *reader) release() {
	rd.c.db.SetInterrupt(context.Background())
	s := rd.s
	s.gate.RUnlock()
	select {
	case <-s.quit: // finish closes those in the channel only
		s.openMu.Lock()
		s.open--
		s.openMu.Unlock()
		_ = rd.c.close()
	default:
		s.readers <- rd
	}
}

// read runs f with a reader, in one view of the database. f is short: while
// it runs the log cannot be emptied.
func (s *Store) read(ctx context.Context, f func(*reader) error) error {
	rd, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer rd.release()
	if err := rd.c.exec("BEGIN"); err != nil {
		return err
	}
	err = f(rd)
	rd.c.db.SetInterrupt(context.Background())
	if e := rd.c.exec("COMMIT"); e != nil && err == nil {
		err = e
	}
	if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
		err = ctx.Err()
	}
	if isDamaged(err) {
		s.health.note(err)
	}
	return err
}

// word returns the word of a number.
func (rd *reader) word(id int64) (string, error) {
	if id == 0 {
		return "", nil
	}
	if w, ok := rd.words[id]; ok {
		return w, nil
	}
	w, err := wordOf(rd.c, id)
	if err == nil {
		rd.words[id] = w
	}
	return w, err
}
