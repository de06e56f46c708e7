package smb

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

const (
	header2             = 64
	flagResponse        = 1 // SMB2_FLAGS_SERVER_TO_REDIR
	flagAsync           = 2
	statusPending       = 0x103
	fsctlPipeTransceive = 0x0011c017
)

// compound reads the messages of a frame one after the other.
func (p *parser) compound(c *proto.Conn, m []byte, size int) {
	for i := 0; ; i++ {
		if len(m) < header2 || le16(m[4:]) != header2 {
			c.Anomaly("smb_bad_header")
			return
		}
		if i == maxCompound {
			c.Anomaly("smb_compound_too_long")
			return
		}
		next := clip(le32(m[20:]))
		if next == 0 {
			p.smb2(c, m, size)
			return
		}
		if next < header2 || next&7 != 0 || next > size {
			c.Anomaly("smb_bad_compound")
			return
		}
		p.smb2(c, m[:min(len(m), next)], next)
		if next >= len(m) { // beyond the prefix
			return
		}
		m, size = m[next:], size-next
	}
}

// smb2 reads one SMB2 message.
func (p *parser) smb2(c *proto.Conn, m []byte, size int) {
	h := Header{Charge: le16(m[6:]), Status: le32(m[8:]), Credits: le16(m[14:]), Flags: le32(m[16:]),
		MID: le64(m[24:]), UID: le64(m[40:])}
	if h.Flags&flagAsync != 0 {
		h.Async = true
	} else {
		h.PID, h.TID = le32(m[32:]), le32(m[36:])
	}
	copy(h.Signature[:], m[48:])
	command, body := le16(m[12:]), m[header2:]
	if h.Flags&flagResponse == 0 {
		t := p.get()
		t.Version, t.Command, t.key = 2, command, h.MID
		t.Req, t.HasReq, t.Length = h, true, size
		p.request2(t, m, body)
		if c.WantFiles {
			p.file2(c, t, packet.ToServer, m, size)
		}
		if command == cmd2Cancel { // never answered itself, and its MID is the cancelled one's
			p.single(c, t)
			return
		}
		p.request(c, t)
		p.flush(c)
		return
	}
	// An interim response says that the real one comes later.
	interim := h.Status == statusPending && h.Async
	t := p.multiProtocol(command)
	if t == nil {
		t = p.waiting(c, 2, command, h.MID, interim)
	}
	t.Rsp, t.HasRsp, t.RspLength = h, true, size
	if interim {
		return
	}
	p.reply2(t, command, m, body)
	if c.WantFiles {
		p.file2(c, t, packet.ToClient, m, size)
	}
	t.Dialect = p.dialect
	if command == cmd2Write {
		p.written(c, t)
	} else {
		p.single(c, t)
	}
	p.flush(c)
}

// multiProtocol returns the SMB1 negotiation that an SMB2 server answers in its
// own version, [MS-SMB2] 3.3.5.3.1, or nil.
func (p *parser) multiProtocol(command uint16) *Tx {
	if command != cmd2Negotiate {
		return nil
	}
	for i, t := range p.pending {
		if t.Version == 1 && t.Command == cmd1Negotiate {
			p.remove(i)
			return t
		}
	}
	return nil
}

