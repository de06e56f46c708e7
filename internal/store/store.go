// Package store keeps what happened and what the owner decided: one SQLite
// file (write-ahead log beside it) that never grows beyond a number of bytes.
//
// One goroutine writes. What the owner does and what is found is on the disk
// before the call returns; the rest (events, flows, figures, counts of
// repeats) follows within Config.FlushEvery. See docs/store.md.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Sizes of Config.
const (
	MinBytes     = 4 << 20
	DefaultBytes = 256 << 20
	DefaultFlush = 60 * time.Second
)

// Names of the files in Config.Dir.
const (
	fileName    = "yamori.db"
	damagedName = "yamori.db.damaged-" // with the time it was set aside
)

// Config says where and how much is kept.
type Config struct {
	Dir string // made if need be, mode 0700
	// MaxBytes bounds the database with its log and index files; 0 is
	// DefaultBytes, less than MinBytes is an error.
	MaxBytes int64
	// EvidenceBytes bounds all captures together; 0 is an eighth of MaxBytes,
	// negative keeps none.
	EvidenceBytes int64
	// Flows switches the summaries of flows on. They tell who spoke with
	// whom, so they are off unless the owner asks.
	Flows     bool
	Retention Retention
	Clock     func() time.Time // wall clock with monotonic reading (time.Now); required
	Location  *time.Location   // of the calendar in days and months; nil: UTC
	// LocationIn finds the Location among the owner's documents, before anything
	// is counted; nil, or a nil answer: Location. get returns nil where there is
	// no such document.
	LocationIn func(get func(bucket, key string) []byte) *time.Location
	FlushEvery time.Duration // 0: DefaultFlush, which is also the most
	Log        *slog.Logger  // nil: nothing is logged
	// CacheKiB bounds SQLite's page cache of each of up to three connections;
	// 0 is 1024.
	CacheKiB int
}

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("store: not found")
	ErrClosed   = errors.New("store: closed")
	ErrTooBig   = errors.New("store: larger than the bound of its kind")
	errNoSpace  = errors.New("store: no room on the disk")
)

// Store is safe for concurrent use.
type Store struct {
	retention atomic.Pointer[Retention]
	location  atomic.Pointer[time.Location]
	cfg       Config
	path      string

	// Owned by the writer.
	w         *conn
	words     *words
	fig       *figures
	repeats   repeats
	pack      packer
	seq       int64 // latest id given
	clk       clock
	out       []item // taken from the queue, not yet written
	compacted [3]int64
	cells     [3]int64
	audits    int // entries of the audit log since the start
	lim       limits
	used      evidenceUse

	reqs chan *request
	kick chan struct{}
	quit chan struct{}
	done chan struct{}
	once sync.Once

	q queue // what was offered and waits for the writer

	// gate keeps readers away while the log is put into the database: nothing
	// else could let the log grow without bound.
	gate     sync.RWMutex
	readers  chan *reader
	open     int // readers that exist
	openMu   sync.Mutex
	wordsGen atomic.Uint64 // grows when a word is forgotten

	health healthState
}

// limits are derived from MaxBytes.
type limits struct {
	maxPages  int64 // of the database file
	headroom  int64 // pages kept free for the next transaction
	walSoft   int64 // bytes of the log at which it is put into the database
	txRows    int   // records in one transaction
	documents int64
	audit     int64
	devices   int64
	backup    int64 // bytes of findings in a backup
}

func limitsOf(maxBytes int64) limits {
	reserve := min(max(maxBytes/4, 1<<20), 16<<20)
	var l limits
	l.maxPages = (maxBytes - reserve - spareBytes - 64<<10) / pageSize // 64 KiB: the log's index
	l.walSoft = reserve / 4
	// A record touches about five pages at worst (its own and one of each
	// index): a transaction stays within half of the reserve.
	l.txRows = int(reserve / 2 / (5 * (pageSize + 24)))
	l.headroom = max(l.maxPages/32, int64(l.txRows)*2)
	l.backup = maxBackupFindings
	l.documents = min(maxBytes/8, 8<<20) // restored in one transaction: within the reserve
	l.audit = maxBytes / 16
	l.devices = maxBytes / 8
	return l
}

