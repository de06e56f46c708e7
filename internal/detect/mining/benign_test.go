package mining

import (
	"maps"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/prototest"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// benign holds conversations that use the words of mining, or its forms, and
// are something else.
var benign = map[string][]string{
	"print farm": {
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"press-7","pass":"x","agent":"FarmClient/2.1 (linux)"}}`,
		`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"p7","job":{"job_id":"c4ad","document":"invoice.pdf","pages":39,"target":"office-2"},"status":"OK"}}`,
		`< {"jsonrpc":"2.0","method":"job","params":{"job_id":"c4ad","blob":"JVBERi0xLjQK","target":"office-2","height":297}}`,
		`> {"id":2,"jsonrpc":"2.0","method":"submit","params":{"job_id":"c4ad","nonce":"n-17","result":"printed 18 pages"}}`,
		`< {"id":2,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}`,
		`> {"id":3,"jsonrpc":"2.0","method":"keepalive","params":{"id":"p7"}}`,
	},
	"build server": {
		`> {"id":1,"method":"getjob","params":{"id":"worker-4"},"worker":"worker-4"}`,
		`< {"id":1,"result":{"job_id":"77","blob":"` + strings.Repeat("a", 40) + `","target":"linux/amd64"}}`,
		`> {"id":2,"method":"submit","params":{"job_id":"77","result":"$HASH1"},"worker":"worker-4"}`,
		`< {"id":2,"result":true}`,
	},
	"Ethereum wallet": {
		`> [{"method":"eth_chainId","params":[],"id":1,"jsonrpc":"2.0"},{"method":"eth_blockNumber","params":[],"id":2,"jsonrpc":"2.0"}]`,
		`< [{"id":1,"jsonrpc":"2.0","result":"0x539"},{"id":2,"jsonrpc":"2.0","result":"0x4"}]`,
		`> {"id":3,"jsonrpc":"2.0","method":"eth_newPendingTransactionFilter","params":[]}`,
		`< {"id":3,"jsonrpc":"2.0","result":"0x1"}`,
		`> {"id":4,"jsonrpc":"2.0","method":"eth_getFilterChanges","params":["0x1"]}`,
		`< {"id":4,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$BOUND"]}`,
		`> {"id":5,"jsonrpc":"2.0","method":"eth_getTransactionReceipt","params":["0x$HASH1"]}`,
		`< {"id":5,"jsonrpc":"2.0","result":{"blockHash":"0x$HASH1","logs":[],"status":"0x1","transactionHash":"0x$HASH2"}}`,
		`> {"id":6,"jsonrpc":"2.0","method":"eth_sendRawTransaction","params":["0x$COINB"]}`,
		`> {"id":7,"jsonrpc":"2.0","method":"eth_hashrate","params":[]}`,
		`> {"id":8,"jsonrpc":"2.0","method":"eth_mining","params":[]}`,
	},
	"filter changes picked up midstream": {
		`< {"id":4,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$HASH2"]}`,
		`< {"id":5,"jsonrpc":"2.0","result":["0x$HASH2","0x$HASH1","0x$SEED"]}`,
	},
	"sign-in with an address": {
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"$ETH","pass":"sig"}}`,
		`< {"id":1,"jsonrpc":"2.0","result":{"status":"OK","token":"t"}}`,
	},
	"Bitcoin node RPC": {
		`> {"id":1,"method":"getblockchaininfo","params":[]}`,
		`> {"id":2,"method":"getmininginfo","params":[]}`,
		`< {"id":2,"result":{"blocks":100,"difficulty":1.0,"networkhashps":7,"pooledtx":0,"chain":"regtest"},"error":null}`,
		`> {"id":3,"method":"getblock","params":["$HASH1"]}`,
		`< {"id":3,"result":{"hash":"$HASH1","height":7,"nonce":12345678,"bits":"207fffff","previousblockhash":"$HASH2","tx":["$SEED"]},"error":null}`,
		`> {"id":4,"method":"sendrawtransaction","params":["$COINB"]}`,
	},
	"Monero wallet": {
		`> {"jsonrpc":"2.0","id":"0","method":"get_info"}`,
		`< {"jsonrpc":"2.0","id":"0","result":{"height":3448500,"difficulty":1,"target":120,"top_block_hash":"$HASH1","status":"OK"}}`,
		`> {"jsonrpc":"2.0","id":"1","method":"transfer","params":{"destinations":[{"amount":1,"address":"$XMR"}]}}`,
	},
	"Electrum": {
		`> {"jsonrpc":"2.0","method":"server.version","params":["electrum/4.5.5",["1.4","1.4"]],"id":0}`,
		`> {"jsonrpc":"2.0","method":"blockchain.headers.subscribe","params":[],"id":2}`,
		`< {"jsonrpc":"2.0","id":2,"result":{"hex":"$COINB","height":800000}}`,
		`> {"jsonrpc":"2.0","method":"blockchain.scripthash.subscribe","params":["$HASH1"],"id":3}`,
		`< {"jsonrpc":"2.0","id":3,"result":"$HASH2"}`,
		`> {"jsonrpc":"2.0","method":"blockchain.scripthash.get_history","params":["$HASH1"],"id":4}`,
		`< {"jsonrpc":"2.0","id":4,"result":[{"height":1,"tx_hash":"$HASH1"}]}`,
	},
	"Kodi": {
		`> {"jsonrpc":"2.0","method":"Player.GetActivePlayers","id":1}`,
		`< {"id":1,"jsonrpc":"2.0","result":[{"playerid":1,"type":"video"}]}`,
		`< {"jsonrpc":"2.0","method":"Player.OnPlay","params":{"data":{"item":{"id":1,"type":"movie"}},"sender":"xbmc"}}`,
	},
	"aria2": {
		`> {"jsonrpc":"2.0","id":"q","method":"aria2.addUri","params":["token:secret",["http://files.example/xmrig-6.26.0.tar.gz"],{"out":"XMRig/6.26.0"}]}`,
		`< {"jsonrpc":"2.0","method":"aria2.onDownloadStart","params":[{"gid":"2089b05ecca3d829"}]}`,
	},
	"language server": {
		`> {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":7,"clientInfo":{"name":"cgminer"},"capabilities":{}}}`,
		`> {"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///p.go","text":"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cpuminer/2.5.1\"]}\n{\"id\":1,\"method\":\"login\",\"params\":{\"login\":\"$XMR\",\"pass\":\"x\",\"agent\":\"XMRig/6.26.0\"}}"}}}`,
	},
	"chat that quotes": {
		`> {"id":1,"method":"say","params":["try {\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cpuminer/2.5.1\"]} on port 3333"]}`,
		`< {"type":"message","params":{"text":"{\"type\":\"auth\",\"params\":{\"site_key\":\"x\",\"type\":\"anonymous\",\"goal\":0}}","user":"mining.notify"}}`,
		`< {"type":"job","params":{"job_id":"1","title":"miner wanted","target":"Tokyo"}}`,
	},
	"log shipping": {
		`> {"event_type":"stratum","method":"GET","stratum":{"method":"mining.submit","params":["w","j","00000000","6b03891d","bcee0300"],"dialect":"stratum-v1"},"payload":{"method":"login","params":{"login":"$XMR","agent":"XMRig/6"}}}`,
		`> {"id":7,"result":"ok","message":{"blob":"$BLOB","target":"44444404","job_id":"1"}}`,
	},
	"reCAPTCHA-like widget": {
		`> {"type":"auth","params":{"site_key":"6LeIxAcT","action":"homepage"}}`,
		`< {"type":"authed","params":{"score":0.9}}`,
	},
	"light bulbs": {
		`> {"id":1,"method":"set_power","params":["on","smooth",500]}`,
		`< {"id":1,"result":["ok"]}`,
		`< {"method":"props","params":{"power":"on"}}`,
	},
	"a game with mines": {
		`> {"id":1,"method":"mining.start","params":{"shaft":3}}`,
		`< {"id":1,"result":true}`,
		`> {"id":2,"method":"mining.dig","params":["gold"]}`,
	},
	"a web application's login": {
		`> {"id":1,"method":"auth_submitLogin","params":["me@mail.example","x"],"worker":"sw"}`,
		`< {"id":1,"result":true}`,
	},
}

