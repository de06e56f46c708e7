package bittorrent

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

const (
	id20   = "abcdefghij0123456789" // the identifier of BEP 5's examples
	hash   = "mnopqrstuvwxyz123456"
	idHex  = "6162636465666768696a30313233343536373839"
	hshHex = "6d6e6f707172737475767778797a313233343536"
	peer   = "-TR4000-abcdefghijkl"

	hello = greeting + "\x00\x00\x00\x00\x00\x10\x00\x05" + hash + peer

	ping      = "d1:ad2:id20:" + id20 + "e1:q4:ping1:t2:aa1:y1:qe"
	getPeers  = "d1:ad2:id20:" + id20 + "9:info_hash20:" + hash + "e1:q9:get_peers1:t2:aa1:v4:UT\x01\x021:y1:qe"
	findNode  = "d2:ip6:\x7f\x00\x00\x01\x1a\xe11:ad2:id20:" + id20 + "6:target20:" + hash + "4:wantl2:n42:n6ee1:q9:find_node1:t1:x1:y1:qe"
	announce  = "d1:ad2:id20:" + id20 + "12:implied_porti1e9:info_hash20:" + hash + "4:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe"
	peers     = "d1:rd2:id20:" + id20 + "5:nodes26:" + "abcdefghijklmnopqrstuvwxyz" + "5:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re"
	failure   = "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee"
	localPeer = search + "1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: " + hshHex + "\r\ncookie: 1\r\n\r\n\r\n"
)

var (
	connect      = be(connectMagic, 8) + be(0, 4) + "tran"
	connectReply = be(0, 4) + "tran" + "connecti"
	trAnnounce   = "connecti" + be(1, 4) + "tran" + hash + peer + be(0, 8) + be(700, 8) + be(0, 8) + be(2, 4) + be(0, 4) + "key!" + be(50, 4) + be(6881, 2)
	trReply      = be(1, 4) + "tran" + be(1800, 4) + be(3, 4) + be(4, 4) + "\xc0\x00\x02\x01\x1a\xe1"
	scrape       = "connecti" + be(2, 4) + "tran" + hash + id20
	scrapeReply  = be(2, 4) + "tran" + be(1, 4) + be(2, 4) + be(3, 4)
	trError      = be(3, 4) + "tran" + "denied"

	syn   = utpPacket(utpSyn, "\x02", "\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00", "")
	state = utpPacket(utpState, "\x01", "\x00\x04\xff\x00\x00\x00", "")
	fin   = utpPacket(utpFin, "\x00", "", "")
	chunk = utpPacket(utpData, "\x00", "", "some of a file")
	inUTP = utpPacket(utpData, "\x00", "", hello+"more")
)

func be(v uint64, n int) string { return string(binary.BigEndian.AppendUint64(nil, v)[8-n:]) }

func utpPacket(typ byte, ext, exts, data string) string {
	return string([]byte{typ<<4 | 1}) + ext + "\x12\x34" + be(0x01020304, 4) + be(0, 4) + be(1<<20, 4) + be(1, 2) + be(0, 2) + exts + data
}

