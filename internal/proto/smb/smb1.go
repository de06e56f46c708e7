package smb

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Flag bits of SMB1 headers, [MS-CIFS] 2.2.3.1.
const (
	flagReply      = 0x80
	flags2Unicode  = 0x8000
	capExtSecurity = 0x80000000 // [MS-SMB] 2.2.4.5.2.1
)

const header1 = 32

// block is one command of a message: its words and bytes.
type block struct {
	words   []byte
	data    []byte
	off     int // of data in the message
	m       []byte
	unicode bool
}

// smb1 reads one SMB1 message.
func (p *parser) smb1(c *proto.Conn, m []byte, size int) {
	if len(m) < header1+1 {
		c.Anomaly("smb_bad_header")
		return
	}
	h := Header{Status: le32(m[5:]), Flags: uint32(m[9]), Flags2: le16(m[10:]), TID: uint32(le16(m[24:])),
		PID: uint32(le16(m[12:]))<<16 | uint32(le16(m[26:])), UID: uint64(le16(m[28:])), MID: uint64(le16(m[30:]))}
	copy(h.Signature[:], m[14:22])
	command := uint16(m[4])
	key := h.MID | uint64(h.PID)<<16
	reply := h.Flags&flagReply != 0
	var t *Tx
	if reply {
		t = p.waiting(c, 1, command, key, false)
		t.Rsp, t.HasRsp, t.RspLength = h, true, size
	} else {
		t = p.get()
		t.Version, t.Command, t.key = 1, command, key
		t.Req, t.HasReq, t.Length = h, true, size
	}
	if !reply && command == cmd1TransSec {
		p.transPipe(t)
	}
	p.blocks(c, t, m, reply, h.Flags2&flags2Unicode != 0)
	t.Dialect = p.dialect
	switch {
	case reply && command == cmd1WriteAndX:
		p.written(c, t)
	case reply:
		p.single(c, t)
	case command == cmd1TransSec, command == cmd1Trans2Sec, command == cmd1NTTransSec, command == cmd1Cancel:
		p.single(c, t)
	default:
		p.request(c, t)
	}
	p.flush(c)
}

// blocks walks over the chained commands of a message. Each offset has to lie
// behind the block before it, so the walk ends.
func (p *parser) blocks(c *proto.Conn, t *Tx, m []byte, reply, unicode bool) {
	command := m[4]
	for at := header1; ; {
		if !reply {
			if t.ChainLen == maxAndX {
				c.Anomaly("smb_andx_chain_too_long")
				return
			}
			t.Chain[t.ChainLen] = command
			t.ChainLen++
		}
		b := block{m: m, unicode: unicode}
		words := int(m[at]) * 2
		if b.words = part(m, at+1, words); len(b.words) < words {
			c.Anomaly("smb_truncated_words")
			return
		}
		if n := part(m, at+1+words, 2); len(n) == 2 {
			b.off = at + 1 + words + 2
			b.data = part(m, b.off, int(le16(n)))
		}
		if reply {
			p.reply1(t, command, &b)
		} else {
			p.request1(t, command, &b)
		}
		if c.WantFiles {
			p.file1(c, t, command, reply, &b)
		}
		if !isAndX(command) || len(b.words) < 4 || b.words[0] == cmdNone {
			return
		}
		next := int(le16(b.words[2:]))
		if next <= at+words || next >= len(m) {
			if next != 0 && next < len(m) {
				c.Anomaly("smb_bad_andx_offset")
			}
			return
		}
		command, at = b.words[0], next
	}
}

func isAndX(c uint8) bool {
	switch c {
	case cmd1Locking, cmd1OpenAndX, cmd1ReadAndX, cmd1WriteAndX, cmd1SessionSetup, cmd1Logoff, cmd1TreeConnect, cmd1NTCreate:
		return true
	}
	return false
}

func (p *parser) request1(t *Tx, command uint8, b *block) {
	w := b.words
	switch command {
	case cmd1Negotiate:
		p.offer(t, b.data)
	case cmd1SessionSetup:
		sessionSetup1(t, b)
	case cmd1TreeConnect:
		if len(w) >= 8 {
			pw := int(le16(w[6:]))
			path, rest, _ := cutText(b.unicode, part(b.data, pw, len(b.data)), b.off+pw)
			t.Share = t.text(b.unicode, path)
			t.Service = t.oem(rest)
		}
	case cmd1NTCreate:
		if len(w) >= 48 {
			t.HasCreate = true
			t.Access, t.Disposition, t.Options = le32(w[15:]), le32(w[35:]), le32(w[39:])
			name := b.data
			if b.unicode && b.off&1 != 0 {
				name = part(name, 1, len(name))
			}
			t.Filename = t.text(b.unicode, part(name, 0, int(le16(w[5:]))))
		}
	case cmd1Delete, cmd1Rename:
		if len(b.data) > 1 && b.data[0] == 4 { // BufferFormat ASCII
			s, rest, off := cutText(b.unicode, b.data[1:], b.off+1)
			t.Filename = t.text(b.unicode, s)
			if command == cmd1Rename && len(rest) > 1 {
				s, _, _ = cutText(b.unicode, rest[1:], off+1)
				t.Rename = t.text(b.unicode, s)
			}
		}
	case cmd1ReadAndX:
		if len(w) >= 12 {
			t.fileID(w[4:6])
			t.Offset, t.DataLen = uint64(le32(w[6:])), uint32(le16(w[10:]))
			if len(w) >= 24 {
				t.Offset |= uint64(le32(w[20:])) << 32
			}
		}
	case cmd1WriteAndX:
		if len(w) >= 24 {
			t.fileID(w[4:6])
			t.Offset, t.DataLen = uint64(le32(w[6:])), uint32(le16(w[18:]))<<16|uint32(le16(w[20:]))
			if len(w) >= 28 {
				t.Offset |= uint64(le32(w[24:])) << 32
			}
			p.pipeData(t, packet.ToServer, part(b.m, int(le16(w[22:])), clip(t.DataLen)), clip(t.DataLen))
		}
	case 0x04: // CLOSE
		if len(w) >= 2 {
			t.fileID(w[:2])
			p.closePipe(t)
		}
	case cmd1Trans, cmd1Trans2, cmd1NTTrans, cmd1TransSec, cmd1Trans2Sec, cmd1NTTransSec:
		p.trans(t, command, b)
	}
}

