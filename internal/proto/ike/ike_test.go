package ike

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

// TestCaptures compares what is read from every testdata/*.pcap with the
// golden file beside it.
func TestCaptures(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

// TestReadme holds README.md against the code and the captures.
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

func be16(v ...int) string {
	var b []byte
	for _, x := range v {
		b = binary.BigEndian.AppendUint16(b, uint16(x))
	}
	return string(b)
}

// msg is a message: header, RFC 2408 section 3.1, and payloads.
func msg(version, exchange, flags, first byte, body string) string {
	return "INITIATORRESPOND"[:8] + "RESPONDR" + string([]byte{first, version << 4, exchange, flags}) + "\x00\x00\x00\x00" + be16(0, headerLen+len(body)) + body
}

// load is one payload; next is the type of the one behind it.
func load(next byte, body string) string {
	return string([]byte{next, 0}) + be16(4+len(body)) + body
}

func item(more byte, body string) string { return load(more, body) }

// sa1Body proposes transforms of version 1, their attributes given.
func sa1Body(transforms ...string) string {
	list := ""
	for i, t := range transforms {
		more := byte(transform1)
		if i == len(transforms)-1 {
			more = 0
		}
		list += item(more, string([]byte{byte(i), 1, 0, 0})+t)
	}
	return "\x00\x00\x00\x01\x00\x00\x00\x01" + item(0, string([]byte{0, 1, 0, byte(len(transforms))})+list)
}

// sa2Body proposes algorithms of version 2: type and number.
func sa2Body(algorithms ...[2]byte) string {
	list := ""
	for i, a := range algorithms {
		more := byte(3)
		if i == len(algorithms)-1 {
			more = 0
		}
		list += item(more, string([]byte{a[0], 0, 0, a[1]}))
	}
	return item(0, string([]byte{1, 1, 0, byte(len(algorithms))})+list)
}

// aes is AES with a key of 128 bits, SHA-1, pre-shared key, group 2, 86400 s.
const aes = "\x80\x01\x00\x07\x80\x0e\x00\x80\x80\x02\x00\x02\x80\x03\x00\x01\x80\x04\x00\x02\x80\x0b\x00\x01\x00\x0c\x00\x04\x00\x01\x51\x80"

var (
	main1  = msg(1, 2, 0, sa1, load(vendor1, sa1Body(aes))+load(0, "\xde\xad\xbe\xef"))
	keys1  = msg(1, 2, 0, key1, load(nonce1, "public value")+load(0, "nonce"))
	crypt1 = msg(1, 5, flagEncrypted, 8, "encrypted bytes")
	init2  = msg(2, 34, flagInitiator, sa2, load(key2, sa2Body([2]byte{1, 12}, [2]byte{2, 5}, [2]byte{3, 12}, [2]byte{4, 14}))+load(nonce2, "\x00\x0e\x00\x00public")+load(notify2, "nonce")+load(0, "\x00\x00\x40\x04hash"))
	weak2  = msg(2, 34, flagInitiator, sa2, load(0, sa2Body([2]byte{1, 3}, [2]byte{2, 2}, [2]byte{3, 2}, [2]byte{4, 2})))
	error2 = msg(2, 34, 0x20, notify2, load(0, "\x00\x00\x00\x0e"))
	auth2  = msg(2, 35, flagInitiator, encrypted2, load(35, "encrypted"))
)

func TestMessages(t *testing.T) {
	bad := []string{"malformed_data"}
	spi := "ike.init_spi=" + "494e49544941544f"
	tests := []struct {
		name, in  string
		probe     proto.Match
		want      string
		values    []string
		anomalies []string
	}{
		{"main mode", main1, proto.Yes, `"payload":["SecurityAssociation","Proposal","Transform","VendorID"],"ikev1":{"doi":1,"encrypted_payloads":false,"client":{"proposals":[{"alg_enc":"EncAesCbc","alg_enc_raw":7,"sa_key_length":"Unknown","sa_key_length_raw":128,"alg_hash":"HashSha","alg_hash_raw":2,"alg_auth":"AuthPreSharedKey","alg_auth_raw":1,"alg_dh":"GroupAlternate1024BitModpGroup","alg_dh_raw":2,"sa_life_type":"LifeTypeSeconds","sa_life_type_raw":1,"sa_life_duration":"Unknown","sa_life_duration_raw":86400}]},"server":{},"vendor_ids":["deadbeef"]}}`,
			[]string{spi, "ike.exchtype=2", "ike.vendor=deadbeef"}, nil},
		{"keys", keys1, proto.Yes, `"payload":["KeyExchange","Nonce"],"ikev1":{"encrypted_payloads":false,"client":{"key_exchange_payload":"7075626c69632076616c7565","key_exchange_payload_length":12,"nonce_payload":"6e6f6e6365","nonce_payload_length":5},"server":{}}}`,
			[]string{spi, "ike.exchtype=2", "ike.key_exchange_payload=public value", "ike.key_exchange_payload_length=12", "ike.nonce_payload=nonce", "ike.nonce_payload_length=5"}, nil},
		{"encrypted", crypt1, proto.Yes, `"exchange_type":5,"payload":["Hash"],"ikev1":{"encrypted_payloads":true}}`, []string{spi, "ike.exchtype=5"}, nil},
		{"version 2", init2, proto.Yes, `"role":"initiator","payload":["SecurityAssociation","KeyExchange","Nonce","Notify","NoNextPayload"],"ikev2":{"errors":0,"notify":["NAT_DETECTION_SOURCE_IP"]}}`,
			[]string{spi, "ike.exchtype=34", "ike.key_exchange_payload=public", "ike.key_exchange_payload_length=6", "ike.nonce_payload=nonce", "ike.nonce_payload_length=5"}, nil},
		{"behind the marker of port 4500", "\x00\x00\x00\x00" + error2, proto.Yes, `"role":"responder","alg_enc":"ENCR_NULL","alg_auth":"NONE","alg_prf":"PRF_NULL","alg_dh":"None","alg_esn":"NoESN","payload":["Notify","NoNextPayload"],"ikev2":{"errors":1,"notify":["NO_PROPOSAL_CHOSEN"]}}`,
			[]string{spi, "ike.exchtype=34"}, nil},
		{"weak", weak2, proto.Yes, `"role":"initiator","payload":["SecurityAssociation","NoNextPayload"],"ikev2":{"errors":0,"notify":[]}}`, []string{spi, "ike.exchtype=34"},
			[]string{"weak_crypto_enc", "weak_crypto_prf", "weak_crypto_auth", "weak_crypto_dh"}},
		{"encrypted version 2", auth2, proto.Yes, `"exchange_type":35,"role":"initiator","payload":[],"ikev2":{"errors":0,"notify":[]}}`, []string{spi, "ike.exchtype=35"}, nil},
		{"cut", main1[:60], proto.No, `"payload":[],"ikev1":{"encrypted_payloads":false,"client":{},"server":{}}}`, []string{spi, "ike.exchtype=2"}, bad},
		{"payload of no length", msg(1, 2, 0, sa1, "\x00\x00\x00\x00"), proto.Yes, `"payload":[],"ikev1":{"encrypted_payloads":false,"client":{},"server":{}}}`, []string{spi, "ike.exchtype=2"}, bad},
		{"length within the header", main1[:24] + "\x00\x00\x00\x08" + main1[28:], proto.No, ``, nil, bad},
		{"version 3", msg(3, 34, 0, sa2, "xxxx"), proto.No, ``, nil, bad},
		{"keep-alive", "\xff", proto.No, ``, nil, nil},
		{"esp", "\x12\x34\x56\x78" + strings.Repeat("e", 40), proto.No, ``, nil, bad},
		{"no initiator", strings.Repeat("\x00", 16) + main1[16:], proto.No, `"payload":["SecurityAssociation","Proposal","Transform","VendorID"]`, nil, nil},
	}
	for _, tt := range tests {
		if m := probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		if tt.name == "no initiator" {
			continue
		}
		eve, anomalies, values := prototest.One(t, Protocol, tt.in)
		if !strings.HasSuffix(eve, tt.want) || (tt.want == "") != (eve == "") || !slices.Equal(anomalies, tt.anomalies) || !slices.Equal(values, tt.values) {
			t.Errorf("%s: %v %q\n%s\nwant %s", tt.name, anomalies, values, eve, tt.want)
		}
	}
}

// TestChosen: what the server chose is in the events after it, and for rules in
// its own message only.
func TestChosen(t *testing.T) {
	var got []string
	o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, _ bool) {
		for _, v := range prototest.Values(t, Protocol, tx) {
			if strings.HasPrefix(v, "ike.chosen") || strings.HasPrefix(v, "ike.resp") {
				got = append(got, strings.TrimPrefix(v, "ike."))
			}
		}
	}}
	r := prototest.Drive(Protocol, o, prototest.C(main1), prototest.S(main1), prototest.C(keys1), prototest.S(crypt1))
	want := "resp_spi=524553504f4e4452 chosen_sa_attribute=alg_enc=7 chosen_sa_attribute=sa_key_length=128 chosen_sa_attribute=alg_hash=2 chosen_sa_attribute=alg_auth=1 " +
		"chosen_sa_attribute=alg_dh=2 chosen_sa_attribute=sa_life_type=1 chosen_sa_attribute=sa_life_duration=86400 resp_spi=524553504f4e4452"
	if strings.Join(got, " ") != want {
		t.Errorf("%q", got)
	}
	for i, e := range r.Events {
		if strings.Contains(e, `"exchange_type":2,"alg_enc":"EncAesCbc"`) != (i == 1 || i == 2) {
			t.Errorf("event %d: %s", i, e)
		}
	}
}

