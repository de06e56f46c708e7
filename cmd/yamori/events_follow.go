package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/app"
)

// followBack is how many findings of before are shown first, when no time is
// given.
const followBack = 10

// followed remembers which findings were shown, so that none is shown twice
// when lists and live events meet. A repeat of a finding is shown again.
type followed struct {
	a    *asker
	q    api.FindingQuery
	seen map[string]time.Time // by id: of the latest repeat shown
}

// maxFollowed bounds what is remembered; older ones do not come again.
const maxFollowed = 4096

// follow shows findings as they are made, until ctx ends.
func (a *asker) follow(ctx context.Context, q api.FindingQuery) error {
	w := &followed{a: a, q: q, seen: map[string]time.Time{}}
	err := a.c.Follow(ctx, api.EventFinding, func() error { return w.before(ctx) }, func(error) {
		a.notef("yamori is gone; waiting for it to come back.", "yamori からの応答がなくなりました。戻るのを待っています。")
	}, func(e client.Event) error {
		var f api.Finding
		if err := json.Unmarshal(e.Data, &f); err != nil {
			return fmt.Errorf("a live event cannot be read: %w", err)
		}
		return w.show(ctx, &f)
	})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // Ctrl-C is how it ends
	}
	return err
}

// before shows the latest findings that were not shown yet, the oldest first.
func (w *followed) before(ctx context.Context) error {
	most := 0
	if len(w.seen) == 0 && w.q.Since.IsZero() {
		most = followBack
	}
	all, _, err := collect(w.a.c.Findings(ctx, w.q), max(most, 0), nil)
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if err := w.show(ctx, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *followed) show(ctx context.Context, f *api.Finding) error {
	if !fits(&w.q, f) {
		return nil
	}
	// Live events tell time more finely than what is kept of them.
	if last, ok := w.seen[f.ID]; ok && !f.Last.After(last.Add(2*time.Millisecond)) {
		return nil
	}
	if len(w.seen) >= maxFollowed {
		clear(w.seen)
	}
	w.seen[f.ID] = f.Last
	a := w.a
	switch a.output {
	case app.JSON:
		return writeJSON(a.out, f, false)
	case app.EVE: // live events come without their line
		full, err := a.c.Finding(ctx, f.ID)
		if errors.Is(err, api.ErrNotFound) {
			return nil // erased meanwhile
		}
		if err != nil {
			return err
		}
		return writeJSON(a.out, full.EVE, false)
	}
	x := a.told(f)
	times := ""
	if f.Count > 1 {
		times = fmt.Sprintf(a.t(", %d times", "、%d 回"), f.Count)
	}
	_, err := fmt.Fprintf(a.out, "%s  %s  %s [%s, %s%s]\n", f.Last.Local().Format(time.DateTime), f.ID, x.Happened(a.lang), x.Sure(a.lang), a.actionWord(f.Action), times)
	return err
}

// cleanJSON makes lines of JSON safe for a terminal.
func cleanJSON(b []byte) []byte {
	var out bytesWriter
	_, _ = (&jsonWriter{&out}).Write(b) // memory takes everything
	return out
}

type bytesWriter []byte

// Write keeps b.
func (w *bytesWriter) Write(b []byte) (int, error) { *w = append(*w, b...); return len(b), nil }
