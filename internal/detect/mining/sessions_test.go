package mining

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// Parts of messages. The digits mean nothing; the lengths are those of the
// protocols.
var (
	hash1  = strings.Repeat("c0e67d1fc274309c", 4)
	hash2  = strings.Repeat("41f3161ce643ebcf", 4)
	seed   = strings.Repeat("71a56feffb6f10ea", 4)
	bound  = "00000000dbe6fece" + strings.Repeat("bdedd5beb573440e", 3)
	blob   = "1010" + strings.Repeat("fa918ed80681", 12) + "c34f"
	xmr    = "48edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD"
	btc    = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
	eth    = "0x52bc44d5378309EE2abF1539BF71dE1b7d7bE3b5"
	kas    = "kaspa:qr" + strings.Repeat("2ws0ezl7d", 6) + "mzvx4c"
	coinb  = strings.Repeat("01000000ffff", 12)
	merkle = `["` + hash1 + `","` + hash2 + `"]`
	soln   = "fd4005" + strings.Repeat("00e1b2c3", 336)
	cycle  = strings.TrimSuffix(strings.Repeat("48211,", 42), ",")
)

// sub replaces $NAME in a message.
var sub = strings.NewReplacer("$HASH1", hash1, "$HASH2", hash2, "$SEED", seed, "$BOUND", bound, "$BLOB", blob, "$XMR", xmr, "$BTC", btc, "$ETH", eth, "$KAS", kas,
	"$COINB", coinb, "$ERG", erg, "$XEL", xel, "$CKB", ckb, "$MERKLE", merkle, "$SOLN", soln, "$CYCLE", cycle, "$NIM", nim)

// talk makes parts of lines that begin with > (sent by the miner) or <.
func talk(lines ...string) (out []prototest.Part) {
	for _, l := range lines {
		m := sub.Replace(l[2:]) + "\n"
		if l[0] == '>' {
			out = append(out, prototest.C(m))
		} else {
			out = append(out, prototest.S(m))
		}
	}
	return out
}

type session struct {
	name    string
	lines   []string
	at      int // message, from 0, that makes it certain
	blind   int // messages at the end that are not enough when picked up there
	dialect string
	final   string // dialect at the end, if another
	detail  string // coin/algorithm/agent/worker/wallet at the end
}

