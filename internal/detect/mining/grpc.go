package mining

import (
	"bytes"
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/inflate"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// grpc is a call of gRPC that work is asked for with.
type grpc uint8

const (
	grpcNone    grpc = iota
	kaspaStream      // kaspad and its kin, messages.proto: all calls are messages of one stream
	askCall          // Tari's base node (base_node.proto), QRL's MiningAPI (qrlmining.proto)
	handCall
)

func grpcOf(path []byte) grpc {
	if string(path) == "/protowire.RPC/MessageStream" {
		return kaspaStream
	}
	i := bytes.LastIndexByte(path, '/')
	if i < 2 { // a service stands before the method
		return grpcNone
	}
	switch string(path[i+1:]) {
	case "GetNewBlockTemplate", "GetNewBlock", "GetNewBlockBlob", "GetNewBlockTemplateWithCoinbases", "GetNewBlockWithCoinbases", "GetBlockToMine", "GetBlockMiningCompatible":
		return askCall
	case "SubmitBlock", "SubmitBlockBlob", "SubmitMinedBlock":
		return handCall
	}
	return grpcNone
}

// Numbers of the members of KaspadMessage that mining uses (kaspad,
// protowire/messages.proto). Wallets and explorers use others of the same
// stream.
const (
	kaspaSubmit    = 1003 // submitBlockRequest
	kaspaAsk       = 1005 // getBlockTemplateRequest: payAddress 1, extraData 2
	kaspaTemplate  = 1006 // getBlockTemplateResponse
	kaspaNewBlocks = 1081 // notifyNewBlockTemplateRequest
)

// maxCalls bounds the messages of one stream that are looked at: what is kept of
// a body is shorter than that.
const maxCalls = 1024

// grpc judges what is kept of both bodies and returns the number of questions in
// a stream of messages.
func (in *inline) grpc(g grpc, request, response []byte) (asks uint32) {
	s := &in.session
	switch g {
	case askCall:
		s.Mark(stratum.MarkCall)
		s.Mark(stratum.MarkTemplateAsk)
		s.Is(stratum.DialectTemplate)
		s.Asked(stratum.GetBlockTemplate)
	case handCall:
		s.Mark(stratum.MarkCall)
		s.Mark(stratum.MarkBlock)
		s.Is(stratum.DialectTemplate)
		s.Hand(1, 0)
	case kaspaStream:
		asks = in.kaspa(packet.ToServer, request)
		in.kaspa(packet.ToClient, response)
	}
	return asks
}

// kaspa reads the messages of one direction: a byte that says whether it is
// compressed, the length in four, the message (gRPC over HTTP/2, "Length-Prefixed-Message").
func (in *inline) kaspa(d packet.Dir, b []byte) (asks uint32) {
	s := &in.session
	for range maxCalls {
		if len(b) < 5 || b[0] > 1 {
			return asks
		}
		packed := b[0] == 1
		n := int(binary.BigEndian.Uint32(b[1:]))
		b = b[5:]
		m := b[:min(n, len(b))]
		if packed {
			m = in.unpack(m)
		}
		for len(m) > 0 {
			field, v, rest, ok := protobuf(m)
			if !ok {
				break
			}
			m = rest
			switch {
			case d == packet.ToServer && field == kaspaAsk:
				s.Mark(stratum.MarkCall)
				s.Asked(stratum.GetBlockTemplate)
				asks++
				if f, addr, _, ok := protobuf(v); ok && f == 1 && len(addr) > 0 {
					s.Mark(stratum.MarkTemplateAsk)
					s.Login.Set(addr)
					if stratum.FindAddress(addr).Sure {
						s.Mark(stratum.MarkWallet)
					}
				}
			case d == packet.ToServer && field == kaspaSubmit:
				s.Mark(stratum.MarkBlock)
				s.Mark(stratum.MarkCall)
			case d == packet.ToServer && field == kaspaNewBlocks:
				s.Mark(stratum.MarkLongPoll)
			case d == packet.ToClient && field == kaspaTemplate:
				s.Mark(stratum.MarkTemplate)
				s.Jobs++
			default:
				continue
			}
			s.Is(stratum.DialectTemplate)
		}
		if n > len(b) {
			return asks
		}
		b = b[n:]
	}
	return asks
}

// maxUnpacked is how much of a compressed message is looked at: what tells stands
// at its beginning.
const maxUnpacked = 1024

// unpacker is the memory for that.
type unpacker struct {
	z   inflate.Stream
	out [maxUnpacked]byte
}

// unpack undoes gzip (RFC 1952), with which kaspad's own clients compress each
// message; nil for what is none. Valid until the next call.
func (in *inline) unpack(m []byte) []byte {
	const head = 10 // of a member without name, comment and the like, as programs write it
	if len(m) < head || m[0] != 0x1f || m[1] != 0x8b || m[2] != 8 || m[3] != 0 {
		return nil
	}
	if in.unpacker == nil {
		in.unpacker = new(unpacker)
	}
	u := in.unpacker
	u.z.Reset(0)
	out, _, _ := u.z.Inflate(u.out[:0], m[head:], maxUnpacked) // what is damaged is read as far as it goes
	return out
}

// protobuf reads the next member of a message: its number, and of bytes their
// content (protobuf.dev, "Encoding").
func protobuf(b []byte) (field int, v, rest []byte, ok bool) {
	tag, n := binary.Uvarint(b)
	if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
		return 0, nil, nil, false
	}
	b = b[n:]
	size := 0
	switch tag & 7 {
	case 0:
		if _, size = binary.Uvarint(b); size <= 0 {
			return 0, nil, nil, false
		}
		return int(tag >> 3), nil, b[size:], true
	case 1:
		size = 8
	case 5:
		size = 4
	case 2:
		l, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, nil, nil, false
		}
		b = b[n:]
		// What is cut off at the end is taken as far as it is there.
		k := int(min(l, uint64(len(b))))
		return int(tag >> 3), b[:k], b[k:], true
	default:
		return 0, nil, nil, false
	}
	if len(b) < size {
		return 0, nil, nil, false
	}
	return int(tag >> 3), nil, b[size:], true
}