func TestBenign(t *testing.T) {
	all := maps.Clone(benign)
	maps.Copy(all, moreBenign)
	maps.Copy(all, fieldBenign)
	for name, lines := range all {
		parts := talk(lines...)
		for k := range parts {
			for _, mid := range []bool{false, true} {
				f, at, s := judge(t, proto.Conn{Midstream: mid}, parts[k:]...)
				if at >= 0 || s.Mining() {
					t.Errorf("%s from message %d on: %s at %d: %+v", name, k, f.Signature, at, f.Evidence)
				}
			}
		}
		r := prototest.Drive(stratum.Protocol, prototest.Options{}, parts...)
		if r.AppProto != "jsonrpc" || len(r.Events) > 0 {
			t.Errorf("%s: app_proto %s, events %q", name, r.AppProto, r.Events)
		}
	}
}

// web drives an HTTP conversation. The finding's place is the number of the
// transaction as it was emitted.
func web(t *testing.T, parts ...prototest.Part) (f event.Finding, n int) {
	t.Helper()
	in := Detector.New()
	conn := proto.Conn{ServerPort: 8332, Server: packet.AddrFrom4([]byte{198, 51, 100, 7})}
	prototest.Drive(http.Protocol, prototest.Options{Conn: conn, OnTx: func(tx proto.Tx, _ bool) {
		if g, ok := in.Inspect(&flow.Flow{}, &conn, tx); ok && n == 0 {
			f = g
			n++
		}
	}}, parts...)
	return f, n
}