var sessions = []session{
	{"Stratum V1, known software", []string{
		`> {"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}`,
		`< {"id":1,"result":[[["mining.set_difficulty","9a66"],["mining.notify","8477"]],"04bee27a",4],"error":null}`,
		`> {"id": 2, "method": "mining.authorize", "params": ["$BTC.w1", "x"]}`,
		`< {"id":2,"result":true,"error":null}`,
		`< {"id":null,"method":"mining.set_difficulty","params":[0.001]}`,
		`< {"id":null,"method":"mining.notify","params":["5395cef","$HASH1","$COINB","$COINB",$MERKLE,"20000000","1d00ffff","6b03891d",true]}`,
		`> {"method": "mining.submit", "params": ["$BTC.w1", "5395cef", "00000000", "6b03891d", "bcee0300"], "id":4}`,
		`< {"id":4,"result":true,"error":null}`,
	}, 0, 1, "stratum-v1", "", "bitcoin//cpuminer/2.5.1/w1/" + btc},
	{"Stratum V1, unknown software", []string{
		`> {"params":["friendly helper"],"method":"mining.subscribe","id":"a"}`,
		`< {"error":null,"id":"a","result":[[["mining.notify","1"]],"00b61738",4]}`,
		`> {"params":["someone",""],"method":"mining.authorize","id":"b"}`,
	}, 1, 1, "stratum-v1", "", "//friendly helper/someone/"},
	{"Stratum V1, configure first (BIP 310)", []string{
		`> {"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"1fffe000"}]}`,
		`< {"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}`,
		`> {"id":2,"method":"mining.subscribe","params":["bosminer-plus-tuner"]}`,
	}, 1, 0, "stratum-v1", "", "//bosminer-plus-tuner//"},
	{"Stratum V1, nothing but work", []string{
		`< {"id":null,"method":"mining.set_difficulty","params":[4096]}`,
		`< {"params":["274a-1","$HASH1","$COINB","$COINB",[],"20000000","1d00ffff","6b03891d",false],"id":null,"method":"mining.notify"}`,
	}, 1, 0, "stratum-v1", "", "////"},
	{"CryptoNote, xmrig", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"$XMR.rig0","pass":"x","agent":"XMRig/6.26.0 (Linux x86_64) libuv/1.44.2 gcc/12.2.0","algo":["rx/0","cn/1","ghostrider"]}}`,
		`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"49f2","job":{"blob":"$BLOB","job_id":"04b2","target":"44444404","algo":"rx/0","height":3448500,"seed_hash":"$SEED"},"extensions":["algo","keepalive"],"status":"OK"}}`,
		`< {"jsonrpc":"2.0","method":"job","params":{"blob":"$BLOB","job_id":"d1f7","target":"ffffff3f","height":3448500,"seed_hash":"$SEED"}}`,
		`> {"id":2,"jsonrpc":"2.0","method":"submit","params":{"id":"49f2","job_id":"d1f7","nonce":"01000065","result":"$HASH1","algo":"rx/0"}}`,
		`< {"jsonrpc":"2.0","id":2,"error":null,"result":{"status":"OK"}}`,
		`> {"id":3,"jsonrpc":"2.0","method":"keepalived","params":{"id":"49f2"}}`,
		`< {"jsonrpc":"2.0","id":3,"error":null,"result":{"status":"KEEPALIVED"}}`,
	}, 0, 1, "cryptonote", "", "monero/rx/0/XMRig/6.26.0 (Linux x86_64) libuv/1.44.2 gcc/12.2.0/rig0/" + xmr},
	{"CryptoNote, account and no agent", []string{
		`> {"method":"login","params":{"login":"me@mail.example","pass":"x"},"id":1}`,
		`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"3dce","job":{"blob":"$BLOB","job_id":"x9pN","target":"711b0d00","id":"3dce"},"status":"OK"}}`,
	}, 1, 0, "cryptonote", "", "///me@mail.example/"},
	{"CryptoNote, address and no agent", []string{
		`> {"id":1,"method":"login","params":{"login":"$XMR","pass":"d"}}`,
	}, 0, 0, "cryptonote", "", "monero////" + xmr},
	{"CryptoNote, getjob", []string{
		`> {"id":5,"method":"getjob","params":{"id":"49f2"}}`,
		`< {"id":5,"result":{"blob":"$BLOB","job_id":"04b2","target":"44444404"},"error":null}`,
	}, 1, 0, "cryptonote", "", "////"},
	{"EthProxy", []string{
		`> {"id":1,"method":"eth_submitLogin","params":["$ETH","X"],"worker":"rig1"}`,
		`< {"id":1,"jsonrpc":"2.0","result":true}`,
		`> {"id":5,"method":"eth_getWork","params":[]}`,
		`< {"id":5,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$BOUND"]}`,
		`< {"id":0,"jsonrpc":"2.0","result":["0x$HASH2","0x$SEED","0x$BOUND","0x34bb26"]}`,
		`> {"id":40,"method":"eth_submitWork","params":["0x0ecf7aa9a67d2cd0","0x$HASH1","0x$HASH2"],"worker":"rig1"}`,
		`< {"id":40,"jsonrpc":"2.0","result":true}`,
		`> {"id":9,"jsonrpc":"2.0","method":"eth_submitHashrate","params":["0x00000000000000000000000000000054","0x$SEED"],"worker":"rig1"}`,
	}, 0, 0, "ethproxy", "", "///rig1/" + eth},
	{"EthProxy, account", []string{
		`> {"worker": "", "jsonrpc": "2.0", "params": ["somebody.rig", "x"], "id": 2, "method": "eth_submitLogin"}`,
		`< {"jsonrpc":"2.0","id":2,"result":true}`,
	}, 1, 1, "ethproxy", "", "///somebody.rig/"},
	{"EthProxy, pushes alone", []string{
		`< {"id":0,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$BOUND"]}`,
		`< {"id":0,"jsonrpc":"2.0","result":["0x$HASH2","0x$SEED","0x$BOUND"]}`,
	}, 1, 1, "ethproxy", "", "////"},
	{"EthProxy, pushes with height", []string{
		`< {"id":0,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$BOUND","0x34bb26"]}`,
	}, 0, 0, "ethproxy", "", "////"},
	{"EthereumStratum/1.0.0", []string{
		`> {"id":1,"method":"mining.subscribe","params":["ethminer-0.19.0","EthereumStratum/1.0.0"]}`,
		`< {"id":1,"result":[["mining.notify","ae68","EthereumStratum/1.0.0"],"080c"],"error":null}`,
		`> {"id":2,"method":"mining.extranonce.subscribe","params":[]}`,
		`> {"id":3,"method":"mining.authorize","params":["$ETH.rig","x"]}`,
		`< {"id":3,"result":true,"error":null}`,
		`< {"id":null,"method":"mining.set_difficulty","params":[0.5]}`,
		`< {"id":null,"method":"mining.notify","params":["bf06","$SEED","$HASH1",true]}`,
		`> {"id":244,"method":"mining.submit","params":["$ETH.rig","bf06","6a909d9bbc0f"]}`,
	}, 0, 0, "ethereumstratum-1.0", "", "//ethminer-0.19.0/rig/" + eth},
	{"EthereumStratum/2.0.0 (EIP-1571)", []string{
		`> {"id":0,"method":"mining.hello","params":{"agent":"miner-new","host":"pool.example","port":"4d2","proto":"EthereumStratum/2.0.0"}}`,
		`< {"id":0,"result":{"proto":"EthereumStratum/2.0.0","encoding":"plain","resume":"0"}}`,
		`> {"id":1,"method":"mining.subscribe"}`,
		`< {"id":1,"result":"s-12345"}`,
		`> {"id":2,"method":"mining.authorize","params":["$ETH.r","x"]}`,
		`< {"id":2,"result":"w-123"}`,
		`< {"method":"mining.set","params":{"epoch":"dc","target":"0112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba","algo":"ethash","extranonce":"af4c"}}`,
		`< {"method":"mining.notify","params":["bf0488aa","6526d5","$HASH1","0"]}`,
		`> {"id":12,"method":"mining.submit","params":["bf0488aa","68765fccd712","w-123"]}`,
	}, 0, 0, "ethereumstratum-2.0", "", "//miner-new/r/" + eth},
	{"KawPow", []string{
		`> {"id":1,"method":"mining.subscribe","params":["kawpowminer/1.2.4"]}`,
		`< {"id":1,"result":[null,"2c41"],"error":null}`,
		`< {"id":null,"method":"mining.set_target","params":["$BOUND"]}`,
		`< {"id":null,"method":"mining.notify","params":["0001","$HASH1","$SEED","$BOUND",true,2800000,"1b00d1e2"]}`,
		`> {"id":4,"method":"mining.submit","params":["acct.rig","0001","0x2c41000000001234","0x$HASH1","0x$HASH2"]}`,
	}, 0, 0, "stratum-v1", "kawpow", "//kawpowminer/1.2.4/acct.rig/"},
	{"Equihash (ZIP 301)", []string{
		`> {"id":1,"method":"mining.subscribe","params":["quiet/1.0",null,"zec.pool.example",3333]}`,
		`< {"id":1,"result":["d1b6","4a0e1d2c"],"error":null}`,
		`> {"id":2,"method":"mining.authorize","params":["t1acct.rig4","x"]}`,
		`< {"id":null,"method":"mining.set_target","params":["$BOUND"]}`,
		`< {"id":null,"method":"mining.notify","params":["7c","04000000","$HASH1","$HASH2","$SEED","e3d2b958","1f07ffff",true]}`,
		`> {"id":4,"method":"mining.submit","params":["t1acct.rig4","7c","e3d2b958","00000000000000000000000000000000000000000000000000000001","$SOLN"]}`,
	}, 1, 0, "equihash", "", "//quiet/1.0/t1acct.rig4/"},
	{"Kaspa", []string{
		`> {"id":1,"method":"mining.subscribe","params":["x","EthereumStratum/1.0.0"]}`,
		`< {"id":1,"result":[true,"EthereumStratum/1.0.0"]}`,
		`> {"id":2,"method":"mining.authorize","params":["$KAS.ks","x"]}`,
		`< {"method":"mining.notify","params":["1",[4398046511104,1234567,7654321,9007199254740993],1700000000000]}`,
		`> {"id":3,"method":"mining.submit","params":["$KAS.ks","1","0x00ab12cd34ef5678"]}`,
	}, 0, 0, "ethereumstratum-1.0", "kaspa", "kaspa//x/ks/" + kas},
	{"CKB", []string{
		`> {"id":1,"method":"ckb_submitLogin","params":["acct"],"worker":"r"}`,
		`< {"id":1,"result":true}`,
	}, 1, 1, "ckb", "", "nervos///r/"},
	{"Grin", []string{
		`> {"id":"0","jsonrpc":"2.0","method":"login","params":{"login":"me","pass":"x","agent":"grin-miner"}}`,
		`< {"id":"0","jsonrpc":"2.0","method":"login","result":"ok","error":null}`,
		`> {"id":"0","jsonrpc":"2.0","method":"getjobtemplate","params":null}`,
		`< {"id":"Stratum","jsonrpc":"2.0","method":"job","params":{"difficulty":1,"height":16375,"job_id":5,"pre_pow":"` + strings.Repeat("00010000", 40) + `"}}`,
		`> {"id":"0","jsonrpc":"2.0","method":"submit","params":{"edge_bits":29,"height":16419,"job_id":0,"nonce":8895699060858340771,"pow":[$CYCLE]}}`,
	}, 0, 0, "grin", "", "//grin-miner/me/"},
	{"Beam", []string{
		`> {"method":"login","api_key":"k","id":"login","jsonrpc":"2.0"}`,
		`< {"description":"Login successful","id":"login","jsonrpc":"2.0","method":"result","nonceprefix":"a8"}`,
		`< {"difficulty":98765,"height":100,"id":"7","input":"$HASH1","jsonrpc":"2.0","method":"job"}`,
		`> {"method":"solution","id":"7","nonce":"a8c2e1d3b4f50617","output":"` + strings.Repeat("0badcafe", 26) + `","jsonrpc":"2.0"}`,
	}, 1, 0, "beam", "", "beam///k/"},
	{"Coinhive", []string{
		`> {"type":"auth","params":{"site_key":"sk1","type":"anonymous","user":null,"goal":0}}`,
		`< {"type":"authed","params":{"token":"","hashes":0}}`,
		`< {"type":"job","params":{"job_id":"1","blob":"$BLOB","target":"ffffff00"}}`,
		`> {"type":"submit","params":{"job_id":"1","nonce":"6a000000","result":"$HASH1"}}`,
		`< {"type":"hash_accepted","params":{"hashes":256}}`,
	}, 0, 1, "coinhive", "", "///sk1/"},
	{"Coinhive, older", []string{
		`> {"type":"auth","params":{"site_key":"sk1","type":"user","user":"u"}}`,
		`< {"type":"authed","params":{"token":"t","hashes":0}}`,
	}, 1, 1, "coinhive", "", "///u/"},
	{"webminerpool", []string{
		`> {"identifier":"handshake","pool":"pool.example","login":"$XMR","password":"x","userid":"","version":7}`,
		`< {"identifier":"job","job_id":"1","algo":"cn","variant":1,"height":0,"blob":"$BLOB","target":"ffffff00"}`,
		`> {"identifier":"solved","job_id":"1","nonce":"6a000000","result":"$HASH1"}`,
	}, 0, 0, "webminerpool", "", "monero////" + xmr},
	{"Dero", []string{
		`< {"jobid":"1.2.3","blockhashing_blob":"` + strings.Repeat("41000000", 12) + `","difficulty":"1000","difficultyuint64":1000,"height":9,"blocks":0,"miniblocks":1,"rejected":0,"lasterror":"","status":false}`,
		`> {"jobid":"1.2.3","mbl_blob":"` + strings.Repeat("41000000", 12) + `"}`,
	}, 0, 0, "dero", "", "dero////"},
	{"Iron Fish", []string{
		`> {"id":0,"method":"mining.subscribe","body":{"version":3,"name":"r1","publicAddress":"$HASH1","agent":"if/1"}}`,
		`< {"id":0,"method":"mining.subscribed","body":{"clientId":7,"graffiti":"g"}}`,
		`< {"id":1,"method":"mining.set_target","body":{"target":"$BOUND"}}`,
		`< {"id":2,"method":"mining.notify","body":{"miningRequestId":5,"header":"$BLOB"}}`,
		`> {"id":3,"method":"mining.submit","body":{"miningRequestId":5,"randomness":"2c41000000001234"}}`,
	}, 0, 0, "ironfish", "", "iron-fish//if/1//" + hash1},
	{"Alephium", []string{
		`> {"id":1,"method":"mining.authorize","params":["acct"]}`,
		`< {"id":null,"method":"mining.set_difficulty","params":[4]}`,
		`< {"id":null,"method":"mining.notify","params":[{"jobId":"1","fromGroup":0,"toGroup":1,"headerBlob":"$COINB$COINB","txsBlob":"$COINB","targetBlob":"00ff"}]}`,
		`> {"id":2,"method":"mining.submit","params":{"jobId":"1","fromGroup":0,"toGroup":1,"nonce":"2c41000000001234","worker":"acct"}}`,
	}, 0, 0, "stratum-v1", "alephium", "alephium///acct/"},
	{"getblocktemplate, bare", []string{
		`> {"id": 0, "method": "getblocktemplate", "params": [{"capabilities": ["coinbasetxn", "workid"], "maxversion": 4}]}`,
		`< {"id":0,"result":{"bits":"1d00ffff","coinbasevalue":1,"longpollid":"x","previousblockhash":"$HASH1","transactions":[],"target":"$BOUND"},"error":null}`,
	}, 0, 1, "getblocktemplate", "", "////"},
	{"getblocktemplate, bare question", []string{
		`> {"id": 0, "method": "getblocktemplate", "params": []}`,
		`< {"id":0,"result":{"bits":"1d00ffff","coinbasevalue":1,"longpollid":"x","previousblockhash":"$HASH1","transactions":[],"target":"$BOUND"},"error":null}`,
	}, 1, 1, "getblocktemplate", "", "////"},
	{"getblocktemplate, Monero daemon", []string{
		`> {"id":"0","jsonrpc":"2.0","method":"get_block_template","params":{"wallet_address":"$XMR","reserve_size":60}}`,
	}, 0, 0, "getblocktemplate", "", "monero////" + xmr},
	{"submitblock", []string{
		`> {"id":1,"method":"submitblock","params":["` + strings.Repeat("04000000", 30) + `"]}`,
	}, 0, 0, "getblocktemplate", "", "////"},
	{"getwork, bare", []string{
		`> {"method":"getwork","params":[],"id":1}`,
		`< {"id":1,"error":null,"result":{"midstate":"$HASH1","data":"` + strings.Repeat("00000001", 32) + `","hash1":"$HASH2","target":"$BOUND"}}`,
		`> {"method":"getwork","params":["` + strings.Repeat("00000001", 32) + `"],"id":2}`,
	}, 1, 0, "getwork", "", "////"},
}

