package mining

import "strings"

// Addresses of Base58Check with made-up hashes; the first letter is what their
// version makes of it.
const (
	addrR = "R9NUkykeNTRymgAQfjVLcGzk5EhQW1ZUtA"  // version 60: Ravencoin, Raptoreum, Verus
	addrM = "M7zSutmmGeoDbLmYRYA9m2GsnC7yMaZqf2"  // version 50: Litecoin, Meowcoin
	addrD = "D5EPDip153XhEfyow9Vn4Wq9C6y798bHkc"  // version 30: Dogecoin
	addrT = "t1HxtgoHVjxR1JJr78zKLeZmTZdRtf69kZH" // Zcash, Flux
	prl   = "prl1pqqqsyqcyq5rqwzqfpg9scrgwpugpzysn3ewyq2"
	aleo  = "aleo1rhgdu77hgyqd3xjj8ucu3jj9r2krwz6mnzyd80gncr5fxcwlh5rsvzp9px"
	wart  = "3661579d61abde4c87a8686dab4a8f4f5d6b3d2b1a0f9e8d"
)

var (
	qubic = strings.Repeat("ABCDEFGHIJKL", 5)
	zeph  = "ZEPHs" + strings.Repeat("abCdEfGh4", 11)
)

// fieldSessions are what software in use sends where it leaves the dialects'
// specifications, or where several coins share one.
var fieldSessions = []session{
	{"Verus, ccminer on a phone", []string{
		`> {"id": 1, "method": "mining.subscribe", "params": ["ccminer/3.8.3"]}`,
		`< {"id":1,"result":[null,"51b7a4"],"error":null}`,
		`> {"id": 2, "method": "mining.authorize", "params": ["` + addrR + `.phone", "x"]}`,
		`< {"id":null,"method":"mining.set_target","params":["$BOUND"]}`,
		`< {"id":null,"method":"mining.notify","params":["7c","04000100","$HASH1","$HASH2","$SEED","e3d2b958","1f07ffff",true,"07000000$HASH1"]}`,
		`> {"method":"mining.submit","params":["` + addrR + `.phone","7c","e3d2b958","0000000001","$SOLN"],"id":4}`,
	}, 0, 0, "stratum-v1", "equihash", "verus/verushash/ccminer/3.8.3/phone/" + addrR},
	{"Raptoreum, cpuminer-gr", []string{
		`> {"id":1,"method":"mining.subscribe","params":["cpuminer-gr/1.2.4.1"]}`,
		`< {"id":1,"result":[[["mining.notify","1"]],"81000001",4],"error":null}`,
		`> {"id":2,"method":"mining.authorize","params":["` + addrR + `.rig","x"]}`,
	}, 0, 0, "stratum-v1", "", "raptoreum//cpuminer-gr/1.2.4.1/rig/" + addrR},
	{"Ravencoin, software that names the pool", []string{
		`> {"id":1,"method":"mining.subscribe","params":["GMiner/3.44",null,"pool.example","6060"]}`,
		`< {"id":1,"result":[null,"2c41"],"error":null}`,
		`> {"id":2,"method":"mining.authorize","params":["` + addrR + `.rig","x"]}`,
		`< {"id":null,"method":"mining.notify","params":["0001","$HASH1","$SEED","$BOUND",true,2800000,"1b00d1e2"]}`,
		`> {"id":4,"method":"mining.submit","params":["` + addrR + `.rig","0001","0x2c41000000001234","0x$HASH1","0x$HASH2"]}`,
	}, 0, 0, "equihash", "kawpow", "ravencoin//GMiner/3.44/rig/" + addrR},
	{"Meowcoin", []string{
		`> {"id":1,"method":"mining.subscribe","params":["kawpowminer/1.2.4"]}`,
		`> {"id":2,"method":"mining.authorize","params":["` + addrM + `.rig","x"]}`,
		`< {"id":null,"method":"mining.notify","params":["0001","$HASH1","$SEED","$BOUND",true,2800000,"1b00d1e2"]}`,
	}, 0, 0, "stratum-v1", "kawpow", "meowcoin//kawpowminer/1.2.4/rig/" + addrM},
	{"KawPow at a market that pays in Bitcoin", []string{
		`> {"id":1,"method":"mining.subscribe","params":["nbminer/42.3"]}`,
		`> {"id":2,"method":"mining.authorize","params":["$BTC.rig","x"]}`,
		`< {"id":null,"method":"mining.notify","params":["0001","$HASH1","$SEED","$BOUND",true,2800000,"1b00d1e2"]}`,
	}, 0, 0, "stratum-v1", "kawpow", "//nbminer/42.3/rig/" + btc},
	{"Ethash in Stratum V1, the first kind", []string{
		`> {"id":1,"method":"mining.subscribe","params":[]}`,
		`< {"id":1,"result":true,"error":null}`,
		`> {"id":3,"method":"mining.authorize","params":["$ETH.rig","x"]}`,
		`< {"id":null,"method":"mining.notify","params":["e005","0x$HASH1","0x$SEED","0x$BOUND",true]}`,
		`> {"id":40,"method":"mining.submit","params":["$ETH","e005","0x0ecf7aa9a67d2cd0","0x$HASH1","0x$HASH2"],"worker":"rig"}`,
	}, 1, 1, "stratum-v1", "", "///rig/" + eth},
	{"Flux", []string{
		`> {"id":1,"method":"mining.subscribe","params":["miniZ/2.4",null,"flux.example","2001"]}`,
		`> {"id":2,"method":"mining.authorize","params":["` + addrT + `.rig","x"]}`,
		`< {"id":null,"method":"mining.notify","params":["7c","04000000","$HASH1","$HASH2","$SEED","e3d2b958","1f07ffff",true]}`,
		`> {"id":4,"method":"mining.submit","params":["` + addrT + `.rig","7c","e3d2b958","000000000000000000000001","34` + strings.Repeat("0badcafe", 13) + `"]}`,
	}, 0, 0, "equihash", "", "flux//miniZ/2.4/rig/" + addrT},
	{"Warthog", []string{
		`> {"id":1,"method":"mining.subscribe","params":["janus/0.3","s"]}`,
		`< {"id":1,"result":[[["mining.notify","81000001"]],"81000001",2],"error":null}`,
		`> {"id":2,"method":"mining.authorize","params":["` + wart + `.rig","x"]}`,
		`< {"id":null,"method":"mining.set_difficulty","params":[100000]}`,
		`< {"id":null,"method":"mining.notify","params":["7","$HASH1","$HASH2","00000002","1d00ffff","6b03891d",false]}`,
		`> {"id":4,"method":"mining.submit","params":["7","0000","6b03891d","a28a04a2"]}`,
	}, 1, 0, "stratum-v1", "warthog", "warthog//janus/0.3/rig/" + wart},
	{"Qubic, Qatum", []string{
		`> {"id":1,"wallet":"` + qubic + `","worker":"den"}`,
		`< {"id":1,"result":true,"error":null}`,
		`< {"id":6,"difficulty":123}`,
		`< {"id":2,"computorId":"` + qubic + `"}`,
		`< {"id":3,"seed":"$SEED","isEmpty":false}`,
		`> {"id":4,"nonce":"$HASH1","seed":"$SEED","computorId":"` + qubic + `"}`,
		`> {"id":5,"computorId":"` + qubic + `","hashrate":123}`,
	}, 0, 0, "qubic", "", "qubic///den/" + qubic},
	{"Arweave", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"account.miner","pass":"x","agent":"node/v2.0.0.1"}}`,
		`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"height":234234,"status":"OK"}}`,
		`< {"jsonrpc":"2.0","method":"job","params":{"job_id":"q7PL","bds":"07$HASH1","target":"b88d0600","timestamp":7656576474,"height":223344}}`,
		`> {"id":2,"jsonrpc":"2.0","method":"submit","params":{"job_id":"4Bi","nonce":"d0030040","hash":"$HASH1"}}`,
	}, 2, 0, "cryptonote", "", "//node/v2.0.0.1/account.miner/"},
	{"TrueChain", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"etrue_submitLogin","params":["$ETH","admin@mail.example"],"worker":"test"}`,
		`< {"id":1,"jsonrpc":"2.0","result":true}`,
	}, 0, 1, "ethproxy", "", "///test/" + eth},
	{"a login with a prefix of its own", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"newcoin_submitLogin","params":["$ETH"]}`,
		`< {"id":1,"jsonrpc":"2.0","result":true}`,
	}, 0, 1, "ethproxy", "", "////" + eth},
	{"eth_login", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"eth_login","params":["$ETH.rig","x"]}`,
		`< {"id":1,"jsonrpc":"2.0","result":true}`,
		`> {"id":5,"method":"eth_getWork","params":[]}`,
		`< {"id":5,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$BOUND"]}`,
	}, 3, 1, "ethproxy", "", "///rig/" + eth},
	{"Zilliqa", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"zil_requestWork","params":["0x$HASH1"]}`,
		`< {"id":1,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$BOUND"]}`,
	}, 1, 1, "ethproxy", "", "////"},
	{"mining.auth", []string{
		`> {"id":1,"method":"mining.auth","params":["$BTC.a","x"]}`,
		`< {"id":1,"result":true,"error":null}`,
	}, 0, 1, "stratum-v1", "", "bitcoin///a/" + btc},
	{"a pool that pays in another coin", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"DOGE:` + addrD + `.w1#abcd-1234","pass":"x","agent":"own/1"}}`,
		`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"1","job":{"blob":"$BLOB","job_id":"1","target":"44444404","algo":"rx/0"},"status":"OK"}}`,
	}, 0, 0, "cryptonote", "", "monero/rx/0/own/1/w1#abcd-1234/DOGE:" + addrD},
	{"Zephyr, by Monero's algorithm", []string{
		`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"` + zeph + `.rig","pass":"x","agent":"XMRig/6.26.0","algo":["rx/0"]}}`,
		`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"1","job":{"blob":"$BLOB","job_id":"1","target":"44444404","algo":"rx/0"},"status":"OK"}}`,
	}, 0, 0, "cryptonote", "", "zephyr/rx/0/XMRig/6.26.0/rig/" + zeph},
	{"Aleo, with its address", []string{
		`> {"id":1,"method":"mining.authorize","params":["` + aleo + `.r","x"]}`,
	}, 0, 0, "stratum-v1", "", "aleo///r/" + aleo},
	{"Pearl", []string{
		`> {"id":1,"method":"mining.subscribe","params":["alpha/1.0"]}`,
		`> {"id":2,"method":"mining.authorize","params":["` + prl + `.rig1","x"]}`,
	}, 1, 0, "stratum-v1", "", "pearl//alpha/1.0/rig1/" + prl},
	{"Beam, its job alone", []string{
		`< {"difficulty":98765,"height":100,"id":"7","input":"$HASH1","jsonrpc":"2.0","method":"job"}`,
	}, 0, 0, "beam", "", "beam////"},
	{"a difficulty is suggested first", []string{
		`> {"id":1,"method":"mining.suggest_difficulty","params":[512]}`,
		`< {"id":1,"result":true,"error":null}`,
	}, 1, 1, "stratum-v1", "", "////"},
	{"extranonce.subscribe first, refused", []string{
		`> {"id":1,"method":"mining.extranonce.subscribe","params":[]}`,
		`< {"id":1,"error":[20,"Not supported.",null],"result":false}`,
		`> {"id":2,"method":"mining.subscribe","params":["q"]}`,
		`< {"id":2,"result":[[["mining.notify","1"]],"81000001",4],"error":null}`,
	}, 3, 0, "stratum-v1", "", "//q//"},
	{"a batch both ways", []string{
		`> [{"id":1,"method":"mining.subscribe","params":["foo"]},{"id":2,"method":"mining.authorize","params":["acct.w","x"]}]`,
		`< [{"id":1,"result":[[["mining.notify","1"]],"81000001",4]},{"id":2,"result":true}]`,
	}, 1, 0, "stratum-v1", "", "//foo/acct.w/"},
	{"after a greeting both ways", []string{
		`> {"hello":1}`,
		`< {"welcome":[{}]}`,
		`> {"id":1,"method":"mining.subscribe","params":["foo"]}`,
		`< {"id":1,"result":[[["mining.notify","1"]],"81000001",4],"error":null}`,
	}, 3, 0, "stratum-v1", "", "//foo//"},
	{"a login by software with an ordinary name", []string{
		`> {"id":1,"method":"login","params":{"login":"me","pass":"x","agent":"Excavator/1.6"}}`,
		`< {"id":1,"result":{"id":"1","job":{"blob":"$BLOB","job_id":"1","target":"44444404"},"status":"OK"}}`,
	}, 1, 0, "cryptonote", "", "//Excavator/1.6/me/"},
	{"ids that are null", []string{
		`> {"id":null,"method":"mining.subscribe","params":["foo"]}`,
		`< {"id":null,"result":[[["mining.notify","1"]],"81000001",4],"error":null}`,
	}, 1, 0, "stratum-v1", "", "//foo//"},
}

// fieldBenign are look-alikes of these.
var fieldBenign = map[string][]string{
	"a rota": {
		`> {"id":1,"wallet":"staff purse","worker":"Yuki"}`,
		`< {"id":2,"deviceId":"till-4","hashes":3}`,
		`< {"id":3,"seed":"$SEED","isEmpty":false}`,
		`> {"id":4,"nonce":"$HASH1","seed":"$SEED","deviceId":"till-4"}`,
		`> {"id":5,"deviceId":"till-4","hashrate":12}`,
	},
	"a plant's telemetry": {
		`< {"id":7,"deviceId":"` + strings.Repeat("A", 59) + `","hashrate":1}`,
		`< {"id":2,"deviceName":"boiler","status":"ok"}`,
	},
	"a shop's login": {
		`> {"id":1,"method":"shop_submitLogin","params":["somebody","x"],"worker":"sw"}`,
		`< {"id":1,"result":true}`,
	},
	"an application signs in with a wallet": {
		`> {"id":1,"jsonrpc":"2.0","method":"eth_login","params":["$ETH","0x$HASH1"]}`,
		`< {"id":1,"jsonrpc":"2.0","result":true}`,
		`> {"id":2,"jsonrpc":"2.0","method":"eth_getBalance","params":["$ETH","latest"]}`,
		`< {"id":2,"jsonrpc":"2.0","result":"0x0"}`,
	},
	"a login with a key": {
		`> {"method":"login","api_key":"k-7781","id":"login","jsonrpc":"2.0"}`,
		`< {"id":"login","jsonrpc":"2.0","method":"result","description":"Login successful","session":"a8"}`,
		`< {"id":"7","jsonrpc":"2.0","method":"job","input":"s3://in/7.png","height":100,"difficulty":3}`,
	},
	"programs named like miners": {
		`> {"id":1,"method":"login","params":{"login":"me","pass":"x","agent":"Avalon/11.2"}}`,
		`< {"id":1,"result":{"token":"t"}}`,
		`> {"id":2,"method":"login","params":{"login":"digger-4","pass":"x","agent":"excavator 320 telemetry"}}`,
	},
	"files to hash": {
		`< {"jsonrpc":"2.0","method":"job","params":{"job_id":"9","hash":"$HASH1","target":"disk2","height":1}}`,
		`> {"id":2,"jsonrpc":"2.0","method":"verify","params":{"job_id":"9","nonce":"d0030040","hash":"$HASH1"}}`,
	},
	"tools of a language model": {
		`> {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"xmrig","version":"1"}}}`,
		`> {"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"mining.subscribe","arguments":{"params":["cpuminer/2.5.1"],"login":"$XMR"}}}`,
		`< {"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"{\"id\":1,\"method\":\"login\",\"params\":{\"login\":\"$XMR\",\"pass\":\"x\",\"agent\":\"XMRig/6\"}}"}]}}`,
	},
	"Transmission": {
		`> {"method":"torrent-add","arguments":{"filename":"http://files.example/xmrig.torrent"},"tag":7}`,
		`< {"result":"success","arguments":{"torrent-added":{"hashString":"$HASH1","id":1,"name":"mining.notify"}},"tag":7}`,
	},
}
