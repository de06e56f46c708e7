package smb

import (
	"encoding/hex"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
)

// EncodeEVE appends "smb":{…} in Suricata's shape.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("smb")
	e.Uint("id", t.ID)
	if t.Dialect == "" {
		e.Str("dialect", "unknown")
	} else {
		e.Str("dialect", t.Dialect)
	}
	switch {
	case t.Encrypted:
		e.Bool("encrypted", true)
		e.EndObj()
		return
	case t.Compressed:
		e.Bool("compressed", true)
	default:
		t.encodeHead(e)
	}
	t.encodeNegotiation(e)
	t.encodeSession(e)
	t.encodeFile(e)
	if t.Trans.HasSub {
		e.OptStr("subcmd", transName(t.Command, t.Trans.Subcommand))
	}
	if t.IoctlCode != 0 {
		if name := ioctlName(t.IoctlCode); name != "" {
			e.Str("function", name)
		} else {
			encodeHex32(e, "function", t.IoctlCode)
		}
	}
	if t.DCE.Seen() {
		t.DCE.EncodePipe(e)
	}
	e.EndObj()
}

func (t *Tx) encodeHead(e *event.Encoder) {
	prefix, name := t.CommandName()
	if name == "" {
		name = "UNKNOWN"
	}
	e.Str("command", "")
	e.B = append(e.B[:len(e.B)-1], prefix...)
	e.B = append(append(e.B, name...), '"')
	h := &t.Req
	if t.HasRsp {
		e.OptStr("status", statusName(t.Rsp.Status))
		encodeHex32(e, "status_code", t.Rsp.Status)
		h = &t.Rsp
	}
	uid, tid := h.UID, h.TID
	if t.HasReq && (t.Version == 2 && tid == 0 || h.Async) && t.Req.TID != ^uint32(0) {
		tid = t.Req.TID
	}
	e.Uint("session_id", uid)
	e.Uint("tree_id", uint64(tid))
}

func (t *Tx) encodeNegotiation(e *event.Encoder) {
	if t.NDialects > 0 {
		e.Arr("client_dialects")
		for _, d := range t.Dialects[:t.NDialects] {
			e.Bytes("", d)
		}
		e.EndArr()
	}
	if t.HasClientID {
		encodeGUID(e, "client_guid", &t.ClientGUID)
	}
	if t.HasServerID {
		encodeGUID(e, "server_guid", &t.ServerGUID)
	}
	if t.MaxRead != 0 || t.MaxWrite != 0 {
		e.Uint("max_read_size", uint64(t.MaxRead))
		e.Uint("max_write_size", uint64(t.MaxWrite))
	}
}

func (t *Tx) encodeSession(e *event.Encoder) {
	if n := &t.NTLM; n.Set {
		e.Obj("ntlmssp")
		e.Bytes("domain", n.Domain)
		e.Bytes("user", n.User)
		e.OptBytes("host", n.Host)
		if v := n.Version; n.HasVersion {
			e.Str("version", "")
			e.B = e.B[:len(e.B)-1]
			for i, part := range [4]uint64{uint64(v[0]), uint64(v[1]), uint64(le16(v[2:])), uint64(v[7])} {
				e.B = append(e.B, [4]string{"", ".", " build ", " rev "}[i]...)
				e.B = appendUint(e.B, part)
			}
			e.B = append(e.B, '"')
		}
		e.EndObj()
	}
	if t.Kerberos {
		e.Bool("kerberos", true)
	}
	if t.Version == 1 && t.Command == cmd1SessionSetup {
		e.Obj("request")
		e.Bytes("native_os", t.NativeOS)
		e.Bytes("native_lm", t.NativeLM)
		e.EndObj()
		if t.HasRsp {
			e.Obj("response")
			e.Bytes("native_os", t.RspOS)
			e.Bytes("native_lm", t.RspLM)
			e.EndObj()
		}
	}
	if len(t.Share) > 0 {
		if t.IsPipe() {
			e.Bytes("named_pipe", t.Share)
		} else {
			e.Bytes("share", t.Share)
		}
	}
	if len(t.Service)+len(t.RspService) > 0 {
		e.Obj("service")
		e.OptBytes("request", t.Service)
		e.OptBytes("response", t.RspService)
		e.EndObj()
	}
	if n := int(t.ShareType); n > 0 && n <= 3 {
		e.Str("share_type", [4]string{1: "FILE", 2: "PIPE", 3: "PRINT"}[n])
	}
}

func (t *Tx) encodeFile(e *event.Encoder) {
	if t.HasCreate {
		if len(t.Filename) == 0 {
			e.Str("filename", "<share_root>")
		} else {
			e.Bytes("filename", t.Filename)
		}
		const deleteOnClose = 0x1000
		e.Str("disposition", dispositionName(t.Disposition))
		if t.Options&deleteOnClose != 0 {
			e.Str("access", "delete on close")
		} else {
			e.Str("access", "normal")
		}
		if t.HasRsp && t.FileIDLen > 0 {
			e.Uint("size", t.Size)
		}
	} else {
		e.OptBytes("filename", t.Filename)
	}
	if len(t.Rename) > 0 {
		e.Bytes("rename_to", t.Rename)
	}
	if t.Delete {
		e.Bool("delete", true)
	}
	switch t.FileIDLen {
	case 16:
		encodeGUID(e, "fuid", &t.FileID)
	case 2:
		e.Hex("fuid", []byte{t.FileID[1], t.FileID[0]})
	}
}

// encodeGUID writes a GUID in its text form; the first three groups are
// little-endian on the wire ([MS-DTYP] 2.3.4).
func encodeGUID(e *event.Encoder, key string, g *[16]byte) {
	e.Str(key, "")
	e.B = e.B[:len(e.B)-1]
	for i, from := range [16]uint8{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15} {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			e.B = append(e.B, '-')
		}
		e.B = hex.AppendEncode(e.B, g[from:from+1])
	}
	e.B = append(e.B, '"')
}

// encodeHex32 writes a number as "0x1f", without leading zeros.
func encodeHex32(e *event.Encoder, key string, v uint32) {
	e.Str(key, "0x")
	e.B = appendHex(e.B[:len(e.B)-1], v)
	e.B = append(e.B, '"')
}

func appendHex(b []byte, v uint32) []byte { return strconv.AppendUint(b, uint64(v), 16) }

func appendUint(b []byte, v uint64) []byte { return strconv.AppendUint(b, v, 10) }