// judge drives parts through the parser and the detector. at is the index of
// the part of the finding, -1 when there was none.
func judge(t *testing.T, conn proto.Conn, parts ...prototest.Part) (f event.Finding, at int, last *stratum.Session) {
	t.Helper()
	in := Detector.New()
	p := stratum.Protocol.New()
	at = -1
	msg := -1
	prototest.DriveParser(stratum.Protocol, p, prototest.Options{Conn: conn, OnTx: func(tx proto.Tx, done bool) {
		s := tx.(*stratum.Tx)
		last = &s.Session
		if !done {
			msg++
		}
		if g, ok := in.Inspect(nil, &conn, tx); ok {
			if at >= 0 {
				t.Error("a second finding for one flow")
			}
			f, at = g, msg
		}
	}}, parts...)
	return f, at, last
}

func TestSessions(t *testing.T) {
	for _, tt := range slices.Concat(sessions, moreSessions, kinSessions, fieldSessions) {
		t.Run(tt.name, func(t *testing.T) {
			parts := talk(tt.lines...)
			f, at, s := judge(t, proto.Conn{}, parts...)
			if at != tt.at || f.Level != event.Confirmed || f.Category != event.Mining || !f.FromClient {
				t.Fatalf("found at %d, want %d: %+v", at, tt.at, f)
			}
			if f.Mining.Dialect != tt.dialect {
				t.Errorf("dialect %s, want %s", f.Mining.Dialect, tt.dialect)
			}
			if final := tt.final; s.Dialect.String() != tt.dialect && s.Dialect.String() != final {
				t.Errorf("dialect in the end %s, want %s", s.Dialect, final)
			}
			wallet, worker := s.Account()
			if got := fmt.Sprintf("%s/%s/%s/%s/%s", s.Coin(), s.Algorithm.Bytes(), s.Agent.Bytes(), worker, wallet); got != tt.detail {
				t.Errorf("detail %s, want %s", got, tt.detail)
			}
			checkEvidence(t, &f)
			for seed := range uint64(8) {
				if g, at, _ := judge(t, proto.Conn{}, prototest.Split(seed, parts...)...); at != tt.at || g.Mining.Dialect != tt.dialect {
					t.Errorf("in pieces (seed %d): found at %d", seed, at)
				}
			}
		})
	}
}

