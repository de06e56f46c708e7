package mining

import "strings"

// kinSessions are further coins and habits of miners and pools, from the
// sources that docs/detection/mining-dialects.md names.
var kinSessions = []session{
	{"Nimiq, nano", []string{
		`> {"message":"register","mode":"nano","address":"$NIM","deviceId":3245017,"startDifficulty":1,"deviceData":{"name":"attic"},"genesisHash":"Jkqvik+YKKdsVQY12geOtGYwahifzANxC+6fZJyGnRI="}`,
		`< {"message":"registered"}`,
		`< {"message":"settings","address":"$NIM","extraData":"AAAA","target":"57896044618658097711785492504343953926634992332820282019728792003956564819968","targetCompact":520159231,"nonce":9216}`,
		`< {"message":"new-block","bodyHash":"aaaa","accountsHash":"bbbb","previousBlock":"cccc"}`,
		`> {"message":"share","block":"AAEA","minerAddrProof":"AA","extraDataProof":"AA","nonce":77}`,
	}, 0, 2, "nimiq", "", "nimiq////" + nim},
	{"Hathor", []string{
		`> {"jsonrpc":"2.0","id":"4e6b3a0c","method":"subscribe","params":{"address":"HQQJuAjMaGqsMH1C2Z5qJwT4QkVQFuBVfk","mine_txs":false}}`,
		`< {"jsonrpc":"2.0","id":"4e6b3a0c","result":"ok"}`,
		`< {"jsonrpc":"2.0","id":"5fd2","method":"job","params":{"data":"$COINB$COINB","job_id":"2f2b1c0f7b1a4c5f8e3d9a6b5c4d3e2f","nonce_size":16,"weight":21.5}}`,
		`> {"jsonrpc":"2.0","id":"77","method":"submit","params":{"job_id":"2f2b1c0f7b1a4c5f8e3d9a6b5c4d3e2f","nonce":"0000000000000000000000000a1b2c3d"}}`,
	}, 2, 1, "stratum-v1", "", "////"},
	{"Tari, SHA-3", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"acct","pass":"x","agent":"own/1","algo":["sha3x"]}}`,
		`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"1","job":{"algo":"sha3x","blob":"$HASH1","job_id":"7","target":"a9b3f5c2d4000000","height":7,"difficulty":9000},"status":"OK"}}`,
	}, 1, 0, "cryptonote", "", "//own/1/acct/"},
	{"Epic Cash", []string{
		`> {"id":"0","jsonrpc":"2.0","method":"login","params":{"login":"me","pass":"x","agent":"epic-miner"}}`,
		`> {"id":"0","jsonrpc":"2.0","method":"getjobtemplate","params":{"algorithm":"randomx"}}`,
		`< {"id":"0","jsonrpc":"2.0","method":"getjobtemplate","error":null,"result":{"algorithm":"randomx","block_difficulty":[["cuckoo",5],["randomx",700]],"difficulty":[["cuckoo",5],["randomx",700]],"epochs":[[0,2000,[1,2]]],"height":800000,"job_id":3,"pre_pow":"` + strings.Repeat("00010000", 40) + `"}}`,
		`> {"id":"0","jsonrpc":"2.0","method":"submit","params":{"height":800000,"job_id":3,"nonce":8895699060858340771,"pow":{"RandomX":[1,2,3]}}}`,
	}, 0, 0, "cryptonote", "grin", "//epic-miner/me/"},
	{"Bytom", []string{
		`> {"method":"login","params":{"login":"acct.rig1","pass":"x","agent":"own/2"},"id":1}`,
		`< {"id":1,"jsonrpc":"2.0","result":{"id":"antminer","job":{"version":"0100000000000000","height":"0000000000000000","previous_block_hash":"$HASH1","timestamp":"e55a685a00000000","transactions_merkle_root":"$HASH2","transaction_status_hash":"$SEED","nonce":"0123456789abcdef","bits":"ffff7f0000000020","job_id":"16942","seed":"$SEED","target":"c5a70000"},"status":"OK"},"error":null}`,
		`> {"method":"submit","params":{"id":"antminer","job_id":"16942","nonce":"3500000000000000"},"id":3}`,
	}, 1, 1, "cryptonote", "", "//own/2/acct.rig1/"},
	{"PascalCoin", []string{
		`< {"id":null,"method":"miner-notify","params":[{"block":39559,"version":2,"part1":"$COINB","payload_start":"4E6577","part3":"0000000000","target":640000000,"timestamp":1480000000,"target_pow":"$BOUND"}]}`,
		`> {"id":8,"method":"miner-submit","params":[{"payload":"4E6577","timestamp":1480000001,"nonce":1234567}]}`,
	}, 0, 0, "stratum-v1", "", "////"},
	{"XELIS, getwork over WebSocket", []string{
		`< {"new_job":{"algorithm":"xel/v2","topoheight":7,"difficulty":"20000","height":7,"miner_work":"$COINB$COINB"}}`,
		`> {"miner_work":"$COINB$COINB"}`,
	}, 0, 0, "xelis", "", "xelis////"},
	{"CKB, a node's template", []string{
		`> {"id":42,"jsonrpc":"2.0","method":"get_block_template","params":[null,null,null]}`,
		`< {"id":42,"jsonrpc":"2.0","result":{"version":"0x0","compact_target":"0x1e083126","current_time":"0x174c45e17a3","number":"0x401","epoch":"0x7080019000001","parent_hash":"0x$HASH1","cycles_limit":"0xd09dc300","bytes_limit":"0x91c08","uncles_count_limit":"0x2","uncles":[],"transactions":[],"proposals":[],"cellbase":{},"work_id":"0x0","dao":"0x00"}}`,
		`> {"id":43,"jsonrpc":"2.0","method":"submit_block","params":["0x0",{"header":{"nonce":"0x1"},"uncles":[],"transactions":[],"proposals":[]}]}`,
	}, 1, 0, "getblocktemplate", "", "////"},
	{"BSV, a candidate", []string{
		`> {"id":1,"method":"getminingcandidate","params":[]}`,
		`< {"id":1,"result":{"id":"a5c2","prevhash":"$HASH1","coinbase":"$COINB","coinbaseValue":625000000,"version":536870912,"nBits":"1d00ffff","time":1550000000,"height":9,"merkleProof":["$HASH2"]},"error":null}`,
		`> {"id":2,"method":"submitminingsolution","params":[{"id":"a5c2","nonce":1804358173,"coinbase":"$COINB","time":1550000001,"version":536870912}]}`,
	}, 1, 0, "getblocktemplate", "", "////"},
	{"merge mining, createauxblock", []string{
		`> {"id":1,"method":"createauxblock","params":["NAcct"]}`,
		`< {"id":1,"result":{"hash":"$HASH1","chainid":1,"previousblockhash":"$HASH2","coinbasevalue":5000000000,"bits":"207fffff","height":1,"_target":"$BOUND"},"error":null}`,
	}, 1, 1, "getblocktemplate", "", "////"},
	{"KawPow by a node's call", []string{
		`> {"id":1,"method":"pprpcsb","params":["$HASH1","$HASH2","0x2c41000000001234"]}`,
	}, 0, 0, "getblocktemplate", "", "////"},
	{"the pool asks for the software's version", []string{
		`< {"id":"7","method":"client.get_version","params":[]}`,
		`> {"id":"7","result":"cgminer/4.12.0","error":null}`,
	}, 1, 1, "stratum-v1", "", "//cgminer/4.12.0//"},

	{"authorize first, no answer to wait for", []string{
		`> {"id":2,"method":"mining.authorize","params":["$BTC.den","x"]}`,
	}, 0, 0, "stratum-v1", "", "bitcoin///den/" + btc},
	{"subscribe without params, without id", []string{
		`> {"method":"mining.subscribe"}`,
		`> {"method":"mining.authorize","params":["acct","x"]}`,
		`< {"method":"mining.notify","params":["1","$HASH1","$COINB","$COINB",[],"20000000","1d00ffff","6b03891d",false]}`,
	}, 1, 0, "stratum-v1", "", "///acct/"},
	{"nothing but shares", []string{
		`> {"id":99,"method":"mining.submit","params":["acct.rig","5f","00000001","6b03891d","bcee0300"]}`,
	}, 0, 0, "stratum-v1", "", "///acct.rig/"},
	{"shares with rolled versions", []string{
		`> {"params": ["acct.rig", "5f", "00000001", "6b03891d", "bcee0300", "00a00000"], "id": 99, "method": "mining.submit"}`,
	}, 0, 0, "stratum-v1", "", "///acct.rig/"},
	{"nothing but CryptoNote shares", []string{
		`> {"method":"submit","params":{"id":"1","job_id":"4","nonce":"0a0b0c0d","result":"$HASH1"},"id":12}`,
	}, 0, 0, "cryptonote", "", "////"},
	{"eth_submitLogin without worker", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"eth_submitLogin","params":["$ETH"]}`,
	}, 0, 0, "ethproxy", "", "////" + eth},
	{"lolMiner on an Ethereum pool", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"eth_submitLogin","params":["$ETH.rig","x"]}`,
		`< {"id":1,"jsonrpc":"2.0","result":true}`,
		`> {"id":2,"jsonrpc":"2.0","method":"eth_getWork","params":[]}`,
	}, 0, 2, "ethproxy", "", "///rig/" + eth},
	{"T-Rex", []string{
		`> {"id":1,"method":"mining.subscribe","params":["t-rex/0.26.8",null,"pool.example","4444"]}`,
	}, 0, 0, "equihash", "", "//t-rex/0.26.8//"},
	{"SRBMiner", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"acct","pass":"x","rigid":"r","agent":"SRBMiner-MULTI/2.4.1","algo":["randomx"]}}`,
	}, 0, 0, "cryptonote", "", "//SRBMiner-MULTI/2.4.1/r/"},
	{"NiceHash", []string{
		`> {"id":1,"method":"mining.subscribe","params":["NiceHash/1.0.0"]}`,
	}, 0, 0, "stratum-v1", "", "//NiceHash/1.0.0//"},
	{"bminer", []string{
		`> {"id":1,"method":"mining.subscribe","params":["bminer/16.4.11"],"jsonrpc":"2.0"}`,
	}, 0, 0, "stratum-v1", "", "//bminer/16.4.11//"},
	{"subscribe with an object", []string{
		`> {"id":1,"method":"mining.subscribe","params":{}}`,
		`< {"id":1,"result":true,"error":null}`,
	}, 1, 1, "stratum-v1", "", "////"},
}

