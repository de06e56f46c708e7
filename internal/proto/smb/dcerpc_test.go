package smb

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

const fileID = "FILEID0123456789"

// rpc is a little-endian DCERPC message, C706 section 12.6.
func rpc(typ, flags byte, call int, body string) string {
	return "\x05\x00" + string([]byte{typ, flags}) + "\x10\x00\x00\x00" + u16(16+len(body), 0) + u32(call) + body
}

func rpcBind(call int) string {
	return rpc(11, 3, call, u16(4280, 4280)+u32(0)+"\x01\x00\x00\x00"+u16(0)+"\x01\x00"+guid+u16(3, 0)+guid+u32(2))
}

func rpcBindAck(call int) string {
	return rpc(12, 3, call, u16(4280, 4280)+u32(1)+u16(5)+"pipe\x00\x00"+"\x01\x00\x00\x00"+u16(0, 0)+guid+u32(2))
}

func rpcRequest(flags byte, call, opnum int, stub string) string {
	return rpc(0, flags, call, u32(len(stub))+u16(0, opnum)+stub)
}

func rpcResponse(flags byte, call int, stub string) string {
	return rpc(2, flags, call, u32(len(stub))+u16(0, 0)+stub)
}

func pipeWrite(mid int, data string) prototest.Part {
	return c(head2(cmd2Write, 0, 0, mid, 0) + u16(49, 112) + u32(len(data)) + u32(0, 0) + fileID + u32(0, 0) + u16(0, 0) + u32(0) + data)
}

func pipeWritten(mid, n int) prototest.Part {
	return s(head2(cmd2Write, 1, 0, mid, 0) + u16(17, 0) + u32(n, 0))
}

func pipeRead(mid int) prototest.Part {
	return c(head2(cmd2Read, 0, 0, mid, 0) + u16(49, 0) + u32(1024) + u32(0, 0) + fileID + u32(0, 0, 0) + u16(0, 0))
}

func pipeData(mid int, data string) prototest.Part {
	return s(head2(cmd2Read, 1, 0, mid, 0) + u16(17) + "\x50\x00" + u32(len(data), 0, 0) + data)
}

func pipeClose(mid int) prototest.Part {
	return c(head2(cmd2Close, 0, 0, mid, 0) + u16(24, 0) + u32(0) + fileID)
}

func pipeIoctl(mid int, data string) prototest.Part {
	return c(head2(cmd2Ioctl, 0, 0, mid, 0) + u16(57, 0) + u32(fsctlPipeTransceive) + fileID + u32(120, len(data)) + u32(0, 0, 0, 0, 0, 0) + data)
}

func trans1(mid int, fid string, data string) prototest.Part {
	words := u16(0, len(data), 0, 1024, 0, 0) + u32(0) + u16(0, 0, 0, len(data), 67) + "\x02\x00" + u16(0x26) + fid
	return c(head1(cmd1Trans, 0, 0, mid) + body1(words, data))
}

// calls lists what the finished transactions say of DCERPC: the message's
// command, the types, the operation, the interface agreed on and the data.
func calls(parts ...prototest.Part) (out []string) {
	o := prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		t := tx.(*Tx)
		if !done || !t.DCE.Seen() {
			return
		}
		_, name := t.CommandName()
		s := name
		if t.DCE.Req.Done {
			s += fmt.Sprintf(" req %d", t.DCE.Req.Type)
		}
		if t.DCE.Rsp.Done {
			s += fmt.Sprintf(" rsp %d", t.DCE.Rsp.Type)
		}
		if n, ok := t.DCE.Opnum(); ok {
			s += fmt.Sprintf(" op %d", n)
		}
		if i, ok := t.DCE.Interface(); ok {
			s += fmt.Sprintf(" of %x", i.UUID[:4])
		}
		for d := range packet.Dir(2) {
			if b, ok := t.DCE.Stub(d); ok {
				s += fmt.Sprintf(" %s%d", [2]string{">", "<"}[d], len(b))
				if len(b) < 20 {
					s += " " + string(b)
				}
			}
		}
		out = append(out, s)
	}}
	prototest.Drive(Protocol, o, parts...)
	return out
}

