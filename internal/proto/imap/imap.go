// Package imap reads mailbox sessions of the Internet Message Access Protocol
// (RFC 3501, 9051): commands with the status of their answers, and who logs
// in. Mails (literals) are passed over.
package imap

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// Limits.
const (
	// maxLine is how much of a line is kept; the rest is passed over.
	maxLine = 2048
	// maxPending is how many commands under way are remembered.
	maxPending = 16
	// maxField is how much of a name or answer is kept.
	maxField = 256
	// maxLiteral bounds what a literal may announce.
	maxLiteral = 1 << 30
	// maxTag is the longest tag that the probe takes for one. Clients count
	// up: "a1", "A0001", "12.34".
	maxTag = 24
)

// Type is the event_type of commands.
const Type event.Type = "imap"

// Protocol describes IMAP.
var Protocol = proto.Protocol{
	Name:  "imap",
	Event: Type,
	Doc:   "Internet Message Access Protocol",
	On:    proto.TCP,
	Ports: []uint16{143},
	// Limit stays the default: beside a line, a client's first TLS bytes may
	// have to wait for the server's consent.
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Tx is a command with its tagged answer, or the server's greeting (no tag).
type Tx struct {
	Tag       []byte
	Command   []byte // as sent
	User      []byte // LOGIN
	Mechanism []byte // AUTHENTICATE
	Mailbox   []byte // SELECT, EXAMINE
	Greeting  []byte // text of the untagged OK that begins a session
	Status    []byte // OK, NO, BAD; of a greeting OK, PREAUTH or BYE
	Text      []byte // behind the status of the tagged answer
	capable   []byte
	buf       []byte
}

// Capability returns the list of the last untagged CAPABILITY before the
// answer, without the word itself.
func (t *Tx) Capability() []byte { return t.capable }

// EventType returns Type for greetings, for the commands that tell about a
// session, and for those refused; "" for the rest.
func (t *Tx) EventType() event.Type {
	if len(t.Tag) == 0 {
		return Type
	}
	for _, w := range [...]string{"CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "ID", "SELECT", "EXAMINE", "LOGOUT"} {
		if textline.Is(t.Command, w) {
			return Type
		}
	}
	if len(t.Status) > 0 && !textline.Is(t.Status, "OK") {
		return Type
	}
	return ""
}

// EncodeEVE appends "imap":{…}, without passwords.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("imap")
	e.OptBytes("greeting", t.Greeting)
	e.OptBytes("tag", t.Tag)
	e.OptBytes("command", t.Command)
	e.OptBytes("user", t.User)
	e.OptBytes("mechanism", t.Mechanism)
	e.OptBytes("mailbox", t.Mailbox)
	e.OptBytes("status", t.Status)
	e.OptBytes("capability", t.capable)
	e.EndObj()
}

func (t *Tx) reset() { *t = Tx{buf: t.buf[:0]} }

// keep copies up to maxField bytes of b into the transaction's memory.
func (t *Tx) keep(b []byte) []byte {
	start := len(t.buf)
	t.buf = proto.Append(t.buf, b[:min(len(b), maxField)])
	return t.buf[start:len(t.buf):len(t.buf)]
}
