package auth

import (
	"strconv"
	"sync"
	"time"
)

// Bounds of the lines of the audit log that refusals may make. Without them
// who may not log in could push out of the log what was done by those who may,
// and wear out the flash.
const (
	refusedBurst  = 20          // of one address, or of one who is logged in
	refusedRefill = time.Minute // one more each

	refusedAllBurst  = 256 // of all together
	refusedAllRefill = time.Minute
)

// Refusals decides which refusals are noted one by one. What is left out is
// counted, and said with the next line. The zero value is ready.
type Refusals struct {
	mu   sync.Mutex
	of   map[string]*bucket
	all  bucket
	left uint64
}

// Note reports whether e, a refusal by or at key, is to be noted, and adds to it
// how many were left out since the last one that was.
func (r *Refusals) Note(e *Entry, key string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of, r.all = map[string]*bucket{}, bucket{level: refusedAllBurst, at: now}
	}
	b := get(r.of, key, refusedBurst, refusedRefill, now)
	r.all.fill(refusedAllBurst, refusedAllRefill, now)
	if b.level < 1 || r.all.level < 1 {
		r.left++
		return false
	}
	b.level--
	r.all.level--
	if r.left > 0 {
		detail := map[string]string{"left_out": strconv.FormatUint(r.left, 10)}
		for k, v := range e.Detail {
			detail[k] = v
		}
		e.Detail, r.left = detail, 0
	}
	return true
}
