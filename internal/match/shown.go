package match

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
)

// maxShown bounds what is kept of the end of a direction of a stream to be told
// with alerts on it: Suricata's payload-buffer-size in its stock settings. Of at
// most MaxWindows directions it is kept at a time.
const maxShown = 4096

// Show keeps the next bytes of a direction of a stream for alerts to tell, and
// gap, if more than zero, that so many were missing before them. It does nothing
// unless Config.Payload is set.
func (w *Worker) Show(d packet.Dir, b []byte, gap int) {
	c := &w.c
	if !w.cfg.Payload || !w.active || c.f == nil || w.set.streams[d].n+w.set.stats.App == 0 {
		return
	}
	s := &c.flowState().dir[d]
	if s.shown == nil {
		if w.showing >= MaxWindows {
			return
		}
		w.showing++
		s.shown = make([]byte, 0, maxShown)
	}
	if gap > 0 {
		s.shown = append(s.shown, '[')
		s.shown = strconv.AppendInt(s.shown, int64(gap), 10)
		s.shown = append(s.shown, " bytes missing]"...)
	}
	s.shown = append(s.shown, b[max(0, len(b)-maxShown):]...)
	if n := len(s.shown) - maxShown; n > 0 {
		s.shown = s.shown[:copy(s.shown, s.shown[n:])]
	}
}

// hide gives back what is kept of a flow's streams to be told.
func (w *Worker) hide(f *Flow) {
	for d := range f.dir {
		if f.dir[d].shown != nil {
			f.dir[d].shown = nil
			w.showing--
		}
	}
}

// Payload returns what an alert on a stream was found in, as far as it is kept:
// the end of the direction, with "[4 bytes missing]" where bytes were lost.
func (a *Alert) Payload() []byte {
	if !a.InStream || a.Flow == nil {
		return nil
	}
	if fs := state(a.Flow); fs != nil {
		return fs.dir[a.Dir].shown
	}
	return nil
}
