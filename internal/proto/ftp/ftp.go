// Package ftp reads the control connection of the File Transfer Protocol (RFC
// 959, 2428, 4217): commands with their replies, and where data connections
// go.
package ftp

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// Limits.
const (
	// maxLine is how much of a line is kept; the rest is passed over.
	maxLine = 1024
	// maxPending is how many pipelined commands wait for their reply.
	maxPending = 16
	// maxReplies bounds the reply lines kept of one transaction; help texts
	// and directory banners have more.
	maxReplies = 16
	// maxText bounds the bytes of them.
	maxText = 4 << 10
)

// Type is the event_type of commands.
const Type event.Type = "ftp"

// Protocol describes FTP.
var Protocol = proto.Protocol{
	Name:  "ftp",
	Event: Type,
	Doc:   "File Transfer Protocol, control connection",
	On:    proto.TCP,
	Ports: []uint16{21, 2121},
	// Limit stays the default: beside a line, a client's first TLS bytes may
	// have to wait for the server's consent.
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "ftp.command", Doc: "command word", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Command })},
		{Name: "ftp.command_data", Doc: "what follows the command word and a space", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Arg })},
		{Name: "ftp.reply", Doc: "text of each reply line without its code", Dir: packet.ToClient, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i < 0 || i >= t.NReplies {
				return nil, false
			}
			return t.Replies[i].Text, true
		}},
		{Name: "ftp.reply_received", Doc: "yes once the command was answered", Dir: packet.ToClient, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			return yes, ok && i == 0 && t.NReplies > 0
		}},
		{Name: "ftp.completion_code", Doc: "three-digit code of each reply line that has one", Dir: packet.ToClient, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok {
				return nil, false
			}
			for j := range t.Replies[:t.NReplies] {
				if r := &t.Replies[j]; r.HasCode {
					if i == 0 {
						return r.Code[:], true
					}
					i--
				}
			}
			return nil, false
		}},
	},
}

func one(f func(*Tx) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 {
			return nil, false
		}
		b := f(t)
		return b, len(b) > 0
	}
}

// Reply is one line of a reply.
type Reply struct {
	Code    [3]byte // digits
	HasCode bool    // a continuation line may have none
	Text    []byte
}

// Tx is a command with its replies, or the server's greeting (no command). It
// is emitted when the command is read and as done with its final reply.
type Tx struct {
	Command    []byte // as sent
	Arg        []byte
	Truncated  bool // the line was longer than what is kept
	Replies    [maxReplies]Reply
	NReplies   int
	Complete   bool   // the final reply was seen
	Code       uint16 // of the final reply
	User       []byte // last USER of the flow
	DataAddr   packet.Addr
	DataPort   uint16 // non-zero: DataAddr and DataPort are where the data connection goes
	Passive    bool   // the server waits there (PASV, EPSV); else the client (PORT, EPRT)
	buf        []byte
	replyBytes int
}

var yes = []byte("yes")

// EventType returns Type.
func (t *Tx) EventType() event.Type { return Type }

// EncodeEVE appends "ftp":{…} in Suricata's shape, without passwords.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("ftp")
	if len(t.Command) > 0 {
		e.Bytes("command", t.Command)
		if len(t.Arg) > 0 && !textline.Is(t.Command, "PASS") && !textline.Is(t.Command, "ACCT") {
			e.Bytes("command_data", t.Arg)
			e.Bool("command_truncated", t.Truncated)
		}
	}
	if t.NReplies > 0 {
		e.Arr("completion_code")
		for i := range t.Replies[:t.NReplies] {
			if r := &t.Replies[i]; r.HasCode {
				e.Bytes("", r.Code[:])
			}
		}
		e.EndArr()
		e.Arr("reply")
		for i := range t.Replies[:t.NReplies] {
			e.Bytes("", t.Replies[i].Text)
		}
		e.EndArr()
	}
	if t.DataPort != 0 {
		e.Uint("dynamic_port", uint64(t.DataPort))
		if t.Passive {
			e.Str("mode", "passive")
		} else {
			e.Str("mode", "active")
		}
	}
	if t.Complete {
		e.Str("reply_received", "yes")
	} else {
		e.Str("reply_received", "no")
	}
	e.EndObj()
}

func (t *Tx) reset() { *t = Tx{buf: t.buf[:0]} }

// keep copies b into the transaction's memory.
func (t *Tx) keep(b []byte) []byte {
	start := len(t.buf)
	t.buf = proto.Append(t.buf, b)
	return t.buf[start:len(t.buf):len(t.buf)]
}