func post(uri, headers, body string) prototest.Part {
	body = sub.Replace(body)
	return prototest.C("POST " + uri + " HTTP/1.1\r\nHost: pool.example:8332\r\n" + headers + "Content-Length: " + itoa(len(body)) + "\r\n\r\n" + body)
}

func answer(headers, body string) prototest.Part {
	body = sub.Replace(body)
	return prototest.S("HTTP/1.1 200 OK\r\n" + headers + "Content-Type: application/json\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + body)
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestHTTP(t *testing.T) {
	work := `{"id":1,"error":null,"result":{"midstate":"$HASH1","data":"` + strings.Repeat("00000001", 32) + `","hash1":"$HASH2","target":"$BOUND"}}`
	template := `{"id":0,"result":{"bits":"1d00ffff","coinbasevalue":1,"longpollid":"x","previousblockhash":"$HASH1","transactions":[{"data":"` + strings.Repeat("00", 20000) + `"}]}}`
	basic := "Authorization: Basic bWUucmlnOng=\r\n" // me.rig:x
	for _, tt := range []struct {
		name  string
		parts []prototest.Part
		want  string // dialect/agent/worker/wallet/pool, "" for none
	}{
		{"getwork, known miner", []prototest.Part{post("/", "User-Agent: cpuminer/2.5.1\r\n"+basic, `{"method": "getwork", "params": [], "id":0}`)}, "getwork/cpuminer/2.5.1/me.rig//pool.example:8332"},
		{"getwork, extensions", []prototest.Part{post("/", "X-Mining-Extensions: longpoll midstate\r\n", `{"method": "getwork", "params": [], "id":0}`)}, "getwork////pool.example:8332"},
		{"getwork, waiting for a block", []prototest.Part{prototest.C("GET /LP HTTP/1.1\r\nHost: pool.example:8332\r\nX-Mining-Extensions: longpoll midstate rollntime\r\n" + basic + "\r\n")}, "getwork//me.rig//pool.example:8332"},
		{"getwork and answer", []prototest.Part{post("/", "", `{"method":"getwork","params":[],"id":1}`), answer("", work)}, "getwork////pool.example:8332"},
		{"getwork and pool's header", []prototest.Part{post("/", "User-Agent: q\r\n", `{"method":"getwork","params":[],"id":1}`), answer("X-Long-Polling: /lp\r\n", `{"id":1,"error":null,"result":{"data":"`+strings.Repeat("00000001", 32)+`","target":"$BOUND"}}`)}, "getwork////pool.example:8332"},
		{"getblocktemplate, waiting for a block", []prototest.Part{post("/", "", `{"id":0,"method":"getblocktemplate","params":[{"rules":["segwit"],"longpollid":"$HASH1"}]}`)}, "getblocktemplate////pool.example:8332"},
		{"getblocktemplate, twice and an answer", []prototest.Part{post("/", "", `{"id":0,"method":"getblocktemplate","params":[]}`), answer("", template),
			post("/", "", `{"id":1,"method":"submitblock","params":["`+strings.Repeat("04000000", 30)+`"]}`), answer("", `{"id":1,"result":null,"error":null}`)}, "getblocktemplate////pool.example:8332"},
		{"xmrig asks a daemon", []prototest.Part{post("/json_rpc", "User-Agent: XMRig/6.26.0 (Linux)\r\n", `{"id":1,"jsonrpc":"2.0","method":"getblocktemplate","params":{"wallet_address":"$XMR","extra_nonce":"b2a4"}}`)},
			"getblocktemplate/XMRig/6.26.0 (Linux)//" + xmr + "/pool.example:8332"},
		{"xmrig polls a daemon", []prototest.Part{prototest.C("GET /getheight HTTP/1.1\r\nHost: node\r\nUser-Agent: XMRig/6.26.0 (Linux)\r\n\r\n")}, "getblocktemplate/XMRig/6.26.0 (Linux)///node:8332"},
		{"p2pool asks a daemon", []prototest.Part{post("/json_rpc", "", `{"jsonrpc":"2.0","id":"0","method":"get_miner_data"}`), answer("", `{"id":"0","jsonrpc":"2.0","result":{"difficulty":"0x48afae42de","height":2731375,"prev_id":"$HASH1","seed_hash":"$SEED","status":"OK","tx_backlog":[]}}`)}, "getblocktemplate////pool.example:8332"},
		{"submits a block to a Monero daemon", []prototest.Part{post("/json_rpc", "", `{"jsonrpc":"2.0","id":"0","method":"submit_block","params":["$BLOB$BLOB$BLOB"]}`)}, "getblocktemplate////pool.example:8332"},
		{"eth_getWork", []prototest.Part{post("/", "", `{"id":1,"jsonrpc":"2.0","method":"eth_getWork","params":[]}`), answer("", `{"id":1,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$BOUND"]}`)}, "ethproxy////pool.example:8332"},
		{"eth_getWork, account in the path", []prototest.Part{post("/"+eth+"/rig", "User-Agent: ethminer/0.19\r\n", `{"id":1,"jsonrpc":"2.0","method":"eth_getWork","params":[]}`)}, "ethproxy/ethminer/0.19/rig/" + eth + "/pool.example:8332"},
		{"batch", []prototest.Part{post("/", "", `[{"id":0,"method":"getbestblockhash"},{"id":1,"method":"submitblock","params":["`+strings.Repeat("04000000", 30)+`"]}]`)}, "getblocktemplate////pool.example:8332"},

		{"stratum over HTTP", []prototest.Part{post("/", "Content-Type: application/stratum\r\n", `{"id":1,"method":"mining.subscribe","params":["q/1"]}`), answer("", `{"id":1,"result":[[["mining.notify","1"]],"81000001",4],"error":null}`)}, "stratum-v1/q/1///pool.example:8332"},
		{"reports a hash rate", []prototest.Part{post("/", "", `{"id":1,"jsonrpc":"2.0","method":"eth_submitHashrate","params":["0x5f5e100","0x$HASH2"]}`)}, "ethproxy////pool.example:8332"},

		{"a web page's long polling", []prototest.Part{prototest.C("GET /longpoll?ts=7 HTTP/1.1\r\nHost: x\r\n\r\n"), answer("", `{"ts":8,"updates":[]}`)}, ""},
		{"a landing page", []prototest.Part{prototest.C("GET /lp/miner HTTP/1.1\r\nHost: x\r\n\r\n")}, ""},
		{"log shipping", []prototest.Part{post("/api/logs", "", `[{"ts":1,"msg":"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cpuminer/2.5.1\"]}"},{"method":"POST","url":"/x"}]`)}, ""},
		{"bulk upload of another sensor's events", []prototest.Part{post("/_bulk", "", "{\"index\":{}}\n{\"event_type\":\"stratum\",\"stratum\":{\"method\":\"mining.subscribe\",\"params\":[\"cpuminer/2.5.1\"]}}\n")}, ""},
		{"page about Stratum", []prototest.Part{prototest.C("GET /wiki/Stratum HTTP/1.1\r\nHost: x\r\n\r\n"), answer("", `<pre>{"id": 2, "method": "mining.authorize", "params": ["slush.miner1", "password"]}</pre>`)}, ""},
		{"a chat with a language model", []prototest.Part{post("/v1/chat/completions", "", `{"model":"m","messages":[{"role":"user","content":"{\"id\":1,\"method\":\"login\",\"params\":{\"login\":\"$XMR\",\"pass\":\"x\",\"agent\":\"XMRig/6\"}}"}]}`)}, ""},
		{"a pool's statistics", []prototest.Part{prototest.C("GET /api/miner/" + xmr + "/stats HTTP/1.1\r\nHost: pool.example\r\nUser-Agent: Mozilla\r\n\r\n"), answer("", `{"hash":1,"identifier":"global","totalHashes":2,"validShares":3}`)}, ""},
		{"an explorer's page", []prototest.Part{post("/", "", `{"id":0,"method":"getblocktemplate","params":[{"rules":["segwit"]}]}`), answer("", template)}, ""},
		{"wallet", []prototest.Part{post("/", "User-Agent: ethers\r\n", `[{"method":"eth_chainId","params":[],"id":1},{"method":"eth_blockNumber","params":[],"id":2}]`), answer("", `[{"id":1,"result":"0x539"},{"id":2,"result":"0x4"}]`)}, ""},
		{"wallet with three hashes", []prototest.Part{post("/", "", `{"id":1,"method":"eth_getFilterChanges","params":["0x1"]}`), answer("", `{"id":1,"result":["0x$HASH1","0x$SEED","0x$BOUND","0x7"]}`)}, ""},
		{"wallet that polls a daemon", []prototest.Part{prototest.C("GET /getheight HTTP/1.1\r\nHost: node\r\nUser-Agent: monero-gui\r\n\r\n")}, ""},
		{"node status", []prototest.Part{post("/", "", `{"id":1,"method":"getmininginfo","params":[]}`), answer("", `{"id":1,"result":{"blocks":1,"difficulty":1}}`)}, ""},
		{"the miner's own API", []prototest.Part{prototest.C("GET /2/summary HTTP/1.1\r\nHost: 10.0.0.9:4048\r\n\r\n"), answer("", `{"worker_id":"w","version":"6.26.0","kind":"miner","algo":"rx/0","job":{"blob":"$BLOB","target":"44444404","job_id":"1"}}`)}, ""},
		{"a download by a miner's updater", []prototest.Part{prototest.C("GET /release HTTP/1.1\r\nHost: x\r\nUser-Agent: XMRig/6\r\n\r\n"), answer("", `{"tag":"v7"}`)}, ""},
		{"page that shows Stratum", []prototest.Part{prototest.C("GET /raw HTTP/1.1\r\nHost: x\r\nUser-Agent: Mozilla\r\n\r\n"), answer("", `{"id":1,"method":"login","params":{"login":"$XMR","pass":"x","agent":"XMRig/6.26.0","algo":["rx/0"]}}`)}, ""},
		{"form that quotes Stratum", []prototest.Part{post("/comment", "", `{"id":1,"method":"comment.add","params":{"text":"{\"method\":\"getwork\",\"params\":[]}"}}`), answer("", work)}, ""},
		{"image", []prototest.Part{post("/up", "", "\x89PNG getwork")}, ""},
	} {
		f, n := web(t, tt.parts...)
		got := ""
		if n > 0 {
			got = f.Mining.Dialect + "/" + f.Mining.Agent + "/" + f.Mining.Worker + "/" + f.Mining.Wallet + "/" + f.Mining.Pool
			checkEvidence(t, &f)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q (%+v)", tt.name, got, tt.want, f.Evidence)
		}
	}
}

// TestNothingFoundAllocs: what is not mining costs no memory.
func TestNothingFoundAllocs(t *testing.T) {
	in := Detector.New()
	conn := proto.Conn{}
	request := []byte(`[{"method":"eth_chainId","params":[],"id":1},{"method":"getblocktemplate","params":[],"id":2}]`)
	tx := &http.Tx{RequestDone: true, RequestHead: true, URI: []byte("/getheight"), UserAgent: []byte("Mozilla/5.0 (X11)"), RequestBody: request,
		ResponseBody: []byte(`{"id":1,"result":"0x1"}`), RequestHeaders: []http.Header{{Name: []byte("Authorization"), Value: []byte("Basic bWU6eA==")}}}
	st := &stratum.Tx{Msg: new(stratum.Message)}
	stratum.ParseMessage([]byte(`{"id":1,"method":"login","params":{"login":"a","pass":"b"}}`), st.Msg)
	st.Observe(packet.ToServer, st.Msg)
	if n := testing.AllocsPerRun(200, func() {
		if _, ok := in.Inspect(nil, &conn, tx); ok {
			t.Fatal("found")
		}
		if _, ok := in.Inspect(nil, &conn, st); ok {
			t.Fatal("found")
		}
	}); n != 0 {
		t.Errorf("%v allocations where nothing is found, want 0", n)
	}
}
