package engine

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// wantsFiles says whether anybody listens to files.
func (w *Worker) wantsFiles() bool {
	return w.e.cfg.Files.Want != 0 || w.sink != nil && w.wants[event.FileInfo]
}

// onFile takes the next piece of a file.
func (c *conn) onFile(f *proto.File) {
	w := c.w
	t, _ := f.Listener.(*files.Track)
	if t == nil {
		if f.Enough {
			return // found no place before
		}
		if t = w.files.Begin(f, c.window(f)); t == nil {
			w.n.FilesUnseen++
			f.Enough = true
			return
		}
		w.n.Files++
		f.Listener = t
		c.tracks = append(c.tracks, t)
	}
	ended := t.Update()
	if w.match != nil && !t.Seen {
		w.match.File(c.fileApp(f), f.Tx, f.Dir, t, ended)
	}
	if ended && !t.Seen {
		t.Seen = true
		w.emitFile(c, t)
	}
	if f.Done {
		c.untrack(t)
	}
}

// fileApp returns the number of the protocol that carries f.
func (c *conn) fileApp(*proto.File) int { return c.idx }

// window returns how rules look at a file.
func (c *conn) window(f *proto.File) files.WindowConfig {
	switch {
	case c.pc.AppProto != "http":
		return files.FileWindow
	case f.Dir == packet.ToServer:
		return files.RequestWindow
	}
	return files.ResponseWindow
}

func (c *conn) untrack(t *files.Track) {
	for i, o := range c.tracks {
		if o == t {
			n := len(c.tracks) - 1
			c.tracks[i] = c.tracks[n]
			c.tracks[n] = nil
			c.tracks = c.tracks[:n]
			break
		}
	}
	t.File().Listener = nil
	t.Release()
}

// dropFiles lets go of what the parser did not close.
func (c *conn) dropFiles() {
	for len(c.tracks) > 0 {
		c.untrack(c.tracks[len(c.tracks)-1])
	}
}

// emitFile reports a file that has ended, in the direction it was sent.
func (w *Worker) emitFile(c *conn, t *files.Track) {
	if w.sink == nil || !w.wants[event.FileInfo] {
		return
	}
	w.fileBody.Track = t
	ev := w.event(c.flow, event.FileInfo, c.pc.Time)
	ev.AppProto, ev.AppProtoOrig = c.pc.AppProto, ""
	if t.Dir() == packet.ToClient {
		ev.Src, ev.Dst = ev.Dst, ev.Src
		ev.SrcPort, ev.DstPort = ev.DstPort, ev.SrcPort
	}
	ev.Body = &w.fileBody
	w.sink.Event(ev)
	w.fileBody.Track = nil
}
