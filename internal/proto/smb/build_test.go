package smb

import (
	"encoding/binary"
	"unicode/utf16"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

func u16(v ...int) string {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	return string(b)
}

func u32(v ...int) string {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
	}
	return string(b)
}

func wide(s string) string {
	out := ""
	for _, u := range utf16.Encode([]rune(s)) {
		out += u16(int(u))
	}
	return out
}

// nb puts a message into a NetBIOS session packet.
func nb(m string) string {
	return string([]byte{0, byte(len(m) >> 16), byte(len(m) >> 8), byte(len(m))}) + m
}

// head1 is an SMB1 header, [MS-CIFS] 2.2.3.1; Flags2 says Unicode.
func head1(command, flags byte, status uint32, mid int) string {
	return "\xffSMB" + string([]byte{command}) + u32(int(status)) + string([]byte{flags}) + u16(0xc801) + u16(0) + "SIGNATUR" + u16(0) + u16(7, 0x1234, 9, mid)
}

func body1(words, data string) string {
	return string([]byte{byte(len(words) / 2)}) + words + u16(len(data)) + data
}

// head2 is an SMB2 header, [MS-SMB2] 2.2.1.2.
func head2(command, flags int, status uint32, mid, next int) string {
	return "\xfeSMB" + u16(64, 1) + u32(int(status)) + u16(command, 31) + u32(flags, next) + u32(mid, 0) + u32(0xfeff, 5) + u32(0x11, 0x22) + "0123456789abcdef"
}

const guid = "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"

// ntlmAuth is an AUTHENTICATE message, [MS-NLMP] 2.2.1.3.
func ntlmAuth(domain, user, host string) string {
	d, u, h := wide(domain), wide(user), wide(host)
	field := func(n, off int) string { return u16(n, n) + u32(off) }
	return "NTLMSSP\x00" + u32(3) + field(0, 72) + field(0, 72) + field(len(d), 72) + field(len(u), 72+len(d)) +
		field(len(h), 72+len(d)+len(u)) + field(0, 72) + u32(0x02000001) + "\x06\x01\xb1\x1d\x00\x00\x00\x0f" + d + u + h
}

func c(m string) prototest.Part {
	return prototest.Part{Dir: packet.ToServer, Data: []byte(nb(m))}
}

func s(m string) prototest.Part {
	return prototest.Part{Dir: packet.ToClient, Data: []byte(nb(m))}
}

func blob(s string) string { return "\x60\x48\x06\x06+\x06\x01\x05\x05\x02" + s }

// session1 is an SMB1 session: negotiate, log in and connect in one chained
// message, open, transactions.
func session1() []prototest.Part {
	auth := blob(ntlmAuth("HOME", "bob", "PC"))
	setup := u16(int(cmd1TreeConnect), 0) // the offset is patched below
	setup += u16(4356, 10, 0) + u32(0) + u16(len(auth)) + u32(0, 0)
	strs := wide("Unix") + "\x00\x00" + wide("Samba") + "\x00\x00"
	pad := ""
	if (32+1+len(setup)+2+len(auth))%2 != 0 {
		pad = "\x00"
	}
	first := head1(cmd1SessionSetup, 0, 0, 2) + body1(setup, auth+pad+strs)
	off := len(first)
	first = first[:35] + u16(off) + first[37:]
	tree := u16(cmdNone, 0) + u16(0, 1)
	treePad := ""
	if (off+1+len(tree)+2+1)%2 != 0 {
		treePad = "\x00"
	}
	first += body1(tree, "\x00"+treePad+wide(`\\nas\IPC$`)+"\x00\x00?????\x00")
	create := "\xff\x00\x00\x00\x00" + u16(18) + u32(0, 0, 0x2019f, 0, 0, 0x80, 7, 1, 0x40, 2) + "\x00"
	return []prototest.Part{
		c(head1(cmd1Negotiate, 0, 0, 1) + body1("", "\x02LANMAN1.0\x00\x02NT LM 0.12\x00")),
		s(head1(cmd1Negotiate, flagReply, 0, 1) + body1(u16(1)+"\x03"+u16(50, 1)+u32(16644, 65536, 0)+u32(-0x7fff1c03)+"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", guid+"blob")),
		c(first),
		s(head1(cmd1SessionSetup, flagReply, 0, 2) + body1(u16(cmdNone, 0, 0, 0), "\x00"+wide("Windows 7")+"\x00\x00"+wide("LM 6")+"\x00\x00")),
		c(head1(cmd1NTCreate, 0, 0, 3) + body1(create, "\x00"+wide(`\srvsvc..`))),
		s(head1(cmd1NTCreate, flagReply, 0, 3) + body1("\xff\x00\x00\x00\x02"+u16(0x4001)+u32(1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80)+u32(4096, 0)+u32(77, 0)+u16(2, 5)+"\x00", "")),
	}
}

