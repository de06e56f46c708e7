package smb

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
)

// trans reads the words of a transaction request. The layouts are those of
// [MS-CIFS] 2.2.4.33.1 (TRANS), 2.2.4.34.1 (secondary), 2.2.4.46.1 (TRANS2),
// 2.2.4.47.1, 2.2.4.62.1 (NT_TRANS) and 2.2.4.63.1.
func (p *parser) trans(t *Tx, command uint8, b *block) {
	w, x := b.words, &t.Trans
	var paramOff, dataOff int
	switch {
	case (command == cmd1Trans || command == cmd1Trans2) && len(w) >= 28:
		x.TotalParam, x.TotalData = uint32(le16(w)), uint32(le16(w[2:]))
		x.MaxParam, x.MaxData = uint32(le16(w[4:])), uint32(le16(w[6:]))
		x.Flags, x.Timeout = le16(w[10:]), le32(w[12:])
		x.ParamCount, paramOff = uint32(le16(w[18:])), int(le16(w[20:]))
		x.DataCount, dataOff = uint32(le16(w[22:])), int(le16(w[24:]))
		x.SetupCount = w[26]
		if x.SetupCount > 0 && len(w) >= 30 {
			x.Subcommand, x.HasSub = le16(w[28:]), true
		}
		if command == cmd1Trans && x.SetupCount > 1 && len(w) >= 32 {
			t.fileID(w[30:32])
		}
	case (command == cmd1TransSec || command == cmd1Trans2Sec) && len(w) >= 16:
		x.TotalParam, x.TotalData = uint32(le16(w)), uint32(le16(w[2:]))
		x.ParamCount, paramOff, x.ParamDisp = uint32(le16(w[4:])), int(le16(w[6:])), uint32(le16(w[8:]))
		x.DataCount, dataOff, x.DataDisp = uint32(le16(w[10:])), int(le16(w[12:])), uint32(le16(w[14:]))
	case command == cmd1NTTrans && len(w) >= 38:
		x.TotalParam, x.TotalData, x.MaxParam, x.MaxData = le32(w[3:]), le32(w[7:]), le32(w[11:]), le32(w[15:])
		x.ParamCount, paramOff = le32(w[19:]), offset(w[23:])
		x.DataCount, dataOff = le32(w[27:]), offset(w[31:])
		x.SetupCount = w[35]
		x.Subcommand, x.HasSub = le16(w[36:]), true
	case command == cmd1NTTransSec && len(w) >= 35:
		x.TotalParam, x.TotalData = le32(w[3:]), le32(w[7:])
		x.ParamCount, paramOff, x.ParamDisp = le32(w[11:]), offset(w[15:]), le32(w[19:])
		x.DataCount, dataOff, x.DataDisp = le32(w[23:]), offset(w[27:]), le32(w[31:])
	default:
		return
	}
	x.Set = true
	param := part(b.m, paramOff, clip(x.ParamCount))
	data := part(b.m, dataOff, clip(x.DataCount))
	x.ParamHeadLen = copy(x.ParamHead[:], param)
	x.DataHeadLen = copy(x.DataHead[:], data)
	switch command {
	case cmd1Trans:
		name, _, _ := cutText(b.unicode, b.data, b.off)
		t.Filename = t.text(b.unicode, name)
		p.pipeData(t, packet.ToServer, data, clip(x.DataCount))
	case cmd1TransSec:
		p.pipeData(t, packet.ToServer, data, clip(x.DataCount))
	case cmd1Trans2:
		skip := 0
		switch x.Subcommand {
		case 1: // FIND_FIRST2
			skip = 12
		case 5, 6, 13: // QUERY_PATH_INFO, SET_PATH_INFO, CREATE_DIRECTORY
			skip = 6
			if x.Subcommand == 13 {
				skip = 4
			}
		case 0: // OPEN2
			skip = 28
		}
		if skip > 0 && x.HasSub && len(param) > skip {
			t.Filename = t.text(b.unicode, param[skip:])
		}
	}
}

// transReply reads the counts of a response ([MS-CIFS] 2.2.4.33.2, .46.2,
// .62.2); an interim response has no words.
func (p *parser) transReply(t *Tx, command uint8, b *block) {
	w, x := b.words, &t.RspTrans
	var dataOff int
	switch {
	case command != cmd1NTTrans && len(w) >= 20:
		x.TotalParam, x.TotalData = uint32(le16(w)), uint32(le16(w[2:]))
		x.ParamCount, x.ParamDisp = uint32(le16(w[6:])), uint32(le16(w[10:]))
		x.DataCount, dataOff, x.DataDisp = uint32(le16(w[12:])), int(le16(w[14:])), uint32(le16(w[16:]))
	case command == cmd1NTTrans && len(w) >= 36:
		x.TotalParam, x.TotalData = le32(w[3:]), le32(w[7:])
		x.ParamCount, x.ParamDisp = le32(w[11:]), le32(w[19:])
		x.DataCount, dataOff, x.DataDisp = le32(w[23:]), offset(w[27:]), le32(w[31:])
	default:
		return
	}
	x.Set = true
	data := part(b.m, dataOff, clip(x.DataCount))
	x.DataHeadLen = copy(x.DataHead[:], data)
	if command == cmd1Trans {
		p.pipeData(t, packet.ToClient, data, clip(x.DataCount))
	}
}

// transPipe gives a secondary the pipe of the transaction that it continues.
func (p *parser) transPipe(t *Tx) {
	for _, first := range p.pending {
		if first.Version == 1 && first.Command == cmd1Trans && first.key == t.key {
			t.FileID, t.FileIDLen = first.FileID, first.FileIDLen
		}
	}
}

// offset reads a 32-bit offset into a message.
func offset(b []byte) int { return clip(le32(b)) }

// clip makes a 32-bit number an int that fits on every platform.
func clip(v uint32) int { return int(min(v, 1<<24)) }

// security looks for NTLMSSP and Kerberos in a security blob. SPNEGO (RFC
// 4178) around them is not taken apart: the token's own signature is telling.
func (t *Tx) security(b []byte) {
	if i := bytes.Index(b, []byte("NTLMSSP\x00")); i >= 0 {
		t.ntlm(b[i:])
		return
	}
	// OID 1.2.840.113554.1.2.2 followed by the token id of AP-REQ, RFC 4121.
	if bytes.Contains(b, []byte("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00")) {
		t.Kerberos = true
	}
}

// ntlm reads an AUTHENTICATE message, [MS-NLMP] 2.2.1.3.
func (t *Tx) ntlm(b []byte) {
	if len(b) < 64 || le32(b[8:]) != 3 {
		return
	}
	const (
		negotiateUnicode = 1
		negotiateVersion = 0x02000000
	)
	flags := le32(b[60:])
	field := func(at int) []byte {
		return t.text(flags&negotiateUnicode != 0, part(b, offset(b[at+4:]), int(le16(b[at:]))))
	}
	n := &t.NTLM
	n.Set = true
	n.Domain, n.User, n.Host = field(28), field(36), field(44)
	if flags&negotiateVersion != 0 && len(b) >= 72 {
		n.HasVersion = true
		copy(n.Version[:], b[64:])
	}
}
