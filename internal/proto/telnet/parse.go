package telnet

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Commands, RFC 854.
const (
	se   = 240
	sb   = 250
	will = 251
	wont = 252
	do   = 253
	dont = 254
	iac  = 255
)

// Options whose subnegotiation is read.
const (
	optTerminal = 24 // RFC 1091
	optEnviron  = 39 // RFC 1572
)

type state uint8

const (
	inData   state = iota
	afterIAC       // command awaited
	afterCmd       // option awaited
	inSub          // subnegotiation
	subIAC         // IAC inside it
)

// half is one direction.
type half struct {
	state state
	cmd   byte
	cr    bool // last data byte was CR
	cut   bool // line longer than maxLine
	hid   bool // client: the line answers a prompt already reported
	line  []byte
	sub   []byte
	lines int // finished
}

type parser struct {
	half [2]half
	tx   Tx

	session      Tx // the summary in the making
	asked        Cue
	user         []byte // answer to AskUser
	named        bool   // the client's last line was such an answer
	terminal     []byte
	envUser      []byte
	shown        int  // how much of the server's unfinished line is answered
	pending      bool // a password was given, the outcome is open
	pendingLines int
	started      bool // anything was seen
}

func (p *parser) Reset() {
	for d := range p.half {
		p.half[d] = half{line: p.half[d].line[:0], sub: p.half[d].sub[:0]}
	}
	*p = parser{half: p.half, user: p.user[:0], terminal: p.terminal[:0], envUser: p.envUser[:0]}
}

// Parse consumes everything: what has to wait is kept here, bounded.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	h := &p.half[d]
	p.started = p.started || len(data) > 0
	for i := 0; i < len(data); i++ {
		b := data[i]
		switch h.state {
		case inData:
			if b == iac {
				h.state = afterIAC
				continue
			}
			p.text(c, d, b)
		case afterIAC:
			p.command(c, d, b)
		case afterCmd:
			p.option(d, h.cmd, b)
			h.state = inData
		case inSub:
			if b == iac {
				h.state = subIAC
			} else if len(h.sub) < maxSub {
				h.sub = append(h.sub, b)
			}
		case subIAC:
			switch b {
			case iac: // an escaped 255
				h.state = inSub
				if len(h.sub) < maxSub {
					h.sub = append(h.sub, b)
				}
			case se:
				p.subnegotiation(d)
				h.state = inData
			default:
				// RFC 855 allows nothing else; the command ends the option.
				c.Anomaly("telnet_bad_subnegotiation")
				p.command(c, d, b)
			}
		}
	}
	return len(data), nil
}

func (p *parser) command(c *proto.Conn, d packet.Dir, b byte) {
	h := &p.half[d]
	switch {
	case b == iac:
		h.state = inData
		p.text(c, d, b)
	case b >= will && b <= dont:
		h.cmd, h.state = b, afterCmd
	case b == sb:
		h.sub, h.state = h.sub[:0], inSub
	default: // NOP, GA, AYT, break and the like stand alone
		h.state = inData
	}
}

func (p *parser) option(d packet.Dir, cmd, o byte) {
	if o >= maxOptions {
		return
	}
	switch cmd {
	case will:
		p.session.Will[d][o/8] |= 1 << (o % 8)
	case do:
		p.session.Do[d][o/8] |= 1 << (o % 8)
	}
}

func (p *parser) subnegotiation(d packet.Dir) {
	s := p.half[d].sub
	p.session.Subnegotiations++
	if len(s) < 2 || s[1] != 0 || d != packet.ToServer { // IS
		return
	}
	switch s[0] {
	case optTerminal:
		p.terminal = append(p.terminal[:0], s[2:min(len(s), 2+maxUser)]...)
	case optEnviron:
		// VAR (0) or USERVAR (3) name, VALUE (1) value.
		const key = "\x00USER\x01"
		if i := bytes.Index(s[2:], []byte(key)); i >= 0 {
			v := s[2+i+len(key):]
			if end := bytes.IndexAny(v, "\x00\x03"); end >= 0 {
				v = v[:end]
			}
			p.envUser = append(p.envUser[:0], v[:min(len(v), maxUser)]...)
		}
	}
}