func TestLimits(t *testing.T) {
	many := ""
	for range 60 {
		many += load(vendor1, "v")
	}
	var transforms []string
	for range maxTransforms + 5 {
		transforms = append(transforms, strings.Repeat(aes, 4))
	}
	var m Message
	in := []byte(msg(1, 2, 0, sa1, load(vendor1, sa1Body(transforms...))+many+load(0, "last")))
	if !m.header(in) || !m.payloads(in[16], in[headerLen:]) {
		t.Fatal("not read")
	}
	if m.NPayloads != maxPayloads || m.NVendors != maxVendors || m.NTransforms != maxTransforms || m.Transforms[0].N != maxAttributes {
		t.Errorf("%d payloads, %d vendors, %d transforms, %d attributes", m.NPayloads, m.NVendors, m.NTransforms, m.Transforms[0].N)
	}
	notes := ""
	for range maxNotify + 3 {
		notes += load(notify2, "\x00\x00\x40\x04")
	}
	in = []byte(msg(2, 34, 0, notify2, notes+load(0, "\x00\x00\x40\x04")))
	if !m.header(in) || !m.payloads(in[16], in[headerLen:]) || m.NNotify != maxNotify {
		t.Errorf("%d notifications", m.NNotify)
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, main1, keys1, crypt1, init2, weak2, error2, auth2)
}

func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, main1, keys1, crypt1, init2, weak2, error2, auth2)
}

func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, init2) }
