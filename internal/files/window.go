package files

// WindowConfig says how a file is inspected while it grows, in Suricata's
// terms.
type WindowConfig struct {
	// MinSize is how many bytes are awaited before the first look, unless the
	// file ends before.
	MinSize int
	// Limit is how many bytes of a file are looked at, zero for all.
	Limit uint64
	// Step is how many new bytes are awaited between two looks, so that a bulk
	// transfer is not inspected several times over.
	Step int
	// Overlap is how much already inspected data stands before new data, so
	// that what spans two pieces is found.
	Overlap int
}

// Window configurations of Suricata's stock settings.
var (
	// ResponseWindow: response-body-minimal-inspect-size 40kb and a quarter of
	// response-body-inspect-window 16kb.
	ResponseWindow = WindowConfig{MinSize: 40 << 10, Step: 4 << 10, Overlap: 4 << 10, Limit: BodyLimit}
	// RequestWindow: request-body-minimal-inspect-size 32kb and a quarter of
	// request-body-inspect-window 4kb.
	RequestWindow = WindowConfig{MinSize: 32 << 10, Step: 1 << 10, Overlap: 1 << 10, Limit: BodyLimit}
	// FileWindow is for files of other protocols: content-inspect-min-size and
	// content-inspect-window of SMTP.
	FileWindow = WindowConfig{MinSize: 32 << 10, Step: 4 << 10, Overlap: 4 << 10}
)

// BodyLimit is Suricata's response-body-limit and request-body-limit of HTTP.
const BodyLimit = 100 << 10

const (
	// maxMinSize and maxOverlap bound what a WindowConfig may ask for.
	maxMinSize = 64 << 10
	maxOverlap = 16 << 10
)

// Window gathers a file's pieces and shows them in the portions in which they
// are inspected: nothing before MinSize bytes are there or the file ends, then
// each Step new bytes with Overlap bytes before them.
type Window struct {
	pool   *Pool
	cfg    WindowConfig
	buf    []byte
	at     uint64 // of buf[0] in the file
	seen   int    // of buf, already inspected
	begun  bool   // the first portion was shown
	view   []byte
	viewAt uint64
}

func (w *Window) reset(p *Pool, cfg WindowConfig) {
	cfg.MinSize, cfg.Overlap, cfg.Step = min(cfg.MinSize, maxMinSize), min(cfg.Overlap, maxOverlap), min(cfg.Step, maxOverlap)
	*w = Window{pool: p, cfg: cfg}
}

func (w *Window) none() { w.view = nil }

// write takes the bytes at offset; final says that no more follow.
func (w *Window) write(b []byte, offset uint64, final bool) {
	w.view = nil
	if end := w.at + uint64(len(w.buf)); offset != end {
		// A hole. What is before it and after it are not one, but what was
		// not shown yet must be.
		if w.seen == len(w.buf) {
			w.buf, w.seen = w.buf[:0], 0
		}
		w.at = offset - uint64(len(w.buf))
	}
	if len(w.buf) == 0 && (final || w.begun && w.cfg.Overlap == 0 && w.cfg.Step == 0) && len(b) > 0 {
		w.show(b, offset) // the whole at once: no copy
		return
	}
	if !w.grow(len(b)) {
		w.show(b, offset) // no memory: what is here is all that is seen
		w.at, w.buf, w.seen = offset+uint64(len(b)), w.buf[:0], 0
		return
	}
	w.buf = append(w.buf, b...)
	if w.seen == len(w.buf) || !final && (!w.begun && len(w.buf) < w.cfg.MinSize || w.begun && len(w.buf)-w.seen < w.cfg.Step) {
		return
	}
	w.begun = true
	w.show(w.buf, w.at)
	w.seen = len(w.buf)
}

func (w *Window) show(b []byte, at uint64) { w.view, w.viewAt = b, at }

// grow makes room for n more bytes: inspected ones go, but for the overlap.
// The bytes shown last are no longer valid then.
func (w *Window) grow(n int) bool {
	if w.seen > w.cfg.Overlap {
		drop := w.seen - w.cfg.Overlap
		w.buf = w.buf[:copy(w.buf, w.buf[drop:])]
		w.at += uint64(drop)
		w.seen -= drop
	}
	if len(w.buf)+n <= cap(w.buf) {
		return true
	}
	p := w.pool
	size := 2 << 10
	for size < len(w.buf)+n {
		size *= 2
	}
	if p.used+size-cap(w.buf) > p.cfg.Memory {
		return false
	}
	p.used += size - cap(w.buf)
	nb := p.window(size)
	nb = append(nb, w.buf...)
	p.put(w.buf)
	w.buf = nb
	return true
}

func (w *Window) release() {
	w.view = nil
	if cap(w.buf) > 0 {
		w.pool.used -= cap(w.buf)
		w.pool.put(w.buf)
		w.buf = nil
	}
}

// maxSpare bounds the idle windows kept.
const maxSpare = 32

func (p *Pool) window(size int) []byte {
	for i := len(p.spare) - 1; i >= 0; i-- {
		if b := p.spare[i]; cap(b) == size {
			p.spare[i] = p.spare[len(p.spare)-1]
			p.spare = p.spare[:len(p.spare)-1]
			return b[:0]
		}
	}
	return make([]byte, 0, size)
}

func (p *Pool) put(b []byte) {
	if cap(b) > 0 && len(p.spare) < maxSpare {
		p.spare = append(p.spare, b)
	}
}