// checkEvidence: at least two marks, readable, whose weights make the
// confidence.
func checkEvidence(t *testing.T, f *event.Finding) {
	t.Helper()
	sum := 0.0
	for _, e := range f.Evidence {
		sum += e.Weight
		if e.Code == "" || e.Value == "" || len(e.Value) > 4*maxValue || e.Weight <= 0 {
			t.Errorf("evidence %+v", e)
		}
	}
	if len(f.Evidence) < 2 || sum < stratum.Certain {
		t.Errorf("evidence of weight %.1f: %+v", sum, f.Evidence)
	}
	want := min(1/(1+math.Exp(-sum-prior)), 0.9999)
	if f.Level == event.Likely {
		want = min(want, 0.95)
	}
	if math.Abs(f.Confidence-want) > 1e-4 {
		t.Errorf("confidence %v for evidence of weight %v", f.Confidence, sum)
	}
	if f.SignatureID == 0 || f.Signature == "" || f.Code == "" || len(f.Args) < 2 || f.Detector != "mining" || f.Family == "" || f.Severity != 1 {
		t.Errorf("%+v", f)
	}
}

// TestMidstream picks every conversation up at every message, whole and with
// the beginning of the message missing, and with client and server swapped.
func TestMidstream(t *testing.T) {
	conn := proto.Conn{Midstream: true}
	for _, tt := range slices.Concat(sessions, moreSessions, kinSessions, fieldSessions) {
		parts := talk(tt.lines...)
		for k := 1; k < len(parts)-tt.blind; k++ {
			f, at, _ := judge(t, conn, parts[k:]...)
			if at < 0 || f.Level == event.Suspect {
				t.Errorf("%s: not found from message %d on", tt.name, k)
				continue
			}
			if !f.FromClient {
				t.Errorf("%s: from message %d on the pool is taken for the miner", tt.name, k)
			}
			cut := append([]prototest.Part(nil), parts[k-1:]...)
			cut[0].Data = cut[0].Data[min(len(cut[0].Data)-4, 9):]
			if _, at, _ := judge(t, conn, cut...); at < 0 {
				t.Errorf("%s: not found from the middle of message %d on", tt.name, k-1)
			}
			turned := append([]prototest.Part(nil), parts[k:]...)
			for i := range turned {
				turned[i].Dir = turned[i].Dir.Reverse()
			}
			if f, at, _ := judge(t, conn, turned...); at < 0 || f.FromClient {
				t.Errorf("%s: swapped, from message %d on: at %d, from client %v", tt.name, k, at, f.FromClient)
			}
		}
	}
}

