// Package pop3 reads mailbox sessions of the Post Office Protocol (RFC 1939,
// 2449, 2595): commands with their answers. Mails are passed over.
package pop3

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// maxLine is how much of a line is kept; the rest is passed over. RFC 1939
	// allows answers of 512 bytes, commands of 255 (RFC 2449).
	maxLine = 1024
	// maxPending is how many pipelined commands wait for their answer.
	maxPending = 16
	// maxField is how much of an argument or answer is kept.
	maxField = 256
)

// Type is the event_type of commands.
const Type event.Type = "pop3"

// Protocol describes POP3.
var Protocol = proto.Protocol{
	Name:  "pop3",
	Event: Type,
	Doc:   "Post Office Protocol 3",
	On:    proto.TCP,
	Ports: []uint16{110},
	// Limit stays the default: beside a line, a client's first TLS bytes may
	// have to wait for the server's consent.
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Tx is a command with its answer, or the server's greeting (no command).
type Tx struct {
	Command  []byte // as sent
	Arg      []byte // of AUTH only the mechanism, of APOP only the name
	Secret   bool   // Arg is a password: never logged
	Answered bool
	OK       bool   // the answer was +OK
	Header   []byte // the answer behind its status
	User     []byte // last name given in the flow
	buf      []byte
}

// EventType returns Type.
func (t *Tx) EventType() event.Type { return Type }

// EncodeEVE appends "pop3":{…}, without passwords.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("pop3")
	if len(t.Command) > 0 {
		e.Obj("request")
		e.Bytes("command", t.Command)
		if len(t.Arg) > 0 && !t.Secret {
			e.Arr("args")
			e.Bytes("", t.Arg)
			e.EndArr()
		}
		e.EndObj()
	}
	if t.Answered {
		e.Obj("response")
		e.Bool("success", t.OK)
		if t.OK {
			e.Str("status", "OK")
		} else {
			e.Str("status", "ERR")
		}
		e.OptBytes("header", t.Header)
		e.EndObj()
	}
	e.EndObj()
}

func (t *Tx) reset() { *t = Tx{buf: t.buf[:0]} }

// keep copies up to maxField bytes of b into the transaction's memory.
func (t *Tx) keep(b []byte) []byte {
	start := len(t.buf)
	t.buf = proto.Append(t.buf, b[:min(len(b), maxField)])
	return t.buf[start:len(t.buf):len(t.buf)]
}