// Open opens or makes the store. A damaged file is set aside, what can be
// read of it is brought over, and Health tells. An *ErrNewer means that a
// later program wrote it.
func Open(cfg Config) (*Store, error) {
	if cfg.Clock == nil {
		return nil, errors.New("store: no clock")
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultBytes
	}
	if cfg.MaxBytes < MinBytes {
		return nil, fmt.Errorf("store: %d bytes are too few, the least is %d", cfg.MaxBytes, MinBytes)
	}
	if cfg.EvidenceBytes == 0 {
		cfg.EvidenceBytes = cfg.MaxBytes / 8
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.FlushEvery <= 0 || cfg.FlushEvery > DefaultFlush {
		cfg.FlushEvery = DefaultFlush
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.CacheKiB <= 0 {
		cfg.CacheKiB = 1024
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, path: filepath.Join(cfg.Dir, fileName), lim: limitsOf(cfg.MaxBytes), fig: newFigures(),
		reqs: make(chan *request, 256), kick: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		readers: make(chan *reader, maxReaders)}
	s.SetRetention(cfg.Retention)
	s.SetLocation(cfg.Location)
	for g := range s.cells {
		s.cells[g] = max(32, min(maxCells[g], maxCells[g]*(cfg.MaxBytes>>20)/32))
	}
	if err := s.openFile(); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		_ = s.w.close()
		return nil, err
	}
	s.makeSpare()
	go s.write()
	return s, nil
}

// openFile opens the database, repairing it first if it is damaged.
func (s *Store) openFile() error {
	c, err := s.tryFile(true)
	if err != nil && isFull(s.room(err)) && s.dropSpare() {
		if c != nil {
			_ = c.close()
		}
		c, err = s.tryFile(true)
	}
	if isDamaged(err) {
		if c != nil {
			_ = c.close()
		}
		s.cfg.Log.Error("store: the database is damaged and is being repaired", "error", err)
		if err = s.repair(err); err != nil {
			return fmt.Errorf("store: repairing the database: %w", err)
		}
		c, err = s.tryFile(false)
	}
	if err != nil {
		if c != nil {
			_ = c.close()
		}
		return err
	}
	s.w = c
	return c.db.Exec(overwriteFast)
}

// filesMode is that of the files: they hold the household's life.
const filesMode = 0o600

// private takes the files from all other users of the machine. The folder may
// be open to them (systemd makes it so), and SQLite makes the log for all to
// read.
func (s *Store) private() {
	for _, suffix := range [...]string{"", "-wal", "-shm"} {
		_ = os.Chmod(s.path+suffix, filesMode) // where it is there
	}
}

// tryFile opens the database and checks it.
func (s *Store) tryFile(check bool) (*conn, error) {
	fresh := true
	if st, err := os.Stat(s.path); err == nil && st.Size() > 0 {
		fresh = false
	}
	if f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, filesMode); err == nil { // else SQLite says why not
		_ = f.Close()
	}
	c, err := openConn(s.path, s.cfg.CacheKiB)
	if err != nil {
		return nil, err
	}
	defer s.private()
	if fresh { // both count only before the first table exists
		if err = c.db.Exec(fmt.Sprintf("PRAGMA page_size=%d; PRAGMA auto_vacuum=INCREMENTAL", pageSize)); err != nil {
			return c, err
		}
	}
	if err = c.db.Exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=0"); err != nil {
		return c, err
	}
	s.private() // the log was made just now
	if !fresh && check {
		if err = c.check(); err != nil {
			return c, err
		}
	}
	if err = c.migrate(); err != nil {
		return c, err
	}
	return c, c.db.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", s.lim.maxPages))
}

