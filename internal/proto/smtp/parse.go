package smtp

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// tlsHandshake is the content type of a ClientHello's record, RFC 8446 section
// 5.1; no command begins with it.
const tlsHandshake = 0x16

type mode uint8

const (
	commands mode = iota
	mailHead      // header of a mail
	mailBody
	auth // lines of an AUTH dialogue
)

// What the next final reply answers.
type question uint8

const (
	other question = iota
	askData
	askMail // the mail itself, after its end
	askTLS
	askAuth
)

// maxQuestions is how many pipelined commands wait for replies; RFC 2920 sets
// no bound, and beyond this one replies are no longer matched.
const maxQuestions = 2 * maxRcpt

type parser struct {
	tx      Tx
	started bool // tx holds something not yet emitted as done
	mode    mode
	bdat    int // bytes of a chunk still to come
	last    bool
	skip    [2]bool // passing over the rest of a long line
	head    int     // bytes of the mail's head read
	asked   [maxQuestions]question
	nAsked  int
	greeted bool
	waitTLS bool
	heard   bool         // the server has said anything
	num     uint64       // mails emitted so far
	mime    *attachments // of the mail under way, when somebody listens
}

func (p *parser) Reset() {
	p.release()
	*p = parser{tx: Tx{buf: proto.Keep(p.tx.buf, keptText), Rcpt: proto.Keep(p.tx.Rcpt, keptRcpt), Received: proto.Keep(p.tx.Received, maxReceived),
		Attached: proto.Keep(p.tx.Attached, maxAttached)}}
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	n, err = p.parse(c, d, data)
	if p.mime != nil {
		p.mime.r.Flush()
	}
	return n, err
}

func (p *parser) parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	p.heard = p.heard || d == packet.ToClient
	for n < len(data) {
		b := data[n:]
		if d == packet.ToServer {
			if p.waitTLS && b[0] == tlsHandshake {
				p.early(c)
				return n, nil
			}
			if p.bdat > 0 {
				used := min(p.bdat, len(b))
				p.bdat -= used
				p.tx.MailSize += used
				p.tx.reached(MailBody)
				n += used
				p.feed(c, b[:used])
				if p.bdat == 0 && p.last {
					p.tx.reached(MailDone)
					p.endMail(false)
					p.ask(askMail)
				}
				continue
			}
			// A dot that may end the mail, seen before its line is whole.
			if p.mode == mailBody && !p.skip[d] && b[0] != '.' {
				used := p.body(b)
				p.feed(c, b[:used])
				n += used
				continue
			}
		}
		if p.skip[d] {
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				p.count(c, d, b)
				return len(data), nil
			}
			p.skip[d] = false
			p.count(c, d, b[:end+1])
			n += end + 1
			continue
		}
		line, used, long := textline.Cut(b, maxLine)
		if used == 0 {
			return n, nil
		}
		if p.skip[d] = long; long && (d == packet.ToClient || p.mode == commands) {
			c.Anomaly("smtp_line_too_long")
		}
		n += used
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case d == packet.ToClient:
			if p.reply(c, line) {
				return n, nil
			}
		case p.mode == commands:
			p.command(c, line)
		case p.mode == auth:
			// A password or a token: not looked at.
		default:
			p.mail(c, line, b[:used])
		}
	}
	return n, nil
}

// early leaves the client's TLS bytes for the TLS parser, once the server
// agrees. Where only the client is seen, that it goes on says enough.
func (p *parser) early(c *proto.Conn) {
	if !p.heard {
		c.Switch("tls")
	}
}

func (p *parser) count(c *proto.Conn, d packet.Dir, b []byte) {
	if d == packet.ToServer && p.mode != commands {
		p.tx.MailSize += len(b)
		if p.inMail() {
			p.feed(c, b)
		}
	}
}

