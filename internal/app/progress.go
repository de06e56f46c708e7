package app

import (
	"fmt"
	"time"

	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/report"
	"github.com/yamori-net/yamori/internal/verdict"
)

// progressEvery is how often the line is redrawn; it is drawn first after as
// long, so a short capture shows none.
const progressEvery = 500 * time.Millisecond

// progress draws a line on standard error that tells how far the reading of
// src has come.
type progress struct {
	r       *Replay
	src     *pcapfile.Reader
	name    string
	packets uint64
	start   time.Time
	next    time.Time
	drawn   bool
}

func (r *Replay) newProgress(src *pcapfile.Reader, name string) *progress {
	now := time.Now()
	return &progress{r: r, src: src, name: name, start: now, next: now.Add(progressEvery)}
}

// wrap returns h with the drawing before it.
func (p *progress) wrap(h capture.Handler) capture.Handler {
	return func(f *packet.Frame) verdict.Verdict {
		if p.packets++; p.packets%4096 == 0 {
			if now := time.Now(); now.After(p.next) {
				p.draw(now)
			}
		}
		return h(f)
	}
}

func (p *progress) draw(now time.Time) {
	p.next, p.drawn = now.Add(progressEvery), true
	line := fmt.Sprintf("%s: %s packets", p.name, report.Count(p.packets))
	if size := p.src.Size(); size > 0 {
		done := float64(p.src.Offset()) / float64(size)
		left := time.Duration(float64(now.Sub(p.start)) * (1 - done) / max(done, 1e-6))
		line += fmt.Sprintf(", %.0f %%, %s left", 100*done, left.Round(time.Second))
	}
	fmt.Fprintf(p.r.Stderr, "\r\x1b[K%s", line)
}

// clear takes the line away.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.r.Stderr, "\r\x1b[K")
	}
}
