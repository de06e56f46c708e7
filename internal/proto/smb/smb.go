// Package smb reads Windows file sharing: the NetBIOS session service (RFC
// 1002), SMB1 ([MS-CIFS], [MS-SMB]) and SMB2/3 ([MS-SMB2]), over port 445 or
// 139. Of each message only a bounded prefix is looked at; file contents are
// passed over by their length.
package smb

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dcerpc"
	"github.com/yamori-net/yamori/internal/textline"
)

// Limits.
const (
	// maxPrefix is how much of one message is ever kept. Only a session setup
	// with a Kerberos ticket needs as much; see prefixLen.
	maxPrefix = 16 << 10
	// maxPending is how many requests wait for their answer; the oldest is
	// reported without one. Windows grants up to 512 credits, and what is
	// outstanding then are reads and writes. Each takes 1.5 kB and its names.
	maxPending = 64
	// maxKept is how many transactions a parser keeps for its next flow.
	maxKept = 8
	// maxKeptText is how much memory for names a kept transaction may hold.
	maxKeptText = 4 << 10
	// maxText is how much of a name is kept, bytes of UTF-8.
	maxText = 512
	// maxDialects bounds the dialects kept of one negotiation. Samba offers
	// ten, Windows at most eight.
	maxDialects = 16
	// maxAndX bounds the commands chained in one SMB1 message.
	maxAndX = 8
	// maxCompound bounds the messages chained in one SMB2 frame.
	maxCompound = 32
	// maxLost is how many bytes of a direction are searched for the next
	// message after framing was lost, before giving up.
	maxLost = 4 << 20
	// maxEncrypted is how many encrypted messages each side sends, with no
	// plain one between, before the flow is let go.
	maxEncrypted = 2
)

// Type is the event_type of SMB transactions.
const Type event.Type = "smb"

// Protocol describes SMB.
var Protocol = proto.Protocol{
	Name:  "smb",
	Event: Type,
	Doc:   "Windows file sharing: SMB1, SMB2 and SMB3",
	On:    proto.TCP,
	Ports: []uint16{445, 139},
	Limit: 4 + maxPrefix,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: append(buffers, dcerpc.Buffers(func(tx proto.Tx) *dcerpc.Call {
		if t, ok := tx.(*Tx); ok {
			return &t.DCE
		}
		return nil
	})...),
}

var buffers = []proto.Buffer{
	{Name: "smb.named_pipe", Doc: `name of the pipe share connected to, such as \\host\IPC$`, Dir: packet.ToServer, Get: get(func(t *Tx) []byte {
		if t.IsPipe() {
			return t.Share
		}
		return nil
	})},
	{Name: "smb.share", Doc: `name of the share connected to, such as \\host\public`, Dir: packet.ToServer, Get: get(func(t *Tx) []byte {
		if t.IsPipe() {
			return nil
		}
		return t.Share
	})},
	{Name: "smb.version", Doc: "version of the request, 1 or 2 (also of SMB3), a decimal number", Dir: packet.ToServer, Get: get(func(t *Tx) []byte { return t.version(t.HasReq) })},
	{Name: "smb.version", Doc: "version of the answer, 1 or 2 (also of SMB3), a decimal number", Dir: packet.ToClient, Get: get(func(t *Tx) []byte { return t.version(t.HasRsp) })},
	{Name: "smb.ntlmssp_user", Doc: "user name of an NTLM authentication", Dir: packet.ToServer, Get: get(func(t *Tx) []byte { return t.NTLM.User })},
	{Name: "smb.ntlmssp_domain", Doc: "domain of an NTLM authentication", Dir: packet.ToServer, Get: get(func(t *Tx) []byte { return t.NTLM.Domain })},
}

func get(f func(*Tx) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 {
			return nil, false
		}
		b := f(t)
		return b, len(b) > 0
	}
}

// Header is what every message carries, of either version.
type Header struct {
	Status    uint32   // NTSTATUS; of requests zero (SMB2.1: channel sequence)
	Flags     uint32   // SMB1: Flags (8 bits); SMB2: Flags
	Flags2    uint16   // SMB1 only
	MID       uint64   // SMB1: multiplex identifier (16 bits); SMB2: MessageId
	PID       uint32   // SMB1: process identifier, both halves
	TID       uint32   // tree
	UID       uint64   // SMB1: user (16 bits); SMB2: SessionId
	Signature [16]byte // SMB1: the first eight bytes
	Credits   uint16   // SMB2: requested or granted
	Charge    uint16   // SMB2: CreditCharge
	Async     bool     // SMB2: answered later, TID is not set
}

// Trans describes an SMB1 transaction request: TRANS, TRANS2, NT_TRANS and
// their secondaries, [MS-CIFS] 2.2.4.33, .46, .62. Counts are in bytes.
type Trans struct {
	Set          bool
	Subcommand   uint16 // TRANS, TRANS2: Setup[0]; NT_TRANS: Function
	HasSub       bool   // secondaries carry none
	SetupCount   uint8
	Flags        uint16
	Timeout      uint32 // milliseconds
	MaxParam     uint32
	MaxData      uint32
	TotalParam   uint32
	TotalData    uint32
	ParamCount   uint32
	ParamDisp    uint32
	DataCount    uint32
	DataDisp     uint32
	DataHead     [16]byte // the first bytes of the data
	DataHeadLen  int
	ParamHead    [16]byte // the first bytes of the parameters
	ParamHeadLen int
}