// body passes over the beginning of b up to the end of a line, or all of it.
func (p *parser) body(b []byte) int {
	n := bytes.IndexByte(b, '\n') + 1
	if n == 0 {
		n = len(b)
		p.skip[packet.ToServer] = true
	}
	p.tx.MailSize += n
	return n
}

func (p *parser) inMail() bool { return p.mode == mailHead || p.mode == mailBody }

func (p *parser) ask(q question) {
	if p.nAsked < maxQuestions {
		p.asked[p.nAsked] = q
		p.nAsked++
	}
}

func (p *parser) command(c *proto.Conn, line []byte) {
	word, arg, _ := bytes.Cut(line, []byte(" "))
	t := &p.tx
	switch {
	case textline.Is(word, "HELO"), textline.Is(word, "EHLO"), textline.Is(word, "LHLO"):
		t.Helo = t.keep(arg)
		p.ask(other)
	case textline.Is(word, "MAIL"):
		if a, ok := textline.CutPrefix(arg, "FROM:"); ok {
			if len(t.From) > 0 { // the one before was never sent
				p.done(c)
			}
			t.From = t.keep(path(a))
		}
		p.ask(other)
	case textline.Is(word, "RCPT"):
		if a, ok := textline.CutPrefix(arg, "TO:"); ok {
			if len(t.Rcpt) < maxRcpt {
				t.Rcpt = append(t.Rcpt, t.keep(path(a)))
			} else {
				c.Anomaly("smtp_too_many_recipients")
			}
		}
		p.ask(other)
	case textline.Is(word, "DATA"):
		// A client waits for the answer before it sends the mail; should the
		// answer be a refusal, it takes this back.
		p.mode, p.head, t.Data = mailHead, 0, true
		p.ask(askData)
	case textline.Is(word, "BDAT"):
		size, rest := number(arg)
		p.bdat, p.last = size, textline.Is(bytes.TrimSpace(rest), "LAST")
		t.Data = true
		switch { // the reply to the last chunk is the reply to the mail
		case !p.last:
			p.ask(other)
		case size == 0:
			p.endMail(false)
			p.ask(askMail)
		}
	case textline.Is(word, "STARTTLS"):
		p.waitTLS = true
		p.ask(askTLS)
	case textline.Is(word, "AUTH"):
		mech, _, _ := bytes.Cut(arg, []byte(" "))
		t.Auth = t.keep(mech)
		p.ask(askAuth)
	case textline.Is(word, "RSET"):
		if len(t.From) > 0 {
			p.done(c)
		}
		p.ask(other)
		return
	default:
		p.ask(other)
		return
	}
	p.started = true
	c.Emit(t, false)
}

// path returns the address of "<a@b> SIZE=…", with its brackets.
func path(b []byte) []byte {
	b = bytes.TrimSpace(b)
	if i := bytes.IndexByte(b, '>'); i >= 0 {
		return b[:i+1]
	}
	b, _, _ = bytes.Cut(b, []byte(" "))
	return b
}

// number reads decimal digits; a value beyond maxChunk counts as that.
func number(b []byte) (n int, rest []byte) {
	for len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
		n = int(min(int64(n)*10+int64(b[0]-'0'), maxChunk))
		b = b[1:]
	}
	return n, b
}

// mail takes one line of a mail.
func (p *parser) mail(c *proto.Conn, line, raw []byte) {
	t, size := &p.tx, len(raw)
	if string(line) == "." {
		p.mode = commands
		t.reached(MailDone)
		p.endMail(false)
		p.ask(askMail)
		return
	}
	if raw[0] == '.' { // was doubled, RFC 5321 section 4.5.2
		raw = raw[1:]
	}
	p.feed(c, raw)
	t.MailSize += size
	if p.mode != mailHead {
		return
	}
	t.reached(MailHead)
	p.head += size
	switch {
	case len(line) == 0 || p.head > maxHeader:
		p.mode = mailBody
		t.reached(MailBody)
		c.Emit(t, false)
	default:
		t.headLine(line)
	}
}