func TestPipes(t *testing.T) {
	long := strings.Repeat("l", 3000)
	bound := []prototest.Part{pipeWrite(1, rpcBind(1)), pipeWritten(1, 72), pipeRead(2), pipeData(2, rpcBindAck(1))}
	session := func(parts ...prototest.Part) []prototest.Part { return append(bound[:4:4], parts...) }
	whole := rpcResponse(3, 2, long)
	tests := []struct {
		name  string
		parts []prototest.Part
		want  []string
	}{
		{"written and read", session(pipeWrite(3, rpcRequest(3, 2, 15, "args")), pipeWritten(3, 28), pipeRead(4), pipeData(4, rpcResponse(3, 2, "results"))),
			[]string{"WRITE req 0 rsp 2 op 15 of 00112233 >4 args <7 results"}},
		{"read before the write is answered", session(pipeWrite(3, rpcRequest(3, 2, 15, "args")), pipeRead(4), pipeData(4, rpcResponse(3, 2, "results")), pipeWritten(3, 28)),
			[]string{"WRITE req 0 rsp 2 op 15 of 00112233 >4 args <7 results"}},
		{"closed before the answer", session(pipeWrite(3, rpcRequest(3, 2, 15, "args")), pipeWritten(3, 28), pipeClose(4), pipeRead(5), pipeData(5, rpcResponse(3, 2, "results"))),
			[]string{"WRITE req 0 op 15 of 00112233 >4 args", "READ rsp 2 <7 results"}},
		{"next call before the answer", session(pipeWrite(3, rpcRequest(3, 2, 15, "args")), pipeWritten(3, 28), pipeWrite(4, rpcRequest(3, 3, 16, "more")), pipeWritten(4, 28), pipeRead(5), pipeData(5, rpcResponse(3, 3, "results"))),
			[]string{"WRITE req 0 op 15 of 00112233 >4 args", "WRITE req 0 rsp 2 op 16 of 00112233 >4 more <7 results"}},
		{"fragments", session(pipeWrite(3, rpcRequest(1, 2, 15, "ar")), pipeWrite(4, rpcRequest(0, 2, 15, "gum")), pipeWrite(5, rpcRequest(2, 2, 15, "ents"))),
			[]string{"WRITE req 0 op 15 of 00112233 >9 arguments"}},
		{"two fragments in one write", session(pipeWrite(3, rpcRequest(1, 2, 15, "ar")+rpcRequest(2, 2, 15, "gs"))),
			[]string{"WRITE req 0 op 15 of 00112233 >4 args"}},
		{"message over two writes", session(pipeWrite(3, rpcRequest(3, 2, 15, "args")[:21]), pipeWrite(4, rpcRequest(3, 2, 15, "args")[21:])),
			[]string{"WRITE req 0 op 15 of 00112233 >4 args"}},
		{"answer over three reads", session(pipeIoctl(3, rpcRequest(3, 2, 15, "args")), pipeRead(4), pipeData(4, whole[:1024]), pipeRead(5), pipeData(5, whole[1024:2048]), pipeRead(6), pipeData(6, whole[2048:])),
			[]string{"IOCTL req 0 rsp 2 op 15 of 00112233 >4 args <3000"}},
		{"long request", session(pipeIoctl(3, rpcRequest(3, 2, 15, long))), []string{"IOCTL req 0 op 15 of 00112233 >3000"}},
		{"beyond the prefix", session(pipeIoctl(3, rpcRequest(3, 2, 15, strings.Repeat("l", maxPrefix)))), []string{"IOCTL req 0 op 15 of 00112233 >16240"}},
		{"another answer", session(pipeIoctl(3, rpcRequest(3, 2, 15, "args")), pipeRead(4), pipeData(4, rpcResponse(3, 9, "results"))),
			[]string{"READ rsp 2 <7 results", "IOCTL req 0 op 15 of 00112233 >4 args"}},
		{"SMB1 transaction", []prototest.Part{trans1(1, u16(9), rpcBind(1)), trans1(2, u16(9), rpcRequest(3, 2, 7, "x"))},
			[]string{"TRANS req 11", "TRANS req 0 op 7 >1 x"}},
		{"not a pipe", session(pipeWrite(3, "\x05\x00 a file that begins like a call"), pipeWrite(4, "\x05")), nil},
	}
	for _, tt := range tests {
		want := tt.want
		if tt.name != "SMB1 transaction" {
			want = append([]string{"WRITE req 11 rsp 12"}, want...)
		}
		for seed := range uint64(4) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			if got := calls(parts...); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s, seed %d:\n%s\nwant\n%s", tt.name, seed, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// TestPipeLimit opens more pipes than are followed: the first is forgotten.
func TestPipeLimit(t *testing.T) {
	var parts []prototest.Part
	for i := range maxPipes + 1 {
		parts = append(parts, trans1(i, u16(i), rpcRequest(1, 2, 7, "begin")))
	}
	parts = append(parts, trans1(100, u16(0), rpcRequest(2, 2, 7, "end")), trans1(101, u16(maxPipes), rpcRequest(2, 2, 7, "end")))
	p := Protocol.New().(*parser)
	var got []string
	o := prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if b, ok := tx.(*Tx).DCE.Stub(packet.ToServer); ok && !done {
			got = append(got, string(b))
		}
	}}
	prototest.DriveParser(Protocol, p, o, parts...)
	if strings.Join(got, " ") != "end beginend" || len(p.pipes) != maxPipes {
		t.Errorf("%q, %d pipes", got, len(p.pipes))
	}
	p.Reset()
	if len(p.pipes) != 0 || len(p.freePipes) != 1 || p.Size() > 256<<10 {
		t.Errorf("after Reset: %d pipes, %d kept, %d bytes", len(p.pipes), len(p.freePipes), p.Size())
	}
}

func TestPipeNoAllocs(t *testing.T) {
	parts := []prototest.Part{pipeWrite(1, rpcBind(1)), pipeWritten(1, 72), pipeRead(2), pipeData(2, rpcBindAck(1)), pipeIoctl(3, rpcRequest(3, 2, 15, "args"))}
	p, cn := Protocol.New(), conn()
	for range 10 {
		drive(p, cn, parts)
	}
	if n := testing.AllocsPerRun(100, func() { drive(p, cn, parts) }); n != 0 {
		t.Errorf("%v allocations per session", n)
	}
}
