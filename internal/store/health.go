package store

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Health is what the owner should know about the store.
type Health struct {
	Bytes    int64 // of all files that MaxBytes bounds
	MaxBytes int64
	Evidence int64 // bytes of captures
	// WriteError is why the latest write failed, and Since since when writes
	// fail; empty when they do not. Full: there is no room, on the disk or,
	// with nothing left that may go, within MaxBytes.
	WriteError string
	Since      time.Time
	Full       bool
	Failed     uint64 // writes that failed since the start
	Dropped    Drops  // since the start
	Waiting    int64  // bytes in the queue
	// Repaired: the file was damaged at the start. What could be read was
	// brought over; the damaged one stands beside it until the next repair.
	Repaired *Repair
	// Damaged: the file was found damaged while running; the next start
	// repairs it.
	Damaged bool
	// WordsFull: so many devices and families are known that new ones count
	// as "other".
	WordsFull bool
	// ClockTrusted: the clock has run long enough that records may leave
	// because of their age.
	ClockTrusted bool
	// Oldest is when the oldest record was made; zero: none.
	Oldest time.Time
}

type healthState struct {
	mu       sync.Mutex
	err      string
	since    time.Time
	full     bool
	failed   uint64
	damaged  bool
	repaired *Repair
	evidence int64
	words    bool
	trust    bool
}

// wrote notes how a write ended.
func (h *healthState) wrote(err error, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.err, h.since, h.full = "", time.Time{}, false
		return
	}
	if h.since.IsZero() {
		h.since = now
	}
	h.failed++
	h.err, h.full = err.Error(), isFull(err)
	h.damaged = h.damaged || isDamaged(err)
}

// note keeps an error of the writer's own work.
func (h *healthState) note(err error) {
	if err == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed++
	h.err, h.full = err.Error(), h.full || isFull(err)
	h.damaged = h.damaged || isDamaged(err)
}

// Health waits for no write, at most for the log being put into the database.
func (s *Store) Health() Health {
	h := &s.health
	h.mu.Lock()
	out := Health{MaxBytes: s.cfg.MaxBytes, WriteError: h.err, Since: h.since, Full: h.full, Failed: h.failed, Damaged: h.damaged,
		Repaired: h.repaired, Evidence: h.evidence, WordsFull: h.words, ClockTrusted: h.trust}
	h.mu.Unlock()
	out.Bytes = s.bytes()
	s.q.mu.Lock()
	out.Dropped, out.Waiting = s.q.drops, s.q.bytes
	s.q.mu.Unlock()
	if rd, err := s.reader(context.Background()); err == nil {
		var ms int64
		for _, q := range []string{"SELECT time FROM findings ORDER BY id LIMIT 1", "SELECT time FROM events ORDER BY id LIMIT 1"} {
			if t, err := rd.c.one(q); err == nil && t != 0 && (ms == 0 || t < ms) {
				ms = t
			}
		}
		rd.release()
		if ms != 0 {
			out.Oldest = time.UnixMilli(ms)
		}
	}
	return out
}

// publish copies what Health shows of the writer's state.
func (s *Store) publish() {
	h := &s.health
	h.mu.Lock()
	h.evidence, h.words, h.trust = s.used.bytes, s.words.full, s.clk.trust
	h.mu.Unlock()
}

// bytes is the size of the database, its log and its index.
func (s *Store) bytes() (n int64) {
	for _, suffix := range []string{"", "-wal", "-shm", spareSuffix} {
		if st, err := os.Stat(s.path + suffix); err == nil {
			n += st.Size()
		}
	}
	return n
}

// damagedFiles lists the files that were set aside.
func (s *Store) damagedFiles() (out []string) {
	list, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return nil
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), damagedName) {
			out = append(out, filepath.Join(s.cfg.Dir, e.Name()))
		}
	}
	return out
}
