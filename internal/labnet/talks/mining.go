package talks

// firstPort is the port of the first dialect; each has the next.
const firstPort = 3400

// Mining lists a conversation in each dialect of mining that is spoken in
// clear, from the specifications that internal/proto/stratum names.
func Mining() []Talk {
	out := []Talk{
		{Name: "stratum", Dialect: "stratum-v1", Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["cpuminer-multi/1.3.7"]}`,
			`< {"id":1,"result":[[["mining.set_difficulty","a1"],["mining.notify","a2"]],"7c0011ee",4],"error":null}`,
			`> {"id":2,"method":"mining.authorize","params":["$BTC.attic","x"]}`,
			`< {"id":2,"result":true,"error":null}`,
			`< {"id":null,"method":"mining.set_difficulty","params":[64]}`,
			`< {"id":null,"method":"mining.notify","params":["2a1","$PREV","$COINB","$COINB",["$HASH"],"20000000","1703a30c","66a1b2c3",true]}`,
			`> {"id":3,"method":"mining.submit","params":["$BTC.attic","2a1","00000001","66a1b2c3","5b8d1e02"]}`,
			`< {"id":3,"result":true,"error":null}`,
		)},
		{Name: "stratum-quiet", Dialect: "stratum-v1", At: 1, Steps: lines(
			`> {"params":["updater"],"id":"q1","method":"mining.subscribe"}`,
			`< {"error":null,"id":"q1","result":[[["mining.notify","77"]],"01fe9a",4]}`,
			`> {"params":["nobody",""],"id":"q2","method":"mining.authorize"}`,
			`< {"error":null,"id":"q2","result":true}`,
		)},
		{Name: "stratum-configure", Dialect: "stratum-v1", At: 1, Steps: lines(
			`> {"id":1,"method":"mining.configure","params":[["version-rolling","minimum-difficulty"],{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":2}]}`,
			`< {"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000","minimum-difficulty":true},"error":null}`,
			`> {"id":2,"method":"mining.subscribe","params":["bmminer/2.0.0"]}`,
			`< {"id":2,"result":[[["mining.notify","1"]],"81ab",8],"error":null}`,
		)},
		{Name: "cryptonote", Dialect: "cryptonote", Steps: lines(
			`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"$XMR.lab","pass":"x","agent":"XMRig/6.22.0 (Linux aarch64) libuv/1.48.0","algo":["rx/0","cn/r","argon2/chukwa"]}}`,
			`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"c41d","job":{"blob":"$BLOB","job_id":"e0a1","target":"b88d0600","algo":"rx/0","height":3201447,"seed_hash":"$SEED"},"extensions":["algo","keepalive"],"status":"OK"}}`,
			`> {"id":2,"jsonrpc":"2.0","method":"submit","params":{"id":"c41d","job_id":"e0a1","nonce":"a7010010","result":"$HASH","algo":"rx/0"}}`,
			`< {"id":2,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}`,
			`< {"jsonrpc":"2.0","method":"job","params":{"blob":"$BLOB","job_id":"e0a2","target":"b88d0600","algo":"rx/0","height":3201448,"seed_hash":"$SEED"}}`,
			`> {"id":3,"jsonrpc":"2.0","method":"keepalived","params":{"id":"c41d"}}`,
			`< {"id":3,"jsonrpc":"2.0","error":null,"result":{"status":"KEEPALIVED"}}`,
		)},
		{Name: "cryptonote-quiet", Dialect: "cryptonote", At: 1, Steps: lines(
			`> {"id":1,"method":"login","params":{"login":"someone@mail.example","pass":"x"}}`,
			`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"77aa","job":{"blob":"$BLOB","job_id":"Kq3","target":"e4a63d00","id":"77aa"},"status":"OK"}}`,
			`> {"id":2,"method":"submit","params":{"id":"77aa","job_id":"Kq3","nonce":"00a00b01","result":"$HASH"}}`,
			`< {"id":2,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}`,
		)},
		{Name: "ghostrider", Dialect: "stratum-v1", Steps: lines(
			`> {"id":1,"jsonrpc":"2.0","method":"mining.subscribe","params":["XMRig/6.22.0 (Windows NT 10.0; Win64; x64)"]}`,
			`< {"id":1,"result":[[["mining.set_difficulty","1"],["mining.notify","1"]],"81000002",4],"error":null}`,
			`> {"id":2,"jsonrpc":"2.0","method":"mining.authorize","params":["RLab.rig","x"]}`,
			`< {"id":2,"result":true,"error":null}`,
		)},
		{Name: "ethproxy", Dialect: "ethproxy", Steps: lines(
			`> {"id":1,"method":"eth_submitLogin","params":["$ETH","x"],"worker":"den"}`,
			`< {"id":1,"jsonrpc":"2.0","result":true}`,
			`> {"id":2,"method":"eth_getWork","params":[]}`,
			`< {"id":2,"jsonrpc":"2.0","result":["0x$HASH","0x$SEED","0x$BOUND"]}`,
			`> {"id":3,"method":"eth_submitWork","params":["0x5e17aa0bb6c3d412","0x$HASH","0x$PREV"],"worker":"den"}`,
			`< {"id":3,"jsonrpc":"2.0","result":true}`,
		)},
		{Name: "ethproxy-account", Dialect: "ethproxy", At: 1, Steps: lines(
			`> {"id":2,"jsonrpc":"2.0","method":"eth_submitLogin","params":["somebody.den","x"],"worker":""}`,
			`< {"id":2,"jsonrpc":"2.0","result":true}`,
		)},
		{Name: "ethereumstratum", Dialect: "ethereumstratum-1.0", Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["ethminer-0.19.0","EthereumStratum/1.0.0"]}`,
			`< {"id":1,"result":[["mining.notify","b1c2","EthereumStratum/1.0.0"],"0a1f"],"error":null}`,
			`> {"id":2,"method":"mining.authorize","params":["$ETH.den","x"]}`,
			`< {"id":2,"result":true,"error":null}`,
			`< {"id":null,"method":"mining.notify","params":["c0de","$SEED","$HASH",true]}`,
			`> {"id":9,"method":"mining.submit","params":["$ETH.den","c0de","8f12a0b1c2d3"]}`,
		)},
		{Name: "ethereumstratum2", Dialect: "ethereumstratum-2.0", Steps: lines(
			`> {"id":0,"method":"mining.hello","params":{"agent":"lab/2","host":"pool.example","port":"d05","proto":"EthereumStratum/2.0.0"}}`,
			`< {"id":0,"result":{"proto":"EthereumStratum/2.0.0","encoding":"plain","resume":"0"}}`,
			`> {"id":1,"method":"mining.subscribe"}`,
			`< {"id":1,"result":"s-77"}`,
		)},
		{Name: "kawpow", Dialect: "stratum-v1", Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["kawpowminer/1.2.4"]}`,
			`< {"id":1,"result":[null,"5e11"],"error":null}`,
			`< {"id":null,"method":"mining.set_target","params":["$BOUND"]}`,
			`< {"id":null,"method":"mining.notify","params":["000a","$HASH","$SEED","$BOUND",true,3100500,"1b00c4a1"]}`,
			`> {"id":4,"method":"mining.submit","params":["lab.den","000a","0x5e11000000004321","0x$HASH","0x$PREV"]}`,
		)},
		{Name: "equihash", Dialect: "equihash", At: 1, Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["still/1.1",null,"zec.pool.example",3357]}`,
			`< {"id":1,"result":["e0a2","1c00ff7b"],"error":null}`,
			`> {"id":2,"method":"mining.authorize","params":["t1lab.den","x"]}`,
			`< {"id":null,"method":"mining.notify","params":["3b","04000000","$PREV","$HASH","$SEED","66a1b2c3","1c01b2f0",true]}`,
			`> {"id":4,"method":"mining.submit","params":["t1lab.den","3b","66a1b2c3","00000000000000000000000000000000000000000000000000000007","$SOLN"]}`,
		)},
		{Name: "kaspa", Dialect: "ethereumstratum-1.0", Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["lab","EthereumStratum/1.0.0"]}`,
			`< {"id":1,"result":[true,"EthereumStratum/1.0.0"]}`,
			`> {"id":2,"method":"mining.authorize","params":["$KAS.den","x"]}`,
			`< {"method":"mining.notify","params":["1",[8796093022208,1357911,2468101,7881299347898368],1735689600000]}`,
		)},
		{Name: "ckb", Dialect: "ckb", Steps: lines(
			`> {"id":1,"method":"ckb_submitLogin","params":{"login":"$CKB","agent":"lab/1","worker":"den"}}`,
			`< {"id":1,"result":true}`,
		)},
		{Name: "nervos", Dialect: "stratum-v1", At: 1, Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["ckbm-v1.2",null]}`,
			`< {"id":1,"result":[null,"00aa17bd",12],"error":null}`,
			`> {"id":2,"method":"mining.authorize","params":["lab.den","x"]}`,
			`< {"id":null,"method":"mining.notify","params":["2014","$HASH",1,"$PREV",true]}`,
		)},
		{Name: "ergo", Dialect: "stratum-v1", At: 1, Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["ergm-v1.1.0"]}`,
			`< {"id":1,"result":[[["mining.set_difficulty","0.00004"],["mining.notify","00aa"]],"b00c11fe",4],"error":null}`,
			`> {"id":2,"method":"mining.authorize","params":["$ERG.den","x"]}`,
			`< {"id":null,"method":"mining.notify","params":["7",402177,"$HASH","","","00000002","28948022309329048855892746252171976963209391069768726095651290785379","",true]}`,
		)},
		{Name: "xelis", Dialect: "stratum-v1", At: 1, Steps: lines(
			`> {"id": 1, "method": "mining.subscribe", "params": ["lab/1.0.0"]}`,
			`< { "id": 1, "result": ["D00D77", "$SEED", 32] }`,
			`> {"id": 2, "method": "mining.authorize", "params": ["$XEL", "den", "x"]}`,
			`< {"id": 2, "result": true }`,
		)},
		{Name: "handshake", Dialect: "stratum-v1", At: 1, Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["hs/1","00ab"]}`,
			`< {"id":1,"result":[[["mining.notify","00ab"]],"00ab",4],"error":null}`,
			`< {"id":null,"method":"mining.notify","params":["9","$PREV","$COINB","$COINB",["$HASH"],"$SEED","$HASH","$SEED","00000000","1a0afe4d","66a1b2c3",true]}`,
		)},
		{Name: "aeternity", Dialect: "equihash", At: 1, Steps: lines(
			`> {"id":1,"method":"mining.subscribe","params":["ae/2","","pool.example",9998]}`,
			`< {"id":1,"result":["s2","0a0f"],"error":null}`,
			`> {"id":2,"method":"mining.authorize","params":["ak_lab.den",null]}`,
			`< {"id":null,"method":"mining.notify","params":["j7",4,"$HASH",true]}`,
		)},
		{Name: "aleo", Dialect: "stratum-v1", At: 1, Steps: lines(
			`> {"jsonrpc":"2.0","id":1,"method":"mining.subscribe","params":["aleo/2","AleoStratum/2.0.0",null]}`,
			`< {"jsonrpc":"2.0","id":1,"result":["s","0a0f"],"error":null}`,
			`> {"jsonrpc":"2.0","id":2,"method":"mining.authorize","params":["aleo1lab","x"]}`,
		)},
		{Name: "conflux", Dialect: "stratum-v1", At: 1, Steps: lines(
			`> {"id":1,"jsonrpc":"2.0","method":"mining.subscribe","params":["den-0","secret"]}`,
			`< {"id":1,"jsonrpc":"2.0","result":[true]}`,
			`< {"id":2,"jsonrpc":"2.0","method":"mining.notify","params":["job","17","0x$HASH","0x$BOUND"]}`,
			`> {"id":3,"jsonrpc":"2.0","method":"mining.submit","params":["den-0","job","0x5e17aa0bb6c3d412","0x$HASH"]}`,
		)},
		{Name: "kadena", Dialect: "stratum-v1", Steps: lines(
			`> {"id":1,"method":"mining.authorize","params":["k:lab"]}`,
			`< {"id":1,"result":true,"error":null}`,
			`< {"id":null,"method":"mining.set_target","params":["$BOUND"]}`,
		)},
		{Name: "alephium", Dialect: "stratum-v1", Steps: lines(
			`> {"id":1,"method":"mining.authorize","params":["lab"]}`,
			`< {"id":null,"method":"mining.set_difficulty","params":[4]}`,
			`< {"id":null,"method":"mining.notify","params":[{"jobId":"4","fromGroup":0,"toGroup":1,"headerBlob":"$COINB$COINB","txsBlob":"$COINB","targetBlob":"00ff"}]}`,
		)},
		{Name: "ironfish", Dialect: "ironfish", Steps: lines(
			`> {"id":0,"method":"mining.subscribe","body":{"version":3,"name":"den","publicAddress":"$HASH","agent":"if/2"}}`,
			`< {"id":0,"method":"mining.subscribed","body":{"clientId":3,"graffiti":"lab"}}`,
			`< {"id":1,"method":"mining.notify","body":{"miningRequestId":8,"header":"$BLOB"}}`,
		)},
		{Name: "grin", Dialect: "grin", Steps: lines(
			`> {"id":"0","jsonrpc":"2.0","method":"login","params":{"login":"lab","pass":"x","agent":"grin-miner"}}`,
			`< {"id":"0","jsonrpc":"2.0","method":"login","result":"ok","error":null}`,
			`> {"id":"0","jsonrpc":"2.0","method":"getjobtemplate","params":null}`,
		)},
		{Name: "beam", Dialect: "beam", At: 1, Steps: lines(
			`> {"method":"login","api_key":"lab","id":"login","jsonrpc":"2.0"}`,
			`< {"description":"Login successful","id":"login","jsonrpc":"2.0","method":"result","nonceprefix":"b4"}`,
			`< {"difficulty":81234,"height":207,"id":"9","input":"$HASH","jsonrpc":"2.0","method":"job"}`,
			`> {"method":"solution","id":"9","nonce":"b4d1e2f3a4050607","output":"$COINB$COINB$COINB","jsonrpc":"2.0"}`,
			`< {"code":1,"description":"accepted","id":"9","jsonrpc":"2.0","method":"result"}`,
		)},
	}
	out = append(out, webTalks()...)
	out = append(out, binaryTalks()...)
	out = append(out, kinTalks()...)
	for i := range out {
		out[i].Mining, out[i].Port = true, firstPort+uint16(i)
	}
	return out
}