func TestDatagrams(t *testing.T) {
	const dht = `"bittorrent":{"type":"dht","transaction_id":"6161",`
	const shake = `"dht":true,"fast":true,"extensions":true,"info_hash":"` + hshHex + `","peer_id":"2d5452343030302d6162636465666768696a6b6c","client":"-TR4000-"}`
	tests := []struct {
		name, in string
		d        packet.Dir
		probe    proto.Match
		want     string
	}{
		{"ping", ping, 0, proto.Yes, dht + `"request_type":"ping","id":"` + idHex + `"}`},
		{"get_peers", getPeers, 1, proto.Yes, dht + `"client_version":"55540102","request_type":"get_peers","id":"` + idHex + `","info_hash":"` + hshHex + `"}`},
		{"find_node", findNode, 0, proto.Yes, `"bittorrent":{"type":"dht","transaction_id":"78","request_type":"find_node","id":"` + idHex + `","target":"` + hshHex + `"}`},
		{"announce_peer", announce, 0, proto.Yes, dht + `"request_type":"announce_peer","id":"` + idHex + `","token":true,"implied_port":true,"info_hash":"` + hshHex + `","port":6881}`},
		{"peers", peers, 1, proto.Yes, dht + `"response":true,"nodes":1,"values":2,"id":"` + idHex + `","token":true}`},
		{"error", failure, 1, proto.Yes, dht + `"error":{"num":201,"msg":"A Generic Error Ocurred"}}`},
		{"negative error", "d1:eli-1e0:e1:t1:a1:y1:ee", 1, proto.Yes, `"bittorrent":{"type":"dht","transaction_id":"61","error":{"num":-1,"msg":""}}`},
		{"trailing byte", ping + "e", 0, proto.No, ""},
		{"cut", ping[:len(ping)-2], 0, proto.No, ""},
		{"short id", strings.Replace(ping, "20:"+id20, "3:abc", 1), 0, proto.No, ""},
		{"no transaction", "d1:ad2:id20:" + id20 + "e1:q4:ping1:y1:qe", 0, proto.No, ""},
		{"no query", "d1:ad2:id20:" + id20 + "e1:t1:a1:y1:qe", 0, proto.No, ""},
		{"no error", "d1:t10:aaaaaaaaaa1:y1:ee", 0, proto.No, ""},
		{"response without id", "d1:rd1:a1:be1:t1:a1:y1:re", 0, proto.No, ""},
		{"type", "d1:rd2:id20:" + id20 + "e1:t1:a1:y1:xe", 0, proto.No, ""},
		{"leading zero", "d1:ad2:id020:" + id20 + "e1:q4:ping1:t2:aa1:y1:qe", 0, proto.No, ""},
		{"string past the end", "d1:ad2:id20:" + id20 + "e1:q9999:ping1:t2:aa1:y1:qe", 0, proto.No, ""},
		{"long length", "d1:ad2:id20:" + id20 + "e1:q9999999999999:p1:t1:a1:y1:qe", 0, proto.No, ""},
		{"deep", "d1:rd2:id20:" + id20 + "e1:t1:a1:x" + strings.Repeat("l", maxDepth) + strings.Repeat("e", maxDepth) + "1:y1:re", 0, proto.Yes,
			`"bittorrent":{"type":"dht","transaction_id":"61","response":true,"nodes":0,"values":0,"id":"` + idHex + `"}`},
		{"too deep", "d1:rd2:id20:" + id20 + "e1:t1:a1:x" + strings.Repeat("l", maxDepth+1) + strings.Repeat("e", maxDepth+1) + "1:y1:re", 0, proto.No, ""},
		{"other bencode", "d8:intervali1800e5:peers0:e", 0, proto.No, ""},

		{"tracker connect", connect, 0, proto.Yes, `"bittorrent":{"type":"tracker","action":"connect"}`},
		{"tracker connected", connectReply, 1, proto.No, ""},
		{"tracker announce", trAnnounce, 0, proto.Weak, `"bittorrent":{"type":"tracker","action":"announce","event":"started","left":700,"info_hash":"` + hshHex + `","peer_id":"2d5452343030302d6162636465666768696a6b6c","client":"-TR4000-","port":6881}`},
		{"tracker reply", trReply, 1, proto.Weak, `"bittorrent":{"type":"tracker","action":"announce","response":true,"interval":1800,"seeders":4,"leechers":3,"peers":1}`},
		{"scrape", scrape, 0, proto.No, `"bittorrent":{"type":"tracker","action":"scrape","info_hashes":["` + hshHex + `","` + idHex + `"]}`},
		{"scrape reply", scrapeReply, 1, proto.No, `"bittorrent":{"type":"tracker","action":"scrape","response":true}`},
		{"tracker error", trError, 1, proto.No, `"bittorrent":{"type":"tracker","action":"error","message":"denied"}`},
		{"other event", trAnnounce[:83] + "\x04" + trAnnounce[84:], 0, proto.No, ""},
		{"other magic", be(connectMagic+1, 8) + connect[8:], 0, proto.No, ""},
		{"other action", "connecti" + be(4, 4) + "tran", 0, proto.No, ""},

		{"syn", syn, 0, proto.Weak, `"bittorrent":{"type":"utp"}`},
		{"state", state, 1, proto.Weak, `"bittorrent":{"type":"utp"}`},
		{"fin", fin, 1, proto.Weak, `"bittorrent":{"type":"utp"}`},
		{"data", chunk, 1, proto.Weak, `"bittorrent":{"type":"utp"}`},
		{"handshake in utp", inUTP, 0, proto.Yes, `"bittorrent":{"type":"handshake","transport":"utp",` + shake},
		{"syn with data", syn + "x", 0, proto.No, ""},
		{"empty data", chunk[:utpHeader], 0, proto.No, ""},
		{"extension past the end", state[:24], 0, proto.No, ""},
		{"other extension", utpPacket(utpState, "\x07", "\x00\x04abcd", ""), 0, proto.No, ""},
		{"version 2", "\x42" + syn[1:], 0, proto.No, ""},
		{"type 5", "\x51" + syn[1:], 0, proto.No, ""},
		{"wireguard", "\x01\x00\x00\x00" + strings.Repeat("k", 144), 0, proto.No, ""},
		{"large window", utpPacket(utpData, "\x00", "", "x")[:12] + "\x10" + chunk[13:], 0, proto.No, ""},

		{"local", localPeer, 0, proto.Yes, `"bittorrent":{"type":"lsd","info_hash":"` + hshHex + `","port":6881}`},
		{"local, odd fields", search + "1\nport: 99999\nINFOHASH: zz\nInfohash: " + strings.Repeat("zz", 20) + "\nno colon", 0, proto.Yes, `"bittorrent":{"type":"lsd"}`},
		{"local, bad port", search + "1\nPort: 6x\n", 0, proto.Yes, `"bittorrent":{"type":"lsd"}`},
		{"ssdp", "M-SEARCH * HTTP/1.1\r\n\r\n", 0, proto.No, ""},
		{"empty", "", 0, proto.No, ""},
		{"dns", "\x41\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01", 0, proto.No, ""},
	}
	for _, tt := range tests {
		if m := probe(tt.d, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
		r := prototest.Drive(Protocol, o, prototest.Part{Dir: tt.d, Data: []byte(tt.in)})
		if r.Joined() != tt.want || r.Err != nil || r.Anomalies != nil {
			t.Errorf("%s: %v %v\n%s\nwant %s", tt.name, r.Err, r.Anomalies, r.Joined(), tt.want)
		}
	}
}

// A uTP connection is told of once, and more announcements than fit are not
// kept.
func TestFlow(t *testing.T) {
	o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
	ps := Protocol.New()
	for range 2 {
		r := prototest.DriveParser(Protocol, ps, o, prototest.C(syn), prototest.S(state), prototest.C(chunk), prototest.C(inUTP))
		if len(r.Events) != 2 || !strings.Contains(r.Events[1], "handshake") {
			t.Errorf("%s", r.Joined())
		}
		ps.Reset()
	}
	n := 0
	o.OnTx = func(tx proto.Tx, _ bool) { n = len(tx.(*Message).Hashes) / hashLen }
	prototest.Drive(Protocol, o, prototest.C(search+"1\n"+strings.Repeat("Infohash:"+hshHex+"\n", maxHashes+1)))
	if n != maxHashes {
		t.Errorf("%d hashes", n)
	}
	prototest.Drive(Protocol, o, prototest.C(search+"1\n"+strings.Repeat("\n", maxLines)+"Infohash:"+hshHex+"\n"))
	if n != 0 {
		t.Errorf("line %d is read", maxLines+1)
	}
}

func TestStream(t *testing.T) {
	const ev = `"bittorrent":{"type":"handshake","dht":true,"fast":true,"extensions":true,"info_hash":"` + hshHex + `",`
	up := ev + `"peer_id":"2d5452343030302d6162636465666768696a6b6c","client":"-TR4000-"}`
	down := ev + `"peer_id":"` + hshHex + `","client":"mnopqrst"}`
	answer := hello[:48] + hash
	for seed := range uint64(5) {
		r := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(seed, prototest.C(hello+"pieces"), prototest.S(answer+"more"), prototest.C("x"))...)
		if r.Joined() != up+"\n"+down || !r.Finished || r.Err != nil {
			t.Fatalf("%v %v %s", r.Finished, r.Err, r.Joined())
		}
	}
	tests := []struct {
		name  string
		parts []prototest.Part
		want  string
		err   error
	}{
		{"one side", []prototest.Part{prototest.C(hello), prototest.C("x")}, up, nil},
		{"cut", []prototest.Part{prototest.C(hello[:67])}, "", nil},
		{"other answer", []prototest.Part{prototest.C(hello), prototest.S("HTTP/1.1")}, up, errPeer},
		{"gap before", []prototest.Part{prototest.C(hello[:30]), {Dir: packet.ToServer, Gap: 1, Data: []byte("x")}}, "", errPeer},
		{"gap after", []prototest.Part{prototest.C(hello), {Dir: packet.ToServer, Gap: 1, Data: []byte("x")}}, up, nil},
	}
	for _, tt := range tests {
		if r := prototest.Drive(Protocol, prototest.Options{}, tt.parts...); r.Joined() != tt.want || r.Err != tt.err {
			t.Errorf("%s: %v %s", tt.name, r.Err, r.Joined())
		}
	}
	for in, want := range map[string]proto.Match{hello: proto.Yes, greeting: proto.Yes, hello[:5]: proto.More, "\x13": proto.More, "\x13Bitcoin": proto.No} {
		if m := probe(packet.ToClient, []byte(in)); m != want {
			t.Errorf("probe(%q): %v, want %v", in, m, want)
		}
	}
}

func TestBuffers(t *testing.T) {
	var v []string
	o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, _ bool) { v = append(v, prototest.Values(t, Protocol, tx)...) }}
	prototest.Drive(Protocol, o, prototest.C(scrape), prototest.C(trAnnounce), prototest.S(getPeers))
	want := []string{"bittorrent.info_hash=" + hash, "bittorrent.info_hash=" + id20, "bittorrent.info_hash=" + hash, "bittorrent.peer_id=" + peer,
		"bittorrent.info_hash=" + hash, "bittorrent.dht.query=get_peers"}
	if !slices.Equal(v, want) {
		t.Errorf("%q", v)
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, getPeers, peers, announce, failure, connect, trAnnounce, scrape, localPeer, syn, inUTP)
	ps := Protocol.New()
	var e event.Encoder
	c := &proto.Conn{Transport: proto.TCP, OnTx: func(tx proto.Tx, _ bool) { e.B = e.B[:0]; tx.EncodeEVE(&e) }}
	in := []byte(hello)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = ps.Parse(c, packet.ToServer, in)
		ps.Reset()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, getPeers) }

func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, hello, ping, getPeers, findNode, announce, peers, failure, connect, trAnnounce, trReply, scrape, localPeer, syn, state, inUTP)
}