// session2 is an SMB2 session up to a write and a compound.
func session2() []prototest.Part {
	auth := blob(ntlmAuth("HOME", "Ünal", "PC"))
	file := "FILEID0123456789"
	create := u16(57) + "\x00\x00" + u32(2, 0, 0, 0, 0, 0x12019f, 0x80, 7, 5, 0x1000) + u16(120, 8) + u32(0, 0) + wide("a.tx")
	for len(create)%8 != 0 {
		create += "\x00"
	}
	data := "data of the file"
	write := u16(49, 112) + u32(len(data)) + u32(8, 0) + file + u32(0, 0) + u16(0, 0) + u32(0) + data
	rename := "\x00\x00\x00\x00\x00\x00\x00\x00" + u32(0, 0) + u32(12) + wide("b.lock")
	return []prototest.Part{
		c(head2(cmd2Negotiate, 0, 0, 0, 0) + u16(36, 2, 1, 0) + u32(0x7f) + guid + u32(0, 0) + u16(0x202, 0x311)),
		s(head2(cmd2Negotiate, 1, 0, 0, 0) + u16(65, 1, 0x311, 1) + guid + u32(0x7f, 1<<20, 1<<21, 1<<22) + u32(0, 0, 0, 0) + u16(128, 0) + u32(0)),
		c(head2(cmd2SessionSetup, 0, 0, 1, 0) + u16(25) + "\x00\x01" + u32(1, 0) + u16(88, len(auth)) + u32(0, 0) + auth),
		s(head2(cmd2SessionSetup, 1, 0xc000006d, 1, 0) + u16(9, 0, 72, 0)),
		c(head2(cmd2TreeConnect, 0, 0, 2, 0) + u16(9, 0, 72, 22) + wide(`\\nas\pub..`)),
		s(head2(cmd2TreeConnect, 1, 0, 2, 0) + u16(16) + "\x01\x00" + u32(0, 0, 0)),
		c(head2(cmd2Create, 0, 0, 3, 64+len(create)) + create + head2(cmd2Close, 4, 0, 4, 0) + u16(24, 0) + u32(0) + file),
		s(head2(cmd2Create, 3, statusPending, 3, 0) + u16(9, 0) + u32(0)),
		s(head2(cmd2Create, 1, 0, 3, 64+88) + u16(89) + "\x00\x00" + u32(2) + u32(0, 0, 0, 0, 0, 0, 0, 0) + u32(8, 0) + u32(99, 0) + u32(0x80, 0) + file + u32(0, 0) + head2(cmd2Close, 5, 0, 4, 0) + u16(60, 0) + u32(0)),
		c(head2(cmd2Write, 0, 0, 5, 0) + write),
		s(head2(cmd2Write, 1, 0, 5, 0) + u16(17, 0) + u32(len(data), 0)),
		c(head2(cmd2SetInfo, 0, 0, 6, 0) + u16(33) + "\x01\x0a" + u32(len(rename)) + u16(96, 0) + u32(0) + file + rename),
		s(head2(cmd2SetInfo, 1, 0xc0000022, 6, 0) + u16(2)),
	}
}
