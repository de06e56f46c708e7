package talks

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// post is a request over HTTP/1.1 that stays open for the next.
func post(path, headers, body string) Step {
	body = words.Replace(body)
	return Step{Data: []byte("POST " + words.Replace(path) + " HTTP/1.1\r\nHost: node.example\r\n" + headers +
		"Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)}
}

func get(path, headers string) Step {
	return Step{Data: []byte("GET " + path + " HTTP/1.1\r\nHost: node.example\r\n" + headers + "\r\n")}
}

func answer(headers, body string) Step {
	body = words.Replace(body)
	return Step{FromServer: true, Data: []byte("HTTP/1.1 200 OK\r\n" + headers + "Content-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body)}
}

// webSocket puts messages into WebSocket (RFC 6455): the upgrade, then a frame
// each, the client's masked.
func webSocket(path string, text ...string) []Step {
	out := []Step{
		{Data: []byte("GET " + path + " HTTP/1.1\r\nHost: ws.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")},
		{FromServer: true, Data: []byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")},
	}
	const mask = "\x5a\x11\xc3\x7e"
	for _, s := range raw(text...) {
		f := []byte{0x81, byte(len(s.Data))}
		if len(s.Data) > 125 {
			f = binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(s.Data)))
		}
		if !s.FromServer {
			f[1] |= 0x80
			f = append(f, mask...)
			for i := range s.Data {
				s.Data[i] ^= mask[i%4]
			}
		}
		out = append(out, Step{FromServer: s.FromServer, Data: append(f, s.Data...)})
	}
	return out
}

// webTalks lists the miners that use HTTP or WebSocket, and those that leave it out
// around the same calls.
func webTalks() []Talk {
	return []Talk{
		{Name: "getwork", Dialect: "getwork", Steps: []Step{
			post("/", "User-Agent: cpuminer/2.5.1\r\nAuthorization: Basic bGFiLmRlbjp4\r\nX-Mining-Extensions: longpoll midstate\r\n", `{"method": "getwork", "params": [], "id":0}`),
			answer("X-Long-Polling: /lp\r\n", `{"id":0,"error":null,"result":{"midstate":"$HASH","data":"$HEADER","hash1":"$PREV","target":"$BOUND"}}`),
			post("/", "User-Agent: cpuminer/2.5.1\r\nAuthorization: Basic bGFiLmRlbjp4\r\n", `{"method": "getwork", "params": ["$HEADER"], "id":1}`),
			answer("", `{"id":1,"error":null,"result":true}`),
		}},
		{Name: "getwork-bare", Dialect: "getwork", At: 1, Steps: lines(
			`> {"method":"getwork","params":[],"id":1}`,
			`< {"id":1,"error":null,"result":{"midstate":"$HASH","data":"$HEADER","hash1":"$PREV","target":"$BOUND"}}`,
		)},
		{Name: "getblocktemplate", Dialect: "getblocktemplate", Steps: []Step{
			post("/", "User-Agent: bfgminer/5.5.0\r\n", `{"id":0,"method":"getblocktemplate","params":[{"rules":["segwit"],"capabilities":["coinbasetxn","workid"]}]}`),
			answer("", `{"id":0,"result":{"bits":"1703a30c","coinbasevalue":312500000,"longpollid":"x","previousblockhash":"$PREV","transactions":[],"target":"$BOUND"},"error":null}`),
		}},
		{Name: "getblocktemplate-bare", Dialect: "getblocktemplate", Steps: lines(
			`> {"id": 0, "method": "getblocktemplate", "params": [{"capabilities": ["coinbasetxn", "workid"], "maxversion": 4}]}`,
			`< {"id":0,"result":{"bits":"1703a30c","coinbasevalue":312500000,"longpollid":"x","previousblockhash":"$PREV","transactions":[],"target":"$BOUND"},"error":null}`,
		)},
		{Name: "monero-daemon", Dialect: "getblocktemplate", Steps: []Step{
			post("/json_rpc", "User-Agent: XMRig/6.22.0 (Linux aarch64)\r\n", `{"id":1,"jsonrpc":"2.0","method":"getblocktemplate","params":{"wallet_address":"$XMR","extra_nonce":"a1b2"}}`),
			answer("", `{"id":1,"jsonrpc":"2.0","result":{"blocktemplate_blob":"$BLOB","blockhashing_blob":"$BLOB","difficulty":311,"height":3201447,"prev_hash":"$PREV","seed_hash":"$SEED","status":"OK"}}`),
		}},
		{Name: "p2pool", Dialect: "getblocktemplate", At: 1, Steps: lines(
			`> {"jsonrpc":"2.0","id":"0","method":"get_miner_data"}`,
			`< {"id":"0","jsonrpc":"2.0","result":{"already_generated_coins":18446744073709551615,"difficulty":"0x51bb72e0aa","height":3201447,"major_version":16,"median_weight":300000,"prev_id":"$PREV","seed_hash":"$SEED","status":"OK","tx_backlog":[],"untrusted":false}}`,
		)},
		{Name: "ethereum-http", Dialect: "ethproxy", At: 2, Steps: []Step{
			post("/", "User-Agent: lab\r\n", `{"id":1,"jsonrpc":"2.0","method":"eth_getWork","params":[]}`),
			answer("", `{"id":1,"jsonrpc":"2.0","result":["0x$HASH","0x$SEED","0x$BOUND"]}`),
			post("/", "User-Agent: lab\r\n", `{"id":2,"jsonrpc":"2.0","method":"eth_getWork","params":[]}`),
			answer("", `{"id":2,"jsonrpc":"2.0","result":["0x$PREV","0x$SEED","0x$BOUND"]}`),
		}},
		{Name: "coinhive", Dialect: "coinhive", At: 2, Skip: 2, Steps: webSocket("/proxy",
			`> {"type":"auth","params":{"site_key":"lab7","type":"anonymous","user":null,"goal":0}}`,
			`< {"type":"authed","params":{"token":"","hashes":0}}`,
			`< {"type":"job","params":{"job_id":"1","blob":"$BLOB","target":"ffffff00"}}`,
			`> {"type":"submit","params":{"job_id":"1","nonce":"7b000000","result":"$HASH"}}`,
			`< {"type":"hash_accepted","params":{"hashes":256}}`,
		)},
		{Name: "webminerpool", Dialect: "webminerpool", At: 2, Skip: 2, Steps: webSocket("/",
			`> {"identifier":"handshake","pool":"pool.example","login":"$XMR","password":"x","userid":"","version":7}`,
			`< {"identifier":"job","job_id":"1","algo":"cn","variant":1,"height":0,"blob":"$BLOB","target":"ffffff00"}`,
			`> {"identifier":"solved","job_id":"1","nonce":"7b000000","result":"$HASH"}`,
		)},
		{Name: "ethereum-websocket", Dialect: "ethsubscribe", At: 2, Skip: 2, Steps: webSocket("/",
			`> {"id":1,"jsonrpc":"2.0","method":"eth_subscribe","params":["newWork","$ETH","den","lab"]}`,
			`< {"jsonrpc":"2.0","id":1,"result":"0x7f45a28462ff2753df66800e89c7fdb5"}`,
			`> {"id":7,"jsonrpc":"2.0","method":"eth_submitWork","params":["0x5e17aa0bb6c3d412","0x$HASH","0x$PREV"]}`,
		)},
		{Name: "dero", Dialect: "dero", At: 2, Skip: 2, Steps: webSocket("/ws/lab",
			`< {"jobid":"4.5.6","blockhashing_blob":"`+strings.Repeat("41000001", 12)+`","difficulty":"2000","difficultyuint64":2000,"height":12,"blocks":0,"miniblocks":1,"rejected":0,"lasterror":"","status":false}`,
			`> {"jobid":"4.5.6","mbl_blob":"`+strings.Repeat("41000001", 12)+`"}`,
		)},
	}
}