const nim = "NQ07 0000 0000 0000 0000 0000 0000 0000 0000"

// moreBenign are look-alikes of these.
var moreBenign = map[string][]string{
	"Discord-like chat": {
		`> {"message":"register","address":"1 Main Street","nonce":"883627"}`,
		`< {"message":"settings","address":"1 Main Street","target":"all","deviceId":7}`,
		`> {"message":"share","nonce":"883628","block":"general"}`,
	},
	"content-addressed builds": {
		`< {"jsonrpc":"2.0","method":"job","params":{"job_id":"9","blob":"$HASH1","target":"linux-x64","height":1}}`,
		`< {"jsonrpc":"2.0","method":"job","params":{"job_id":"9","data":"$COINB$COINB","size":4,"weight":2}}`,
	},
	"a newspaper's subscription": {
		`> {"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"address":"me@mail.example","mine_txs":false}}`,
		`< {"jsonrpc":"2.0","id":1,"result":"ok"}`,
	},
	"Nano's proof of work": {
		`> {"id":1,"method":"work_generate","params":{"hash":"$HASH1","difficulty":"ffffffd21c3933f3"}}`,
		`< {"id":1,"result":{"work":"2bf29ef00786a6bc","difficulty":"ffffffd21c3933f4","multiplier":"1.39","hash":"$HASH1"}}`,
	},
	"an editor's templates": {
		`> {"id":1,"method":"get_block_template","params":["hero"]}`,
		`< {"id":1,"result":{"work_id":"7","bits":[],"parent_hash":"abc"}}`,
		`> {"block_template":"<div>hero</div>"}`,
		`< {"new_job":{"title":"miner","miner_work":"shifts"}}`,
	},
	"a login by list": {
		`> {"id":1,"method":"login","params":["me","secret"]}`,
		`< {"id":1,"result":{"id":"7","status":"OK"}}`,
	},
	"lightning node": {
		`> {"jsonrpc":"2.0","id":"cln:getinfo#1","method":"getinfo","params":{}}`,
		`< {"jsonrpc":"2.0","id":"cln:getinfo#1","result":{"id":"02$HASH1","alias":"den","address":[{"type":"ipv4","address":"192.0.2.1","port":9735}],"blockheight":800000}}`,
		`> {"jsonrpc":"2.0","id":"2","method":"listfunds","params":{}}`,
	},
	"home automation": {
		`> {"id":1,"type":"auth","access_token":"$HASH1"}`,
		`< {"type":"auth_ok","ha_version":"2026.1"}`,
		`> {"id":2,"type":"subscribe_events","event_type":"state_changed"}`,
		`< {"id":2,"type":"result","success":true,"result":null}`,
		`< {"id":2,"type":"event","event":{"data":{"entity_id":"sensor.miner_power"}}}`,
	},
	"trading bot": {
		`> {"method":"SUBSCRIBE","params":["btcusdt@trade","kasusdt@depth"],"id":1}`,
		`< {"result":null,"id":1}`,
		`> {"id":2,"method":"order.place","params":{"symbol":"XMRUSDT","side":"BUY","signature":"$HASH1","timestamp":1700000000000}}`,
		`< {"id":2,"status":200,"result":{"orderId":1,"clientOrderId":"x","price":"1.0"}}`,
	},
}
