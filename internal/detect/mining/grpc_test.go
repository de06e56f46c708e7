package mining

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http2"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// h2 makes an HTTP/2 connection from RFC 9113 and 7541, without indexing.
func h2(typ, flags byte, stream uint32, payload []byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), typ, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

func h2fields(kv ...string) (b []byte) {
	for i := 0; i < len(kv); i += 2 { // literal without indexing, new name
		b = append(append(append(b, 0, byte(len(kv[i]))), kv[i]...), byte(len(kv[i+1])))
		b = append(b, kv[i+1]...)
	}
	return b
}

func h2open(path, kind string) string {
	return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + string(h2(4, 0, 0, nil)) +
		string(h2(1, 4, 1, h2fields(":method", "POST", ":scheme", "http", ":path", path, ":authority", "node.example", "content-type", kind)))
}

// pb is a member of a protobuf message whose content is bytes.
func pb(field int, v string) string {
	return string(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3|2), uint64(len(v)))) + v
}

// call is a message of gRPC in a DATA frame.
func call(m string, flags byte) string {
	return string(h2(0, flags, 1, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)))
}

// zipped is a message of gRPC that is compressed.
func zipped(m string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(m))
	_ = w.Close()
	return string(h2(0, 0, 1, append(binary.BigEndian.AppendUint32([]byte{1}, uint32(b.Len())), b.Bytes()...)))
}

const grpcKind = "application/grpc+proto"

func TestGRPC(t *testing.T) {
	stream := h2open("/protowire.RPC/MessageStream", grpcKind)
	head := string(h2(4, 0, 0, nil)) + string(h2(1, 4, 1, h2fields(":status", "200", "content-type", "application/grpc")))
	ask := call(pb(kaspaAsk, pb(1, kas)+pb(2, "x/1")), 0)
	give := call(pb(kaspaTemplate, pb(1, strings.Repeat("\x0a", 600))), 0)
	for _, tt := range []struct {
		name  string
		parts []prototest.Part
		want  string // levels, dialect and coin
	}{
		{"Kaspa, new templates wanted", []prototest.Part{prototest.C(stream), prototest.S(head), prototest.C(call(pb(kaspaNewBlocks, ""), 0)), prototest.C(ask)}, "confirmed getblocktemplate kaspa"},
		{"Kaspa, a block handed in", []prototest.Part{prototest.C(stream + ask), prototest.S(head + give), prototest.C(call(pb(kaspaSubmit, pb(1, "block")), 0))}, "suspect confirmed getblocktemplate kaspa"},
		{"Kaspa, over and over", []prototest.Part{prototest.C(stream + ask), prototest.S(head + give), prototest.C(ask), prototest.C(ask), prototest.C(ask)}, "suspect likely getblocktemplate kaspa"},
		{"Kaspa, compressed", []prototest.Part{prototest.C(stream), prototest.S(head), prototest.C(zipped(pb(1063, ""))), prototest.C(zipped(pb(kaspaNewBlocks, ""))),
			prototest.C(zipped(pb(kaspaAsk, pb(1, kas)+pb(2, "x/1")) + "\xa8\x06\x07"))}, "confirmed getblocktemplate kaspa"},
		{"Kaspa's wallet, compressed", []prototest.Part{prototest.C(stream), prototest.S(head), prototest.C(zipped(pb(1063, "")) + zipped(pb(1039, pb(1, kas))))}, ""},
		{"Kaspa's wallet", []prototest.Part{prototest.C(stream), prototest.S(head), prototest.C(call(pb(1063, ""), 0) + call(pb(1039, pb(1, kas)), 0)), prototest.S(call(pb(1064, pb(1, "0.13")), 0))}, ""},
		{"Tari asks and hands in", []prototest.Part{prototest.C(h2open("/tari.rpc.BaseNode/SubmitBlock", grpcKind) + call("block", 1)), prototest.S(head)}, "confirmed getblocktemplate "},
		{"QRL hands in", []prototest.Part{prototest.C(h2open("/qrl.MiningAPI/SubmitMinedBlock", grpcKind) + call("blob", 1)), prototest.S(head)}, "confirmed getblocktemplate "},
		{"Tari's wallet", []prototest.Part{prototest.C(h2open("/tari.rpc.BaseNode/GetTipInfo", grpcKind) + call("", 1)), prototest.S(head)}, ""},
		{"a miner's JSON over HTTP/2", []prototest.Part{prototest.C(h2open("/", "application/json") + string(h2(0, 1, 1, []byte(submitBlock()))))}, "confirmed getblocktemplate "},
		{"another service", []prototest.Part{prototest.C(h2open("/lnrpc.Lightning/SubscribeInvoices", grpcKind) + ask)}, ""},
	} {
		for seed := range uint64(6) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			in := Detector.New()
			conn := proto.Conn{Time: 1e18, ServerPort: 16110, Client: packet.AddrFrom4([]byte{192, 168, 1, 2})}
			var f event.Finding
			got := ""
			prototest.Drive(http2.Protocol, prototest.Options{Conn: conn, OnTx: func(tx proto.Tx, _ bool) {
				conn.Time += 1e10
				if g, ok := in.Inspect(&flow.Flow{ID: 1}, &conn, tx); ok {
					f = g
					got += g.Level.String() + " "
				}
			}}, parts...)
			if got != "" {
				got += f.Mining.Dialect + " " + f.Mining.Coin
			}
			if seed > 0 && strings.Contains(tt.want, "likely") {
				continue // how many questions were read at a time differs
			}
			if got != tt.want {
				t.Errorf("%s (seed %d): %q, want %q %+v", tt.name, seed, got, tt.want, f.Evidence)
			}
		}
	}
}

// FuzzGRPC: nothing panics, whatever a body holds.
func FuzzGRPC(f *testing.F) {
	f.Add([]byte(call(pb(kaspaAsk, pb(1, kas)), 0))[9:])
	f.Add([]byte(zipped(pb(kaspaAsk, pb(1, kas))))[9:])
	f.Add([]byte{0, 255, 255, 255, 255, 8, 1})
	f.Fuzz(func(_ *testing.T, b []byte) {
		in := &inline{asker: newAsker()}
		in.grpc(kaspaStream, b, b)
		protobuf(b)
		in.rest(kadenaWork, b, b)
		in.rest(daemonMines, b, b)
	})
}
