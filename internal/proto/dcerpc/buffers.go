package dcerpc

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Buffers returns what rules may inspect of a call; call finds it in a
// transaction, nil when there is none. Those of the client belong to the
// request, those of the server to the answer.
func Buffers(call func(proto.Tx) *Call) []proto.Buffer {
	get := func(d packet.Dir, f func(*Call) ([]byte, bool)) func(proto.Tx, int) ([]byte, bool) {
		return func(tx proto.Tx, i int) ([]byte, bool) {
			c := call(tx)
			if c == nil || i != 0 || !c.half(d).Done {
				return nil, false
			}
			return f(c)
		}
	}
	const (
		iface = "interface of the operation: UUID (16 octets as in its text), major version (2, big-endian), 1 when it was proposed with the flag of first fragments, else 0"
		opnum = "number of the operation, a decimal number"
	)
	return []proto.Buffer{
		{Name: "dcerpc.stub_data", Doc: "arguments of a call, its fragments joined", Dir: packet.ToServer, Get: get(packet.ToServer, func(c *Call) ([]byte, bool) { return c.Stub(packet.ToServer) })},
		{Name: "dcerpc.stub_data", Doc: "results of a call, its fragments joined", Dir: packet.ToClient, Get: get(packet.ToClient, func(c *Call) ([]byte, bool) { return c.Stub(packet.ToClient) })},
		{Name: "dcerpc.opnum", Doc: opnum, Dir: packet.ToServer, Get: get(packet.ToServer, (*Call).opnumText)},
		{Name: "dcerpc.opnum", Doc: opnum, Dir: packet.ToClient, Get: get(packet.ToClient, (*Call).opnumText)},
		{Name: "dcerpc.iface", Doc: iface, Dir: packet.ToServer, Get: get(packet.ToServer, (*Call).ifaceText)},
		{Name: "dcerpc.iface", Doc: iface, Dir: packet.ToClient, Get: get(packet.ToClient, (*Call).ifaceText)},
	}
}

func (c *Call) opnumText() ([]byte, bool) {
	if !c.called {
		return nil, false
	}
	return strconv.AppendUint(c.text[:0], uint64(c.opnum), 10), true
}

func (c *Call) ifaceText() ([]byte, bool) {
	i, ok := c.Interface()
	if !ok {
		return nil, false
	}
	b := append(append(c.iface[:0], i.UUID[:]...), byte(i.Major>>8), byte(i.Major), 0)
	if i.First {
		b[18] = 1
	}
	return b, true
}
