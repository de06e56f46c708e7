// Package smtp reads mail submission and relay (RFC 5321): who greets, from
// whom and to whom mails go, and the head of each mail. Bodies are passed
// over.
package smtp

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// maxLine is how much of a line is kept (RFC 5321 section 4.5.3.1.6 allows
	// 1000 in a mail); the rest is passed over.
	maxLine = 1024
	// maxRcpt bounds the recipients kept of one mail; section 4.5.3.1.8 asks
	// servers for 100.
	maxRcpt = 100
	// maxField is how much of an address, a name or a header field is kept.
	maxField = 320
	// maxChunk bounds what a BDAT command may announce.
	maxChunk = 1<<31 - 1
	// maxHeader bounds the bytes of a mail's head that are read.
	maxHeader = 16 << 10
)

// Type is the event_type of mails.
const Type event.Type = "smtp"

// Protocol describes SMTP.
var Protocol = proto.Protocol{
	Name:  "smtp",
	Event: Type,
	Doc:   "Simple Mail Transfer Protocol",
	On:    proto.TCP,
	Ports: []uint16{25, 587, 2525},
	// Limit stays the default: beside a line, a client's first TLS bytes may
	// have to wait for the server's consent.
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "smtp.helo", Doc: "argument of HELO or EHLO", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Helo })},
		{Name: "smtp.mail_from", Doc: "sender as in MAIL FROM, with its angle brackets", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.From })},
		{Name: "smtp.rcpt_to", Doc: "each recipient as in RCPT TO, with its angle brackets", Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i < 0 || i >= len(t.Rcpt) {
				return nil, false
			}
			return t.Rcpt[i], true
		}},
		{Name: "email.from", Doc: "From of the mail", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.HdrFrom })},
		{Name: "email.to", Doc: "To of the mail", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.HdrTo })},
		{Name: "email.cc", Doc: "Cc of the mail", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Cc })},
		{Name: "email.subject", Doc: "Subject of the mail, as sent", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Subject })},
		{Name: "email.date", Doc: "Date of the mail", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Date })},
		{Name: "email.message_id", Doc: "Message-ID of the mail, with its angle brackets", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.ID })},
		{Name: "email.x_mailer", Doc: "X-Mailer of the mail", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Mailer })},
		{Name: "email.received", Doc: "each Received of the mail", Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i < 0 || i >= len(t.Received) {
				return nil, false
			}
			return t.Received[i], true
		}},
	},
}

// maxAttached bounds the names kept of a mail's attachments.
const maxAttached = 16

// maxReceived bounds the stations kept of a mail's way; mails have about five.
const maxReceived = 16

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

// Tx is a mail, or what a session without one said. It is emitted with each
// thing learnt, and as done with the server's answer to the mail.
type Tx struct {
	Helo     []byte
	From     []byte
	Rcpt     [][]byte
	Subject  []byte // of the mail's head, as sent
	HdrFrom  []byte
	HdrTo    []byte
	Cc       []byte
	Date     []byte
	ID       []byte   // Message-ID
	Mailer   []byte   // X-Mailer
	Received [][]byte // the first maxReceived
	MailSize int      // bytes of the mail seen
	Status   uint16   // reply code to the mail, 0: none seen
	Auth     []byte   // mechanism of the last AUTH
	AuthOK   bool
	AuthBad  int  // refused so far in the flow
	StartTLS bool // was accepted
	Data     bool // DATA or BDAT was given
	Mail     MailState
	Attached [][]byte // names of attachments, the first maxAttached; only where somebody listens to files

	buf []byte
}

// MailState is how far the mail itself was read.
type MailState uint8

// States of a mail.
const (
	NoMail MailState = iota
	MailHead
	MailBody
	MailDone
	MailBad // its parts cannot be told apart: a boundary is too long
)

// String returns Suricata's word.
func (s MailState) String() string {
	switch s {
	case MailHead:
		return "HEADER_STARTED"
	case MailBody:
		return "BODY_STARTED"
	case MailDone:
		return "PARSE_DONE"
	case MailBad:
		return "PARSE_ERROR"
	}
	return ""
}

// reached notes that a mail has come so far.
func (t *Tx) reached(s MailState) { t.Mail = max(t.Mail, s) }

// EventType returns Type when there is anything to tell.
func (t *Tx) EventType() event.Type {
	if len(t.Helo)+len(t.From)+len(t.Rcpt) == 0 {
		return ""
	}
	return Type
}

// EncodeEVE appends "smtp":{…}, and "email":{…} when a mail was seen, in
// Suricata's shape.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("smtp")
	e.OptBytes("helo", t.Helo)
	e.OptBytes("mail_from", t.From)
	if len(t.Rcpt) > 0 {
		e.Arr("rcpt_to")
		for _, r := range t.Rcpt {
			e.Bytes("", r)
		}
		e.EndArr()
	}
	e.EndObj()
	if t.Mail != NoMail || len(t.HdrFrom)+len(t.HdrTo)+len(t.Subject) > 0 {
		e.Obj("email")
		e.OptStr("status", t.Mail.String())
		e.OptBytes("from", t.HdrFrom)
		if len(t.HdrTo) > 0 {
			e.Arr("to")
			e.Bytes("", t.HdrTo)
			e.EndArr()
		}
		if len(t.Cc) > 0 {
			e.Arr("cc")
			e.Bytes("", t.Cc)
			e.EndArr()
		}
		e.OptBytes("subject", t.Subject)
		e.OptBytes("date", t.Date)
		e.OptBytes("message_id", t.ID)
		e.OptBytes("x_mailer", t.Mailer)
		if len(t.Attached) > 0 {
			e.Arr("attachment")
			for _, a := range t.Attached {
				e.Bytes("", a)
			}
			e.EndArr()
		}
		e.EndObj()
	}
}

// keep copies up to maxField bytes of b into the transaction's memory.
func (t *Tx) keep(b []byte) []byte {
	start := len(t.buf)
	t.buf = proto.Append(t.buf, b[:min(len(b), maxField)])
	return t.buf[start:len(t.buf):len(t.buf)]
}

// next empties t for another mail of the same session.
func (t *Tx) next() {
	auth, ok, bad := t.Auth, t.AuthOK, t.AuthBad
	var helo, mech [maxField]byte
	h, a := copy(helo[:], t.Helo), copy(mech[:], auth)
	*t = Tx{buf: t.buf[:0], Rcpt: t.Rcpt[:0], Received: t.Received[:0], Attached: t.Attached[:0], AuthOK: ok, AuthBad: bad}
	t.Helo, t.Auth = t.keep(helo[:h]), t.keep(mech[:a])
}
