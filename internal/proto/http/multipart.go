package http

import (
	"bytes"
	"sync"

	"github.com/yamori-net/yamori/internal/mime"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

const (
	// maxBoundary bounds a boundary; RFC 2046 section 5.1.1 allows 70.
	maxBoundary = 200
	// maxPartHead bounds the header of one part; a part with a longer one is
	// passed over.
	maxPartHead = 2 << 10
	// maxPartName bounds the name of a file.
	maxPartName = 512
	// maxParts bounds the files of one body.
	maxParts = 1024
)

type partState uint8

const (
	ptSkip  partState = iota // before the first part, or a part without a file
	ptBegin                  // at the line end before the bytes of a file
	ptFile                   // in the bytes of a file
	ptLine                   // in the rest of a boundary's line
	ptHead                   // in the header of a part
	ptEnd                    // after the last part
)

// multipart takes a body of type multipart/form-data (RFC 7578) apart. Parts
// with a filename are files.
type multipart struct {
	state partState
	parts int
	delim []byte // line end, two dashes and the boundary
	held  []byte // what cannot be told yet
	name  []byte
	file  proto.File
}

// multiparts are shared, so that only forms under way hold one.
var multiparts = sync.Pool{New: func() any { return new(multipart) }}

func newMultipart(boundary []byte) *multipart {
	m := multiparts.Get().(*multipart)
	m.state, m.parts = ptSkip, 0
	m.delim = append(append(m.delim[:0], "\r\n--"...), boundary...)
	m.held = append(m.held[:0], "\r\n"...) // the first boundary may begin the body
	return m
}

func (m *multipart) release() {
	m.held = proto.Keep(m.held, keptLayer)
	m.file = proto.File{}
	multiparts.Put(m)
}

// size returns the bytes it holds.
func (m *multipart) size() int { return cap(m.delim) + cap(m.held) + cap(m.name) }

// boundary returns the boundary of a Content-Type in dst[:0], nil when that is
// not multipart.
func boundary(dst, v []byte) []byte {
	if !textline.HasPrefix(v, "multipart/") {
		return nil
	}
	b := mime.AppendParam(dst[:0], v, "boundary")
	if len(b) == 0 || len(b) > maxBoundary {
		return nil
	}
	return b
}

// write takes the next bytes of the body.
func (m *multipart) write(c *proto.Conn, t *Tx, b []byte) {
	if len(m.held) > 0 {
		m.held = append(m.held, b...)
		b = m.held
	}
	for len(b) > 0 {
		n, more := m.step(c, t, b)
		b = b[n:]
		if !more {
			break
		}
	}
	m.held = append(m.held[:0], b...) // may lie inside of held: memmove
}

func (m *multipart) step(c *proto.Conn, t *Tx, b []byte) (n int, more bool) {
	switch m.state {
	case ptBegin:
		// The line end that ends the header may belong to a boundary: an empty
		// file.
		if len(b) < len(m.delim) && bytes.HasPrefix(m.delim, b) {
			return 0, false
		}
		m.state = ptFile
		if bytes.HasPrefix(b, m.delim) {
			return 0, true
		}
		return 2, true
	case ptSkip, ptFile:
		i := bytes.Index(b, m.delim)
		n := i
		if i < 0 {
			n = max(0, len(b)-len(m.delim)+1)
		}
		if m.state == ptFile {
			c.FileData(&m.file, b[:n])
		}
		if i < 0 {
			return n, false
		}
		c.CloseFile(&m.file, false)
		m.state = ptLine
		return i + len(m.delim), true
	case ptLine:
		if len(b) < 2 {
			return 0, false
		}
		if b[0] == '-' && b[1] == '-' {
			m.state = ptEnd
			return len(b), false
		}
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return len(b) - 1, false // two bytes stay needed: one and what follows
		}
		m.state = ptHead
		return i + 1, true
	case ptHead:
		if bytes.HasPrefix(b, []byte("\r\n")) {
			m.state = ptSkip
			return 0, true // an empty header; the line end may belong to a boundary
		}
		i := bytes.Index(b[:min(len(b), maxPartHead)], []byte("\r\n\r\n"))
		if i < 0 {
			if len(b) >= maxPartHead {
				m.state = ptSkip
				return 0, true
			}
			return 0, false
		}
		m.open(c, t, b[:i])
		return i + 2, true // the second line end may belong to a boundary
	}
	return len(b), false
}

// open begins a part with the header h.
func (m *multipart) open(c *proto.Conn, t *Tx, h []byte) {
	m.state = ptSkip
	for len(h) > 0 {
		line := h
		if i := bytes.IndexByte(h, '\n'); i >= 0 {
			line, h = h[:i], h[i+1:]
		} else {
			h = nil
		}
		k, v, ok := bytes.Cut(line, []byte{':'})
		if !ok || !textline.Is(trim(k), "content-disposition") {
			continue
		}
		m.name = mime.AppendParam(m.name[:0], trim(v), "filename")
		if len(m.name) == 0 || m.parts == maxParts {
			return
		}
		m.parts++
		m.name = m.name[:min(len(m.name), maxPartName)]
		c.OpenFile(&m.file, packet.ToServer, m.name, t, t.num)
		m.state = ptBegin
		return
	}
}

// gap says that n bytes are lost here.
func (m *multipart) gap(c *proto.Conn, n int) {
	switch m.state {
	case ptFile, ptBegin:
		if m.state == ptFile {
			c.FileData(&m.file, m.held)
		}
		c.FileGap(&m.file, n)
		m.state = ptFile
	case ptHead, ptLine:
		m.state = ptSkip
	}
	m.held = m.held[:0]
}

// end says that nothing more comes: a part that is not over is cut off.
func (m *multipart) end(c *proto.Conn) {
	if m.state == ptFile {
		c.FileData(&m.file, m.held)
	}
	c.CloseFile(&m.file, true)
}
