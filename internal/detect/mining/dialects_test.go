package mining

// moreSessions are further dialects, written out from their specifications:
// docs/detection/mining-dialects.md says which.
var moreSessions = []session{
	{"GhostRider, xmrig", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"mining.subscribe","params":["XMRig/6.26.0 (Linux x86_64)"]}`,
		`> {"id":2,"jsonrpc":"2.0","method":"mining.authorize","params":["RAcct.rig","x"]}`,
		`< {"id":1,"result":[[["mining.set_difficulty","1"],["mining.notify","1"]],"81000001",4],"error":null}`,
		`< {"id":2,"result":true,"error":null}`,
		`< {"id":null,"method":"mining.set_difficulty","params":[0.5]}`,
		`< {"id":null,"method":"mining.notify","params":["b1","$HASH1","$COINB","$COINB",[],"20000000","1d00ffff","6b03891d",true]}`,
		`> {"id":3,"jsonrpc":"2.0","method":"mining.submit","params":["RAcct.rig","b1","00000000","6b03891d","000a1b2c"]}`,
	}, 0, 0, "stratum-v1", "", "//XMRig/6.26.0 (Linux x86_64)/RAcct.rig/"},
	{"Ergo", []string{
		`> {"id":1,"method":"mining.subscribe","params":["ergm-v1.0.0"]}`,
		`< {"id":1,"result":[[["mining.set_difficulty","0.000031"],["mining.notify","000400001f164ca2"]],"d7eb83fe",4],"error":null}`,
		`> {"id":2,"method":"mining.authorize","params":["$ERG.r1","x"]}`,
		`< {"id":2,"result":true,"error":null}`,
		`< {"id":null,"method":"mining.notify","params":["1",391152,"$HASH1","","","00000002","28948022309329048855892746252171976963209391069768726095651290785379","",true]}`,
		`> {"id":102,"method":"mining.submit","params":["$ERG.r1","1","00001fac","",  "d7eb83fe00001fac"]}`,
	}, 1, 0, "stratum-v1", "ergo", "ergo//ergm-v1.0.0/r1/" + erg},
	{"XELIS", []string{
		`> {"id": 1, "method": "mining.subscribe", "params": ["MyOwn/1.0.0"]}`,
		`< { "id": 1, "result": ["ABC123", "$SEED", 32] }`,
		`> {"id": 2, "method": "mining.authorize", "params": ["$XEL", "attic", "x"]}`,
		`< {"id": 2, "result": true }`,
		`< {"id": null, "method": "mining.set_difficulty", "params": [150000]}`,
		`< {"id": null, "method": "mining.notify", "params": ["d70fd222", "018f5a1bc0de", "$HASH1", true ]}`,
		`> {"id": 4, "method": "mining.submit", "params": ["attic", "d70fd222", "98b6ac44d2", "000000123"]}`,
		`< {"id": 4, "result": true}`,
	}, 1, 1, "stratum-v1", "xelis", "xelis//MyOwn/1.0.0/attic/" + xel},
	{"Handshake", []string{
		`> {"id":1,"method":"mining.subscribe","params":["h/1","abcd"]}`,
		`< {"id":1,"result":[[["mining.notify","abcd"]],"abcd",4],"error":null}`,
		`< {"id":null,"method":"mining.set_difficulty","params":[8]}`,
		`< {"id":null,"method":"mining.notify","params":["7","$HASH1","$COINB","$COINB",$MERKLE,"$SEED","$HASH2","$SEED","00000000","1a0afe4d","5f3c1a2b",true]}`,
		`> {"id":4,"method":"mining.submit","params":["acct.w","7","0a0b0c0d","5f3c1a2b","000a1b2c"]}`,
	}, 1, 0, "stratum-v1", "handshake", "handshake//h/1/acct.w/"},
	{"Nervos, mining.…", []string{
		`> {"id":1,"method":"mining.subscribe","params":["ckbm-v1",null]}`,
		`< {"id":1,"result":[null,"00c904bd",12],"error":null}`,
		`> {"id":2,"method":"mining.authorize","params":["acct.worker1","x"]}`,
		`< {"id":null,"method":"mining.set_target","params":["0001000000000000000000000000000000000000000000000000000000000000"]}`,
		`< {"id":null,"method":"mining.notify","params":["1611","$HASH1",1,"$HASH2",true]}`,
		`> {"id":102,"method":"mining.submit","params":["acct.worker1","1611","000000000000000000114026"]}`,
	}, 1, 0, "stratum-v1", "", "//ckbm-v1/acct.worker1/"},
	{"CKB, login as an object", []string{
		`> {"id":1,"method":"ckb_submitLogin","params":{"login":"$CKB","agent":"MinerName/v1","worker":"w7"}}`,
		`< {"id":1,"result":true}`,
	}, 0, 1, "ckb", "", "nervos//MinerName/v1/w7/" + ckb},
	{"Aeternity", []string{
		`> {"id":0,"method":"mining.configure","params":[]}`,
		`> {"id":1,"method":"mining.subscribe","params":["ae/1","","pool.example",9999]}`,
		`< {"id":1,"result":["s1","00ff"],"error":null}`,
		`> {"id":2,"method":"mining.authorize","params":["ak_acct.r",null]}`,
		`< {"id":null,"method":"mining.set_target","params":["$BOUND"]}`,
		`< {"id":null,"method":"mining.notify","params":["j1",4,"$HASH1",true]}`,
		`> {"id":5,"method":"mining.submit","params":["ak_acct.r","j1","000a1b2c3d4e",["00a1b2","0c1d2e"]]}`,
	}, 2, 0, "equihash", "aeternity", "aeternity//ae/1/ak_acct.r/"},
	{"Aleo", []string{
		`> {"jsonrpc":"2.0","id":1,"method":"mining.subscribe","params":["aleo/1","AleoStratum/2.0.0",null]}`,
		`< {"jsonrpc":"2.0","id":1,"result":["s","00ff"],"error":null}`,
		`> {"jsonrpc":"2.0","id":2,"method":"mining.authorize","params":["aleo1acct","x"]}`,
		`< {"jsonrpc":"2.0","id":2,"result":true,"error":null}`,
		`< {"jsonrpc":"2.0","method":"mining.set_target","params":["$BOUND"]}`,
	}, 1, 2, "stratum-v1", "", "//aleo/1/aleo1acct/"},
	{"Conflux", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"mining.subscribe","params":["rig-0","secret"]}`,
		`< {"id":1,"jsonrpc":"2.0","result":[true]}`,
		`< {"id":2,"jsonrpc":"2.0","method":"mining.notify","params":["job","12","0x$HASH1","0x$BOUND"]}`,
		`> {"id":3,"jsonrpc":"2.0","method":"mining.submit","params":["rig-0","job","0x0ecf7aa9a67d2cd0","0x$HASH1"]}`,
	}, 1, 0, "stratum-v1", "", "//rig-0/rig-0/"},
	{"Kadena", []string{
		`> {"id":1,"method":"mining.authorize","params":["k:acct"]}`,
		`< {"id":1,"result":true,"error":null}`,
		`< {"id":null,"method":"mining.set_target","params":["$BOUND"]}`,
		`< {"id":null,"method":"mining.notify","params":["0","$COINB$COINB$COINB",true]}`,
		`> {"id":9,"method":"mining.submit","params":["k:acct","0","0ecf7aa9a67d2cd0"]}`,
	}, 0, 0, "stratum-v1", "", "///k:acct/"},
	{"Ethereum Classic, ethproxy of its own", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"etc_submitLogin","params":["$ETH"],"worker":"gpu0"}`,
		`< {"id":1,"jsonrpc":"2.0","result":true}`,
	}, 0, 1, "ethproxy", "", "///gpu0/" + eth},
	{"Ethereum work over WebSocket", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"eth_subscribe","params":["newWork","$ETH","rig9","agent"]}`,
		`< {"jsonrpc":"2.0","id":1,"result":"0x6245a28462ff2753df66800e89c7fdb5"}`,
		`< {"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xee571162a864f5cc659e3f392aef4732","result":["4orr4","0x$HASH1","0x$SEED","0x$BOUND","0x4d","86a3"]}}`,
		`> {"id":7,"jsonrpc":"2.0","method":"eth_submitWork","params":["0x0ecf7aa9a67d2cd0","0x$HASH1","0x$HASH2"]}`,
	}, 0, 0, "ethsubscribe", "", "///rig9/" + eth},
	{"p2pool asks its node", []string{
		`> {"jsonrpc":"2.0","id":"0","method":"get_miner_data"}`,
		`< {"id":"0","jsonrpc":"2.0","result":{"already_generated_coins":18186022843595960691,"difficulty":"0x48afae42de","height":2731375,"major_version":16,"median_weight":300000,"prev_id":"$HASH1","seed_hash":"$SEED","status":"OK","tx_backlog":[],"untrusted":false}}`,
	}, 1, 1, "getblocktemplate", "", "////"},
	{"xmrig-proxy, as the pool of a miner", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"attic","pass":"x","agent":"XMRig/6.26.0 (Linux x86_64)","algo":["rx/0"]}}`,
		`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"5e0c3f9a1b7d2846","job":{"blob":"$BLOB","job_id":"5f3cQ","target":"711b0d00","algo":"rx/0","height":1,"seed_hash":"$SEED"},"extensions":["algo","nicehash","connect","tls","keepalive"],"status":"OK"}}`,
	}, 0, 0, "cryptonote", "", "monero/rx/0/XMRig/6.26.0 (Linux x86_64)/attic/"},
	{"xmrig-proxy, to its pool", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"$XMR","pass":"x","agent":"xmrig-proxy/6.21.1 (Linux x86_64) libuv/1.44.2","rigid":"","algo":["rx/0"]}}`,
	}, 0, 0, "cryptonote", "", "monero//xmrig-proxy/6.21.1 (Linux x86_64) libuv/1.44.2//" + xmr},
	{"p2pool, its own Stratum", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"x+50000","pass":"x","agent":"XMRig/6.26.0","algo":["rx/0"]}}`,
		`< {"jsonrpc":"2.0","id":1,"result":{"id":"0000004d","job":{"blob":"$BLOB","job_id":"1","target":"5a9a0f00a2b40100","algo":"rx/0","height":2731375,"seed_hash":"$SEED"},"extensions":["algo"],"status":"OK"}}`,
	}, 0, 0, "cryptonote", "", "monero/rx/0/XMRig/6.26.0/x+50000/"},
	{"CryptoLoot and CoinIMP, Coinhive's messages", []string{
		`> {"type":"auth","params":{"version":7,"site_key":"$HASH1","type":"anonymous","user":null,"goal":0}}`,
		`< {"type":"authed","params":{"token":"","hashes":0}}`,
		`< {"type":"job","params":{"job_id":"1","blob":"$BLOB","target":"ffffff00","id":"2b1c","algo":"cn","variant":2}}`,
		`> {"type":"submit","params":{"version":7,"job_id":"1","nonce":"6a000000","result":"$HASH1"}}`,
		`< {"type":"hash_accepted","params":{"hashes":256}}`,
	}, 0, 1, "coinhive", "", "///" + hash1 + "/"},
}

const (
	erg = "9fRAWhdxEsTcdb8PhGNrZfwqa65zfkuYHAMmkQLcic1gdLSV5vA"
	xel = "xel:qcd39a5u8cscztamjuyr7hdj6hh2wh9nrmhp86ljx2sz6t99ndjqqm7wxj8"
	ckb = "ckb1qyqgs3rhm2tfefh6laxckaglmsc0ae42c9aqekjfap"
)