// text takes one byte of data. Lines end with CR LF, CR NUL (RFC 854), a bare
// CR or a bare LF.
func (p *parser) text(c *proto.Conn, d packet.Dir, b byte) {
	h := &p.half[d]
	if d == packet.ToServer && len(h.line) == 0 && !h.hid && !(h.cr && (b == '\n' || b == 0)) {
		p.prompt(c)
		h.hid = true
	}
	wasCR := h.cr
	h.cr = b == '\r'
	switch {
	case wasCR && (b == '\n' || b == 0) && d == packet.ToServer: // the line ended at the CR
		return
	case b == '\r' && d == packet.ToServer, b == '\n':
		p.endLine(c, d)
		return
	case b == '\r' || b == 0:
		return
	case d == packet.ToServer && (b == 8 || b == 0x7f): // the user corrects a character
		if len(h.line) > 0 {
			h.line = h.line[:len(h.line)-1]
		}
		return
	case d == packet.ToServer && b == 0x15: // ^U, the line
		h.line = h.line[:0]
		return
	}
	if len(h.line) < maxLine {
		h.line = append(h.line, b)
	} else {
		h.cut = true
	}
}

// prompt reports what the server was showing when the client began to type.
// Only then it is known that the line was a prompt and not half a line.
func (p *parser) prompt(c *proto.Conn) {
	s := &p.half[packet.ToClient]
	p.asked = None
	if line := s.line[p.shown:]; len(line) > 0 {
		p.asked = promptCue(line)
		p.emit(c, Tx{Kind: Prompt, Line: line, Cut: s.cut, Cue: p.asked})
		p.outcome(c, p.asked, false)
	}
	if p.asked != Shell && p.asked != AskUser && p.named {
		// Bots send the password right behind the name, asked or not.
		p.asked = AskPassword
	}
	p.named = false
}

func (p *parser) endLine(c *proto.Conn, d packet.Dir) {
	h := &p.half[d]
	h.lines++
	if d == packet.ToClient {
		p.shown = 0
		cue := lineCue(h.line)
		if h.lines <= maxServerLines && len(h.line) > 0 {
			p.emit(c, Tx{Kind: ServerLine, Line: h.line, Cut: h.cut, Cue: cue})
		}
		p.outcome(c, cue, true)
	} else {
		p.clientLine(c, h)
	}
	h.line, h.cut, h.hid = h.line[:0], false, false
}

func (p *parser) clientLine(c *proto.Conn, h *half) {
	if h.lines <= maxClientLines {
		p.emit(c, Tx{Kind: ClientLine, Line: h.line, Cut: h.cut, Asked: p.asked, Secret: p.asked == AskPassword})
	}
	switch p.asked {
	case AskUser:
		p.named = true
		p.shown = len(p.half[packet.ToClient].line)
		p.user = append(p.user[:0], h.line[:min(len(h.line), maxUser)]...)
	case AskPassword:
		p.pending, p.pendingLines = true, 0
		p.session.Logins++
		p.shown = len(p.half[packet.ToClient].line)
	}
	p.asked = None
}

// outcome settles an open login by what the server says next.
func (p *parser) outcome(c *proto.Conn, cue Cue, whole bool) {
	if !p.pending {
		return
	}
	switch cue {
	case Failure, AskUser, AskPassword:
		p.settle(c, Failed)
	case Shell, Success:
		p.settle(c, Succeeded)
	default:
		if whole {
			if p.pendingLines++; p.pendingLines > outcomeLines {
				p.settle(c, Unknown)
			}
		}
	}
}

// settle reports the open login, if there is one.
func (p *parser) settle(c *proto.Conn, r Result) {
	if !p.pending {
		return
	}
	p.pending = false
	if r == Failed {
		p.session.Failures++
	}
	if p.session.Logins <= maxLogins {
		p.emit(c, Tx{Kind: Login, User: p.user, Result: r, Attempt: p.session.Logins})
	}
}

func (p *parser) emit(c *proto.Conn, tx Tx) {
	p.tx = tx
	c.Emit(&p.tx, true)
}

// Gap drops the line at hand. A subnegotiation cut in two would swallow the
// rest of the session, so the state starts over as well.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, _ int) error {
	h := &p.half[d]
	h.state, h.line, h.cr, h.cut = inData, h.line[:0], false, false
	if d == packet.ToClient {
		p.shown = 0
	}
	return nil
}

// End settles what is open and emits the summary.
func (p *parser) End(c *proto.Conn) {
	p.outcome(c, promptCue(p.half[packet.ToClient].line[p.shown:]), false)
	p.settle(c, Unknown)
	if !p.started {
		return
	}
	tx := p.session
	tx.Kind, tx.Terminal, tx.User = Session, p.terminal, p.envUser
	tx.ClientLines, tx.ServerLines = p.half[packet.ToServer].lines, p.half[packet.ToClient].lines
	p.emit(c, tx)
	p.started = false
}