// request2 reads the body of a request. Offsets count from the header.
func (p *parser) request2(t *Tx, m, b []byte) {
	switch t.Command {
	case cmd2Negotiate:
		if len(b) < 36 {
			return
		}
		t.HasClientID = copy(t.ClientGUID[:], b[12:28]) == 16
		list := b[36:]
		for n := int(le16(b[2:])); n > 0 && len(list) >= 2 && t.NDialects < maxDialects; n-- {
			t.Dialects[t.NDialects] = t.oemString(dialect2(le16(list)))
			t.NDialects++
			list = list[2:]
		}
	case cmd2SessionSetup:
		if len(b) >= 24 {
			t.security(part(m, int(le16(b[12:])), int(le16(b[14:]))))
		}
	case cmd2TreeConnect:
		if len(b) >= 8 {
			t.Share = t.utf16(part(m, int(le16(b[4:])), int(le16(b[6:]))))
		}
	case cmd2Create:
		if len(b) >= 56 {
			t.HasCreate = true
			t.Access, t.Disposition, t.Options = le32(b[24:]), le32(b[36:]), le32(b[40:])
			t.Filename = t.utf16(part(m, int(le16(b[44:])), int(le16(b[46:]))))
		}
	case cmd2Close:
		if len(b) >= 24 {
			t.fileID(b[8:24])
			p.closePipe(t)
		}
	case cmd2Read, cmd2Write:
		if len(b) >= 32 {
			t.DataLen, t.Offset = le32(b[4:]), le64(b[8:])
			t.fileID(b[16:32])
			if t.Command == cmd2Write {
				p.pipeData(t, packet.ToServer, part(m, int(le16(b[2:])), clip(t.DataLen)), clip(t.DataLen))
			}
		}
	case cmd2Ioctl:
		if len(b) >= 32 {
			t.IoctlCode = le32(b[4:])
			t.fileID(b[8:24])
			if t.IoctlCode == fsctlPipeTransceive {
				p.pipeData(t, packet.ToServer, part(m, offset(b[24:]), offset(b[28:])), offset(b[28:]))
			}
		}
	case cmd2QueryInfo:
		if len(b) >= 40 {
			t.InfoType, t.InfoClass = b[2], b[3]
			t.fileID(b[24:40])
		}
	case cmd2SetInfo:
		if len(b) >= 32 {
			t.InfoType, t.InfoClass = b[2], b[3]
			t.fileID(b[16:32])
			t.setInfo(part(m, int(le16(b[8:])), offset(b[4:])))
		}
	}
}

// file2 looks for what a message of direction d does to files.
func (p *parser) file2(c *proto.Conn, t *Tx, d packet.Dir, m []byte, size int) {
	b := m[header2:]
	const bufferOverflow = 0x80000005 // there is more than was asked for
	answer, ok := d == packet.ToClient, t.Rsp.Status == 0 || t.Rsp.Status == bufferOverflow
	switch {
	case t.Command == cmd2TreeConnect && answer && ok:
		p.files().connected(t)
	case t.Command == cmd2Create && answer && ok && len(b) >= 88:
		p.files().created(c, t)
	case t.Command == cmd2Close && p.store != nil && (answer || t.FileID != related):
		p.store.closed(c, t)
	case t.Command == cmd2Write && !answer && len(b) >= 32:
		at := int(le16(b[2:]))
		n := min(clip(t.DataLen), size-at)
		p.chunk(c, t, d, t.Offset, part(m, at, n), n)
	case t.Command == cmd2Read && answer && ok && t.HasReq && len(b) >= 16:
		at := int(b[2])
		n := min(offset(b[4:]), size-at)
		p.chunk(c, t, d, t.Offset, part(m, at, n), n)
	}
}

// setInfo reads the classes that rename and delete, [MS-FSCC] 2.4.42.2 and
// 2.4.11.
func (t *Tx) setInfo(b []byte) {
	const (
		file        = 1
		rename      = 10
		disposition = 13
	)
	switch {
	case t.InfoType != file:
	case t.InfoClass == rename && len(b) >= 20:
		t.Rename = t.utf16(part(b, 20, offset(b[16:])))
	case t.InfoClass == disposition && len(b) >= 1:
		t.Delete = b[0] != 0
	}
}

func (p *parser) reply2(t *Tx, command uint16, m, b []byte) {
	switch command {
	case cmd2Negotiate:
		if len(b) >= 64 {
			p.dialect = dialect2(le16(b[4:]))
			t.HasServerID = copy(t.ServerGUID[:], b[8:24]) == 16
			t.MaxRead, t.MaxWrite = le32(b[32:]), le32(b[36:])
		}
	case cmd2TreeConnect:
		if len(b) >= 16 {
			t.ShareType = b[2]
		}
	case cmd2Create:
		if len(b) >= 88 {
			t.Size = le64(b[48:])
			t.fileID(b[64:80])
		}
	case cmd2Read:
		if len(b) >= 16 {
			p.pipeData(t, packet.ToClient, part(m, int(b[2]), offset(b[4:])), offset(b[4:]))
		}
	case cmd2Ioctl:
		if len(b) >= 48 && le32(b[4:]) == fsctlPipeTransceive {
			p.pipeData(t, packet.ToClient, part(m, offset(b[32:]), offset(b[36:])), offset(b[36:]))
		}
	}
}

func (t *Tx) oemString(s string) []byte {
	start := len(t.buf)
	t.buf = append(t.buf, s...)
	return t.buf[start:len(t.buf):len(t.buf)]
}