// TestDressing: spacing, order, escapes and framing change nothing.
func TestDressing(t *testing.T) {
	for name, in := range map[string]string{
		"order":            `{"params":{"algo":["rx/0"],"agent":"XMRig/6.0","pass":"x","login":"a"},"method":"login","id":1}`,
		"spacing":          "{ \"method\" :\t\"login\" ,\r\n\"params\" : { \"login\" : \"a\" , \"pass\" : \"\" , \"agent\" : \"xmrig/6\" } }",
		"escapes":          `{"m\u0065thod":"l\u006fgin","params":{"log\u0069n":"a","pass":"x","\u0061gent":"\u0058MRig\/6.0"}}`,
		"twice":            `{"method":"login","method":"nothing","params":{"login":"a","pass":"b","agent":"XMRig/6"}}`,
		"junk before":      `{"x":[[{"y":"}{"},[]],"\\\""],"z":{"method":"ping"},"method":"login","params":{"q":[1,[2]],"login":"a","pass":"b","agent":"XMRig/6"}}`,
		"huge value first": `{"x":"` + strings.Repeat("y", 50000) + `","method":"login","params":{"login":"a","pass":"b","agent":"XMRig/6"}}`,
		"over the limit":   `{"method":"login","params":{"login":"a","pass":"b","agent":"XMRig/6","x":"` + strings.Repeat("y", 2*stratum.MaxMessage) + `"}}`,
		"batch":            `[{"method":"ping"},{"method":"login","params":{"login":"a","pass":"b","agent":"XMRig/6"}}]`,
		"nul":              "\x00{\"method\":\"login\",\"params\":{\"login\":\"a\",\"pass\":\"b\",\"agent\":\"XMRig/6\"}}\x00",
		"byte order mark":  "\xef\xbb\xbf{\"method\":\"login\",\"params\":{\"login\":\"a\",\"pass\":\"b\",\"agent\":\"XMRig/6\"}}",
		"case of members":  `{"Method":"login","Params":{"Login":"a","Pass":"b","Agent":"XMRig/6"}}`,
	} {
		for seed := range uint64(4) {
			f, at, _ := judge(t, proto.Conn{}, prototest.Split(seed, prototest.C(in+"\n"))...)
			if at < 0 || f.Level != event.Confirmed {
				t.Errorf("%s: not found", name)
				break
			}
		}
	}
}

