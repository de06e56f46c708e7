package mining

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/prototest"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

// TestFarmingHTTP: requests as the Chia Pool Protocol 1.0 writes them, as they
// are seen behind something that takes TLS off.
func TestFarmingHTTP(t *testing.T) {
	hash := "0x" + hash1
	for _, tt := range []struct {
		name  string
		parts []prototest.Part
		want  string
	}{
		{"partial", []prototest.Part{post("/partial", "", `{"payload":{"launcher_id":"`+hash+`","authentication_token":5,"proof_of_space":{"challenge":"`+hash+`","size":32,"proof":"0x00"},"sp_hash":"`+hash+`","end_of_sub_slot":false,"harvester_id":"`+hash+`"},"aggregate_signature":"0x00"}`)}, "farming.partial"},
		{"farmer", []prototest.Part{post("/pool/v1/farmer", "", `{"payload":{"launcher_id":"`+hash+`","authentication_token":5,"authentication_public_key":"0x00","payout_instructions":"xch1","suggested_difficulty":null},"signature":"0x00"}`)}, "farming.farmer"},
		{"farmer asked for", []prototest.Part{prototest.C("GET /farmer?launcher_id=" + hash + "&authentication_token=5&signature=0x00 HTTP/1.1\r\nHost: pool.example\r\n\r\n")}, "farming.farmer"},
		{"pool", []prototest.Part{prototest.C("GET /pool_info HTTP/1.1\r\nHost: pool.example\r\n\r\n"), answer("", `{"name":"p","minimum_difficulty":1,"relative_lock_height":100,"protocol_version":1,"fee":"0.01","target_puzzle_hash":"`+hash+`","authentication_token_timeout":5}`)}, "farming.pool_info"},
		{"a real farm", []prototest.Part{post("/farmer", "", `{"name":"someone","fields":[1,2]}`), answer("", `{"ok":true}`)}, ""},
		{"a swimming pool", []prototest.Part{prototest.C("GET /pool_info HTTP/1.1\r\nHost: pool.example\r\n\r\n"), answer("", `{"temperature":24,"minimum_difficulty":1}`)}, ""},
		{"documentation", []prototest.Part{post("/edit", "", `{"text":"{\"launcher_id\":1,\"proof_of_space\":{},\"sp_hash\":2}"}`)}, ""},
		{"documentation at such a path", []prototest.Part{post("/partial", "", `{"text":"{\"launcher_id\":1,\"proof_of_space\":{},\"sp_hash\":2}"}`)}, ""},
	} {
		conn := proto.Conn{ServerPort: 80, Server: packet.AddrFrom4([]byte{198, 51, 100, 7})}
		got := ""
		prototest.Drive(http.Protocol, prototest.Options{Conn: conn, OnTx: func(tx proto.Tx, _ bool) {
			if f, ok := Farming.New().Inspect(nil, &conn, tx); ok && got == "" {
				got = f.Evidence[0].Code
				if f.Category != event.Policy || f.Family != "farming" || f.Level != event.Confirmed || !strings.HasPrefix(f.Mining.Pool, "pool.example:") || !f.FromClient {
					t.Errorf("%s: %+v", tt.name, f)
				}
			}
		}}, tt.parts...)
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFarmingTLS(t *testing.T) {
	// Names as they stand in a certificate: sets of attribute and value.
	name := func(unit string) []byte {
		return []byte("1\x0d0\x0b\x06\x03U\x04\x03\x0c\x04Chia1\x0d0\x0b\x06\x03U\x04\x0a\x0c\x04Chia1!0\x1f\x06\x03U\x04\x0b\x0c\x18" + unit)
	}
	for _, tt := range []struct {
		unit string
		dir  packet.Dir
		port uint16
		want event.Level
	}{
		{"Organic Farming Division", packet.ToClient, 8447, event.Likely}, {"Organic Farming Division", packet.ToServer, 8448, event.Likely},
		{"Organic Farming Division", packet.ToClient, 8444, event.Suspect}, {"Organic Growing Division", packet.ToClient, 8447, 0},
	} {
		tx := &tls.Tx{}
		tx.Certs[tt.dir].Leaf.Issuer = name(tt.unit)
		c := &proto.Conn{ServerPort: tt.port}
		f, ok := Farming.New().Inspect(nil, c, tx)
		if ok != (tt.want != 0) || f.Level != tt.want {
			t.Errorf("%s, port %d: %+v", tt.unit, tt.port, f)
		}
	}
	tx, in, c := &tls.Tx{}, Farming.New(), &proto.Conn{}
	tx.Certs[1].Leaf.Issuer = name("Organic Growing Division")
	ht := &http.Tx{URI: []byte("/partial?x"), RequestBody: []byte(`{"launcher_id":1}`)}
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := in.Inspect(nil, c, tx); ok {
			t.Fatal("found")
		}
		if _, ok := in.Inspect(nil, c, ht); ok {
			t.Fatal("found")
		}
	}); n != 0 {
		t.Errorf("%v allocations where nothing is found", n)
	}
}
