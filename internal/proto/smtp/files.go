package smtp

import (
	"sync"
	"unsafe"

	"github.com/yamori-net/yamori/internal/mime"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// attachments reads the attachments of a mail. They are files.
type attachments struct {
	r    mime.Reader
	c    *proto.Conn
	file proto.File
	tx   *Tx
	num  uint64
	told bool // that a boundary is too long
}

// readers are shared, so that only mails under way hold one.
var readers = sync.Pool{New: func() any { return new(attachments) }}

// feed takes the next bytes of a mail.
func (p *parser) feed(c *proto.Conn, b []byte) {
	if !c.WantFiles {
		return
	}
	a := p.mime
	if a == nil {
		a = readers.Get().(*attachments)
		a.r.Reset(a)
		a.tx, a.num = &p.tx, p.num
		p.mime = a
	}
	a.c = c
	a.r.Write(b)
	if a.r.LongBoundary() && !a.told {
		a.told = true
		p.tx.reached(MailBad)
		c.Anomaly("mime_long_boundary")
	}
}

// endMail ends the attachments of a mail that is over; cut, that it is not
// complete.
func (p *parser) endMail(cut bool) {
	if a := p.mime; a != nil {
		a.r.End(cut)
		p.release()
	}
}

func (p *parser) release() {
	if a := p.mime; a != nil {
		a.c, a.tx, a.file, a.told = nil, nil, proto.File{}, false
		readers.Put(a)
		p.mime = nil
	}
}

func (a *attachments) gap(n int) { a.r.Gap(n) }

func (a *attachments) size() int { return int(unsafe.Sizeof(*a)) + a.r.Size() }

// Begin implements mime.Sink.
func (a *attachments) Begin(name []byte) {
	if t := a.tx; len(name) > 0 && len(t.Attached) < maxAttached {
		t.Attached = append(t.Attached, t.keep(name))
	}
	a.c.OpenFile(&a.file, packet.ToServer, name, a.tx, a.num)
}

// Data implements mime.Sink.
func (a *attachments) Data(b []byte) { a.c.FileData(&a.file, b) }

// Gap implements mime.Sink.
func (a *attachments) Gap(n int) { a.c.FileGap(&a.file, n) }

// End implements mime.Sink.
func (a *attachments) End(cut bool) { a.c.CloseFile(&a.file, cut) }