// headLine reads one line of a mail's head.
func (t *Tx) headLine(line []byte) {
	if v, ok := textline.CutPrefix(line, "received:"); ok {
		if len(t.Received) < maxReceived {
			t.Received = append(t.Received, t.keep(bytes.TrimSpace(v)))
		}
		return
	}
	for _, f := range [...]struct {
		dst  *[]byte
		name string
	}{{&t.Subject, "subject:"}, {&t.HdrFrom, "from:"}, {&t.HdrTo, "to:"}, {&t.Cc, "cc:"}, {&t.Date, "date:"}, {&t.ID, "message-id:"}, {&t.Mailer, "x-mailer:"}} {
		if t.field(f.dst, line, f.name) {
			return
		}
	}
}

// field keeps the first header field of the name. Continuation lines are left
// out.
func (t *Tx) field(dst *[]byte, line []byte, name string) bool {
	v, ok := textline.CutPrefix(line, name)
	if ok && len(*dst) == 0 {
		*dst = t.keep(bytes.TrimSpace(v))
	}
	return ok
}

// reply takes one line of the server. It reports whether TLS begins.
func (p *parser) reply(c *proto.Conn, line []byte) (tls bool) {
	code, final := splitCode(line)
	if !final {
		return false
	}
	if !p.greeted && code/100 == 2 && p.nAsked == 0 {
		p.greeted = true
		return false
	}
	p.greeted = true
	q, unasked := other, p.nAsked == 0
	if !unasked {
		if q = p.asked[0]; !(q == askAuth && code == 334) {
			copy(p.asked[:], p.asked[1:p.nAsked])
			p.nAsked--
		}
	}
	t := &p.tx
	if unasked && code != 354 && p.inMail() {
		// The end of the mail fell into a gap: its answer tells.
		q, p.mode = askMail, commands
	}
	switch q {
	case askData:
		if code != 354 && p.inMail() {
			p.mode = commands
			p.endMail(true)
		}
	case askMail:
		t.Status = code
		p.done(c)
	case askTLS:
		p.waitTLS = false
		if code == 220 {
			t.StartTLS = true
			c.Switch("tls")
			return true
		}
		c.Wake()
	case askAuth:
		switch {
		case code == 334:
			p.mode = auth
			return false
		case code == 235:
			t.AuthOK = true
		case code/100 >= 4:
			t.AuthBad++
		}
		if p.mode == auth {
			p.mode = commands
		}
		c.Emit(t, false)
	}
	return false
}

// splitCode reads the three digits; final tells that no more lines follow.
func splitCode(b []byte) (code uint16, final bool) {
	if len(b) < 3 {
		return 0, false
	}
	for _, c := range b[:3] {
		if c < '0' || c > '9' {
			return 0, false
		}
		code = code*10 + uint16(c-'0')
	}
	return code, len(b) == 3 || b[3] == ' '
}

// done emits the mail and begins another one.
func (p *parser) done(c *proto.Conn) {
	p.endMail(true)
	if p.started {
		c.Emit(&p.tx, true)
		p.num++
	}
	p.started = false
	p.tx.next()
}

// Gap goes on at the next line. Inside a mail that is enough; elsewhere the
// questions asked are forgotten.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	if d == packet.ToServer && p.mime != nil && (p.bdat > 0 || p.inMail()) {
		p.mime.gap(n)
	}
	if d == packet.ToServer && p.bdat > 0 {
		if n <= p.bdat {
			p.bdat -= n
			return nil
		}
		p.bdat = 0
	}
	p.skip[d] = true
	p.waitTLS = false
	if p.mode == auth || p.mode == commands || d == packet.ToClient {
		p.nAsked = 0
		if d == packet.ToClient && p.mode == auth {
			p.mode = commands
		}
	}
	if p.mode == mailHead {
		p.mode = mailBody
	}
	return nil
}

func (p *parser) End(c *proto.Conn) { p.done(c) }
