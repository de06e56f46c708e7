package dcerpc

import (
	"encoding/hex"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
)

var typeNames = [...]string{
	"REQUEST", "PING", "RESPONSE", "FAULT", "WORKING", "NOCALL", "REJECT", "ACK", "CL_CANCEL", "FACK", "CANCEL_ACK",
	"BIND", "BINDACK", "BINDNAK", "ALTER_CONTEXT", "ALTER_CONTEXT_RESP", "AUTH3", "SHUTDOWN", "CO_CANCEL", "ORPHANED",
}

// TypeName returns the name that Suricata gives to a type, or "".
func TypeName(typ uint8) string {
	if int(typ) < len(typeNames) {
		return typeNames[typ]
	}
	return ""
}

// EncodeEVE appends "dcerpc":{…} in Suricata's shape.
func (c *Call) EncodeEVE(e *event.Encoder) {
	e.Obj("dcerpc")
	if c.Req.Done {
		e.OptStr("request", TypeName(c.Req.Type))
		if c.Req.Type == TypeRequest {
			e.Obj("req")
			e.Uint("opnum", uint64(c.opnum))
			c.encodeHalf(e, &c.Req, c.stub[0])
			e.EndObj()
		}
		c.encodeInterfaces(e, false)
		if c.Version == 4 {
			e.Arr("interfaces")
			c.own.encode(e, false)
			e.EndArr()
		}
	} else {
		e.Str("request", "REQUEST_LOST")
	}
	if c.Rsp.Done {
		e.OptStr("response", TypeName(c.Rsp.Type))
		if c.Rsp.Type == TypeResponse {
			e.Obj("res")
			c.encodeHalf(e, &c.Rsp, c.stub[1])
			e.EndObj()
		}
	} else {
		e.Str("response", "UNREPLIED")
	}
	if c.Version == 4 {
		encodeUUID(e, "activityuuid", &c.Activity)
		e.Uint("seqnum", uint64(c.Seq))
		e.Str("rpc_version", "4.0")
	} else {
		e.Uint("call_id", uint64(c.ID))
		encodeVersion(e, "rpc_version", 5, uint16(c.Minor))
	}
	e.EndObj()
}

// EncodePipe appends "dcerpc":{…} as Suricata has it inside the events of SMB.
func (c *Call) EncodePipe(e *event.Encoder) {
	e.Obj("dcerpc")
	if c.Req.Done {
		e.OptStr("request", TypeName(c.Req.Type))
	}
	if c.Rsp.Done {
		e.OptStr("response", TypeName(c.Rsp.Type))
	}
	if c.Req.Done && c.Req.Type == TypeRequest {
		e.Uint("opnum", uint64(c.opnum))
		e.Obj("req")
		c.encodeHalf(e, &c.Req, c.stub[0])
		e.EndObj()
	}
	if i, ok := c.Interface(); ok && c.Req.Done {
		e.Arr("interfaces")
		e.Obj("")
		encodeUUID(e, "uuid", &i.UUID)
		encodeVersion(e, "version", i.Major, i.Minor)
		e.EndObj()
		e.EndArr()
	}
	if c.Rsp.Done && c.Rsp.Type == TypeResponse {
		e.Obj("res")
		c.encodeHalf(e, &c.Rsp, c.stub[1])
		e.EndObj()
	}
	c.encodeInterfaces(e, true)
	e.Uint("call_id", uint64(c.ID))
	e.EndObj()
}

func (c *Call) encodeHalf(e *event.Encoder, h *Half, stub []byte) {
	e.Uint("frag_cnt", uint64(h.Frags))
	e.Uint("stub_data_size", uint64(len(stub)))
}

func (c *Call) encodeInterfaces(e *event.Encoder, pipe bool) {
	list := c.Interfaces()
	if len(list) == 0 {
		return
	}
	e.Arr("interfaces")
	for i := range list {
		list[i].encode(e, pipe)
	}
	e.EndArr()
}

func (i *Interface) encode(e *event.Encoder, pipe bool) {
	e.Obj("")
	encodeUUID(e, "uuid", &i.UUID)
	encodeVersion(e, "version", i.Major, i.Minor)
	if i.Acked {
		e.Uint("ack_result", uint64(i.Result))
		if pipe {
			e.Uint("ack_reason", uint64(i.Reason))
		}
	}
	e.EndObj()
}

func encodeVersion(e *event.Encoder, key string, major, minor uint16) {
	e.Str(key, "")
	e.B = strconv.AppendUint(e.B[:len(e.B)-1], uint64(major), 10)
	e.B = strconv.AppendUint(append(e.B, '.'), uint64(minor), 10)
	e.B = append(e.B, '"')
}

func encodeUUID(e *event.Encoder, key string, u *[16]byte) {
	e.Str(key, "")
	e.B = e.B[:len(e.B)-1]
	for i := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			e.B = append(e.B, '-')
		}
		e.B = hex.AppendEncode(e.B, u[i:i+1])
	}
	e.B = append(e.B, '"')
}
