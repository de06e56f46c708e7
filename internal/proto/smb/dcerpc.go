package smb

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dcerpc"
)

// maxPipes bounds the pipes of one connection whose conversations are followed;
// the one unused for longest is forgotten.
const maxPipes = 8

// pipe is an open pipe, or a file whose content looks like one.
type pipe struct {
	dcerpc.Pipe
	id   [16]byte // FileID
	tid  uint32   // tree
	wait *Tx      // answered write that carried a call; a read carries the call's answer
}

// pipeOf returns the pipe that t reads or writes, moved to the end of the list;
// with make set, a new one when there is none.
func (p *parser) pipeOf(t *Tx, make bool) *pipe {
	tid := t.Req.TID
	if !t.HasReq {
		tid = t.Rsp.TID
	}
	last := len(p.pipes) - 1
	for i := last; i >= 0; i-- {
		if x := p.pipes[i]; x.id == t.FileID && x.tid == tid {
			copy(p.pipes[i:], p.pipes[i+1:])
			p.pipes[last] = x
			return x
		}
	}
	if !make {
		return nil
	}
	var x *pipe
	switch n := len(p.freePipes); {
	case n > 0:
		x, p.freePipes = p.freePipes[n-1], p.freePipes[:n-1]
	case last+1 == maxPipes:
		x = p.pipes[0]
		p.pipes = p.pipes[:copy(p.pipes, p.pipes[1:])]
		p.release(x)
		x.Reset() // the released write no longer knows its interface
	default:
		x = new(pipe)
	}
	x.id, x.tid = t.FileID, tid
	p.pipes = append(p.pipes, x)
	return x
}

// pipeData takes what a message of direction d carries through a pipe; size is
// how much it says to carry. Files are written in the same way: what does not
// begin like DCERPC, nor goes on with it, is passed over.
func (p *parser) pipeData(t *Tx, d packet.Dir, b []byte, size int) {
	starts := dcerpc.Starts(d, b)
	if len(b) == 0 || !starts && len(p.pipes) == 0 {
		return
	}
	x := p.pipeOf(t, starts)
	if x == nil || !starts && !x.Busy(d) {
		return
	}
	x.Feed(&t.DCE, d, b, len(b) < size)
	if d == packet.ToClient && t.DCE.Rsp.Done && !t.DCE.Req.Done {
		p.answer(x, t)
	}
}

// answer moves the answer to a call from the read that carried it to the write
// that carried the call.
func (p *parser) answer(x *pipe, t *Tx) {
	if w := x.wait; w != nil && w.DCE.Answer(&t.DCE) {
		p.release(x)
		return
	}
	for _, w := range p.pending { // the write's own answer is still to come
		if w != t && w.FileID == t.FileID && w.DCE.Waits() && w.DCE.Answer(&t.DCE) {
			return
		}
	}
}

// written emits an answered write, or keeps it until the call that it carried
// is answered.
func (p *parser) written(c *proto.Conn, t *Tx) {
	if t.DCE.Waits() {
		if x := p.pipeOf(t, false); x != nil {
			p.release(x)
			x.wait = t
			return
		}
	}
	p.single(c, t)
}

// release puts the write that waits on x among those to be emitted.
func (p *parser) release(x *pipe) {
	if x.wait != nil {
		p.ready = append(p.ready, x.wait)
		x.wait = nil
	}
}

// flush emits what was released and lets closed pipes go.
func (p *parser) flush(c *proto.Conn) {
	for i, t := range p.ready {
		p.ready[i] = nil
		p.single(c, t)
	}
	p.ready = p.ready[:0]
	for i, x := range p.closed {
		x.Reset()
		p.freePipes = append(p.freePipes, x)
		p.closed[i] = nil
	}
	p.closed = p.closed[:0]
}

// closePipe forgets the pipe that t closes.
func (p *parser) closePipe(t *Tx) {
	if x := p.pipeOf(t, false); x != nil {
		p.release(x)
		p.pipes = p.pipes[:len(p.pipes)-1]
		p.closed = append(p.closed, x)
	}
}

// busyPipe reports whether part of a message of direction d is waiting for the
// rest in any pipe.
func (p *parser) busyPipe(d packet.Dir) bool {
	for _, x := range p.pipes {
		if x.Busy(d) {
			return true
		}
	}
	return false
}

// pipePayload returns where the data of a read, write or transaction begin in
// the message m, of which the first small octets are here; 0 for other messages.
func pipePayload(m []byte) int {
	switch {
	case m[0] == idSMB2 && len(m) >= header2+48:
		b, answer := m[header2:], le32(m[16:])&flagResponse != 0
		switch command := le16(m[12:]); {
		case command == cmd2Write && !answer:
			return int(le16(b[2:]))
		case command == cmd2Read && answer:
			return int(b[2])
		case command == cmd2Ioctl && le32(b[4:]) == fsctlPipeTransceive && answer:
			return offset(b[32:])
		case command == cmd2Ioctl && le32(b[4:]) == fsctlPipeTransceive:
			return offset(b[24:])
		}
	case m[0] == idSMB1 && len(m) >= header1+1+28:
		w, answer := m[header1+1:], m[9]&flagReply != 0
		switch command := m[4]; {
		case command == cmd1WriteAndX && !answer:
			return int(le16(w[22:]))
		case command == cmd1ReadAndX && answer:
			return int(le16(w[12:]))
		case command == cmd1Trans && answer:
			return int(le16(w[14:]))
		case command == cmd1Trans:
			return int(le16(w[24:]))
		case command == cmd1TransSec:
			return int(le16(w[12:]))
		}
	}
	return 0
}

// carriesDCE reports whether more of the message m is worth waiting for because
// it carries DCERPC.
func (p *parser) carriesDCE(d packet.Dir, m []byte) bool {
	at := pipePayload(m)
	return at > 0 && (dcerpc.Starts(d, part(m, at, len(m))) || p.busyPipe(d))
}