// TestUnanswered: a lone call of a miner is worth a note, nothing more.
func TestUnanswered(t *testing.T) {
	f, at, _ := judge(t, proto.Conn{}, prototest.C(`{"id":1,"method":"mining.subscribe","params":[]}`))
	if at != 0 || f.Level != event.Suspect || f.Confidence > 0.6 || f.Severity != 2 || !strings.HasPrefix(f.Signature, "Possible") {
		t.Errorf("at %d: %+v", at, f)
	}
}

func TestPool(t *testing.T) {
	conn := proto.Conn{ServerPort: 3333, ClientPort: 4000, Server: packet.AddrFrom4([]byte{198, 51, 100, 7}), Client: packet.AddrFrom4([]byte{192, 168, 1, 2})}
	sub := prototest.C(`{"id":1,"method":"mining.subscribe","params":["cgminer/4.10"]}`)
	if f, _, _ := judge(t, conn, sub); f.Mining.Pool != "198.51.100.7:3333" {
		t.Errorf("pool %s", f.Mining.Pool)
	}
	sub.Dir = packet.ToClient
	if f, _, _ := judge(t, conn, sub); f.Mining.Pool != "192.168.1.2:4000" || f.FromClient {
		t.Errorf("pool %s, from client %v", f.Mining.Pool, f.FromClient)
	}
	if f, _, _ := judge(t, conn, prototest.C(`{"id":1,"method":"mining.subscribe","params":["gminer/2",null,"eq.example","3333"]}`)); f.Mining.Pool != "eq.example:3333" {
		t.Errorf("pool %s", f.Mining.Pool)
	}
}

func TestReadable(t *testing.T) {
	for in, want := range map[string]string{
		"XMRig/6":                "XMRig/6",
		"a\x00b\nc\xff":          "a b c?",
		" x ":                    "x",
		strings.Repeat("é", 120): strings.Repeat("é", 120),
		strings.Repeat("é", 121): strings.Repeat("é", 119) + "…",
		"\u202eevil\u200b":       "evil",
		"日本":                     "日本",
	} {
		if got := readable([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