// FEAListSize returns the length that the data claims as a list of extended
// attributes ([MS-CIFS] 2.2.1.2.2.1, SizeOfListInBytes), when the beginning of
// the data is here. EternalBlue (CVE-2017-0144) claims 65536 in it.
func (t *Trans) FEAListSize() (n uint32, ok bool) {
	if t.DataDisp != 0 || t.DataHeadLen < 4 {
		return 0, false
	}
	return le32(t.DataHead[:]), true
}

// NTLM is what an NTLMSSP AUTHENTICATE message says, [MS-NLMP] 2.2.1.3.
type NTLM struct {
	Set                bool
	User, Domain, Host []byte
	Version            [8]byte // major, minor, build (2), reserved (3), revision
	HasVersion         bool
}

// Tx is a request and its answer, or one of them when the other has none or
// was not seen. It is emitted when the request is read and as done with the
// answer; messages that are never answered (secondaries, cancel) are emitted
// once, as done.
type Tx struct {
	ID      uint64 // in its flow, from 1
	Version uint8  // 1, 2 (also for SMB3); 0: NetBIOS session request
	Command uint16 // of either version; see CommandName

	Req, Rsp    Header
	HasReq      bool
	HasRsp      bool
	Encrypted   bool // a transform header (SMB3): nothing else is known
	Compressed  bool // a compression transform header: see Compression
	Chain       [maxAndX]uint8
	ChainLen    int    // SMB1: commands in Chain, the first is Command
	Length      int    // bytes of the request message
	RspLength   int    // bytes of the response message
	Dialect     string // agreed so far, "" when not known
	Compression Compression
	Called      []byte // NetBIOS session request: name of the server
	Calling     []byte // and of the client
	Dialects    [maxDialects][]byte
	NDialects   int
	ClientGUID  [16]byte
	ServerGUID  [16]byte
	HasClientID bool
	HasServerID bool
	MaxRead     uint32 // SMB2 negotiation
	MaxWrite    uint32
	NativeOS    []byte // SMB1 session setup request
	NativeLM    []byte
	RspOS       []byte // SMB1 session setup response
	RspLM       []byte
	NTLM        NTLM
	Kerberos    bool   // the security blob holds a Kerberos ticket
	Share       []byte // tree connect
	Service     []byte // SMB1 tree connect request: "A:", "IPC", "?????"
	RspService  []byte
	ShareType   uint8 // SMB2: 1 disk, 2 pipe, 3 print
	Filename    []byte
	Rename      []byte // SMB2 set info, class 10: the new name
	Delete      bool   // SMB2 set info, class 13: delete on close
	HasCreate   bool   // the three below are set
	Disposition uint32
	Access      uint32
	Options     uint32
	Size        uint64   // of the file opened
	FileID      [16]byte // SMB1: two bytes
	FileIDLen   int
	IoctlCode   uint32 // SMB2 ioctl
	InfoClass   uint8  // SMB2 query and set info
	InfoType    uint8
	Offset      uint64 // read, write
	DataLen     uint32 // read, write: bytes asked for or sent
	Trans       Trans
	RspTrans    Trans       // counts of the response
	DCE         dcerpc.Call // what the messages carry through a pipe
	key         uint64
	buf         []byte // memory behind the texts
	digit       [1]byte
}

// Compression is the header of [MS-SMB2] 2.2.42.1.
type Compression struct {
	OriginalSize uint32
	Algorithm    uint16
	Flags        uint16
	Offset       uint32
}

func (t *Tx) version(has bool) []byte {
	if !has || t.Version == 0 {
		return nil
	}
	t.digit[0] = '0' + t.Version
	return t.digit[:]
}

// RPC returns what the transaction carries of a DCERPC call.
func (t *Tx) RPC() *dcerpc.Call { return &t.DCE }

// BigEndian reports the order of integers in the stub data of that call.
func (t *Tx) BigEndian(d packet.Dir) bool { return t.DCE.BigEndian(d) }

// IsPipe reports whether the transaction connects to a share of pipes.
func (t *Tx) IsPipe() bool {
	if t.ShareType == 2 || string(t.RspService) == "IPC" {
		return true
	}
	n := len(t.Share) - len("IPC$")
	return n >= 0 && textline.Is(t.Share[n:], "IPC$")
}

// EventType returns Type, or "" for the messages of which a file transfer has
// thousands and for those that say nothing.
func (t *Tx) EventType() event.Type {
	if t.Encrypted {
		return Type
	}
	switch t.Version {
	case 1:
		switch t.Command {
		case cmd1Read, cmd1Write, cmd1ReadAndX, cmd1WriteAndX, cmd1Locking, cmd1Echo, cmd1Cancel:
			return dceType(t)
		}
		return Type
	case 2:
		switch t.Command {
		case cmd2Read, cmd2Write, cmd2Lock, cmd2Echo, cmd2Cancel, cmd2Flush, cmd2Notify, cmd2Break, cmd2QueryInfo, cmd2Find:
			return dceType(t)
		}
		return Type
	}
	return ""
}

func dceType(t *Tx) event.Type {
	if t.DCE.Seen() {
		return Type
	}
	return ""
}

func (t *Tx) reset() {
	t.DCE.Reset()
	*t = Tx{buf: t.buf[:0], DCE: t.DCE}
}