func (p *parser) reply1(t *Tx, command uint8, b *block) {
	w := b.words
	switch command {
	case cmd1Negotiate:
		p.choose(t, b)
	case cmd1SessionSetup:
		if len(w) < 6 {
			return
		}
		data, off := b.data, b.off
		if len(w) >= 8 { // extended security
			n := int(le16(w[6:]))
			data, off = part(data, n, len(data)), off+n
		}
		var s []byte
		s, data, off = cutText(b.unicode, data, off)
		t.RspOS = t.text(b.unicode, s)
		s, _, _ = cutText(b.unicode, data, off)
		t.RspLM = t.text(b.unicode, s)
	case cmd1TreeConnect:
		if len(w) >= 4 {
			t.RspService = t.oem(b.data)
		}
	case cmd1NTCreate:
		if len(w) >= 63 {
			t.fileID(w[5:7])
			t.Size = le64(w[55:])
		}
	case cmd1ReadAndX:
		if len(w) >= 14 {
			n := int(le16(w[10:]))
			p.pipeData(t, packet.ToClient, part(b.m, int(le16(w[12:])), n), n)
		}
	case cmd1Trans, cmd1Trans2, cmd1NTTrans:
		p.transReply(t, command, b)
	}
}

// file1 looks for what a command does to files.
func (p *parser) file1(c *proto.Conn, t *Tx, command uint8, answer bool, b *block) {
	w := b.words
	ok := t.Rsp.Status == 0
	switch {
	case command == cmd1TreeConnect && answer && ok:
		p.files().connected(t)
	case command == cmd1NTCreate && answer && ok && len(w) >= 63:
		p.files().created(c, t)
	case command == 0x04 && !answer && p.store != nil: // CLOSE
		p.store.closed(c, t)
	case command == cmd1WriteAndX && !answer && len(w) >= 24:
		n := clip(t.DataLen)
		p.chunk(c, t, packet.ToServer, t.Offset, part(b.m, int(le16(w[22:])), n), n)
	case command == cmd1ReadAndX && answer && ok && t.HasReq && len(w) >= 16:
		n := int(le16(w[10:])) | int(le16(w[14:]))<<16
		p.chunk(c, t, packet.ToClient, t.Offset, part(b.m, int(le16(w[12:])), n), n)
	}
}

func (t *Tx) fileID(b []byte) { t.FileIDLen = copy(t.FileID[:], b) }

// offer reads the dialects of a negotiation: each is 0x02, text, NUL.
func (p *parser) offer(t *Tx, b []byte) {
	p.offered = [maxDialects]string{}
	for len(b) > 0 && b[0] == 2 && t.NDialects < maxDialects {
		end := bytes.IndexByte(b, 0)
		if end < 0 {
			return
		}
		p.offered[t.NDialects] = dialect1(b[1:end])
		t.Dialects[t.NDialects] = t.oem(b[1:end])
		t.NDialects++
		b = b[end+1:]
	}
}

// choose reads which dialect the server took.
func (p *parser) choose(t *Tx, b *block) {
	if len(b.words) < 2 {
		return
	}
	if i := int(le16(b.words)); i < maxDialects && p.offered[i] != "" {
		p.dialect = p.offered[i]
	}
	if len(b.words) >= 34 && le32(b.words[19:])&capExtSecurity != 0 && len(b.data) >= 16 {
		t.HasServerID = copy(t.ServerGUID[:], b.data) == 16
	}
}

// sessionSetup1 reads the three forms of the request: with a security blob
// (12 words, [MS-SMB] 2.2.4.6.1), with two passwords (13) and with one (10).
func sessionSetup1(t *Tx, b *block) {
	w, data, off := b.words, b.data, b.off
	cut := func() (s []byte) {
		s, data, off = cutText(b.unicode, data, off)
		return t.text(b.unicode, s)
	}
	var skip int
	switch len(w) {
	case 24:
		skip = int(le16(w[14:]))
		t.security(part(data, 0, skip))
	case 26:
		skip = int(le16(w[14:])) + int(le16(w[16:]))
	case 20:
		skip = int(le16(w[14:]))
	default:
		return
	}
	data, off = part(data, skip, len(data)), off+skip
	if len(w) != 24 {
		t.NTLM.Set = true
		t.NTLM.User = cut()
		t.NTLM.Domain = cut()
	}
	t.NativeOS = cut()
	t.NativeLM = cut()
}