// load reads what the writer keeps in memory.
func (s *Store) load() (err error) {
	if s.words, err = loadWords(s.w); err != nil {
		return err
	}
	s.words.max, s.words.now = int(min(maxWords, s.cfg.MaxBytes/wordShare)), s.cfg.Clock
	for _, q := range []string{"SELECT value FROM meta WHERE key='seq'", "SELECT max(id) FROM findings", "SELECT max(id) FROM events", "SELECT max(id) FROM flows",
		"SELECT max(id) FROM audit", "SELECT max(version) FROM documents"} {
		n, err := s.w.one(q)
		if err != nil {
			return err
		}
		s.seq = max(s.seq, n)
	}
	saved, err := s.w.one("SELECT value FROM meta WHERE key='clock'")
	if err != nil {
		return err
	}
	s.clk.start(s.cfg.Clock, saved)
	if s.used.bytes, err = s.w.one("SELECT total(size) FROM evidence"); err != nil {
		return err
	}
	for g := range s.fig.latest {
		if s.fig.latest[g], err = s.w.one("SELECT max(bucket) FROM rollup WHERE grain=?", g); err != nil {
			return err
		}
	}
	s.repeats.init()
	if s.cfg.LocationIn != nil {
		loc := s.cfg.LocationIn(func(bucket, key string) []byte {
			d, err := s.document(s.w, bucket, key)
			if err != nil {
				return nil // who asks goes on with the default
			}
			return d.Value
		})
		if loc != nil {
			s.SetLocation(loc)
		}
	}
	return s.recount()
}

// SetLocation moves the calendar: what is counted from now on falls into its
// days and months. What was counted stays where it is.
func (s *Store) SetLocation(loc *time.Location) { s.location.Store(loc) }

func (s *Store) zone() *time.Location { return s.location.Load() }

// recountStep is how many findings are counted before the figures are written.
const recountStep = 2000

// recount puts the findings into the figures that were on the disk before
// the figures were: those made since the last flush before a kill, all after
// a repair that lost the figures.
func (s *Store) recount() error {
	rolled, err := s.w.one("SELECT value FROM meta WHERE key='rolled'")
	for n := recountStep; err == nil && n == recountStep; {
		n = 0
		err = s.w.rows(func(st *sqlite3.Stmt) error {
			r := scanRow(st)
			t := time.UnixMilli(r.time)
			s.count(t, r.cell, r.count)
			s.fig.span(t, r.id)
			rolled = r.id
			n++
			return nil
		}, "SELECT "+findingColumns+" FROM findings WHERE id>? ORDER BY id LIMIT ?", rolled, recountStep)
		if err != nil || n == 0 {
			return err
		}
		err = s.w.tx(true, func() error { return s.flushMeta(rolled) })
		if err == nil {
			s.fig.flushed(bucketOf(s.clk.estimate(), s.zone()))
		} else if isFull(s.room(err)) { // a full disk must not keep the daemon down
			s.fig.forget()
			err = nil // what was counted stays in memory until there is room
		}
	}
	return err
}

// flushMeta writes the figures, and what says up to which record they go.
func (s *Store) flushMeta(rolled int64) error {
	if err := s.flushFigures(); err != nil {
		return err
	}
	if err := s.repeats.flush(s.w); err != nil {
		return err
	}
	put := `INSERT INTO meta(key, value) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value`
	if err := s.w.exec(put, "rolled", rolled); err != nil {
		return err
	}
	if err := s.w.exec(put, "clock", s.clk.estimate().UnixMilli()); err != nil {
		return err
	}
	return s.w.exec(put, "seq", s.seq)
}

// Close writes what waits and closes the file.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.quit)
		<-s.done
		err = s.finish()
	})
	return err
}

func (s *Store) finish() error {
	s.gate.Lock()
	defer s.gate.Unlock()
	for {
		select {
		case r := <-s.readers:
			_ = r.c.close()
			continue
		default:
		}
		break
	}
	cerr := s.checkpointLocked()
	return errors.Join(cerr, s.w.close())
}

// Flush writes all that waits and returns when it is on the disk.
func (s *Store) Flush(ctx context.Context) error {
	return s.do(ctx, &request{durable: true, flush: true, run: func() error { return nil }})
}
